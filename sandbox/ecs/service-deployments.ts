// Service deployments and revisions: listing, describing and stopping them.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html

import { AwsError, type Caller, type SandboxClock } from "../api.ts";
import { type Input, page, record, requiredText, text, texts, wholeNumber } from "../members.ts";
import { seconds } from "../wire.ts";
import { type Accounts, findService } from "./account.ts";
import { readReference } from "./arns.ts";
import type { Delays } from "./delays.ts";
import { circuitBreaker } from "./deployment-configuration.ts";
import { type Deployments, isTerminal } from "./deployments.ts";
import { clusterNotFound, conflict, invalid, serviceNotFound } from "./errors.ts";
import { DESCRIBED_SERVICE_DEPLOYMENTS } from "./limits.ts";
import type { EcsService, ServiceDeployment, ServiceRevision } from "./model.ts";
import type { Scheduler } from "./scheduler.ts";
import { countTasks } from "./service-view.ts";

export interface ServiceDeploymentDependencies {
  readonly accounts: Accounts;
  readonly clock: SandboxClock;
  readonly delays: Delays;
  readonly deployments: Deployments;
  readonly scheduler: Scheduler;
}

type Operation = (input: Input, caller: Caller) => unknown;

export function createServiceDeployments(
  dependencies: ServiceDeploymentDependencies,
): Readonly<Record<string, Operation>> {
  const { accounts, clock, delays, deployments, scheduler } = dependencies;

  function list(input: Input, caller: Caller): unknown {
    const service = findService(accounts.cluster(caller, input), requiredText(input, "service"), clock);
    if (service === undefined) throw serviceNotFound();
    const limit = wholeNumber(input, "maxResults", { least: 1, most: 100, otherwise: 20 });
    const statuses = texts(input, "status") ?? [];
    const { before, after } = record(input, "createdAt") ?? {};
    const matching = historyOf(service).filter(
      ({ status, createdAtMs }) =>
        (statuses.length === 0 || statuses.includes(status)) &&
        (typeof before !== "number" || seconds(createdAtMs) < before) &&
        (typeof after !== "number" || seconds(createdAtMs) > after),
    );
    const { items, nextToken } = page(matching, text(input, "nextToken"), limit);
    return { serviceDeployments: items.map(brief), nextToken };
  }

  function find(arn: string, kind: "service-deployment" | "service-revision", caller: Caller): EcsService | undefined {
    const [clusterName = "", serviceName = ""] = readReference(arn, kind, caller);
    const cluster = accounts.region(caller).clusters.get(clusterName);
    if (cluster === undefined) throw clusterNotFound();
    return findService(cluster, serviceName, clock);
  }

  function describe(input: Input, caller: Caller): unknown {
    const found = limited(texts(input, "serviceDeploymentArns"), "serviceDeploymentArns").map((arn) => {
      const service = find(arn, "service-deployment", caller);
      return { arn, deployment: service && historyOf(service).find((candidate) => candidate.arn === arn) };
    });
    return {
      serviceDeployments: found.flatMap(({ deployment }) => (deployment === undefined ? [] : [full(deployment)])),
      failures: found.flatMap(({ arn, deployment }) => (deployment === undefined ? [{ arn, reason: "MISSING" }] : [])),
    };
  }

  function describeRevisions(input: Input, caller: Caller): unknown {
    const found = limited(texts(input, "serviceRevisionArns"), "serviceRevisionArns").map((arn) => {
      const service = find(arn, "service-revision", caller);
      return { arn, service, revision: service?.revisions.find((candidate) => candidate.arn === arn) };
    });
    return {
      serviceRevisions: found.flatMap(({ service, revision }) =>
        service === undefined || revision === undefined ? [] : [revisionView(service, revision)],
      ),
      failures: found.flatMap(({ arn, revision }) => (revision === undefined ? [{ arn, reason: "MISSING" }] : [])),
    };
  }

  /** Rolls back even where no rollback was configured. A deployment that already stops or rolls back goes on doing so. */
  function stop(input: Input, caller: Caller): unknown {
    const arn = requiredText(input, "serviceDeploymentArn");
    const stopType = text(input, "stopType") ?? "ROLLBACK";
    if (stopType !== "ROLLBACK") throw invalid(`stopType: ${stopType} is not supported, use ROLLBACK`);
    const service = find(arn, "service-deployment", caller);
    const deployment = service && historyOf(service).find((candidate) => candidate.arn === arn);
    if (service === undefined || deployment === undefined)
      throw new AwsError("ServiceDeploymentNotFoundException", "Service deployment not found.");
    if (isTerminal(deployment))
      throw conflict(`Service deployment is in status ${deployment.status} and can not be stopped.`);
    if (deployment.status !== "PENDING" && deployment.status !== "IN_PROGRESS") return { serviceDeploymentArn: arn };
    deployment.status = "ROLLBACK_REQUESTED";
    deployment.updatedAtMs = clock.now();
    clock.after(delays.deploymentStopMs, () => {
      if (deployment.status !== "ROLLBACK_REQUESTED") return;
      deployments.rollBack(
        service,
        deployment,
        "Service deployment rolled back because of a StopServiceDeployment request.",
      );
      scheduler.wake(service);
    });
    return { serviceDeploymentArn: arn };
  }

  return {
    ListServiceDeployments: list,
    DescribeServiceDeployments: describe,
    DescribeServiceRevisions: describeRevisions,
    StopServiceDeployment: stop,
  };
}

