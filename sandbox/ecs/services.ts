// CreateService, UpdateService, DeleteService, DescribeServices and ListServices.

import type { Caller, SandboxClock } from "../api.ts";
import { type Input, page, requiredText, text, texts, wholeNumber } from "../members.ts";
import { type Accounts, findService, findTaskDefinition } from "./account.ts";
import { ecsArn, readReference } from "./arns.ts";
import { canonical } from "./canonical.ts";
import { type Deployments, REVISION_MEMBERS } from "./deployments.ts";
import { invalid, refused, serviceNotActive, serviceNotFound } from "./errors.ts";
import { DESCRIBED_SERVICES, SERVICE_TOKEN_LENGTH } from "./limits.ts";
import type { Cluster, EcsService, TaskDefinition } from "./model.ts";
import type { Scheduler } from "./scheduler.ts";
import {
  checkFits,
  checkStrategy,
  controllerOf,
  desiredCountOf,
  parametersOf,
  readSettings,
  refuseForController,
  updatedSettings,
} from "./service-settings.ts";
import { serviceView } from "./service-view.ts";
import { readTags } from "./tags.ts";

export interface ServiceDependencies {
  readonly accounts: Accounts;
  readonly clock: SandboxClock;
  readonly deployments: Deployments;
  readonly scheduler: Scheduler;
}

type Operation = (input: Input, caller: Caller) => unknown;

