// The table of commands: what each is for, its options and examples; its code is loaded only when it runs.
import type { Call } from "./call.ts";
import type { Line, Style } from "../core/paint.ts";

export const GROUPS = ["Look", "Follow", "Set up"] as const;

/** Options as node:util parses them. */
export type OptionTable = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>>;

export interface Command {
  readonly name: string;
  readonly group: (typeof GROUPS)[number];
  /** What stands after the name: `<env> [--sha X]`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly options: OptionTable;
  /** One line for each option. */
  readonly about: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** What else its help shows. */
  readonly more?: (style: Style) => Promise<readonly Line[]>;
  readonly load: () => Promise<(call: Call) => Promise<number>>;
}

const REASON = { reason: { type: "string" } } as const satisfies OptionTable;
const ABOUT_REASON = { reason: "why; kept in the journal with your name" };

export const COMMANDS: readonly Command[] = [
  {
    name: "status",
    group: "Look",
    usage: "[env]",
    summary: "what runs where, and what needs you",
    options: { check: { type: "boolean" } },
    about: { check: "exit by state: 8 converging, 3 waiting or blocked, 6 failed, 1 unknown" },
    examples: ["lockstep status", "lockstep status prod", "lockstep status --json | jq '.environments[].state'"],
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "plan",
    group: "Look",
    usage: "[env] [--sha X] [--exit-code] [--gates]",
    summary: "what a merge would do, call by call; needs no controller",
    options: {
      sha: { type: "string" },
      ref: { type: "string" },
      "exit-code": { type: "boolean" },
      gates: { type: "boolean" },
    },
    about: {
      sha: "plan as if the environment's sha were this one",
      ref: "branch or commit to read, with --repo",
      "exit-code": "exit 2 when something would change",
      gates: "exit 3 when a gate or a hold stands in the way",
    },
    examples: ["lockstep plan", "lockstep plan prod --sha 9f2c1ab", "lockstep plan prod --exit-code --gates"],
    load: async () => (await import("./plan.ts")).plan,
  },
  {
    name: "diff",
    group: "Look",
    usage: "[env] [--exit-code]",
    summary: "live against Git, as the controller last saw it",
    options: { "exit-code": { type: "boolean" } },
    about: { "exit-code": "exit 2 when there are differences" },
    examples: ["lockstep diff staging", "lockstep diff --exit-code"],
    load: async () => (await import("./diff.ts")).diff,
  },
  {
    name: "history",
    group: "Look",
    usage: "<env> [--limit N]",
    summary: "releases, the newest first",
    options: { limit: { type: "string" } },
    about: { limit: "how many (20)" },
    examples: ["lockstep history prod", "lockstep history shop/prod --limit 5 --json"],
    load: async () => (await import("./history.ts")).history,
  },
  {
    name: "logs",
    group: "Look",
    usage: "<env> [step] [-f]",
    summary: "log of a release step: the failed or running one, unless named",
    options: { follow: { type: "boolean", short: "f" } },
    about: { follow: "go on until the step ends" },
    examples: ["lockstep logs prod", "lockstep logs prod migrate -f"],
    load: async () => (await import("./logs.ts")).logs,
  },
  {
    name: "explain",
    group: "Look",
    usage: "<key or code>",
    summary: "manifest reference, and what an error code means",
    options: {},
    about: {},
    examples: ["lockstep explain services.health", "lockstep explain artifact-rebuilt"],
    load: async () => (await import("./explain.ts")).explain,
  },
  {
    name: "wait",
    group: "Follow",
    usage: "<env> [--sha X] [--timeout 30m] [--no-wait-gates]",
    summary: "until healthy, failed or time is up",
    options: { sha: { type: "string" }, timeout: { type: "string" }, "no-wait-gates": { type: "boolean" } },
    about: {
      sha: "wait for this commit; exit 6 when a newer one takes its place",
      timeout: "how long (1h); 0 looks once and exits 8 while it runs",
      "no-wait-gates": "exit 3 instead of waiting for a gate, a hold or a first contact",
    },
    examples: ["lockstep wait prod", "lockstep wait prod --sha 9f2c1ab --timeout 30m", "lockstep wait dev --json"],
    load: async () => (await import("./wait.ts")).wait,
  },
  {
    name: "retry",
    group: "Follow",
    usage: "<env> [--reason …]",
    summary: "try a failed release again",
    options: REASON,
    about: ABOUT_REASON,
    examples: ['lockstep retry prod --reason "quota was raised"'],
    load: async () => (await import("./nudge.ts")).retry,
  },
  {
    name: "resolve",
    group: "Follow",
    usage: "<env> --migration applied|not-applied | --adopt",
    summary: "say how an unknown migration ended, or take over what runs",
    options: {
      ...REASON,
      migration: { type: "string" },
      name: { type: "string" },
      adopt: { type: "boolean" },
    },
    about: {
      migration: "applied or not-applied, after looking into the database",
      name: "which migration, where an environment has several",
      adopt: "what runs is another journal's: take it over as it is",
      ...ABOUT_REASON,
    },
    examples: ['lockstep resolve prod --migration applied --reason "checked schema_migrations"'],
    load: async () => (await import("./nudge.ts")).resolve,
  },
  {
    name: "repair",
    group: "Follow",
    usage: "<env> [--reason …]",
    summary: "put drift back to what Git says",
    options: REASON,
    about: ABOUT_REASON,
    examples: ["lockstep repair staging"],
    load: async () => (await import("./nudge.ts")).repair,
  },
  {
    name: "adopt",
    group: "Follow",
    usage: "<env> [--reason …]",
    summary: "allow the first release over what already runs",
    options: REASON,
    about: ABOUT_REASON,
    examples: ["lockstep adopt shop/prod"],
    load: async () => (await import("./nudge.ts")).adopt,
  },
  {
    name: "abort",
    group: "Follow",
    usage: "<env> [--reason …]",
    summary: "end the running release; a migration is never interrupted",
    options: REASON,
    about: ABOUT_REASON,
    examples: ['lockstep abort prod --reason "wrong commit"'],
    load: async () => (await import("./nudge.ts")).abort,
  },
  {
    name: "refresh",
    group: "Follow",
    usage: "",
    summary: "look at Git and AWS now",
    options: {},
    about: {},
    examples: ["lockstep refresh"],
    load: async () => (await import("./nudge.ts")).refresh,
  },
  {
    name: "accept",
    group: "Follow",
    usage: "<head> [--reason …]",
    summary: "take rewritten history: the head that halted the repository",
    options: REASON,
    about: ABOUT_REASON,
    examples: ['lockstep accept 9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01 --reason "history was cleaned"'],
    load: async () => (await import("./nudge.ts")).accept,
  },
  {
    name: "validate",
    group: "Set up",
    usage: "[file…]",
    summary: "check manifests; for editors, hooks and CI; needs nothing else",
    options: { ref: { type: "string" } },
    about: { ref: "branch or commit to read, with --repo" },
    examples: ["lockstep validate", "lockstep validate environments/prod.yaml", "lockstep validate --json"],
    load: async () => (await import("./validate.ts")).validate,
  },
  {
    name: "render",
    group: "Set up",
    usage: "<env> [--origin]",
    summary: "the merged manifest, and where each value comes from",
    options: { origin: { type: "boolean" }, ref: { type: "string" } },
    about: { origin: "file and line of every value", ref: "branch or commit to read, with --repo" },
    examples: ["lockstep render prod", "lockstep render prod --origin"],
    load: async () => (await import("./render.ts")).render,
  },
  {
    name: "serve",
    group: "Set up",
    usage: "[--observe]",
    summary: "run the controller",
    options: { observe: { type: "boolean" } },
    about: { observe: "statuses and drift only: nothing is written to AWS" },
    examples: ["LOCKSTEP_REPOSITORY=. lockstep serve", "lockstep serve --observe"],
    more: async (style) => (await import("./serve.ts")).variablesHelp(style),
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "demo",
    group: "Set up",
    usage: "[--story] [--fault <operation>:<kind>]",
    summary: "a shop on a simulated AWS on this machine; no account needed",
    options: { story: { type: "boolean" }, fault: { type: "string" } },
    about: {
      story:
        "without keys: a week of releases in a minute, each line checked against AWS; exit 1 at the first untrue one",
      fault: "what goes wrong with every such call, from before the first release: denied, throttle or 5xx",
    },
    examples: ["lockstep demo", "lockstep demo --story", "lockstep demo --story --fault UpdateService:denied"],
    load: async () => (await import("./demo.ts")).demo,
  },
  {
    name: "schema",
    group: "Set up",
    usage: "<application|environment|controller>",
    summary: "the JSON Schema of a file",
    options: {},
    about: {},
    examples: ["lockstep schema environment > schema/environment.schema.json"],
    load: async () => (await import("./schema.ts")).schema,
  },
  {
    name: "version",
    group: "Set up",
    usage: "",
    summary: "version of this Lockstep",
    options: {},
    about: {},
    examples: ["lockstep version --json"],
    load: async () => (await import("./version.ts")).version,
  },
];
