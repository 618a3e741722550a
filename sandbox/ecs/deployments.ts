// Deployments of a service: beginning one, replacing one that still runs, failing it and rolling it back.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html

import type { Chance, SandboxClock } from "../api.ts";
import { draw } from "../chance.ts";
import type { Input } from "../members.ts";
import { ecsArn } from "./arns.ts";
import type { Delays } from "./delays.ts";
import { circuitBreaker, enriched } from "./deployment-configuration.ts";
import type { Deployment, EcsService, ServiceDeployment, ServiceRevision, TaskDefinition } from "./model.ts";
import type { Tell } from "./service-events.ts";

export interface DeploymentDependencies {
  readonly clock: SandboxClock;
  readonly chance: Chance;
  readonly delays: Delays;
  readonly tell: Tell;
}

export interface Deployments {
  /** A new PRIMARY for what the service's settings say now; what still rolled out is stopped. */
  begin(service: EcsService, definition: TaskDefinition): void;
  complete(service: EcsService, deployment: Deployment): void;
  /** The circuit breaker has seen enough. */
  trip(service: EcsService, deployment: Deployment): void;
  /** Puts the last completed deployment's revision back as a new PRIMARY. */
  rollBack(service: EcsService, record: ServiceDeployment, reason: string): void;
}

/** Statuses in which nothing comes any more. */
export const TERMINAL = ["SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"] as const;

export function isTerminal({ status }: ServiceDeployment): boolean {
  return TERMINAL.some((terminal) => terminal === status);
}

/** Members that make a new deployment when they change. */
export const REVISION_MEMBERS = [
  "networkConfiguration",
  "platformVersion",
  "loadBalancers",
  "serviceRegistries",
  "serviceConnectConfiguration",
  "volumeConfigurations",
  "vpcLatticeConfigurations",
] as const;

const BREAKER_REASON = "Service deployment rolled back because the circuit breaker threshold was exceeded.";

