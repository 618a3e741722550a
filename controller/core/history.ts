// What the journal remembers of one environment: a pure fold of its records, rebuilt by every life.
import type {
  ComponentName,
  Digest,
  MigrationName,
  PublicationId,
  ServiceName,
  Sha,
  TargetVersion,
  WebName,
} from "./brand.ts";
import { Instant, NO_SHA } from "./brand.ts";
import type { Difference } from "./difference.ts";
import type { Environment } from "./environment.ts";
import type {
  AdoptedService,
  EnvironmentEvent,
  Mark,
  Outcome,
  Recorded,
  ReleaseEvent,
  ReleaseKind,
  Sequence,
} from "./event.ts";
import type { FaultCode } from "./fault.ts";
import { UNKEYED } from "./fingerprint.ts";
import { LIMITS } from "./limits.ts";
import type { Deployed } from "./live.ts";
import type { Direction, Step, StepId } from "./step.ts";
import { stepId } from "./step.ts";

export type ReleaseState = "running" | "succeeded" | "failed" | "superseded" | "rolled-back" | "rollback-failed";

export interface StepRecord {
  readonly step: Step;
  readonly startedAt?: Instant;
  readonly settledAt?: Instant;
  readonly outcome?: Outcome;
}

export interface ReleaseRecord {
  readonly number: number;
  readonly id: string;
  readonly kind: ReleaseKind;
  readonly direction: Direction;
  readonly sha: Sha;
  /** SHA of the last good release before it. */
  readonly from?: Sha;
  readonly fingerprint: Digest;
  readonly arrival: Sha;
  readonly artifacts: Readonly<Record<ComponentName, Digest>>;
  readonly why: string;
  readonly undoes?: number;
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
  readonly state: ReleaseState;
  readonly steps: readonly StepRecord[];
  readonly failure?: { readonly step: StepId; readonly code: FaultCode; readonly message: string };
  /** The release that put an earlier value back, for a rolled-back one. */
  readonly supersededBy?: Sha;
}

/** A release whose health passed, as a value that a rollback can put back. */
export interface Good {
  readonly release: number;
  readonly at: Instant;
  readonly desired: Environment;
  readonly artifacts: Readonly<Record<ComponentName, Digest>>;
  readonly deployed: ReadonlyMap<ServiceName, Deployed & { readonly version: TargetVersion }>;
}

export interface Failure {
  readonly release: number;
  readonly kind: ReleaseKind;
  readonly fingerprint: Digest;
  readonly step: StepId;
  readonly code: FaultCode;
  readonly message: string;
  readonly at: Instant;
}

export interface MigrationMemory {
  readonly name: MigrationName;
  readonly state: "started" | "passed" | "failed" | "unknown" | "refused";
  readonly attempt: number;
  readonly token?: string;
  readonly taskDefinition?: string;
  readonly cluster?: string;
  readonly task?: string;
  readonly startedAt: Instant;
  readonly settledAt?: Instant;
  readonly awsAt?: Instant;
  readonly message?: string;
  readonly exitCode?: number;
  readonly log: readonly string[];
  /** A retry, a changed fingerprint or a later commit lets a failed one run again, under the next attempt. */
  readonly again: boolean;
}

export interface DeployIntent extends Deployed {
  readonly release: number;
  readonly version: TargetVersion;
  readonly before: Extract<Mark, { type: "deploy-intended" }>["before"];
  readonly intendedAt: Instant;
  readonly accepted: boolean;
  readonly deployment?: string;
}

export interface Publication {
  readonly release: number;
  readonly publication: PublicationId;
  readonly digest: Digest;
  readonly startedAt: Instant;
  readonly settled: boolean;
  readonly invalidated: boolean;
}

export interface Memory {
  readonly sequence: Sequence;
  readonly epoch: number;
  /** Writer that started or took over the last release: the one that may act on it. */
  readonly holder?: string;
  readonly lastAt?: Instant;
  /** The holder said that it stops, so nobody needs to wait for its lease. */
  readonly leaseReleased: boolean;
  readonly arrival?: Omit<Extract<EnvironmentEvent, { type: "arrived" }>, "type"> & { readonly at: Instant };
  readonly adoption?: { readonly services: readonly AdoptedService[]; readonly matches: boolean; readonly at: Instant };
  /** A person said that the first release after adoption may move what runs. */
  readonly released: boolean;
  readonly lastNumber: number;
  /** Newest last, at most LIMITS.releasesRemembered. */
  readonly releases: readonly ReleaseRecord[];
  readonly open?: ReleaseRecord & {
    readonly desired: Environment;
    /** What Git asked for when it started: for a rollback another fingerprint than the one it puts back. */
    readonly asked?: Digest;
  };
  readonly good?: Good;
  readonly passed?: Digest;
  readonly failure?: Failure;
  /** A failed release whose rollback has not ended yet. */
  readonly undo?: { readonly release: number };
  readonly rollbackFailed?: { readonly release: number; readonly message: string };
  readonly migrations: ReadonlyMap<Digest, MigrationMemory>;
  readonly deployed: ReadonlyMap<ServiceName, Deployed & { readonly version: TargetVersion }>;
  /** Every version this journal has put in place, with what it stands for. */
  readonly versions: ReadonlyMap<TargetVersion, Digest>;
  readonly intents: ReadonlyMap<ServiceName, DeployIntent>;
  readonly publications: ReadonlyMap<WebName, Publication>;
  readonly served: ReadonlyMap<WebName, Digest>;
  /** SHAs in the order in which they were first released here. */
  readonly order: readonly Sha[];
  readonly healthy: ReadonlyMap<Sha, Instant>;
  /** Digests under which a component of a SHA was healthy here: `service/api@<sha>`. */
  readonly pins: ReadonlyMap<string, Digest>;
  readonly drift?: { readonly since: Instant; readonly differences: readonly Difference[] };
  /** Starts of repairs, newest last, at most LIMITS.repairsPerHour + 1. */
  readonly repairs: readonly Instant[];
  readonly repairRequested: boolean;
  readonly hold?: { readonly reason: string; readonly until?: Instant; readonly since: Instant };
  readonly unmanaged?: string;
}

