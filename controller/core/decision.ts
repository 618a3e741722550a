// What to do now: rest, act, wait or ask a person. Pure; the same inputs decide the same.
import type { Sha } from "./brand.ts";
import { Instant, short } from "./brand.ts";
import type { Environment } from "./environment.ts";
import type { FaultCode } from "./fault.ts";
import { FAULTS } from "./fault.ts";
import type { Verdict } from "./gates.ts";
import type { Memory } from "./history.ts";
import { recentRepairs } from "./history.ts";
import { LIMITS } from "./limits.ts";
import type { LiveState } from "./live.ts";
import { migrationKey } from "./fingerprint.ts";
import type { Plan } from "./plan.ts";
import type { StepOf } from "./step.ts";
import type { ReleaseKind } from "./event.ts";

export type Decision =
  | { readonly kind: "rest"; readonly why: string }
  | {
      readonly kind: "act";
      readonly as: ReleaseKind;
      /** What is released: what Git says now, what the running release started with, or the last good release. */
      readonly target: "desired" | "open" | "good";
      /** The open release only learns how its started migrations ended; then a newer one takes its place. */
      readonly only?: "started-migrations";
      readonly why: string;
    }
  | { readonly kind: "wait"; readonly until?: Instant; readonly why: string; readonly code?: FaultCode }
  | { readonly kind: "blocked"; readonly code?: FaultCode; readonly why: string; readonly next: string };

/** What stands around one environment beside its plan. */
export interface Situation {
  readonly desired: Environment;
  readonly live: LiveState;
  readonly plan: Plan;
  readonly memory: Memory;
  readonly gates: readonly Verdict[];
  /** The repository halted on rewritten history and names this environment. */
  readonly halted?: string;
  /** LOCKSTEP_ADOPT=release: the first contact may move what runs. */
  readonly adopts: boolean;
  /** Reports and plans only; writes nothing (`serve --observe`). */
  readonly observes: boolean;
  readonly now: Instant;
}

/** In order of precedence: what is running goes on; what failed is remembered; starts need every permission. */
export function decide(situation: Situation): Decision {
  return (
    resume(situation) ??
    rollback(situation) ??
    forbidden(situation) ??
    unreadable(situation) ??
    unknownMigration(situation) ??
    failed(situation) ??
    settled(situation) ??
    firstContact(situation) ??
    gated(situation) ??
    start(situation)
  );
}

/**
 * A release that has started goes on, held or not; another fingerprint takes its place as soon as it may start, but
 * never while a migration runs.
 */
function resume(situation: Situation): Decision | undefined {
  const { memory, desired, observes } = situation;
  const open = memory.open;
  if (open === undefined || observes) return undefined;
  const why = `release #${open.number} goes on`;
  const newer = desired.fingerprint !== open.asked;
  if (open.kind === "rollback")
    return newer && mayStart(situation) ? undefined : { kind: "act", as: "rollback", target: "good", why };
  if (open.fingerprint !== desired.fingerprint) {
    const goesOn = { kind: "act", as: open.kind, target: "open", why } as const;
    if (!mayStart(situation)) return goesOn;
    return startedMigrations(memory).length > 0 ? { ...goesOn, only: "started-migrations" } : undefined;
  }
  if (situation.plan.blockers.length > 0 || isUnknown(memory, desired)) return undefined;
  return { kind: "act", as: open.kind, target: "desired", why };
}

/** Steps of the open release that were started and of which nobody knows yet how they ended. */
export function startedMigrations({ open, migrations }: Memory): readonly StepOf<"migrate">[] {
  return (open?.steps ?? []).flatMap(({ step }) =>
    step.kind === "migrate" && migrations.get(step.key)?.state === "started" ? [step] : [],
  );
}

/** Whether what Git says now could start if nothing else were running. */
function mayStart(situation: Situation): boolean {
  const forbids = [forbidden, unreadable, unknownMigration, failed, gated];
  return forbids.every((forbid) => forbid(situation) === undefined);
}

