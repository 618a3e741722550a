// A service as DescribeServices shows it, and the task counts that follow from its tasks.

import { type Input, record } from "../members.ts";
import { seconds } from "../wire.ts";
import { enriched } from "./deployment-configuration.ts";
import type { Deployment, EcsService, Task } from "./model.ts";

export interface TaskCounts {
  readonly running: number;
  readonly pending: number;
}

/** A task that is drained still counts as running; one that was asked to stop before it ran counts as nothing. */
export function countTasks(tasks: readonly Task[]): TaskCounts {
  const running = tasks.filter(({ lastStatus }) => lastStatus === "RUNNING" || lastStatus === "DEACTIVATING").length;
  const pending = tasks.filter(({ lastStatus }) => /^(PROVISIONING|PENDING|ACTIVATING)$/.test(lastStatus)).length;
  return { running, pending };
}

export function tasksOf(service: EcsService, deployment: Deployment): readonly Task[] {
  return [...service.tasks].filter((task) => task.plan.deployment === deployment);
}

export function serviceView(service: EcsService, include: readonly string[]): unknown {
  const { settings } = service;
  const {
    schedulingStrategy,
    deploymentController,
    deploymentConfiguration: _sent,
    role,
    serviceConnectConfiguration: _connect,
    volumeConfigurations: _volumes,
    vpcLatticeConfigurations: _lattice,
    monitoring: _monitoring,
    gatewayConnectors: _gateways,
    ...echoed
  } = settings;
  const { running, pending } = countTasks([...service.tasks]);
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: service.cluster.arn,
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: running,
    pendingCount: pending,
    taskDefinition: service.deployments[0]?.revision.definition.arn,
    loadBalancers: [],
    serviceRegistries: [],
    placementConstraints: [],
    placementStrategy: [],
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    propagateTags: "NONE",
    ...(settings["launchType"] === undefined && settings["capacityProviderStrategy"] === undefined
      ? { launchType: "FARGATE" }
      : {}),
    platformVersion: "LATEST",
    platformFamily: "Linux",
    ...echoed,
    healthCheckGracePeriodSeconds: settings["healthCheckGracePeriodSeconds"] ?? 0,
    deploymentConfiguration: enriched(record(settings, "deploymentConfiguration") ?? {}),
    deploymentController: deploymentController ?? { type: "ECS" },
    schedulingStrategy,
    networkConfiguration: networkView(settings),
    roleArn:
      role ?? `arn:aws:iam::${service.place.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS`,
    deployments: service.deployments.map((deployment, at) => deploymentView(service, deployment, at === 0)),
    currentServiceDeployment: service.records[0]?.arn,
    currentServiceRevisions: revisionViews(service),
    events: service.events.map(({ id, createdAtMs, message }) => ({ id, createdAt: seconds(createdAtMs), message })),
    createdAt: seconds(service.createdAtMs),
    createdBy: service.createdBy,
    ...(include.includes("TAGS") ? { tags: service.tags } : {}),
  };
}

function deploymentView(service: EcsService, deployment: Deployment, isPrimary: boolean): unknown {
  const { running, pending } = countTasks(tasksOf(service, deployment));
  const { settings, definition } = deployment.revision;
  return {
    id: deployment.id,
    status: isPrimary ? "PRIMARY" : "ACTIVE",
    taskDefinition: definition.arn,
    desiredCount: isPrimary ? service.desiredCount : 0,
    runningCount: running,
    pendingCount: pending,
    failedTasks: deployment.failedTasks,
    createdAt: seconds(deployment.createdAtMs),
    updatedAt: seconds(deployment.updatedAtMs),
    ...(settings["capacityProviderStrategy"] === undefined
      ? { launchType: settings["launchType"] ?? "FARGATE" }
      : { capacityProviderStrategy: settings["capacityProviderStrategy"] }),
    platformVersion: settings["platformVersion"] ?? "1.4.0",
    platformFamily: "Linux",
    networkConfiguration: networkView(settings),
    serviceConnectConfiguration: settings["serviceConnectConfiguration"],
    volumeConfigurations: settings["volumeConfigurations"],
    vpcLatticeConfigurations: settings["vpcLatticeConfigurations"],
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  };
}

function networkView(settings: Input): unknown {
  const configuration = record(record(settings, "networkConfiguration") ?? {}, "awsvpcConfiguration");
  if (configuration === undefined) return undefined;
  return { awsvpcConfiguration: { assignPublicIp: "DISABLED", securityGroups: [], ...configuration } };
}

function revisionViews(service: EcsService): readonly unknown[] {
  const revisions = [...new Set(service.deployments.map(({ revision }) => revision))];
  return revisions.map((revision, at) => {
    const tasks = [...service.tasks].filter((task) => task.plan.deployment?.revision === revision);
    const { running, pending } = countTasks(tasks);
    return {
      arn: revision.arn,
      requestedTaskCount: at === 0 ? service.desiredCount : 0,
      runningTaskCount: running,
      pendingTaskCount: pending,
    };
  });
}
