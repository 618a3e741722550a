// A task as it begins: its names drawn by chance, nothing of its life known yet.

import type { Chance } from "../api.ts";
import { draw, uuid } from "../chance.ts";
import { ecsArn } from "./arns.ts";
import type { Task, TaskPlan } from "./model.ts";

export function newTask(plan: TaskPlan, nowMs: number, chance: Chance): Task {
  const id = draw(chance, 32, "0123456789abcdef");
  const { place, name } = plan.cluster;
  const byte = (): number => 1 + Math.floor(chance() * 254);
  return {
    plan,
    id,
    arn: ecsArn(place, `task/${name}/${id}`),
    attachmentId: uuid(chance),
    address: `10.0.${byte()}.${byte()}`,
    tags: plan.tags,
    containers: plan.definition.containers.map((definition) => ({
      definition,
      arn: ecsArn(place, `container/${name}/${id}/${uuid(chance)}`),
      runtimeId: `${id}-${draw(chance, 10, "0123456789")}`,
      lastStatus: "PENDING",
      exitCode: undefined,
      reason: undefined,
      imageDigest: undefined,
      port: undefined,
      healthy: false,
      running: undefined,
    })),
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    version: 1,
    createdAtMs: nowMs,
    pullStartedAtMs: undefined,
    pullStoppedAtMs: undefined,
    startedAtMs: undefined,
    stoppingAtMs: undefined,
    executionStoppedAtMs: undefined,
    stoppedAtMs: undefined,
    stopCode: undefined,
    stoppedReason: undefined,
    healthy: false,
    succeeded: false,
    cancelNext: () => undefined,
  };
}