/** A failed release is undone before anything else, unless Git asks for something newer that may start. */
function rollback(situation: Situation): Decision | undefined {
  const { memory, desired, observes } = situation;
  if (memory.undo === undefined || observes) return undefined;
  const newer = memory.failure?.fingerprint !== desired.fingerprint;
  if (newer && mayStart(situation)) return undefined;
  const why = `release #${memory.undo.release} failed; the last good release is put back`;
  return { kind: "act", as: "rollback", target: "good", why };
}

/** Whatever forbids starts: a reading of Git older than the journal's, rewritten history, or a hold. */
function forbidden({ halted, desired, now, plan, memory }: Situation): Decision | undefined {
  if (memory.arrival !== undefined && memory.arrival.fingerprint !== desired.fingerprint) {
    return {
      kind: "wait",
      why: `another controller has read ${short(memory.arrival.commit)} of Git; it is read at the next look`,
    };
  }
  if (halted !== undefined) {
    return { kind: "blocked", code: "history-rewritten", why: halted, next: FAULTS["history-rewritten"].next };
  }
  const hold = desired.hold;
  if (hold === undefined || (hold.until !== undefined && hold.until <= now) || plan.steps.length === 0)
    return undefined;
  const until = hold.until === undefined ? undefined : Instant.of(hold.until);
  const clears = until === undefined ? "" : ` (until ${Instant.toIso(until)})`;
  const why = `on hold: ${hold.reason}${clears}; ${short(desired.sha)} waits`;
  return { kind: "wait", why, ...(until === undefined ? {} : { until }) };
}

function unreadable({ plan, memory, live, desired }: Situation): Decision | undefined {
  const blocker = plan.blockers[0];
  if (blocker === undefined) return undefined;
  // At rest only what runs matters: a tag that was deleted since does not unmake a healthy environment.
  if (
    live.passed === desired.fingerprint &&
    memory.undo === undefined &&
    live.artifacts.size > 0 &&
    isArtifact(blocker.code)
  ) {
    return undefined;
  }
  const more = plan.blockers.length > 1 ? ` (and ${plan.blockers.length - 1} more)` : "";
  const row = FAULTS[blocker.code];
  if (row.consequence === "retry") return { kind: "wait", why: `${blocker.message}${more}`, code: blocker.code };
  return { kind: "blocked", code: blocker.code, why: `${blocker.message}${more}`, next: row.next };
}

function isArtifact(code: FaultCode): boolean {
  return code.startsWith("artifact-") || code === "release-incomplete";
}

function isUnknown(memory: Memory, desired: Environment): boolean {
  return desired.migrations.some(
    (migration) => memory.migrations.get(migrationKey(desired, migration))?.state === "unknown",
  );
}

function unknownMigration({ memory, desired, plan }: Situation): Decision | undefined {
  if (!isUnknown(memory, desired) || plan.direction === "back") return undefined;
  const [application, name] = [desired.application, desired.name];
  const next = `check the database, then \`lockstep resolve ${application}/${name} --migration applied|not-applied\``;
  return {
    kind: "blocked",
    code: "migration-unknown",
    why: `outcome of the migration of ${short(desired.sha)} is unknown`,
    next,
  };
}

function failed({ memory, desired }: Situation): Decision | undefined {
  const failure = memory.failure;
  if (failure === undefined || failure.fingerprint !== desired.fingerprint) return undefined;
  const back =
    memory.rollbackFailed?.release === failure.release
      ? `; the rollback failed too: ${memory.rollbackFailed.message}`
      : memory.good !== undefined &&
          memory.releases.some((one) => one.number === failure.release && one.state === "rolled-back")
        ? `; rolled back to ${short(memory.good.desired.sha)}`
        : "";
  return {
    kind: "blocked",
    code: failure.code,
    why: `release #${failure.release} of ${short(desired.sha)} failed at ${failure.step}: ${failure.message}${back}. Git still says ${short(desired.sha)}`,
    next: `revert or fix it in Git, or \`lockstep retry ${desired.application}/${desired.name}\` once the cause is gone`,
  };
}

