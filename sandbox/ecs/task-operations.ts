// DescribeTasks, ListTasks and StopTask.

import type { Caller, SandboxClock } from "../api.ts";
import { type Input, page, requiredText, text, texts, wholeNumber } from "../members.ts";
import { type Accounts, findService, findTask, visibleTasks } from "./account.ts";
import { ecsArn, readReference } from "./arns.ts";
import { invalid, serviceNotFound } from "./errors.ts";
import { DESCRIBED_TASKS } from "./limits.ts";
import type { Task } from "./model.ts";
import { taskView } from "./task-view.ts";
import type { TaskEngine } from "./tasks.ts";

export interface TaskOperationsDependencies {
  readonly accounts: Accounts;
  readonly clock: SandboxClock;
  readonly engine: TaskEngine;
}

type Operation = (input: Input, caller: Caller) => unknown;

export function createTaskOperations(dependencies: TaskOperationsDependencies): Readonly<Record<string, Operation>> {
  const { accounts, clock, engine } = dependencies;

  function describe(input: Input, caller: Caller): unknown {
    const cluster = accounts.cluster(caller, input);
    const references = texts(input, "tasks") ?? [];
    if (references.length === 0) throw invalid("Tasks cannot be empty.");
    if (references.length > DESCRIBED_TASKS) throw invalid(`Tasks can not have more than ${DESCRIBED_TASKS} elements.`);
    const include = texts(input, "include") ?? [];
    const found = references.map((reference) => {
      const id = readReference(reference, "task", caller).at(-1) ?? "";
      const missing = { arn: ecsArn(cluster.place, `task/${cluster.name}/${id}`), reason: "MISSING" };
      return { task: findTask(cluster, reference, clock), missing };
    });
    return {
      tasks: found.flatMap(({ task }) => (task === undefined ? [] : [taskView(task, include)])),
      failures: found.flatMap(({ task, missing }) => (task === undefined ? [missing] : [])),
    };
  }

  /** `desiredStatus` PENDING never returns anything: ECS sets no task's desired status to it. */
  function list(input: Input, caller: Caller): unknown {
    const cluster = accounts.cluster(caller, input);
    const limit = wholeNumber(input, "maxResults", { least: 1, most: 100, otherwise: 100 });
    const family = text(input, "family");
    const startedBy = text(input, "startedBy");
    const serviceName = text(input, "serviceName");
    const launchType = text(input, "launchType");
    const desiredStatus = text(input, "desiredStatus") ?? "RUNNING";
    if (startedBy !== undefined && (family ?? serviceName) !== undefined)
      throw invalid("startedBy must be the only filter that you use.");
    if (family !== undefined && serviceName !== undefined)
      throw invalid("family and serviceName can not both be given.");
    const service = serviceName === undefined ? undefined : findService(cluster, serviceName, clock);
    if (serviceName !== undefined && service === undefined) throw serviceNotFound();
    const matches = ({ plan, ...task }: Task): boolean =>
      task.desiredStatus === desiredStatus &&
      (family === undefined || plan.definition.family === family) &&
      (startedBy === undefined || plan.startedBy === startedBy) &&
      (service === undefined || plan.deployment?.record.service === service) &&
      (launchType === undefined || plan.launchType === launchType);
    const arns = visibleTasks(cluster, clock)
      .filter(matches)
      .map(({ arn }) => arn);
    const { items, nextToken } = page(arns, text(input, "nextToken"), limit);
    return { taskArns: items, nextToken };
  }

  /** "Any tags associated with the task will be deleted." */
  function stop(input: Input, caller: Caller): unknown {
    const cluster = accounts.cluster(caller, input);
    const task = findTask(cluster, requiredText(input, "task"), clock);
    if (task === undefined) throw invalid("The referenced task was not found.");
    engine.stop(task, "UserInitiated", text(input, "reason") ?? "Task stopped by user");
    task.tags = [];
    return { task: taskView(task) };
  }

  return { DescribeTasks: describe, ListTasks: list, StopTask: stop };
}
