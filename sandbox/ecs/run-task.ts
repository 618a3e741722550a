// RunTask: what it checks, what it starts, and what a repeated client token is answered.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html and ECS_Idempotency.html

import type { Caller, SandboxClock } from "../api.ts";
import { type Input, record, records, requiredText, text, texts, wholeNumber } from "../members.ts";
import { type Accounts, findTaskDefinition } from "./account.ts";
import { canonical } from "./canonical.ts";
import { ecsArn } from "./arns.ts";
import { conflict, invalid, refused } from "./errors.ts";
import {
  OVERRIDES_LENGTH,
  RUN_TOKEN_LENGTH,
  STARTED_BY_LENGTH,
  TASKS_PER_RUN,
  TOKEN_AFTER_STOP_MS,
  TOKEN_LIMIT_MS,
} from "./limits.ts";
import type { Cluster, Tag, Task, TaskDefinition, TaskPlan, TokenUse } from "./model.ts";
import type { Placement } from "./placement.ts";
import { readTags } from "./tags.ts";
import { taskView } from "./task-view.ts";
import type { TaskEngine } from "./tasks.ts";

export interface RunTaskDependencies {
  readonly accounts: Accounts;
  readonly clock: SandboxClock;
  readonly engine: TaskEngine;
  readonly placement: Placement;
}

export function createRunTask(dependencies: RunTaskDependencies): (input: Input, caller: Caller) => unknown {
  const { accounts, clock, engine, placement } = dependencies;

  function run(input: Input, cluster: Cluster, caller: Caller): Pick<TokenUse, "tasks" | "failures"> {
    const count = wholeNumber(input, "count", { least: 1, most: TASKS_PER_RUN, otherwise: 1 });
    const definition = findTaskDefinition(accounts.region(caller), requiredText(input, "taskDefinition"));
    if (definition === undefined) throw refused("TaskDefinition not found.");
    if (definition.status === "INACTIVE") throw invalid("TaskDefinition is inactive");
    const plan = planOf(input, cluster, definition);
    const tasks: Task[] = [];
    const failures: Input[] = [];
    for (let at = 0; at < count; at += 1) {
      const failure = placement.take(definition.family);
      if (failure === undefined) tasks.push(engine.start({ ...plan, digests: new Map() }));
      else failures.push({ arn: ecsArn(cluster.place, `cluster/${cluster.name}`), ...reasonOf(failure) });
    }
    return { tasks, failures };
  }

  return (input, caller) => {
    const cluster = accounts.cluster(caller, input);
    const token = text(input, "clientToken");
    if (token === undefined) return answer(run(input, cluster, caller), "fresh");
    if (token.length > RUN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token))
      throw invalid(`clientToken: up to ${RUN_TOKEN_LENGTH} ASCII characters from 33 to 126`);
    const { clientToken: _token, cluster: _cluster, ...given } = input;
    const parameters = canonical(given);
    for (const [old, use] of cluster.tokens) if (isForgotten(use, clock.now())) cluster.tokens.delete(old);
    const known = cluster.tokens.get(token);
    if (known !== undefined) {
      if (known.parameters === parameters) return answer(known, "replay");
      const bound = known.tasks.map(({ arn }) => arn);
      throw conflict("The clientToken was used before with other parameters.", bound);
    }
    const fresh = run(input, cluster, caller);
    cluster.tokens.set(token, { parameters, createdAtMs: clock.now(), ...fresh });
    return answer(fresh, "fresh");
  };
}

/** A token lives for 24 hours, or until an hour after its last task stopped, whichever ends first. */
function isForgotten({ createdAtMs, tasks }: TokenUse, nowMs: number): boolean {
  if (nowMs - createdAtMs >= TOKEN_LIMIT_MS) return true;
  if (tasks.length === 0) return false;
  const lastStopMs = Math.max(...tasks.map(({ stoppedAtMs }) => stoppedAtMs ?? Infinity));
  return nowMs - lastStopMs >= TOKEN_AFTER_STOP_MS;
}

/** Replayed, a stopped task comes back with three members only. */
function answer({ tasks, failures }: Pick<TokenUse, "tasks" | "failures">, kind: "fresh" | "replay"): unknown {
  return {
    tasks: tasks.map((task) =>
      kind === "replay" && task.lastStatus === "STOPPED"
        ? { taskArn: task.arn, lastStatus: task.lastStatus, desiredStatus: task.desiredStatus }
        : taskView(task, ["TAGS"]),
    ),
    failures,
  };
}