/** Nothing to do, or only what moved by itself. */
function settled({ plan, memory, live, desired, now, observes }: Situation): Decision | undefined {
  // Git took the open release back before it wrote anything: it has to end all the same.
  if (plan.steps.length === 0 && memory.open !== undefined && !observes)
    return { kind: "act", as: "release", target: "desired", why: `back to ${short(desired.sha)}, which never left` };
  if (plan.steps.length === 0 && plan.differences.length === 0)
    return { kind: "rest", why: `healthy on ${short(desired.sha)}` };
  if (live.passed !== desired.fingerprint) return undefined;
  const moving = [...live.services.values()].some((one) => one.state === "present" && one.rollout.state === "moving");
  if (moving) return { kind: "wait", why: "somebody else's deployment is moving; it is judged when it has settled" };
  const what = plan.differences
    .map((one) => (one.kind === "service" ? `${one.service} ${one.field} ${one.live} → ${one.desired}` : one.kind))
    .join(", ");
  // A glance sees that something differs and cannot say what would mend it; the next look goes all the way.
  if (plan.steps.length === 0)
    return { kind: "rest", why: desired.drift === "ignore" ? "drift is ignored here" : `drift: ${what}` };
  const repairs = recentRepairs(memory, now);
  if (memory.repairRequested && !observes)
    return { kind: "act", as: "repair", target: "desired", why: `asked to repair: ${what}` };
  if (desired.drift === "ignore") return { kind: "rest", why: "drift is ignored here" };
  if (desired.drift === "repair" && !observes) {
    if (repairs < LIMITS.repairsPerHour) return { kind: "act", as: "repair", target: "desired", why: `drift: ${what}` };
    return { kind: "rest", why: `drift: ${what}; repaired ${repairs} times within the hour, now only reported` };
  }
  return { kind: "rest", why: `drift: ${what}` };
}

function firstContact({ memory, desired, live, adopts }: Situation): Decision | undefined {
  if (memory.good !== undefined || memory.lastNumber > 0 || memory.released || adopts) return undefined;
  if (memory.adoption?.matches === true) return undefined;
  const running = [...live.services].map(([name, one]) =>
    one.state === "present" ? `${name} ${one.version.slice(one.version.lastIndexOf("/") + 1)}` : name,
  );
  const id = `${desired.application}/${desired.name}`;
  return {
    kind: "wait",
    why: `first contact: live runs ${running.join(", ") || "nothing known"}, Git says ${short(desired.sha)}; \`lockstep adopt ${id}\` to release`,
  };
}

function gated({ gates, desired }: Situation): Decision | undefined {
  const blocking = gates.find((gate) => gate.state === "blocked");
  if (blocking !== undefined)
    return {
      kind: "blocked",
      why: blocking.why,
      next: blocking.next ?? "clear the gate, or bump to a SHA that passes it",
    };
  const waiting = gates.filter((gate) => gate.state === "waiting");
  if (waiting.length === 0) return undefined;
  const untils = waiting.flatMap((gate) => (gate.until === undefined ? [] : [gate.until]));
  const until = untils.length === waiting.length ? Instant.of(Math.max(...untils)) : undefined;
  const why = `${short(desired.sha)} waits: ${waiting.map((gate) => gate.why).join("; ")}`;
  return { kind: "wait", why, ...(until === undefined ? {} : { until }) };
}

function start({ plan, desired, memory, observes }: Situation): Decision {
  const from: Sha | undefined = memory.good?.desired.sha;
  const why =
    from === undefined
      ? `first release of ${short(desired.sha)}`
      : from === desired.sha
        ? `${short(desired.sha)} changed in its manifest`
        : `${short(from)} → ${short(desired.sha)}${plan.direction === "back" ? " (back)" : ""}`;
  if (observes) return { kind: "wait", why: `would release: ${why}; this controller only observes` };
  return { kind: "act", as: "release", target: "desired", why };
}
