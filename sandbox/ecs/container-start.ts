// What one container is started with: its task definition with the overrides of its task laid over it.

import { type Input, records, texts } from "../members.ts";
import { pairs } from "./container-definitions.ts";
import type { Task, TaskContainer } from "./model.ts";
import type { ContainerRequest } from "./runner.ts";

export function containerRequest(
  task: Task,
  { definition }: TaskContainer,
  resolveSecrets: (secrets: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
): ContainerRequest {
  const override = overrideOf(task.plan.overrides, definition.name);
  const command = override === undefined ? undefined : texts(override, "command");
  const { region } = task.plan.cluster.place;
  return {
    taskArn: task.arn,
    containerName: definition.name,
    image: definition.image,
    command: [...(definition.entryPoint ?? []), ...(command ?? definition.command)],
    environment: {
      AWS_EXECUTION_ENV: "AWS_ECS_FARGATE",
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      ...definition.environment,
      ...resolveSecrets(definition.secrets),
      ...(override === undefined ? {} : pairs(override, "environment", "value")),
    },
  };
}

function overrideOf(overrides: Input, container: string): Input | undefined {
  return (records(overrides, "containerOverrides") ?? []).find(({ name }) => name === container);
}

/** The image at the digest an earlier task of its revision got, whatever its tag says now. */
export function pinned(image: string, digest: string | undefined): string {
  if (digest === undefined || image.includes("@")) return image;
  return `${image.replace(/:[^:/]*$/, "")}@${digest}`;
}

/** `prefix/container/taskId`, as the awslogs driver names it on Fargate. Without a prefix: the container's runtime id. */
export function logStream(
  { plan, id }: Task,
  { definition, runtimeId }: TaskContainer,
): { group: string; stream: string; region: string; account: string } | undefined {
  const { log, name } = definition;
  if (log === undefined) return undefined;
  const stream = log.prefix === undefined ? runtimeId : `${log.prefix}/${name}/${id}`;
  return { group: log.group, stream, region: log.region, account: plan.cluster.place.account };
}
