// Application Auto Scaling, as far as ECS services need it: scalable targets and the bounds they keep.
// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html

import { AwsError, type Caller, type Chance, type SandboxClock, type Service } from "../api.ts";
import { draw } from "../chance.ts";
import { type Input, page, record, requiredText, text, texts, wholeNumber } from "../members.ts";
import { json, jsonError, readJson, seconds, targetOperation } from "../wire.ts";
import type { Ecs } from "./service.ts";

const TARGET = "AnyScaleFrontendService";
const DIMENSION = "ecs:service:DesiredCount";

export interface AutoScalingDependencies {
  readonly clock: SandboxClock;
  readonly chance: Chance;
  readonly ecs: Pick<Ecs, "scale">;
}

interface ScalableTarget {
  readonly id: string;
  readonly resourceId: string;
  readonly createdAtMs: number;
  minimum: number;
  maximum: number;
  roleArn: string;
  suspended: Input;
}

type Operation = (input: Input, caller: Caller) => unknown;

export function createAutoScaling({ clock, chance, ecs }: AutoScalingDependencies): Service {
  const targets = new Map<string, ScalableTarget>();
  const prefix = ({ account, region }: Caller): string => `${account} ${region} `;
  const keyOf = (input: Input, caller: Caller): string => `${prefix(caller)}${requiredText(input, "ResourceId")}`;

  /** A count outside of the bounds is brought back into them, as a scaling activity would. */
  function register(input: Input, caller: Caller): unknown {
    checkNamespace(input);
    const known = targets.get(keyOf(input, caller));
    const minimum = capacity(input, "MinCapacity") ?? known?.minimum;
    const maximum = capacity(input, "MaxCapacity") ?? known?.maximum;
    if (minimum === undefined || maximum === undefined)
      throw validation("Both MinCapacity and MaxCapacity must be specified to register a new scalable target");
    if (minimum > maximum) throw validation("Maximum capacity cannot be less than minimum capacity");
    const resourceId = requiredText(input, "ResourceId");
    const [, cluster = "", service = ""] = /^service\/([^/]+)\/([^/]+)$/.exec(resourceId) ?? [];
    if (service === "")
      throw validation(`Unsupported service namespace, resource type or scalable dimension: ${resourceId}`);
    if (!ecs.scale(caller, cluster, service, (count) => Math.min(maximum, Math.max(minimum, count))))
      throw validation(`ECS service doesn't exist: ${resourceId}`);
    const target: ScalableTarget = {
      id: known?.id ?? draw(chance, 20, "0123456789abcdef"),
      resourceId,
      createdAtMs: known?.createdAtMs ?? clock.now(),
      minimum,
      maximum,
      roleArn: text(input, "RoleARN") ?? known?.roleArn ?? serviceLinkedRole(caller),
      suspended: record(input, "SuspendedState") ?? known?.suspended ?? {},
    };
    targets.set(keyOf(input, caller), target);
    return { ScalableTargetARN: arnOf(target, caller) };
  }

  function describe(input: Input, caller: Caller): unknown {
    checkNamespace(input);
    const limit = wholeNumber(input, "MaxResults", { least: 1, most: 50, otherwise: 50 });
    const ids = texts(input, "ResourceIds");
    const mine = [...targets].filter(([key]) => key.startsWith(prefix(caller))).map(([, target]) => target);
    const wanted = mine.filter(({ resourceId }) => ids === undefined || ids.includes(resourceId));
    const { items, nextToken } = page(wanted, text(input, "NextToken"), limit);
    return { ScalableTargets: items.map((target) => view(target, caller)), NextToken: nextToken };
  }

  function deregister(input: Input, caller: Caller): unknown {
    checkNamespace(input);
    if (!targets.delete(keyOf(input, caller)))
      throw new AwsError(
        "ObjectNotFoundException",
        `No scalable target found for ${requiredText(input, "ResourceId")}`,
      );
    return {};
  }

  const operations: Readonly<Record<string, Operation>> = {
    RegisterScalableTarget: register,
    DescribeScalableTargets: describe,
    DeregisterScalableTarget: deregister,
  };

  return {
    name: "autoscaling",
    operation: (request) => targetOperation(request, TARGET),
    handle(operation, request, caller) {
      const perform = operations[operation];
      if (perform === undefined)
        throw new AwsError(
          "UnknownOperationException",
          `The sandbox does not imitate autoscaling ${operation}; see sandbox/ecs.md`,
        );
      return json(perform(readJson(request), caller));
    },
    fail: jsonError,
  };
}

function checkNamespace(input: Input): void {
  if (requiredText(input, "ServiceNamespace") !== "ecs")
    throw validation("The sandbox only scales ECS services: ServiceNamespace must be ecs");
  const dimension = text(input, "ScalableDimension");
  if (dimension !== undefined && dimension !== DIMENSION)
    throw validation(`ScalableDimension must be ${DIMENSION}, not ${dimension}`);
}

function capacity(input: Input, name: string): number | undefined {
  const value = wholeNumber(input, name, { least: 0, most: 5000, otherwise: -1 });
  return value < 0 ? undefined : value;
}

function view(target: ScalableTarget, caller: Caller): unknown {
  return {
    ServiceNamespace: "ecs",
    ResourceId: target.resourceId,
    ScalableDimension: DIMENSION,
    MinCapacity: target.minimum,
    MaxCapacity: target.maximum,
    RoleARN: target.roleArn,
    CreationTime: seconds(target.createdAtMs),
    SuspendedState: {
      DynamicScalingInSuspended: false,
      DynamicScalingOutSuspended: false,
      ScheduledScalingSuspended: false,
      ...target.suspended,
    },
    ScalableTargetARN: arnOf(target, caller),
  };
}

function arnOf({ id }: ScalableTarget, { account, region }: Caller): string {
  return `arn:aws:application-autoscaling:${region}:${account}:scalable-target/${id}`;
}

function serviceLinkedRole({ account }: Caller): string {
  return `arn:aws:iam::${account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService`;
}

function validation(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