export const NOTHING: Memory = {
  sequence: 0,
  epoch: 0,
  leaseReleased: false,
  released: false,
  lastNumber: 0,
  releases: [],
  migrations: new Map(),
  deployed: new Map(),
  versions: new Map(),
  intents: new Map(),
  publications: new Map(),
  served: new Map(),
  order: [],
  healthy: new Map(),
  pins: new Map(),
  repairs: [],
  repairRequested: false,
};

export function fold(records: Iterable<Recorded>, memory: Memory = NOTHING): Memory {
  let folded = memory;
  for (const record of records) folded = remember(folded, record);
  return folded;
}

/** The memory after one more record of the environment's stream. */
export function remember(memory: Memory, record: Recorded): Memory {
  const next: Memory = {
    ...memory,
    sequence: record.sequence,
    epoch: Math.max(memory.epoch, record.epoch),
    lastAt: record.at,
    ...tenure(memory, record),
  };
  return apply(next, record.event as EnvironmentEvent, record.at);
}

function tenure(memory: Memory, { event, writer }: Recorded): Partial<Memory> {
  if (event.type === "release-started" || event.type === "release-adopted")
    return { holder: writer, leaseReleased: false };
  if (event.type === "lease" && writer === memory.holder) return { leaseReleased: event.released === true };
  return {};
}

function apply(memory: Memory, event: EnvironmentEvent, at: Instant): Memory {
  switch (event.type) {
    case "arrived": {
      const { failure: _, rollbackFailed: __, ...rest } = memory;
      const { type: ___, ...arrival } = event;
      return { ...rest, arrival: { ...arrival, at }, migrations: allowed(memory.migrations) };
    }
    case "adopted":
      return adopted(memory, event, at);
    case "release-requested":
      return { ...memory, released: true };
    case "retry-requested": {
      const { failure: _, rollbackFailed: __, undo: ___, ...rest } = memory;
      return { ...rest, migrations: allowed(memory.migrations) };
    }
    case "repair-requested":
      return { ...memory, repairRequested: true };
    case "resolved":
      return resolved(memory, event, at);
    case "drift-found":
      return { ...memory, drift: { since: memory.drift?.since ?? at, differences: event.differences } };
    case "drift-cleared": {
      const { drift: _, ...rest } = memory;
      return { ...rest, repairRequested: false };
    }
    case "hold-seen":
      return {
        ...memory,
        hold: { reason: event.reason, since: at, ...(event.until === undefined ? {} : { until: event.until }) },
      };
    case "hold-cleared": {
      const { hold: _, ...rest } = memory;
      return rest;
    }
    case "unmanaged":
      return { ...memory, unmanaged: event.why };
    case "managed": {
      const { unmanaged: _, ...rest } = memory;
      return rest;
    }
    case "abort-requested":
    case "lease":
    case "release-adopted":
      return memory;
    case "release-started":
    case "release-succeeded":
    case "release-failed":
    case "release-superseded":
    case "release-rolled-back":
    case "rollback-failed":
    case "step-started":
    case "step-settled":
    case "health-passed":
      return applyRelease(memory, event, at);
    case "migration-started":
    case "migration-task":
    case "migration-settled":
    case "deploy-intended":
    case "deploy-accepted":
    case "publication-started":
    case "publication-settled":
    case "invalidated":
      return applyMark(memory, event, at);
  }
}

function adopted(memory: Memory, event: Extract<EnvironmentEvent, { type: "adopted" }>, at: Instant): Memory {
  const migrations = new Map(memory.migrations);
  for (const key of event.applied) {
    const name = memory.migrations.get(key)?.name ?? ("migrate" as MigrationName);
    migrations.set(key, {
      name,
      state: "passed",
      attempt: 0,
      startedAt: at,
      log: [],
      again: false,
      message: event.by.reason,
    });
  }
  return { ...memory, migrations, adoption: { services: event.services, matches: event.matches, at } };
}

