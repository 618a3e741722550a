// A task as DescribeTasks and RunTask show it.

import { text } from "../members.ts";
import { seconds } from "../wire.ts";
import type { Task, TaskContainer } from "./model.ts";

export function taskView(task: Task, include: readonly string[] = []): unknown {
  const { plan } = task;
  const { definition, cluster } = plan;
  const isFargate = plan.launchType === "FARGATE" || plan.capacityProviderName?.startsWith("FARGATE") === true;
  return {
    taskArn: task.arn,
    clusterArn: cluster.arn,
    taskDefinitionArn: definition.arn,
    group: plan.group,
    startedBy: plan.startedBy,
    launchType: plan.launchType,
    capacityProviderName: plan.capacityProviderName,
    ...(isFargate ? { platformVersion: platform(plan.platformVersion), platformFamily: "Linux" } : {}),
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: healthOf(task),
    version: task.version,
    cpu: text(plan.overrides, "cpu") ?? text(definition.content, "cpu"),
    memory: text(plan.overrides, "memory") ?? text(definition.content, "memory"),
    availabilityZone: `${cluster.place.region}a`,
    connectivity: task.startedAtMs === undefined ? undefined : "CONNECTED",
    connectivityAt: time(task.pullStartedAtMs),
    attributes: [{ name: "ecs.cpu-architecture", value: "x86_64" }],
    inferenceAccelerators: [],
    enableExecuteCommand: plan.enableExecuteCommand,
    overrides: { containerOverrides: [], inferenceAcceleratorOverrides: [], ...plan.overrides },
    tags: include.includes("TAGS") ? task.tags : [],
    attachments: attachments(task),
    containers: task.containers.map((container) => containerView(task, container)),
    createdAt: time(task.createdAtMs),
    pullStartedAt: time(task.pullStartedAtMs),
    pullStoppedAt: time(task.pullStoppedAtMs),
    startedAt: time(task.startedAtMs),
    stoppingAt: time(task.stoppingAtMs),
    executionStoppedAt: time(task.executionStoppedAtMs),
    stoppedAt: time(task.stoppedAtMs),
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
  };
}

function containerView(task: Task, container: TaskContainer): unknown {
  const { definition } = container;
  return {
    containerArn: container.arn,
    taskArn: task.arn,
    name: definition.name,
    image: definition.image,
    imageDigest: container.imageDigest,
    runtimeId: task.startedAtMs === undefined ? undefined : container.runtimeId,
    lastStatus: container.lastStatus,
    exitCode: container.exitCode,
    reason: container.reason,
    networkBindings: [],
    networkInterfaces:
      task.lastStatus === "PROVISIONING" ? [] : [{ attachmentId: task.attachmentId, privateIpv4Address: task.address }],
    healthStatus: containerHealth(container),
    cpu: String(definition.cpu),
    memory: definition.memory === undefined ? undefined : String(definition.memory),
  };
}

function attachments({ attachmentId, address, lastStatus, plan }: Task): readonly unknown[] {
  if (plan.definition.content["networkMode"] !== "awsvpc") return [];
  const isAttached = lastStatus !== "PROVISIONING" && lastStatus !== "STOPPED";
  const status = lastStatus === "PROVISIONING" ? "PRECREATED" : isAttached ? "ATTACHED" : "DELETED";
  const details = [
    { name: "subnetId", value: plan.subnet ?? "" },
    ...(lastStatus === "PROVISIONING" ? [] : [{ name: "privateIPv4Address", value: address }]),
  ];
  return [{ id: attachmentId, type: "ElasticNetworkInterface", status, details }];
}

/** HEALTHY or UNHEALTHY only come from a container health check; a load balancer's verdict does not show here. */
function healthOf({ containers }: Task): string {
  const checked = containers.filter(({ definition }) => definition.essential && definition.hasHealthCheck);
  if (checked.length === 0) return "UNKNOWN";
  const states = checked.map(containerHealth);
  return states.find((state) => state === "UNHEALTHY") ?? (states.includes("UNKNOWN") ? "UNKNOWN" : "HEALTHY");
}

function containerHealth({ definition, healthy, lastStatus }: TaskContainer): string {
  if (!definition.hasHealthCheck) return "UNKNOWN";
  if (healthy) return "HEALTHY";
  return lastStatus === "STOPPED" ? "UNHEALTHY" : "UNKNOWN";
}

function platform(version: string | undefined): string {
  return version === undefined || version === "LATEST" ? "1.4.0" : version;
}

function time(atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : seconds(atMs);
}