export function createServices(dependencies: ServiceDependencies): Readonly<Record<string, Operation>> {
  const { accounts, clock, deployments, scheduler } = dependencies;

  function create(input: Input, caller: Caller): unknown {
    const cluster = accounts.cluster(caller, input);
    const name = requiredText(input, "serviceName");
    if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
      throw invalid("Service names can have up to 255 letters, numbers, underscores, and hyphens.");
    const known = createdBefore(cluster, name, input);
    if (known !== undefined) return { service: serviceView(known, ["TAGS"]) };
    const settings = readSettings(input);
    checkStrategy(settings);
    const desiredCount = desiredCountOf(input);
    if (desiredCount === undefined) throw invalid("desiredCount is required for the REPLICA scheduling strategy.");
    const isExternal = controllerOf(settings) === "EXTERNAL";
    if (isExternal && text(input, "taskDefinition") === undefined) {
      const service = newService(cluster, name, input, caller, { settings, desiredCount });
      return { service: serviceView(service, ["TAGS"]) };
    }
    const definition = usable(caller, requiredText(input, "taskDefinition"));
    checkFits(settings, definition);
    const isOurs = controllerOf(settings) === "ECS";
    const stored = isOurs ? settings : { ...settings, taskDefinition: definition.arn };
    const service = newService(cluster, name, input, caller, { settings: stored, desiredCount });
    if (isOurs) {
      deployments.begin(service, definition);
      scheduler.wake(service);
    }
    return { service: serviceView(service, ["TAGS"]) };
  }

  /** The service this request made before, if it did. Faults: when the name is taken or still draining. */
  function createdBefore(cluster: Cluster, name: string, input: Input): EcsService | undefined {
    const token = text(input, "clientToken");
    if (token !== undefined && (token.length > SERVICE_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)))
      throw invalid(`clientToken: up to ${SERVICE_TOKEN_LENGTH} ASCII characters from 33 to 126`);
    const service = cluster.services.get(name);
    if (service === undefined || service.status === "INACTIVE") return undefined;
    if (service.status === "DRAINING") throw invalid("Unable to Start a service that is still Draining.");
    if (service.created.parameters === parametersOf(input)) return service;
    throw invalid("Creation of service was not idempotent.");
  }

  function newService(
    cluster: Cluster,
    name: string,
    input: Input,
    caller: Caller,
    { settings, desiredCount }: { settings: Input; desiredCount: number },
  ): EcsService {
    const service: EcsService = {
      place: cluster.place,
      cluster,
      name,
      arn: ecsArn(cluster.place, `service/${cluster.name}/${name}`),
      createdAtMs: clock.now(),
      createdBy: caller.arn,
      created: { token: text(input, "clientToken"), parameters: parametersOf(input) },
      tags: readTags(input),
      status: "ACTIVE",
      inactiveAtMs: undefined,
      desiredCount,
      settings: { schedulingStrategy: "REPLICA", availabilityZoneRebalancing: "ENABLED", ...settings },
      deployments: [],
      records: [],
      revisions: [],
      completed: undefined,
      events: [],
      tasks: new Set(),
      steady: false,
      lookDue: false,
    };
    cluster.services.set(name, service);
    return service;
  }

  /** Last writer wins: there is no If-Match. Only what makes another revision, or force, makes a deployment. */
  function update(input: Input, caller: Caller): unknown {
    const service = activeService(input, caller);
    const controller = controllerOf(service.settings);
    if (controller !== "ECS") refuseForController(input, controller);
    const reference = text(input, "taskDefinition");
    const current = service.deployments[0]?.revision.definition;
    const definition = reference === undefined ? current : usable(caller, reference);
    const desiredCount = desiredCountOf(input) ?? service.desiredCount;
    const isForced = input["forceNewDeployment"] === true;
    const settings = updatedSettings(service, readSettings(input), isForced);
    const changed = REVISION_MEMBERS.some((name) => canonical(settings[name]) !== canonical(service.settings[name]));
    if (definition !== undefined) checkFits(settings, definition);
    service.settings = settings;
    service.desiredCount = desiredCount;
    if (definition !== undefined && (isForced || changed || definition !== current))
      deployments.begin(service, definition);
    scheduler.wake(service);
    return { service: serviceView(service, ["TAGS"]) };
  }

  function activeService(input: Input, caller: Caller): EcsService {
    const service = findService(accounts.cluster(caller, input), requiredText(input, "service"), clock);
    if (service === undefined) throw serviceNotFound();
    if (service.status !== "ACTIVE") throw serviceNotActive();
    return service;
  }

  function usable(caller: Caller, reference: string): TaskDefinition {
    const definition = findTaskDefinition(accounts.region(caller), reference);
    if (definition === undefined) throw refused("TaskDefinition not found.");
    if (definition.status === "INACTIVE") throw refused("TaskDefinition is inactive");
    return definition;
  }

  function remove(input: Input, caller: Caller): unknown {
    const service = findService(accounts.cluster(caller, input), requiredText(input, "service"), clock);
    if (service === undefined) throw serviceNotFound();
    if (service.status === "INACTIVE") throw serviceNotActive();
    if (service.desiredCount > 0 && input["force"] !== true && service.status === "ACTIVE")
      throw invalid("The service cannot be stopped while it is scaled above 0.");
    service.status = "DRAINING";
    service.desiredCount = 0;
    scheduler.wake(service);
    return { service: serviceView(service, ["TAGS"]) };
  }

  /** A service that never was is a failure inside a good answer; a deleted one stays visible as INACTIVE for a while. */
  function describe(input: Input, caller: Caller): unknown {
    const cluster = accounts.cluster(caller, input);
    const references = texts(input, "services") ?? [];
    if (references.length === 0) throw invalid("Services cannot be empty.");
    if (references.length > DESCRIBED_SERVICES)
      throw invalid(`Services can not have more than ${DESCRIBED_SERVICES} elements.`);
    const include = texts(input, "include") ?? [];
    const found = references.map((reference) => {
      const name = readReference(reference, "service", caller).at(-1) ?? "";
      const missing = { arn: ecsArn(cluster.place, `service/${cluster.name}/${name}`), reason: "MISSING" };
      return { service: findService(cluster, reference, clock), missing };
    });
    return {
      services: found.flatMap(({ service }) => (service === undefined ? [] : [serviceView(service, include)])),
      failures: found.flatMap(({ service, missing }) => (service === undefined ? [missing] : [])),
    };
  }

  function list(input: Input, caller: Caller): unknown {
    const cluster = accounts.cluster(caller, input);
    const limit = wholeNumber(input, "maxResults", { least: 1, most: 100, otherwise: 10 });
    const launchType = text(input, "launchType");
    const services = [...cluster.services.values()].filter(
      ({ status, settings }) =>
        status !== "INACTIVE" && (launchType === undefined || settings["launchType"] === launchType),
    );
    const { items, nextToken } = page(services, text(input, "nextToken"), limit);
    return { serviceArns: items.map(({ arn }) => arn), nextToken };
  }

  return {
    CreateService: create,
    UpdateService: update,
    DeleteService: remove,
    DescribeServices: describe,
    ListServices: list,
  };
}