function resolved(memory: Memory, event: Extract<EnvironmentEvent, { type: "resolved" }>, at: Instant): Memory {
  const known = memory.migrations.get(event.key);
  // The answer to a question that is no longer open: what passed meanwhile must never run again.
  if (known === undefined || (known.state !== "unknown" && known.state !== "failed")) return memory;
  const migration: MigrationMemory = {
    name: event.migration,
    attempt: known.attempt,
    startedAt: known.startedAt,
    log: known.log,
    settledAt: at,
    message: `resolved as ${event.outcome} by ${event.actor}: ${event.reason}`,
    state: event.outcome === "applied" ? "passed" : "failed",
    again: event.outcome === "not-applied",
  };
  const { failure: _, ...rest } = memory;
  return { ...rest, migrations: new Map(memory.migrations).set(event.key, migration) };
}

/** Failed and unknown migrations may run again: somebody asked, or Git asks for something else. */
function allowed(migrations: Memory["migrations"]): Memory["migrations"] {
  return new Map(
    [...migrations].map(([key, migration]) => [
      key,
      migration.state === "failed" || migration.state === "refused" ? { ...migration, again: true } : migration,
    ]),
  );
}

function applyRelease(memory: Memory, event: ReleaseEvent, at: Instant): Memory {
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

function applyMark(memory: Memory, mark: Mark, at: Instant): Memory {
  switch (mark.type) {
    case "migration-started": {
      const { migration, key, attempt, token, taskDefinition, cluster, awsAt } = mark;
      const entry: MigrationMemory = {
        name: migration,
        state: "started",
        attempt,
        token,
        taskDefinition,
        cluster,
        startedAt: at,
        log: [],
        again: false,
        ...(awsAt === undefined ? {} : { awsAt }),
      };
      return { ...written(memory), migrations: new Map(memory.migrations).set(key, entry) };
    }
    case "migration-task": {
      const known = memory.migrations.get(mark.key);
      if (known === undefined) return memory;
      return { ...memory, migrations: new Map(memory.migrations).set(mark.key, { ...known, task: mark.task }) };
    }
    case "migration-settled": {
      const known = memory.migrations.get(mark.key);
      if (known === undefined) return memory;
      const settled: MigrationMemory = {
        ...known,
        state: mark.result,
        message: mark.message,
        log: mark.log,
        settledAt: at,
        ...(mark.exitCode === undefined ? {} : { exitCode: mark.exitCode }),
      };
      return { ...memory, migrations: new Map(memory.migrations).set(mark.key, settled) };
    }
    case "deploy-intended": {
      const { release, service, version, key, settings, before } = mark;
      const intent: DeployIntent = { release, version, key, settings, before, intendedAt: at, accepted: false };
      return {
        ...written(memory),
        intents: new Map(memory.intents).set(service, intent),
        versions: new Map(memory.versions).set(version, key),
      };
    }
    case "deploy-accepted": {
      const intent = memory.intents.get(mark.service);
      if (intent === undefined) return memory;
      const { version, key, settings } = intent;
      const accepted: DeployIntent = {
        ...intent,
        accepted: true,
        ...(mark.deployment === undefined ? {} : { deployment: mark.deployment }),
      };
      return {
        ...memory,
        intents: new Map(memory.intents).set(mark.service, accepted),
        deployed: new Map(memory.deployed).set(mark.service, { version, key, settings }),
      };
    }
    case "publication-started": {
      const { release, web, publication, digest } = mark;
      const begun: Publication = { release, publication, digest, startedAt: at, settled: false, invalidated: false };
      const served = new Map(memory.served);
      served.delete(web);
      return { ...written(memory), served, publications: new Map(memory.publications).set(web, begun) };
    }
    case "publication-settled": {
      const known = memory.publications.get(mark.web);
      if (known === undefined) return memory;
      return {
        ...memory,
        served: new Map(memory.served).set(mark.web, mark.digest),
        publications: new Map(memory.publications).set(mark.web, { ...known, settled: true }),
      };
    }
    case "invalidated": {
      const known = memory.publications.get(mark.web);
      if (known === undefined) return memory;
      return { ...memory, publications: new Map(memory.publications).set(mark.web, { ...known, invalidated: true }) };
    }
  }
}

/** After a write, nothing is proven healthy until health passes again. */
function written(memory: Memory): Memory {
  const { passed: _, ...rest } = memory;
  return rest;
}

/**
 * True when going to this SHA leads back: it was healthy here, and released before the one released last. A release that
 * goes on keeps the direction it started with.
 */
export function isReturning(memory: Memory, sha: Sha): boolean {
  if (memory.open?.sha === sha) return memory.open.direction === "back";
  const last = memory.open?.sha ?? memory.releases.at(-1)?.sha;
  if (last === undefined || last === sha) return false;
  if (sha === NO_SHA) return true;
  return memory.healthy.has(sha) && memory.order.indexOf(sha) < memory.order.indexOf(last);
}

/** Repairs started within the hour before `now`. */
export function recentRepairs(memory: Memory, now: Instant): number {
  return memory.repairs.filter((at) => at > Instant.plus(now, -3_600_000)).length;
}
