// One environment on its way from a merged manifest to its value: where things stand, what templates mean, what is wrong.
import type { ApplicationName, EnvironmentName } from "../core/brand.ts";
import { durationMs } from "../core/duration.ts";
import { LIMITS } from "../core/limits.ts";
import { nodeAt, plain, positionOf, type Mapping, type Position } from "../core/merge.ts";
import { expandTemplate, PLACEHOLDERS, type Placeholder, type Values } from "../core/template.ts";
import type {
  ApplicationManifest,
  EnvironmentManifest,
  HealthManifest,
  MigrationManifest,
  ServiceOverride,
  WebOverride,
} from "./manifest.generated.ts";
import { nearest } from "../core/nearest.ts";
import { problem, quoted, type Problem } from "./problem.ts";
import { nameOf } from "./wording.ts";

export type Path = readonly string[];
export type ServicePart = Omit<ServiceOverride, "health"> & { readonly health?: HealthManifest };
export type WebPart = Omit<WebOverride, "health"> & { readonly health?: HealthManifest };
type Parts<Part> = Readonly<Record<string, Part>>;
type Replaced = "services" | "migrations" | "migrate" | "web";

/** A merged manifest: shorthands written out, and whatever `false` removed is gone. */
export type MergedManifest = Omit<ApplicationManifest, Replaced> &
  Omit<EnvironmentManifest, Replaced> & {
    readonly services?: Parts<ServicePart>;
    readonly migrations?: Parts<MigrationManifest>;
    readonly web?: Parts<WebPart>;
  };

/** A text longer than this once its templates are expanded is refused. */
const LONGEST = 2_048;

export interface Draft {
  readonly application: ApplicationName;
  readonly name: EnvironmentName;
  readonly tree: Mapping;
  readonly manifest: MergedManifest;
  /** What `{application} {env} {account} {region}` stand for. */
  readonly values: Values;
  readonly problems: Problem[];
}

export function createDraft(
  application: ApplicationName,
  name: EnvironmentName,
  tree: Mapping,
  values: { readonly account?: string; readonly region?: string },
): Draft {
  return {
    application,
    name,
    tree,
    // The schemas were checked on both files, and merging keeps to them.
    manifest: plain(tree) as MergedManifest,
    values: { ...values, application, env: name },
    problems: [],
  };
}

/** Where the value at a path stands, or its key when it is not a scalar. */
export function placeOfValue(draft: Draft, path: Path): Position {
  const node = nodeAt(draft.tree, path);
  return node?.kind === "scalar" && node.value !== null ? node.at : positionOf(draft.tree, path);
}

/** Says what is wrong with the value at a path; the message begins with its name. */
export function refuse(draft: Draft, path: Path, message: string, hint?: string): undefined {
  draft.problems.push(problem(placeOfValue(draft, path), `${nameOf(path)}${message}`, hint));
}

/** The text at a path with its templates expanded; undefined after saying what is wrong with it. */
export function expanded(draft: Draft, path: Path, template: string, values: Values): string | undefined {
  const expansion = expandTemplate(template, values);
  if ("text" in expansion) {
    if (expansion.text.length <= LONGEST) return expansion.text;
    return refuse(draft, path, ` is longer than ${LONGEST} characters`);
  }
  const { wrong, why } = expansion;
  if (why === "brace") return refuse(draft, path, `: a lone ${quoted(wrong)} is no template`);
  if (why === "unknown") {
    const guess = nearest(wrong, PLACEHOLDERS);
    const meant = guess === undefined ? "" : `; did you mean {${guess}}?`;
    const known = PLACEHOLDERS.map((name) => `{${name}}`).join(" ");
    return refuse(draft, path, `: {${wrong.slice(0, 40)}} is not a template${meant}`, `templates: ${known}`);
  }
  return refuse(draft, path, `: ${absence(wrong as Placeholder, draft)}`, MEND[wrong as Placeholder]);
}

function absence(name: Placeholder, draft: Draft): string {
  return MEND[name] === undefined ? `{${name}} has no meaning here` : `{${name}} is not known for ${draft.name}`;
}

const MEND: { readonly [Name in Placeholder]?: string } = {
  account: "write the twelve digits, or bind the account in LOCKSTEP_CONFIG",
  region: "set aws.region, or bind the region in LOCKSTEP_CONFIG",
};

/** Milliseconds of the duration at a path. Its grammar was checked; its size is checked here. */
export function duration(draft: Draft, path: Path, text: string | undefined, otherwise: string): number {
  const ms = durationMs(text ?? otherwise) ?? 0;
  if (ms < 1) refuse(draft, path, " must be longer than nothing");
  if (ms > LONGEST_DURATION_MS) refuse(draft, path, " must be at most 12h");
  return ms;
}

/** ECS tasks and deployments; nothing Lockstep waits for may take longer. */
const LONGEST_DURATION_MS = LIMITS.migrationTimeoutMs;

/** Names in an order that does not depend on how a file is written. */
export function sortedEntries<Part>(parts: Parts<Part> | undefined): readonly (readonly [string, Part])[] {
  return Object.entries(parts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
