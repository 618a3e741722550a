// Folds the life of releases into the memory: started, stepped, proven, ended, undone.
import type { ComponentName, Digest, Instant, Sha } from "./brand.ts";
import type { Environment } from "./environment.ts";
import type { ReleaseEvent } from "./event.ts";
import { UNKEYED } from "./fingerprint.ts";
import { LIMITS } from "./limits.ts";
import type { Failure, Memory, ReleaseRecord, ReleaseState, StepRecord } from "./memory.ts";
import type { Step, StepId } from "./step.ts";
import { stepId } from "./step.ts";

/** The memory after one more event of a release. */
export function applyRelease(memory: Memory, event: ReleaseEvent, at: Instant): Memory {
  switch (event.type) {
    case "release-started":
      return started(memory, event, at);
    case "release-succeeded":
      return succeeded(memory, at);
    case "release-failed": {
      const { step, code, message } = event;
      const open = memory.open;
      if (open === undefined) return memory;
      if (open.kind === "rollback") return rollbackFailed(memory, event, at);
      const failure: Failure = {
        release: event.release,
        kind: open.kind,
        fingerprint: open.fingerprint,
        step,
        code,
        message,
        at,
      };
      return ended(
        memory,
        at,
        { state: "failed", failure: { step, code, message } },
        { failure, ...(event.undone ? { undo: { release: event.release } } : {}) },
      );
    }
    case "release-superseded":
      return ended(memory, at, { state: "superseded", supersededBy: event.by }, {});
    // Both only name what the end of the rollback itself already said, for people who read the journal.
    case "release-rolled-back":
    case "rollback-failed":
      return memory;
    case "step-started":
      return restep(planned(memory, event.what), event.step, (step) => ({ ...step, startedAt: step.startedAt ?? at }));
    case "step-settled":
      return restep(memory, event.step, (step) => ({ ...step, settledAt: at, outcome: event.outcome }));
    case "health-passed":
      return passed(memory, event, at);
  }
}

function succeeded(memory: Memory, at: Instant): Memory {
  const undoes = memory.open?.undoes;
  const after = ended(memory, at, { state: "succeeded" }, { repairRequested: false });
  if (undoes === undefined) return after;
  const { undo: _, ...rest } = after;
  return { ...rest, releases: restate(after.releases, undoes, "rolled-back") };
}

/** A rollback is never rolled back: the failure that it was to undo stays in force, and a person is needed. */
function rollbackFailed(memory: Memory, event: Extract<ReleaseEvent, { type: "release-failed" }>, at: Instant): Memory {
  const undoes = memory.open?.undoes ?? event.release;
  const { step, code, message } = event;
  const after = ended(
    memory,
    at,
    { state: "failed", failure: { step, code, message } },
    { rollbackFailed: { release: undoes, message } },
  );
  const { undo: _, ...rest } = after;
  return { ...rest, releases: restate(after.releases, undoes, "rollback-failed") };
}

function started(memory: Memory, event: Extract<ReleaseEvent, { type: "release-started" }>, at: Instant): Memory {
  const open: NonNullable<Memory["open"]> = {
    number: event.release,
    id: event.releaseId,
    kind: event.kind,
    direction: event.direction,
    sha: event.desired.sha,
    ...(memory.good === undefined ? {} : { from: memory.good.desired.sha }),
    fingerprint: event.desired.fingerprint,
    arrival: event.arrival,
    artifacts: event.artifacts,
    why: event.why,
    ...(event.undoes === undefined ? {} : { undoes: event.undoes }),
    startedAt: at,
    state: "running",
    steps: event.steps.map((step) => ({ step })),
    desired: event.desired,
    ...(memory.arrival === undefined ? {} : { asked: memory.arrival.fingerprint }),
  };
  const { undo, ...rest } = memory;
  return {
    ...rest,
    // A release that starts while an undo is pending takes its place; the rollback itself keeps it until it ends.
    ...(event.kind === "rollback" && undo !== undefined ? { undo } : {}),
    open,
    lastNumber: event.release,
    order: memory.order.includes(event.desired.sha) ? memory.order : [...memory.order, event.desired.sha],
    repairs: event.kind === "repair" ? [...memory.repairs, at].slice(-LIMITS.repairsPerHour - 1) : memory.repairs,
  };
}

function ended(memory: Memory, at: Instant, how: Partial<ReleaseRecord>, also: Partial<Memory>): Memory {
  if (memory.open === undefined) return memory;
  const { open, ...rest } = memory;
  const { desired: _, asked: __, ...record } = open;
  const releases = [...memory.releases, { ...record, ...how, endedAt: at }].slice(-LIMITS.releasesRemembered);
  return { ...rest, releases, ...also };
}

function restate(releases: readonly ReleaseRecord[], number: number, state: ReleaseState): readonly ReleaseRecord[] {
  return releases.map((release) => (release.number === number ? { ...release, state } : release));
}

/** A resumed release may need a step that its start did not name: it is shown as well. */
function planned(memory: Memory, step: Step): Memory {
  const open = memory.open;
  if (open === undefined || open.steps.some((record) => stepId(record.step) === stepId(step))) return memory;
  return { ...memory, open: { ...open, steps: [...open.steps, { step }] } };
}

function restep(memory: Memory, id: StepId, change: (step: StepRecord) => StepRecord): Memory {
  if (memory.open === undefined) return memory;
  const steps = memory.open.steps.map((record) => (stepId(record.step) === id ? change(record) : record));
  return { ...memory, open: { ...memory.open, steps } };
}

function passed(memory: Memory, event: Extract<ReleaseEvent, { type: "health-passed" }>, at: Instant): Memory {
  const desired = memory.open?.desired;
  if (desired === undefined) return memory;
  const pins = new Map(memory.pins);
  const artifacts = Object.entries(event.artifacts) as readonly [ComponentName, Digest][];
  for (const [component, digest] of artifacts) pins.set(`${component}@${componentSha(desired, component)}`, digest);
  const deployed = new Map(memory.deployed);
  for (const { name, recorded } of desired.services) {
    // ECS may have put a recorded version back before we did: then no deploy-accepted says so.
    if (recorded === undefined) continue;
    const before = memory.good?.deployed.get(name);
    const settings = before?.version === recorded.version ? before.settings : UNKEYED;
    deployed.set(name, { version: recorded.version, key: recorded.content ?? UNKEYED, settings });
  }
  for (const service of memory.adoption?.services ?? []) {
    // What ran before and already was what Git says stays as it is, and is put back by its version.
    const known = desired.services.some((one) => one.name === service.name) && !deployed.has(service.name);
    if (known) deployed.set(service.name, { version: service.version, key: UNKEYED, settings: UNKEYED });
  }
  for (const { name, recorded } of desired.services) {
    if (recorded === undefined) continue;
    // Put back, perhaps by ECS itself and without a call of ours: what the failed release deployed no longer stands.
    const { version, content = UNKEYED } = recorded;
    deployed.set(name, { version, key: content, settings: deployed.get(name)?.settings ?? UNKEYED });
  }
  return {
    ...memory,
    deployed,
    passed: event.fingerprint,
    healthy: new Map(memory.healthy).set(event.sha, at),
    pins,
    good: { release: event.release, at, desired, artifacts: event.artifacts, deployed },
  };
}

function componentSha(environment: Environment, component: ComponentName): Sha {
  const [kind, name] = component.split("/", 2);
  const all = kind === "service" ? environment.services : kind === "web" ? environment.webs : environment.migrations;
  return all.find((one) => one.name === name)?.sha ?? environment.sha;
}
