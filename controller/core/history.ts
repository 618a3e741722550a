// What the journal remembers of one environment: a pure fold of its records, rebuilt by every life.
import type { MigrationName, Sha } from "./brand.ts";
import { Instant, NO_SHA } from "./brand.ts";
import type { EnvironmentEvent, Recorded } from "./event.ts";
import { hasMoved } from "./good.ts";
import { applyMark } from "./history-marks.ts";
import { applyRelease } from "./history-release.ts";
import type { Memory, MigrationMemory } from "./memory.ts";
import { NOTHING } from "./memory.ts";

export * from "./memory.ts";

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

/**
 * True when going to this SHA leads back: it was healthy here, and released before the one that runs, which is the last
 * one that was proven or wrote something: after one that failed before that, the way to what came between is forward. A
 * release that goes on keeps the direction it started with.
 */
export function isReturning(memory: Memory, sha: Sha): boolean {
  if (memory.open?.sha === sha) return memory.open.direction === "back";
  const known = memory.open === undefined ? memory.releases : [...memory.releases, memory.open];
  const runs = known.findLast(({ number, state }) => state === "succeeded" || hasMoved(memory, number));
  const last = (runs ?? known.at(-1))?.sha;
  if (last === undefined || last === sha) return false;
  if (sha === NO_SHA) return true;
  return memory.healthy.has(sha) && memory.order.indexOf(sha) < memory.order.indexOf(last);
}

/** Repairs started within the hour before `now`. */
export function recentRepairs(memory: Memory, now: Instant): number {
  return memory.repairs.filter((at) => at > Instant.plus(now, -3_600_000)).length;
}
