// Tasks as ECS shows them: finding them, and the words for how one ended.
import type { Task } from "@aws-sdk/client-ecs";
import type { Aws, AwsPlace } from "../aws.ts";

export interface Tasks {
  /** By ARN, at most 100; what ECS has forgotten is left out. */
  describe(place: ClusterPlace, arns: readonly string[], signal: AbortSignal): Promise<readonly Task[]>;
  /** Tasks of a family or a service, at most 100. */
  list(place: ClusterPlace, by: TaskFilter, signal: AbortSignal): Promise<readonly Task[]>;
}

export interface ClusterPlace extends AwsPlace {
  readonly cluster: string;
}

export interface TaskFilter {
  readonly family?: string;
  readonly serviceName?: string;
  readonly desiredStatus: "RUNNING" | "STOPPED";
}

/** DescribeTasks takes no more. */
const TASKS_PER_CALL = 100;

export function createTasks(aws: Aws): Tasks {
  async function describe(place: ClusterPlace, arns: readonly string[], signal: AbortSignal): Promise<readonly Task[]> {
    if (arns.length === 0) return [];
    const tasks = arns.slice(0, TASKS_PER_CALL);
    const resource = `${tasks.length === 1 ? `task ${tasks[0]}` : `${tasks.length} tasks`} in cluster ${place.cluster}`;
    const call = { place, service: "ecs", operation: "DescribeTasks", resource, signal } as const;
    const answer = await aws.read(call, (ecs, http) => ecs.describeTasks({ cluster: place.cluster, tasks }, http));
    return answer.tasks ?? [];
  }

  return {
    describe,
    async list(place, by, signal) {
      const of = by.family ?? by.serviceName ?? "";
      const resource = `${by.desiredStatus} tasks of ${of} in cluster ${place.cluster}`;
      const call = { place, service: "ecs", operation: "ListTasks", resource, signal } as const;
      const answer = await aws.read(call, (ecs, http) => ecs.listTasks({ cluster: place.cluster, ...by }, http));
      return describe(place, answer.taskArns ?? [], signal);
    },
  };
}

/** `stopped: Essential container in task exited; container app exited 1: OutOfMemoryError`. */
export function stopWords(task: Task, container?: string): string {
  const found = task.containers ?? [];
  const telling = found.filter(
    (one) => one.name === container || one.exitCode !== 0 || (one.reason !== undefined && one.reason !== ""),
  );
  const parts = telling.flatMap(({ name = "", exitCode, reason = "" }) => {
    const code = exitCode === undefined ? "has no exit code" : `exited ${exitCode}`;
    return [`container ${name} ${code}${reason === "" ? "" : `: ${reason}`}`];
  });
  const stop = [task.stopCode ?? "", task.stoppedReason ?? ""].filter((part) => part !== "").join(": ");
  return [stop === "" ? "no stop reason" : stop, ...parts].join("; ");
}
