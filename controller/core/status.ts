// What an environment's state is called, and the one document that command line, API and page all show.
import type { Digest, Instant, ServiceName, Sha, WebName } from "./brand.ts";
import type { Decision } from "./decision.ts";
import type { Difference } from "./difference.ts";
import type { Environment, EnvironmentId } from "./environment.ts";
import { environmentId } from "./environment.ts";
import type { FaultCode } from "./fault.ts";
import type { Good, Memory, ReleaseRecord } from "./history.ts";
import type { LiveState, Replicas, Rollout } from "./live.ts";
import type { Plan } from "./plan.ts";

/** The nine states; shape, word and colour of each stand in one table of the views. */
export type State =
  | "healthy"
  | "converging"
  | "waiting"
  | "blocked"
  | "failed"
  | "rolled-back"
  | "drift"
  | "unknown"
  | "none";

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly state: "present" | "absent" | "unknown";
  readonly version?: string;
  /** SHA that the version stands for, as far as the journal knows it. */
  readonly sha?: Sha;
  readonly replicas?: Replicas;
  readonly rollout?: Rollout;
  readonly why?: string;
}

export interface WebStatus {
  readonly name: WebName;
  /** Digest of the release that the journal last saw served. */
  readonly digest?: Digest;
  readonly sha?: Sha;
}

/** One environment, complete; times are milliseconds since the epoch. */
export interface EnvironmentStatus {
  readonly id: EnvironmentId;
  readonly application: string;
  readonly environment: string;
  readonly state: State;
  /** One sentence: why it is in this state. */
  readonly why: string;
  readonly code?: FaultCode;
  /** What to do next, where somebody has to do something. */
  readonly next?: string;
  readonly until?: Instant;
  readonly since?: Instant;
  /** What it should be. */
  readonly git?: { readonly sha: Sha; readonly commit: Sha };
  /** What was last proven healthy. */
  readonly healthy?: { readonly sha: Sha; readonly release: number; readonly at: Instant };
  readonly services: readonly ServiceStatus[];
  readonly webs: readonly WebStatus[];
  readonly differences: readonly Difference[];
  readonly problems: readonly string[];
  /** The release that runs, or the last one. */
  readonly release?: ReleaseRecord;
  /** The last progress line of the release that runs. */
  readonly progress?: string;
  readonly hold?: { readonly reason: string; readonly until?: number };
  /** Tail of the log of a migration that failed. */
  readonly log?: readonly string[];
  readonly url?: string;
  readonly observedAt?: Instant;
}

export interface StatusDocument {
  readonly schema: "lockstep/v1";
  readonly at: Instant;
  readonly repositories: readonly {
    readonly address: string;
    readonly branch: string;
    readonly head?: Sha;
    readonly readAt?: Instant;
    readonly halted?: string;
    readonly trouble?: string;
  }[];
  readonly environments: readonly EnvironmentStatus[];
}

/** What one turn of a lane knew when it ended or went on. */
export interface Glimpse {
  readonly id: EnvironmentId;
  readonly memory: Memory;
  readonly desired?: Environment;
  readonly live?: LiveState;
  readonly plan?: Plan;
  readonly decision?: Decision;
  readonly problems: readonly string[];
  readonly progress?: string;
}

/** Applications by name, their environments in the order of promotion, then by name. */
export function inOrder(glimpses: readonly Glimpse[]): readonly Glimpse[] {
  const known = new Map(glimpses.map((glimpse) => [glimpse.id, glimpse]));
  const rank = (glimpse: Glimpse, seen: readonly string[] = []): number => {
    const application = glimpse.id.slice(0, glimpse.id.indexOf("/"));
    const before = (glimpse.desired?.gates.promotedFrom ?? []).map((name): EnvironmentId => `${application}/${name}`);
    const ranks = before.flatMap((id) => {
      const other = seen.includes(id) ? undefined : known.get(id);
      return other === undefined ? [] : [rank(other, [...seen, id]) + 1];
    });
    return Math.max(0, ...ranks);
  };
  const key = (glimpse: Glimpse): string => {
    const [application = "", name = ""] = glimpse.id.split("/", 2);
    return `${application}/${String(rank(glimpse)).padStart(4, "0")}/${name}`;
  };
  return glimpses
    .map((glimpse) => [key(glimpse), glimpse] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, glimpse]) => glimpse);
}

