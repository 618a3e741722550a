// The task of a migration: started under a deterministic token, and found again by reads before anything is sent twice.
import type { RunTaskCommandInput, Service as EcsService, Task } from "@aws-sdk/client-ecs";
import type { Digest } from "../../core/brand.ts";
import type { Environment } from "../../core/environment.ts";
import { Fault } from "../../core/fault.ts";
import { LIMITS } from "../../core/limits.ts";
import { sha256 } from "../../core/sha256.ts";
import type { Context } from "../../ports.ts";
import type { Aws } from "../aws.ts";
import { awsErrorMessage, awsErrorName } from "../aws/faults.ts";
import type { ClusterPlace, Tasks } from "./tasks.ts";
import { failureWords, isCapacity } from "./verdict.ts";

/** One attempt at a migration, as its intent was recorded. */
export interface Attempt {
  readonly place: ClusterPlace;
  /** Session of the release, for the write. */
  readonly session: string;
  readonly family: string;
  readonly token: string;
  readonly startedBy: string;
  readonly taskDefinition: string;
}

/** 64 characters, the same for the same key and attempt: AWS starts one task for it, however often it is asked. */
export function tokenOf(key: Digest, attempt: number): string {
  return sha256(`${key}/${attempt}`);
}

/** At most 128 of letters, digits, `-`, `/` and `_`; the digits at its end are those of the token. */
export function startedByOf({ application, name }: Environment, migration: string, token: string): string {
  return `lockstep/${application}/${name}/${migration}/${token.slice(0, 12)}`;
}

/** What a task started beside the service needs of it: network, launch type or capacity provider, platform. */
export function placementOf(live: EcsService): Partial<RunTaskCommandInput> {
  const { networkConfiguration, capacityProviderStrategy = [], launchType, platformVersion } = live;
  return {
    ...(networkConfiguration === undefined ? {} : { networkConfiguration }),
    ...(capacityProviderStrategy.length > 0
      ? { capacityProviderStrategy }
      : launchType === undefined
        ? {}
        : { launchType }),
    ...(platformVersion === undefined || platformVersion === "" ? {} : { platformVersion }),
  };
}

export type Started =
  | { readonly state: "started"; readonly task: string }
  /** Certainly nothing was started. */
  | { readonly state: "refused"; readonly capacity: boolean; readonly fault: Fault };

/** Faults: outcome-unknown, throttled, unavailable: whether something runs is for `findTask` to say. */
export async function runTask(
  aws: Aws,
  attempt: Attempt,
  live: EcsService,
  context: Pick<Context, "signal" | "guard">,
): Promise<Started> {
  const { taskDefinition, token, startedBy } = attempt;
  const place = { ...attempt.place, session: attempt.session };
  const { signal } = context;
  const guard = (): void => context.guard();
  const resource = `${taskDefinition.slice(taskDefinition.lastIndexOf("/") + 1)} in cluster ${place.cluster}`;
  const input: RunTaskCommandInput = {
    ...placementOf(live),
    cluster: place.cluster,
    taskDefinition,
    count: 1,
    clientToken: token,
    startedBy,
  };
  const call = { place, service: "ecs", operation: "RunTask", resource, signal, guard } as const;
  try {
    const answer = await aws.write(call, (ecs, http) => ecs.runTask(input, http));
    const task = answer.tasks?.[0]?.taskArn;
    if (task !== undefined) return { state: "started", task };
    const words = failureWords(answer.failures ?? []);
    const capacity = isCapacity(words);
    const fault = new Fault(capacity ? "no-capacity" : "aws-refused", `RunTask of ${resource}: ${words}`);
    return { state: "refused", capacity, fault };
  } catch (thrown) {
    const adopted = conflicting(thrown);
    if (adopted !== undefined) return { state: "started", task: adopted };
    if (!(thrown instanceof Fault) || thrown.code === "fenced" || thrown.consequence === "retry") throw thrown;
    const capacity = thrown.code === "aws-refused" && isCapacity(awsErrorMessage(thrown));
    return { state: "refused", capacity, fault: capacity ? new Fault("no-capacity", thrown.message, thrown) : thrown };
  }
}

/** The task that the token already stands for, when its parameters have changed since. */
function conflicting(thrown: unknown): string | undefined {
  if (!(thrown instanceof Fault) || awsErrorName(thrown) !== "ConflictException") return undefined;
  const { resourceIds } = thrown.cause as { readonly resourceIds?: readonly string[] };
  return resourceIds?.[0];
}

/** A task of this attempt, running or stopped within the last hour; undefined when ECS shows none. */
export async function findTask(tasks: Tasks, attempt: Attempt, signal: AbortSignal): Promise<Task | undefined> {
  const { place, family, startedBy } = attempt;
  for (const desiredStatus of ["RUNNING", "STOPPED"] as const) {
    const found = await tasks.list(place, { family, desiredStatus }, signal);
    const own = found.find((task) => task.startedBy === startedBy);
    if (own !== undefined) return own;
  }
  return undefined;
}

/** `Date` headers count seconds, and come from many machines. */
const HEADER_SLACK_MS = 60_000;

/** Whether the token still stands for the first request: AWS forgets it, and would start a second task. */
export function mayReplay(intendedAt: number | undefined, now: number | undefined): boolean {
  if (intendedAt === undefined || now === undefined) return false;
  const ageMs = now - intendedAt;
  return ageMs > -HEADER_SLACK_MS && ageMs < LIMITS.tokenReplayMs;
}
