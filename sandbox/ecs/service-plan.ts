// What the scheduler starts a service's task with.

import { text } from "../members.ts";
import type { Deployment, EcsService, Tag, TaskPlan } from "./model.ts";
import { launchOf, networkOf } from "./run-task.ts";

export function servicePlan(service: EcsService, deployment: Deployment): TaskPlan {
  const { revision } = deployment;
  const { definition, settings } = revision;
  return {
    cluster: service.cluster,
    definition,
    group: `service:${service.name}`,
    startedBy: deployment.id,
    ...launchOf(settings, definition),
    platformVersion: text(settings, "platformVersion"),
    subnet: networkOf(settings, definition),
    overrides: {},
    tags: tagsOf(service, deployment),
    enableExecuteCommand: service.settings["enableExecuteCommand"] === true,
    digests: revision.digests,
    deployment,
  };
}

/** Changes to propagateTags only reach new tasks. */
function tagsOf(service: EcsService, { revision }: Deployment): readonly Tag[] {
  const source = service.settings["propagateTags"];
  const propagated = source === "SERVICE" ? service.tags : source === "TASK_DEFINITION" ? revision.definition.tags : [];
  if (service.settings["enableECSManagedTags"] !== true) return propagated;
  return [
    ...propagated,
    { key: "aws:ecs:clusterName", value: service.cluster.name },
    { key: "aws:ecs:serviceName", value: service.name },
  ];
}
