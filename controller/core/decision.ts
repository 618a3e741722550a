// What to do now: rest, act, wait or ask a person. Pure; the same inputs decide the same.
import type { ComponentName, Sha } from "./brand.ts";
import { short } from "./brand.ts";
import { FAULTS } from "./fault.ts";
import { recentRepairs } from "./history.ts";
import { LIMITS } from "./limits.ts";
import type { Memory } from "./memory.ts";
import { failed, firstContact, forbidden, gated, isUnknown, unknownMigration, unreadable } from "./obstacles.ts";
import type { Decision, Situation } from "./situation.ts";
import type { StepOf } from "./step.ts";

export type { Decision, Situation } from "./situation.ts";

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
  const moved = movedArtifact(situation);
  const blocked = situation.plan.blockers.length > 0 || isUnknown(memory, desired);
  if ((blocked || moved !== undefined) && startedMigrations(memory).length > 0)
    return { kind: "act", as: open.kind, target: "open", only: "started-migrations", why };
  if (blocked) return undefined;
  if (moved === undefined || mayStart(situation)) return { kind: "act", as: open.kind, target: "desired", why };
  return {
    kind: "blocked",
    code: "artifact-rebuilt",
    why: `${moved} was rebuilt since release #${open.number} began, and nothing may start now`,
    next: FAULTS["artifact-rebuilt"].next,
  };
}

/**
 * A component whose tag has moved since the open release began. A release has one set of digests from its start to its
 * end, so going on with others is another release, which has to be allowed to start.
 */
function movedArtifact({ memory, live }: Situation): ComponentName | undefined {
  const began = memory.open?.artifacts ?? {};
  const moved = [...live.artifacts].find(
    ([name, now]) => now.state === "resolved" && began[name] !== undefined && began[name] !== now.digest,
  );
  return moved?.[0];
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