function reasonOf({ reason, detail }: { readonly reason: string; readonly detail?: string }): Input {
  return detail === undefined ? { reason } : { reason, detail };
}

function planOf(input: Input, cluster: Cluster, definition: TaskDefinition): Omit<TaskPlan, "digests"> {
  const startedBy = text(input, "startedBy");
  if (startedBy !== undefined && !isStartedBy(startedBy))
    throw invalid(`startedBy: up to ${STARTED_BY_LENGTH} letters, digits, hyphens, slashes and underscores`);
  const propagateTags = text(input, "propagateTags");
  if (propagateTags === "SERVICE") throw invalid("Invalid value for propagateTags: SERVICE");
  const overrides = record(input, "overrides") ?? {};
  checkOverrides(overrides, definition);
  const own = readTags(input);
  const inherited = propagateTags === "TASK_DEFINITION" ? definition.tags : [];
  const managed = input["enableECSManagedTags"] === true ? [{ key: "aws:ecs:clusterName", value: cluster.name }] : [];
  return {
    cluster,
    definition,
    group: text(input, "group") ?? `family:${definition.family}`,
    startedBy,
    ...launchOf(input, definition),
    platformVersion: text(input, "platformVersion"),
    subnet: networkOf(input, definition),
    overrides,
    tags: [...inheritedBut(inherited, own), ...own, ...managed],
    enableExecuteCommand: input["enableExecuteCommand"] === true,
    deployment: undefined,
  };
}

function isStartedBy(value: string): boolean {
  return value.length <= STARTED_BY_LENGTH && /^[A-Za-z0-9\-/_]+$/.test(value);
}

function inheritedBut(inherited: readonly Tag[], own: readonly Tag[]): readonly Tag[] {
  return inherited.filter(({ key }) => !own.some((tag) => tag.key === key));
}

function checkOverrides(overrides: Input, definition: TaskDefinition): void {
  const length = JSON.stringify(overrides).length;
  if (length > OVERRIDES_LENGTH) throw invalid(`Container Overrides length must be at most ${OVERRIDES_LENGTH}`);
  for (const override of records(overrides, "containerOverrides") ?? []) {
    const name = text(override, "name") ?? "";
    if (!definition.containers.some((container) => container.name === name))
      throw invalid(`Override for container named ${name} is not a container in the TaskDefinition.`);
  }
}

/** There are no container instances here: what names no launch type runs as Fargate does, if its definition can. */
export function launchOf(
  input: Input,
  definition: TaskDefinition,
): Pick<TaskPlan, "launchType" | "capacityProviderName"> {
  const [provider] = records(input, "capacityProviderStrategy") ?? [];
  const launchType = text(input, "launchType");
  if (provider !== undefined && launchType !== undefined)
    throw invalid(
      "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    );
  const compatibilities = texts(definition.content, "compatibilities") ?? [];
  const wantsFargate =
    launchType === "FARGATE" || text(provider ?? {}, "capacityProvider")?.startsWith("FARGATE") === true;
  if (wantsFargate && !compatibilities.includes("FARGATE"))
    throw invalid("Task definition does not support launch_type FARGATE.");
  if (provider !== undefined)
    return { launchType: undefined, capacityProviderName: requiredText(provider, "capacityProvider") };
  return {
    launchType: launchType ?? (compatibilities.includes("FARGATE") ? "FARGATE" : "EC2"),
    capacityProviderName: undefined,
  };
}

/** The first subnet. Fault: InvalidParameterException when awsvpc has none. */
export function networkOf(input: Input, definition: TaskDefinition): string | undefined {
  const configuration = record(record(input, "networkConfiguration") ?? {}, "awsvpcConfiguration");
  if (definition.content["networkMode"] !== "awsvpc") {
    if (configuration === undefined) return undefined;
    throw invalid("Network Configuration is not valid for the given networkMode of this task definition.");
  }
  if (configuration === undefined)
    throw invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  const [subnet] = texts(configuration, "subnets") ?? [];
  if (subnet === undefined) throw invalid("subnets can not be empty.");
  return subnet;
}
