// What CreateService and UpdateService may say about a service, and what is stored of it.

import { type Input, record, records, text, wholeNumber } from "../members.ts";
import { canonical } from "./canonical.ts";
import { checkDeploymentConfiguration, merged } from "./deployment-configuration.ts";
import { invalid, unsupported } from "./errors.ts";
import type { EcsService, TaskDefinition } from "./model.ts";
import { launchOf, networkOf } from "./run-task.ts";

export function parametersOf(input: Input): string {
  const { clientToken: _token, cluster: _cluster, ...parameters } = input;
  return canonical(parameters);
}

/** Everything that is stored as sent. */
export function readSettings(input: Input): Input {
  const {
    cluster: _cluster,
    service: _service,
    serviceName: _name,
    taskDefinition: _definition,
    desiredCount: _count,
    clientToken: _token,
    tags: _tags,
    forceNewDeployment: _force,
    ...settings
  } = input;
  const configuration = record(settings, "deploymentConfiguration");
  if (configuration !== undefined) checkDeploymentConfiguration(configuration);
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}

export function checkStrategy(settings: Input): void {
  if (text(settings, "schedulingStrategy") === "DAEMON")
    throw unsupported("The sandbox does not imitate the DAEMON scheduling strategy; see sandbox/ecs.md");
}

export function updatedSettings(service: EcsService, sent: Input, isForced: boolean): Input {
  const strategy = records(sent, "capacityProviderStrategy");
  const isOther =
    strategy !== undefined && canonical(strategy) !== canonical(service.settings["capacityProviderStrategy"]);
  if (isOther && !isForced)
    throw invalid(
      "When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.",
    );
  const configuration = record(sent, "deploymentConfiguration");
  const before = record(service.settings, "deploymentConfiguration") ?? {};
  const whole = configuration === undefined ? before : merged(before, configuration);
  checkDeploymentConfiguration(whole);
  const { launchType, ...settings } = { ...service.settings, ...sent };
  return {
    ...settings,
    ...(strategy !== undefined || launchType === undefined ? {} : { launchType }),
    ...(Object.keys(whole).length === 0 ? {} : { deploymentConfiguration: whole }),
  };
}

export function desiredCountOf(input: Input): number | undefined {
  const count = wholeNumber(input, "desiredCount", { least: 0, most: 5000, otherwise: -1 });
  return count < 0 ? undefined : count;
}

export function checkFits(settings: Input, definition: TaskDefinition): void {
  launchOf(settings, definition);
  networkOf(settings, definition);
}

export function controllerOf(settings: Input): string {
  return text(record(settings, "deploymentController") ?? {}, "type") ?? "ECS";
}

/** What CodeDeploy or an external controller deploys, UpdateService may not. */
export function refuseForController(input: Input, controller: string): void {
  if (
    input["taskDefinition"] === undefined &&
    input["forceNewDeployment"] !== true &&
    input["networkConfiguration"] === undefined
  )
    return;
  const what = input["taskDefinition"] === undefined ? "force a new deployment" : "update task definition";
  const how =
    controller === "CODE_DEPLOY" ? "Use AWS CodeDeploy to trigger a new deployment." : "Use task sets instead.";
  throw invalid(`Unable to ${what} on services with a ${controller} deployment controller. ${how}`);
}