/** Service deployments go with their service. */
function historyOf({ status, records }: EcsService): readonly ServiceDeployment[] {
  return status === "INACTIVE" ? [] : records;
}

function limited(arns: readonly string[] | undefined, name: string): readonly string[] {
  if (arns === undefined || arns.length === 0) throw invalid(`${name} cannot be empty.`);
  if (arns.length > DESCRIBED_SERVICE_DEPLOYMENTS)
    throw invalid(`${name} can not have more than ${DESCRIBED_SERVICE_DEPLOYMENTS} elements.`);
  return arns;
}

function brief(deployment: ServiceDeployment): Input {
  return {
    serviceDeploymentArn: deployment.arn,
    serviceArn: deployment.service.arn,
    clusterArn: deployment.service.cluster.arn,
    createdAt: time(deployment.createdAtMs),
    startedAt: time(deployment.startedAtMs),
    finishedAt: time(deployment.finishedAtMs),
    targetServiceRevisionArn: deployment.target.arn,
    status: deployment.status,
    statusReason: deployment.statusReason,
  };
}

function full(deployment: ServiceDeployment): unknown {
  const { targetServiceRevisionArn: _target, ...common } = brief(deployment);
  const { service, rollback, configuration } = deployment;
  const breaker = circuitBreaker(configuration, service.desiredCount);
  return {
    ...common,
    stoppedAt: time(deployment.stoppedAtMs),
    updatedAt: time(deployment.updatedAtMs),
    sourceServiceRevisions: deployment.source.map((revision) => summary(service, revision, 0)),
    targetServiceRevision: summary(service, deployment.target, rollback === undefined ? service.desiredCount : 0),
    deploymentConfiguration: configuration,
    ...(rollback === undefined
      ? {}
      : {
          rollback: {
            reason: rollback.reason,
            startedAt: time(rollback.startedAtMs),
            serviceRevisionArn: rollback.to.arn,
          },
        }),
    deploymentCircuitBreaker: {
      status: breakerStatus(deployment, breaker.enabled),
      failureCount: deployment.failureCount,
      threshold: breaker.threshold,
    },
    alarms: { status: "DISABLED", alarmNames: alarmNamesOf(configuration), triggeredAlarmNames: [] },
  };
}

/** Alarms are stored and never watched. */
function alarmNamesOf(configuration: Input): readonly string[] {
  return texts(record(configuration, "alarms") ?? {}, "alarmNames") ?? [];
}

function breakerStatus(deployment: ServiceDeployment, enabled: boolean): string {
  if (!enabled) return "DISABLED";
  if (deployment.triggered) return "TRIGGERED";
  return isTerminal(deployment) ? "MONITORING_COMPLETE" : "MONITORING";
}

function summary(service: EcsService, revision: ServiceRevision, requested: number): unknown {
  const tasks = [...service.tasks].filter((task) => task.plan.deployment?.revision === revision);
  const { running, pending } = countTasks(tasks);
  return {
    arn: revision.arn,
    requestedTaskCount: requested,
    runningTaskCount: running,
    pendingTaskCount: pending,
  };
}

/** `containerImages` shows the digest each image was resolved to, once a task has pulled it. */
function revisionView(service: EcsService, revision: ServiceRevision): unknown {
  const { definition, digests, settings } = revision;
  const { capacityProviderStrategy, launchType, ...others } = settings;
  return {
    serviceRevisionArn: revision.arn,
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    taskDefinition: definition.arn,
    ...(capacityProviderStrategy === undefined
      ? { launchType: launchType ?? "FARGATE" }
      : { capacityProviderStrategy }),
    platformVersion: "1.4.0",
    platformFamily: "Linux",
    ...others,
    containerImages: definition.containers.map(({ name, image }) => ({
      containerName: name,
      image,
      imageDigest: digests.get(name),
    })),
    guardDutyEnabled: false,
    createdAt: time(revision.createdAtMs),
  };
}

function time(atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : seconds(atMs);
}
