// What stands in the way of a start: each obstacle by itself, in one sentence that says how to clear it.
import { Instant, short } from "./brand.ts";
import type { Environment } from "./environment.ts";
import type { FaultCode } from "./fault.ts";
import { FAULTS } from "./fault.ts";
import { migrationKey } from "./fingerprint.ts";
import type { Memory } from "./memory.ts";
import type { Decision, Situation } from "./situation.ts";

/** Whatever forbids starts: a reading of Git older than the journal's, rewritten history, or a hold. */
export function forbidden({ halted, desired, now, plan, memory }: Situation): Decision | undefined {
  if (memory.arrival !== undefined && memory.arrival.fingerprint !== desired.fingerprint) {
    return {
      kind: "wait",
      why: `another controller has read ${short(memory.arrival.commit)} of Git; it is read at the next look`,
    };
  }
  if (halted !== undefined) {
    return { kind: "blocked", code: halted.code, why: halted.message, next: FAULTS[halted.code].next };
  }
  const hold = desired.hold;
  if (hold === undefined || (hold.until !== undefined && hold.until <= now) || plan.steps.length === 0)
    return undefined;
  const until = hold.until === undefined ? undefined : Instant.of(hold.until);
  const clears = until === undefined ? "" : ` (until ${Instant.toIso(until)})`;
  const why = `on hold: ${hold.reason}${clears}; ${short(desired.sha)} waits`;
  return { kind: "wait", why, ...(until === undefined ? {} : { until }) };
}

export function unreadable({ plan, memory, live, desired }: Situation): Decision | undefined {
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

export function isUnknown(memory: Memory, desired: Environment): boolean {
  return desired.migrations.some(
    (migration) => memory.migrations.get(migrationKey(desired, migration))?.state === "unknown",
  );
}

export function unknownMigration({ memory, desired, plan }: Situation): Decision | undefined {
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

export function failed({ memory, desired }: Situation): Decision | undefined {
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

export function firstContact({ memory, desired, live, adopts }: Situation): Decision | undefined {
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

export function gated({ gates, desired }: Situation): Decision | undefined {
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
