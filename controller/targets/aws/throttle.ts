// One shared token bucket per account, region and class of action, so that one busy environment cannot starve another.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
import type { Clock } from "../../ports.ts";

interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Published classes; an action without one (S3, CloudFront, most of ECR) is not held back here. */
const CLASSES: readonly (Rate & { readonly operations: readonly string[] })[] = [
  { burst: 20, perSecond: 1, operations: ["RegisterTaskDefinition"] },
  { burst: 50, perSecond: 20, operations: ["DescribeTaskDefinition"] },
  { burst: 100, perSecond: 40, operations: ["RunTask", "StopTask"] },
  { burst: 100, perSecond: 20, operations: ["DescribeTasks", "ListTasks"] },
  { burst: 50, perSecond: 5, operations: ["UpdateService"] },
  { burst: 100, perSecond: 20, operations: ["DescribeServices"] },
  { burst: 50, perSecond: 20, operations: ["DescribeServiceDeployments", "ListServiceDeployments"] },
  { burst: 50, perSecond: 20, operations: ["DescribeServiceRevisions"] },
  { burst: 2000, perSecond: 2000, operations: ["BatchGetImage"] },
  // Not published: low enough that a page of hundreds of environments does not trip over it.
  { burst: 40, perSecond: 20, operations: ["DescribeImages", "ListImages"] },
  { burst: 10, perSecond: 5, operations: ["GetLogEvents"] },
];

export interface Throttle {
  /** Waits on the Clock until the action may leave; first come, first served. Rejects with the signal's reason. */
  take(owner: string, operation: string, signal: AbortSignal): Promise<void>;
}

export function createThrottle(clock: Clock): Throttle {
  const levels = new Map<string, { tokens: number; atMs: number }>();
  return {
    async take(owner, operation, signal) {
      const index = CLASSES.findIndex((one) => one.operations.includes(operation));
      const rate = CLASSES[index];
      if (rate === undefined) return;
      const key = `${owner}/${index}`;
      const nowMs = clock.monotonicMs();
      const level = levels.get(key) ?? { tokens: rate.burst, atMs: nowMs };
      // A debt is kept as negative tokens: whoever comes later waits longer, which is the order of a queue.
      level.tokens = Math.min(rate.burst, level.tokens + ((nowMs - level.atMs) / 1000) * rate.perSecond) - 1;
      level.atMs = nowMs;
      levels.set(key, level);
      if (level.tokens >= 0) return;
      try {
        await clock.sleep(Math.ceil((-level.tokens / rate.perSecond) * 1000), signal);
      } catch (reason) {
        level.tokens += 1;
        throw reason;
      }
    },
  };
}
