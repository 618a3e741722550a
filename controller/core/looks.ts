// Shape, word and colour of everything that has a state: one table for terminal and page.
import { short } from "./brand.ts";
import { digestName } from "./describe.ts";
import type { ReleaseState, StepRecord } from "./history.ts";
import type { EnvironmentStatus, ServiceStatus, State, WebStatus } from "./status.ts";

/** How a view may colour something; a colour never says anything alone. */
export type Tone = "ok" | "run" | "wait" | "bad" | "drift" | "muted";

interface Look {
  readonly symbol: string;
  /** The same shape where only ASCII can be shown. */
  readonly ascii: string;
  readonly word: string;
  readonly tone: Tone;
  /** Place in a list of what needs somebody: lower first; undefined = nobody is needed. */
  readonly urgency?: number;
}

/** Shape, word and colour of the nine states. */
export const STATES: { readonly [Name in State]: Look } = {
  failed: { symbol: "✖", ascii: "x", word: "failed", tone: "bad", urgency: 1 },
  "rolled-back": { symbol: "↩", ascii: "<", word: "rolled back", tone: "bad", urgency: 2 },
  blocked: { symbol: "▲", ascii: "!", word: "blocked", tone: "bad", urgency: 3 },
  drift: { symbol: "◆", ascii: "~", word: "drift", tone: "drift", urgency: 4 },
  unknown: { symbol: "?", ascii: "?", word: "unknown", tone: "wait", urgency: 5 },
  waiting: { symbol: "⏸", ascii: "=", word: "waiting", tone: "wait", urgency: 6 },
  converging: { symbol: "●", ascii: "*", word: "converging", tone: "run" },
  healthy: { symbol: "✔", ascii: "+", word: "healthy", tone: "ok" },
  none: { symbol: "–", ascii: "-", word: "none", tone: "muted" },
};

export const RELEASE_STATES: { readonly [Name in ReleaseState]: State } = {
  running: "converging",
  succeeded: "healthy",
  failed: "failed",
  superseded: "none",
  "rolled-back": "rolled-back",
  "rollback-failed": "failed",
};

export const RELEASE_WORDS: { readonly [Name in ReleaseState]: string } = {
  running: "running",
  succeeded: "succeeded",
  failed: "failed",
  superseded: "superseded",
  "rolled-back": "rolled back",
  "rollback-failed": "rollback failed",
};

/** `running`, `done` … with the state whose shape stands for it. */
export function stepState(record: StepRecord): { readonly state: State; readonly word: string } {
  if (record.outcome === undefined) {
    return record.startedAt === undefined
      ? { state: "none", word: "not started" }
      : { state: "converging", word: "running" };
  }
  if (record.outcome.status === "done") return { state: "healthy", word: "done" };
  if (record.outcome.status === "failed") return { state: "failed", word: "failed" };
  return { state: "none", word: "cancelled" };
}

/** What a cell of the matrix says: the state that gives its shape, and a text. */
export interface CellLook {
  readonly state: State;
  readonly text: string;
}

/** Tasks running of desired; a SHA only where it is not the environment's own. */
export function serviceLook(service: ServiceStatus, environment: EnvironmentStatus): CellLook {
  if (service.state !== "present") {
    return service.state === "absent" ? { state: "failed", text: "missing" } : { state: "unknown", text: "unknown" };
  }
  const tasks = service.replicas === undefined ? "" : `${service.replicas.running}/${service.replicas.desired}`;
  const pin = service.sha !== undefined && service.sha !== environment.healthy?.sha ? ` ${short(service.sha)}` : "";
  return { state: serviceState(service, environment), text: `${tasks}${pin}` };
}

function serviceState(service: ServiceStatus, environment: EnvironmentStatus): State {
  const rollout = service.rollout?.state ?? "steady";
  if (rollout === "failed") return "failed";
  if (rollout === "rolled-back") return "rolled-back";
  if (rollout === "moving") return "converging";
  const drifts = environment.differences.some((one) => one.kind === "service" && one.service === service.name);
  if (drifts && environment.state === "drift") return "drift";
  const { running = 0, desired = 0 } = service.replicas ?? {};
  return running < desired ? "converging" : "healthy";
}

/** The SHA whose files are served, or the digest where the journal knows no SHA. */
export function webLook(web: WebStatus, environment: EnvironmentStatus): CellLook {
  const drifts = environment.differences.some((one) => one.kind === "web" && one.web === web.name);
  if (web.digest === undefined) return { state: "none", text: "not published" };
  const text = web.sha === undefined ? digestName(web.digest) : short(web.sha);
  return { state: drifts && environment.state === "drift" ? "drift" : "healthy", text };
}

/** The shape of a difference: it drifted, it is being removed, or it just stands. */
export function differenceState(one: Pick<EnvironmentStatus, "state">): State {
  return one.state === "drift" || one.state === "converging" ? one.state : "none";
}

/** No difference is proof only where health was proven: what cannot be read makes no difference either. */
export function sameAsGit(one: EnvironmentStatus): boolean {
  return one.state === "healthy" && one.differences.length === 0;
}

/** What to do about it: as the controller says, or the commands that go with the state. */
export function nextFor(one: EnvironmentStatus): string | undefined {
  if (one.next !== undefined || one.state !== "drift") return one.next;
  return `\`lockstep diff ${one.id}\` shows it, \`lockstep repair ${one.id}\` puts back what Git says`;
}

/** Environments somebody should look at, the most urgent first. */
export function attention(environments: readonly EnvironmentStatus[]): readonly EnvironmentStatus[] {
  const urgency = (one: EnvironmentStatus): number =>
    one.problems.length > 0 ? 0 : (STATES[one.state].urgency ?? Number.POSITIVE_INFINITY);
  return environments
    .filter((one) => Number.isFinite(urgency(one)))
    .toSorted((a, b) => urgency(a) - urgency(b) || (a.id < b.id ? -1 : 1));
}
