// The last good release as a recorded value: what a rollback puts back, without rendering anything anew.
import { NO_SHA } from "./brand.ts";
import type { Environment, HealthCheck, RecordedService, Service } from "./environment.ts";
import { digestOf } from "./fingerprint.ts";
import type { Memory } from "./history.ts";

export interface PutBack {
  readonly desired: Environment;
  /** Release it came from; 0 = what ran when the environment was adopted. */
  readonly release: number;
}

/**
 * The value to go back to after the release that failed, or undefined when there is none. It never migrates, and there is
 * no way back from a page that the value knows nothing of: the new page would meet the old API.
 */
export function lastGood(memory: Memory, failed: Environment): PutBack | undefined {
  const good = memory.good;
  const since = [...memory.publications].filter(([, { release }]) => release > (good?.release ?? 0));
  const webs = good?.desired.webs ?? [];
  if (since.some(([name]) => !webs.some((web) => web.name === name))) return undefined;
  if (good !== undefined) {
    const services = good.desired.services.map((service) => {
      const deployed = good.deployed.get(service.name);
      if (deployed === undefined) return service;
      return {
        ...service,
        recorded: { version: deployed.version, content: deployed.key, ...restore(memory, service) },
      };
    });
    return { desired: { ...good.desired, services, migrations: [] }, release: good.release };
  }
  return adopted(memory, failed);
}

/** Release 0: the versions found at first contact; nothing is known of its pages, its SHA or its migrations. */
function adopted(memory: Memory, failed: Environment): PutBack | undefined {
  const adoption = memory.adoption;
  if (adoption === undefined) return undefined;
  const services = failed.services.flatMap((service): readonly Service[] => {
    const found = adoption.services.find((one) => one.name === service.name);
    if (found === undefined) return [];
    const { count: _, health, ...rest } = service;
    const recorded: RecordedService = { version: found.version, ...restore(memory, { name: service.name }) };
    return [{ ...rest, sha: NO_SHA, recorded, ...(health === undefined ? {} : { health: anyVersion(health) }) }];
  });
  if (services.length === 0) return undefined;
  const desired: Environment = { ...failed, sha: NO_SHA, services, migrations: [], webs: [] };
  return { desired: { ...desired, fingerprint: digestOf({ adopted: adoption.services }) }, release: 0 };
}

function anyVersion({ version: _, ...check }: HealthCheck): HealthCheck {
  return check;
}

/** Fields the failed release had set and the value does not own, as they were before. */
function restore(memory: Memory, service: Pick<Service, "name" | "count">): Pick<RecordedService, "restore"> {
  const intent = memory.intents.get(service.name);
  const failed = memory.undo?.release ?? memory.open?.undoes;
  if (intent === undefined || intent.release !== failed) return {};
  const { count, configuration } = intent.before;
  const restored = {
    ...(service.count === undefined && count !== undefined ? { count } : {}),
    ...(configuration === undefined ? {} : { deployment: configuration }),
  };
  return Object.keys(restored).length === 0 ? {} : { restore: restored };
}

/** True when a release wrote something that a rollback can undo. */
export function hasMoved(memory: Memory, release: number): boolean {
  const deployed = [...memory.intents.values()].some((intent) => intent.release === release);
  const published = [...memory.publications.values()].some((publication) => publication.release === release);
  return deployed || published;
}