export function statusOf(glimpse: Glimpse): EnvironmentStatus {
  const { memory, desired, decision, live } = glimpse;
  const [application = "", environment = ""] = glimpse.id.split("/", 2);
  const release = memory.open ?? memory.releases.at(-1);
  const log = failedLog(memory);
  return {
    id: desired === undefined ? glimpse.id : environmentId(desired),
    application,
    environment,
    ...sentence(glimpse),
    ...(desired === undefined ? {} : { git: { sha: desired.sha, commit: arrivalOf(memory, desired) } }),
    ...(memory.good === undefined ? {} : { healthy: healthyOf(memory.good) }),
    services: (desired?.services ?? []).map(({ name }) => serviceStatus(name, memory, live)),
    webs: (desired?.webs ?? []).map(({ name }) => webStatus(name, memory)),
    differences: glimpse.plan?.differences ?? [],
    problems: glimpse.problems,
    ...(release === undefined ? {} : { release: recordOf(release) }),
    ...(glimpse.progress === undefined || memory.open === undefined ? {} : { progress: glimpse.progress }),
    ...(desired?.hold === undefined ? {} : { hold: desired.hold }),
    ...(log === undefined ? {} : { log }),
    ...(desired?.url === undefined ? {} : { url: desired.url }),
    ...(live === undefined ? {} : { observedAt: live.observedAt }),
    ...(decision?.kind === "wait" && decision.until !== undefined ? { until: decision.until } : {}),
  };
}

/** The commit at which what Git says came to be so: later heads that change nothing here do not count. */
function arrivalOf({ arrival }: Memory, desired: Environment): Sha {
  return arrival?.fingerprint === desired.fingerprint ? arrival.commit : desired.revision.commit;
}

/** Success is proven: healthy only where health passed for what Git says, and live was seen to be that. */
function sentence({
  memory,
  desired,
  decision,
  live,
  plan,
}: Glimpse): Pick<EnvironmentStatus, "state" | "why" | "code" | "next" | "since"> {
  if (memory.unmanaged !== undefined)
    return { state: "none", why: `unmanaged: ${memory.unmanaged}; nothing is stopped` };
  if (decision === undefined || desired === undefined) return { state: "unknown", why: "not looked at yet" };
  const open = memory.open;
  const since = open?.startedAt ?? memory.failure?.at ?? memory.drift?.since ?? memory.good?.at;
  const when = since === undefined ? {} : { since };
  if (open !== undefined) {
    const kind = open.kind === "rollback" ? "rolling back" : open.kind === "repair" ? "repairing" : "releasing";
    const held = decision.kind === "blocked" || (decision.kind === "wait" && decision.code !== undefined);
    const why = `${kind} (#${open.number}): ${held ? decision.why : open.why}`;
    if (decision.kind === "blocked")
      return { state: "blocked", why, ...codeOf(decision), next: decision.next, ...when };
    return { state: "converging", why, ...(held ? codeOf(decision) : {}), ...when };
  }
  const { why } = decision;
  switch (decision.kind) {
    case "rest": {
      const proven = memory.passed === desired.fingerprint && live !== undefined;
      const drifts = (plan?.differences.length ?? 0) > 0 && desired.drift !== "ignore";
      return { state: drifts ? "drift" : proven ? "healthy" : "unknown", why: decision.why, ...when };
    }
    case "act":
      return { state: "converging", why: decision.why, ...when };
    case "wait":
      return { state: decision.code === undefined ? "waiting" : "unknown", why, ...codeOf(decision), ...when };
    case "blocked": {
      const failed = memory.failure?.fingerprint === desired.fingerprint;
      const back = memory.releases.some((one) => one.number === memory.failure?.release && one.state === "rolled-back");
      return {
        state: failed ? (back ? "rolled-back" : "failed") : "blocked",
        why: decision.why,
        ...codeOf(decision),
        next: decision.next,
        ...when,
      };
    }
  }
}

function codeOf(decision: { readonly code?: FaultCode }): { readonly code?: FaultCode } {
  return decision.code === undefined ? {} : { code: decision.code };
}

function healthyOf(good: Good): NonNullable<EnvironmentStatus["healthy"]> {
  return { sha: good.desired.sha, release: good.release, at: good.at };
}

function serviceStatus(name: ServiceName, memory: Memory, live: LiveState | undefined): ServiceStatus {
  const now = live?.services.get(name);
  if (now === undefined) return { name, state: "unknown", why: "not looked at yet" };
  if (now.state !== "present") return { name, state: now.state, why: now.why.message };
  const good = memory.good;
  const sha =
    good?.deployed.get(name)?.version === now.version
      ? good.desired.services.find((one) => one.name === name)?.sha
      : undefined;
  return {
    name,
    state: "present",
    version: now.version,
    replicas: now.replicas,
    rollout: now.rollout,
    ...(sha === undefined ? {} : { sha }),
  };
}

function webStatus(name: WebName, memory: Memory): WebStatus {
  const digest = memory.served.get(name);
  const good = memory.good;
  const sha =
    digest !== undefined && good?.artifacts[`web/${name}`] === digest
      ? good.desired.webs.find((one) => one.name === name)?.sha
      : undefined;
  return { name, ...(digest === undefined ? {} : { digest }), ...(sha === undefined ? {} : { sha }) };
}

function failedLog(memory: Memory): readonly string[] | undefined {
  if (memory.failure?.step.startsWith("migrate/") !== true) return undefined;
  const failed = [...memory.migrations.values()].filter((one) => one.state === "failed");
  return failed.at(-1)?.log;
}

/** A release record without what only a rollback needs. */
export function recordOf(release: ReleaseRecord & { readonly desired?: Environment }): ReleaseRecord {
  const { desired: _, ...record } = release;
  return record;
}
