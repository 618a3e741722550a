// Finds clusters, services, tasks and task definitions by what a caller wrote, and forgets what AWS would have forgotten.

import type { Caller, SandboxClock } from "../api.ts";
import { type Input, text } from "../members.ts";
import { type Place, readReference, shortName } from "./arns.ts";
import { clusterNotFound, invalid } from "./errors.ts";
import { INACTIVE_SERVICE_VISIBLE_MS, STOPPED_TASK_VISIBLE_MS } from "./limits.ts";
import type { Cluster, EcsService, Region, Task, TaskDefinition } from "./model.ts";

export interface Accounts {
  region(caller: Place): Region;
  all(): readonly Region[];
  /** The ACTIVE cluster a request names, `default` without a name. Fault: ClusterNotFoundException. */
  cluster(caller: Caller, input: Input): Cluster;
}

export function createAccounts(): Accounts {
  const regions = new Map<string, Region>();

  function region({ account, region: name }: Place): Region {
    const key = `${account}/${name}`;
    const known = regions.get(key);
    if (known !== undefined) return known;
    const fresh: Region = { place: { account, region: name }, clusters: new Map(), families: new Map() };
    regions.set(key, fresh);
    return fresh;
  }

  return {
    region,
    all: () => [...regions.values()],
    cluster(caller, input) {
      const name = shortName(text(input, "cluster") ?? "default", "cluster", caller);
      const cluster = region(caller).clusters.get(name);
      if (cluster === undefined || cluster.status !== "ACTIVE") throw clusterNotFound();
      return cluster;
    },
  };
}

/** Tasks still to be seen: those STOPPED for more than an hour are gone. */
export function visibleTasks(cluster: Cluster, clock: SandboxClock): readonly Task[] {
  for (const task of cluster.tasks.values()) {
    if (task.stoppedAtMs !== undefined && clock.now() - task.stoppedAtMs >= STOPPED_TASK_VISIBLE_MS)
      cluster.tasks.delete(task.id);
  }
  return [...cluster.tasks.values()];
}

export function findTask(cluster: Cluster, reference: string, clock: SandboxClock): Task | undefined {
  const path = readReference(reference, "task", cluster.place);
  if (path.length > 1 && path[0] !== cluster.name) return undefined;
  const task = cluster.tasks.get(path.at(-1) ?? "");
  return task !== undefined && visibleTasks(cluster, clock).includes(task) ? task : undefined;
}

/** A service by name or ARN; an INACTIVE one is to be seen for an hour. */
export function findService(cluster: Cluster, reference: string, clock: SandboxClock): EcsService | undefined {
  const path = readReference(reference, "service", cluster.place);
  if (path.length > 1 && path[0] !== cluster.name) return undefined;
  const service = cluster.services.get(path.at(-1) ?? "");
  const goneForMs = service?.inactiveAtMs === undefined ? 0 : clock.now() - service.inactiveAtMs;
  return goneForMs < INACTIVE_SERVICE_VISIBLE_MS ? service : undefined;
}

/** `family` (its newest ACTIVE revision), `family:revision` or the ARN; undefined when there is none. */
export function findTaskDefinition(region: Region, reference: string): TaskDefinition | undefined {
  const name = shortName(reference, "task-definition", region.place);
  const [family = "", revision] = name.split(":");
  const revisions = region.families.get(family) ?? [];
  if (revision === undefined) return revisions.findLast(({ status }) => status === "ACTIVE");
  if (!/^\d+$/.test(revision)) throw invalid(`Invalid revision number. Number: ${revision}`);
  return revisions.find((candidate) => candidate.revision === Number(revision));
}
