// ECS of the sandbox: clusters, task definitions, tasks and services with rollouts. What it imitates: ../ecs.md.

import type {
  Caller,
  Chance,
  PublicEndpoint,
  ResolveImage,
  SandboxClock,
  Service,
  TaskRunner,
  WriteLog,
} from "../api.ts";
import type { Routes } from "../control.ts";
import { type Input, notImitated } from "../members.ts";
import { json, jsonError, readJson, targetOperation } from "../wire.ts";
import { createAccounts, findService } from "./account.ts";
import { createCluster, deleteCluster, describeClusters, listClusters } from "./clusters.ts";
import { DELAYS, type Delays } from "./delays.ts";
import { createDeployments } from "./deployments.ts";
import { createEndpoints } from "./endpoints.ts";
import type { EcsService } from "./model.ts";
import { createLoopback } from "./network.ts";
import { createPlacement, type Placement, placementRoutes } from "./placement.ts";
import { createRunTask } from "./run-task.ts";
import type { EcsRunner } from "./runner.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";
import { createServiceDeployments } from "./service-deployments.ts";
import { createTell } from "./service-events.ts";
import { createServices } from "./services.ts";
import { listTagsForResource, tagResource, untagResource } from "./tags.ts";
import { createTaskDefinitions } from "./task-definitions.ts";
import { createTaskOperations } from "./task-operations.ts";
import { createTaskEngine } from "./tasks.ts";

const TARGET = "AmazonEC2ContainerServiceV20141113";

export interface EcsDependencies {
  readonly clock: SandboxClock;
  readonly chance: Chance;
  /** Any TaskRunner; what an EcsRunner can do beyond it is used when it is there. */
  readonly runner: TaskRunner;
  readonly resolveImage: ResolveImage;
  readonly writeLog: WriteLog;
  /** Whose services are named `cluster/service` among the public endpoints. */
  readonly account: string;
  readonly region: string;
  /** The value behind a secret's ARN; undefined = the task cannot start. Default: a stand-in text for every ARN. */
  readonly resolveSecret?: (valueFrom: string) => string | undefined;
  readonly delays?: Partial<Delays>;
}

export interface Ecs extends Service {
  publicEndpoints(): readonly PublicEndpoint[];
  /** Control plane: `/_sandbox/ecs/placement-failures`. */
  readonly routes: Routes;
  readonly placement: Placement;
  /** Sets a service's desired count as an autoscaler does; false when there is no such service. */
  scale(caller: Caller, cluster: string, service: string, change: (desiredCount: number) => number): boolean;
}

export function createEcs(dependencies: EcsDependencies): Ecs {
  const { clock, chance, account, region } = dependencies;
  const runner: EcsRunner = dependencies.runner;
  const delays = { ...DELAYS, ...dependencies.delays };
  const network = runner.network ?? createLoopback();
  const accounts = createAccounts();
  const placement = createPlacement();
  const tell = createTell(clock, chance);
  const deployments = createDeployments({ clock, chance, delays, tell });
  const engine = createTaskEngine({
    clock,
    chance,
    runner,
    network,
    delays,
    resolveImage: dependencies.resolveImage,
    writeLog: dependencies.writeLog,
    resolveSecret: dependencies.resolveSecret ?? ((valueFrom) => `the sandbox's stand-in for ${valueFrom}`),
    stepped: (task, step) => scheduler.stepped(task, step),
  });
  const scheduler: Scheduler = createScheduler({ clock, delays, engine, deployments, placement, tell });
  const endpoints = createEndpoints(accounts, network, { account, region });

  const operations: Readonly<Record<string, (input: Input, caller: Caller) => unknown>> = {
    CreateCluster: (input, caller) => createCluster(accounts, input, caller),
    DescribeClusters: (input, caller) => describeClusters(accounts, input, caller),
    ListClusters: (input, caller) => listClusters(accounts, input, caller),
    DeleteCluster: (input, caller) => deleteCluster(accounts, input, caller),
    TagResource: (input, caller) => tagResource(accounts, input, caller),
    UntagResource: (input, caller) => untagResource(accounts, input, caller),
    ListTagsForResource: (input, caller) => listTagsForResource(accounts, input, caller),
    RunTask: createRunTask({ accounts, clock, engine, placement }),
    ...createTaskDefinitions({ accounts, clock, chance }),
    ...createTaskOperations({ accounts, clock, engine }),
    ...createServices({ accounts, clock, deployments, scheduler }),
    ...createServiceDeployments({ accounts, clock, delays, deployments, scheduler }),
  };

  function serviceOf(caller: Caller, cluster: string, name: string): EcsService | undefined {
    const found = accounts.region(caller).clusters.get(cluster);
    return found === undefined ? undefined : findService(found, name, clock);
  }

  return {
    name: "ecs",
    operation: (request) => targetOperation(request, TARGET),
    handle(operation, request, caller) {
      const perform = operations[operation];
      if (perform === undefined) throw notImitated("ecs", operation);
      return json(perform(readJson(request), caller));
    },
    fail: jsonError,
    publicEndpoints: () => endpoints.current(),
    routes: placementRoutes(placement),
    placement,
    scale(caller, cluster, name, change) {
      const service = serviceOf(caller, cluster, name);
      if (service === undefined || service.status !== "ACTIVE") return false;
      service.desiredCount = change(service.desiredCount);
      scheduler.wake(service);
      return true;
    },
  };
}