export function createDeployments(dependencies: DeploymentDependencies): Deployments {
  const { clock, chance, delays, tell } = dependencies;

  function begin(service: EcsService, definition: TaskDefinition): void {
    const number = draw(chance, 1, "123456789") + draw(chance, 18, "0123456789");
    const source = service.deployments.slice(0, 1).map(({ revision }) => revision);
    const running = service.records[0];
    if (running !== undefined && !isTerminal(running)) supersede(running);
    const revision: ServiceRevision = {
      arn: ecsArn(service.place, `service-revision/${service.cluster.name}/${service.name}/${number}`),
      createdAtMs: clock.now(),
      definition,
      settings: revisionSettings(service.settings),
      digests: new Map(),
    };
    service.revisions.unshift(revision);
    const record = newRecord(service, source, revision);
    service.records.unshift(record);
    push(service, { number, revision, record, isRollback: false });
  }

  function newRecord(
    service: EcsService,
    source: readonly ServiceRevision[],
    target: ServiceRevision,
  ): ServiceDeployment {
    const id = draw(chance, 21, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    return {
      arn: ecsArn(service.place, `service-deployment/${service.cluster.name}/${service.name}/${id}`),
      service,
      createdAtMs: clock.now(),
      source,
      target,
      configuration: enriched((service.settings["deploymentConfiguration"] ?? {}) as Input),
      status: "PENDING",
      statusReason: undefined,
      startedAtMs: undefined,
      finishedAtMs: undefined,
      stoppedAtMs: undefined,
      updatedAtMs: clock.now(),
      rollback: undefined,
      failureCount: 0,
      triggered: false,
    };
  }

  function push(
    service: EcsService,
    parts: Pick<Deployment, "revision" | "record" | "isRollback"> & { number: string; reason?: string },
  ): void {
    const { number, revision, record, isRollback, reason } = parts;
    const id = `ecs-svc/${number}`;
    const previous = service.deployments[0];
    if (previous !== undefined) previous.updatedAtMs = clock.now();
    service.deployments.unshift({
      id,
      revision,
      record,
      isRollback,
      createdAtMs: clock.now(),
      updatedAtMs: clock.now(),
      rolloutState: "IN_PROGRESS",
      rolloutStateReason: reason ?? `ECS deployment ${id} in progress.`,
      failedTasks: 0,
      failedRounds: 0,
      backingOff: false,
    });
    service.steady = false;
  }

  /** The newer deployment wins at once; the older one's record takes a moment to say STOPPED. */
  function supersede(record: ServiceDeployment): void {
    change(record, "STOP_REQUESTED", "Replaced by a new service deployment");
    clock.after(delays.deploymentStopMs, () => {
      if (record.status === "STOP_REQUESTED") finish(record, "STOPPED");
    });
  }

  function complete(service: EcsService, deployment: Deployment): void {
    deployment.rolloutState = "COMPLETED";
    deployment.rolloutStateReason = `ECS deployment ${deployment.id} completed.`;
    deployment.updatedAtMs = clock.now();
    service.completed = deployment;
    tell(service, `(deployment ${deployment.id}) deployment completed.`);
    if (isTerminal(deployment.record)) return;
    finish(deployment.record, deployment.isRollback ? "ROLLBACK_SUCCESSFUL" : "SUCCESSFUL");
  }

  function trip(service: EcsService, deployment: Deployment): void {
    const { record } = deployment;
    fail(deployment, "ECS deployment circuit breaker: tasks failed to start.");
    record.triggered = true;
    tell(service, `(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
    if (deployment.isRollback) {
      finish(record, "ROLLBACK_FAILED");
      return;
    }
    const configuration = (service.settings["deploymentConfiguration"] ?? {}) as Input;
    const { rollsBack } = circuitBreaker(configuration, service.desiredCount);
    if (rollsBack && service.completed !== undefined) {
      rollBack(service, record, BREAKER_REASON);
      return;
    }
    // Nothing to go back to, or not asked to: the deployment stalls and starts no more tasks.
    change(record, "STOP_REQUESTED", "Service deployment stopped because the circuit breaker threshold was exceeded.");
    clock.after(delays.deploymentStopMs, () => {
      if (record.status === "STOP_REQUESTED") finish(record, "STOPPED");
    });
  }

  function fail(deployment: Deployment, reason: string): void {
    deployment.rolloutState = "FAILED";
    deployment.rolloutStateReason = reason;
    deployment.updatedAtMs = clock.now();
  }

  function rollBack(service: EcsService, record: ServiceDeployment, reason: string): void {
    const target = service.completed;
    const [primary] = service.deployments;
    if (primary?.rolloutState === "IN_PROGRESS") fail(primary, `ECS deployment ${primary.id} stopped.`);
    if (target === undefined || target.revision.definition.status === "INACTIVE") {
      const why = target === undefined ? "no deployment has completed before" : "TaskDefinition is inactive";
      tell(service, `was unable to roll back: ${why}.`);
      change(record, record.status, `${reason} The rollback failed: ${why}.`);
      finish(record, "ROLLBACK_FAILED");
      return;
    }
    record.rollback = { reason, startedAtMs: clock.now(), to: target.revision };
    change(record, "ROLLBACK_IN_PROGRESS", reason);
    service.settings = { ...service.settings, ...blank(REVISION_MEMBERS), ...target.revision.settings };
    tell(service, `rolling back to deployment ${target.id}.`);
    push(service, {
      number: draw(chance, 1, "123456789") + draw(chance, 18, "0123456789"),
      revision: target.revision,
      record,
      isRollback: true,
      reason: `${record.triggered ? "ECS deployment circuit breaker" : "ECS deployment"}: rolling back to deploymentId ${target.id}.`,
    });
  }

  function change(record: ServiceDeployment, status: ServiceDeployment["status"], reason: string): void {
    record.status = status;
    record.statusReason = reason;
    record.updatedAtMs = clock.now();
  }

  function finish(record: ServiceDeployment, status: (typeof TERMINAL)[number]): void {
    record.status = status;
    record.updatedAtMs = clock.now();
    record.finishedAtMs = clock.now();
    if (status === "STOPPED") record.stoppedAtMs = clock.now();
  }

  return { begin, complete, trip, rollBack };
}

function revisionSettings(settings: Input): Input {
  const members = [...REVISION_MEMBERS, "capacityProviderStrategy", "launchType"];
  return Object.fromEntries(members.flatMap((name) => (name in settings ? [[name, settings[name]]] : [])));
}

function blank(members: readonly string[]): Input {
  return Object.fromEntries(members.map((name) => [name, undefined]));
}
