// The last lines a container wrote, where its task definition sends them to CloudWatch Logs.
import type { TaskDefinition } from "@aws-sdk/client-ecs";
import { LIMITS } from "../../core/limits.ts";
import type { Clock } from "../../ports.ts";
import type { Aws, AwsPlace } from "../aws.ts";
import { awsErrorName } from "../aws/faults.ts";

export interface LogPlace {
  readonly group: string;
  readonly stream: string;
  readonly region: string;
}

/** `prefix/container/task id`, as the awslogs driver names it; undefined when the container logs elsewhere. */
export function logPlace(definition: TaskDefinition, container: string, taskArn: string): LogPlace | undefined {
  const found = definition.containerDefinitions?.find(({ name }) => name === container)?.logConfiguration;
  const { "awslogs-group": group, "awslogs-stream-prefix": prefix, "awslogs-region": region } = found?.options ?? {};
  // Without a prefix the stream is named by Docker's id of the container, which nobody outside knows.
  if (found?.logDriver !== "awslogs" || group === undefined || prefix === undefined) return undefined;
  const id = taskArn.slice(taskArn.lastIndexOf("/") + 1);
  return { group, stream: `${prefix}/${container}/${id}`, region: region ?? "" };
}

export interface Logs {
  /** The last lines now, oldest first; none when the stream does not exist. Faults of `Aws.read`. */
  tail(place: AwsPlace, at: LogPlace, lines: number, signal: AbortSignal): Promise<readonly string[]>;
  /** The same of a container that has ended: looks again until the stream stops growing, at most `logFlushMs`. */
  flushed(place: AwsPlace, at: LogPlace, signal: AbortSignal): Promise<readonly string[]>;
}

const LOOK_AGAIN_MS = 1_000;
/** So many equal looks in a row mean that nothing more comes; an empty stream is waited for to the end. */
const EQUAL_LOOKS = 3;

export function createLogs(aws: Aws, clock: Clock): Logs {
  async function tail(place: AwsPlace, at: LogPlace, lines: number, signal: AbortSignal): Promise<readonly string[]> {
    const where = at.region === "" ? place : { ...place, region: at.region };
    const resource = `log stream ${at.stream} of ${at.group}`;
    const call = { place: where, service: "logs", operation: "GetLogEvents", resource, signal } as const;
    const input = { logGroupName: at.group, logStreamName: at.stream, limit: lines, startFromHead: false };
    try {
      const answer = await aws.read(call, (logs, http) => logs.getLogEvents(input, http));
      return (answer.events ?? []).map(({ message = "" }) => message.trimEnd().slice(0, LIMITS.logLineLength));
    } catch (thrown) {
      if (awsErrorName(thrown) === "ResourceNotFoundException") return [];
      throw thrown;
    }
  }

  return {
    tail,
    async flushed(place, at, signal) {
      const until = clock.monotonicMs() + LIMITS.logFlushMs;
      let seen = await tail(place, at, LIMITS.logLines, signal);
      let equal = 1;
      while (clock.monotonicMs() < until && (seen.length === 0 || equal < EQUAL_LOOKS)) {
        await clock.sleep(LOOK_AGAIN_MS, signal);
        const now = await tail(place, at, LIMITS.logLines, signal);
        equal = now.join("\n") === seen.join("\n") ? equal + 1 : 1;
        seen = now;
      }
      return seen;
    },
  };
}
