// Watches a migration's task to its end, judges it, and keeps what it said: the task is soon forgotten by ECS.
import type { Task, TaskDefinition } from "@aws-sdk/client-ecs";
import type { Instant } from "../../core/brand.ts";
import type { Migration } from "../../core/environment.ts";
import type { Mark, Outcome } from "../../core/event.ts";
import type { FaultCode } from "../../core/fault.ts";
import { Fault, faultOf } from "../../core/fault.ts";
import { LIMITS } from "../../core/limits.ts";
import type { StepOf } from "../../core/step.ts";
import type { Context, Turn } from "../../ports.ts";
import type { Aws } from "../aws.ts";
import type { LogPlace, Logs } from "./logs.ts";
import { logPlace } from "./logs.ts";
import type { Attempt } from "./migration-task.ts";
import type { Revisions } from "./revisions.ts";
import { chooseContainer } from "./task-definition.ts";
import type { Tasks } from "./tasks.ts";
import type { Verdict } from "./verdict.ts";
import { verdict } from "./verdict.ts";
import { createPauses } from "./wait.ts";

export interface WatchParts {
  readonly aws: Aws;
  readonly revisions: Revisions;
  readonly tasks: Tasks;
  readonly logs: Logs;
}

export interface Job<Parts> {
  readonly parts: Parts;
  readonly step: StepOf<"migrate">;
  readonly turn: Turn;
  readonly context: Context;
  readonly migration: Migration;
}

type Settled = Extract<Mark, { readonly type: "migration-settled" }>;

/** Reads lag behind RunTask; a task that stays unseen for so long is one that ECS has forgotten. */
const UNSEEN_MS = 60_000;
/** After StopTask: 120 s at most between SIGTERM and SIGKILL, and some for the rest. */
const STOPPING_MS = 180_000;

export async function watchTask(
  job: Job<WatchParts>,
  attempt: Attempt & { readonly startedAt: Instant },
  arn: string,
): Promise<Outcome> {
  const { parts, context, migration } = job;
  const { clock, signal } = context;
  const pauses = createPauses(clock);
  const deadlineMs = clock.monotonicMs() + migration.timeoutMs - (clock.now() - attempt.startedAt);
  let seenMs = clock.monotonicMs();
  let stopped: number | undefined;
  let said = "";
  for (;;) {
    const task = await look();
    const nowMs = clock.monotonicMs();
    if (task !== undefined) seenMs = nowMs;
    if (task?.lastStatus === "STOPPED") return judge(job, attempt, task, stopped !== undefined);
    if (task === undefined && nowMs - seenMs >= UNSEEN_MS) {
      const why = `ECS no longer knows task ${arn}, so how it ended cannot be read`;
      return settle(job, { result: "unknown", message: why }, []);
    }
    if (stopped === undefined && task !== undefined && nowMs >= deadlineMs) {
      context.note(`${migration.name}: not done in ${seconds(migration)}; stopping its task`);
      await stop(job, attempt, arn);
      stopped = nowMs;
    } else if (stopped !== undefined && nowMs - stopped >= STOPPING_MS) {
      return settle(job, timeout(migration, `task ${arn} was told to stop and has not yet`), []);
    }
    await pauses.next(signal);
  }

  /** What the world owes us is asked for again, however long: a running migration is never given up on. */
  async function look(): Promise<Task | undefined> {
    for (;;) {
      try {
        return (await parts.tasks.describe(attempt.place, [arn], signal))[0];
      } catch (thrown) {
        if (!(thrown instanceof Fault) || thrown.consequence !== "retry") throw thrown;
        if (thrown.message !== said) context.note(`${migration.name}: ${thrown.message}; looking again`);
        said = thrown.message;
        await pauses.next(signal);
        // Not being able to look is not the same as not being there.
        seenMs = clock.monotonicMs();
      }
    }
  }
}

/** Sent until it is answered: stopping twice does what stopping once does. */
async function stop({ parts, context }: Job<WatchParts>, attempt: Attempt, arn: string): Promise<void> {
  const { signal, clock } = context;
  const guard = (): void => context.guard();
  const place = { ...attempt.place, session: attempt.session };
  const call = { place, service: "ecs", operation: "StopTask", resource: `task ${arn}`, signal, guard } as const;
  const input = { cluster: place.cluster, task: arn, reason: "lockstep: the migration's timeout has passed" };
  const pauses = createPauses(clock);
  for (;;) {
    try {
      await parts.aws.write(call, (ecs, http) => ecs.stopTask(input, http));
      return;
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.consequence !== "retry") throw thrown;
      await pauses.next(signal);
    }
  }
}

async function judge(job: Job<WatchParts>, attempt: Attempt, task: Task, timedOut: boolean): Promise<Outcome> {
  const { parts, migration, context } = job;
  const revision = await parts.revisions.read(attempt.place, attempt.taskDefinition, context.signal);
  const container =
    revision === undefined ? (migration.container ?? migration.service) : containerOf(job, revision.definition);
  const found = verdict(task, container);
  const at =
    revision === undefined || task.taskArn === undefined || found.exitCode === undefined
      ? undefined
      : logPlace(revision.definition, container, task.taskArn);
  const log = at === undefined ? [] : await readLog(job, attempt, at, found);
  context.note(`${migration.name}: ${found.message}`);
  if (timedOut && found.result !== "passed") return settle(job, timeout(migration, found.message, found.exitCode), log);
  return settle(job, coded(found), log);
}

/** Only a failure is worth waiting for its last words. */
async function readLog(
  { parts, context }: Job<WatchParts>,
  { place }: Attempt,
  at: LogPlace,
  { result }: Verdict,
): Promise<readonly string[]> {
  const { signal } = context;
  try {
    return result === "passed"
      ? await parts.logs.tail(place, at, LIMITS.logLines, signal)
      : await parts.logs.flushed(place, at, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return [`(the log could not be read: ${faultOf(thrown).message})`];
  }
}

/** The container of the pinned revision that carries the migration: chosen by the rules it was rendered with. */
function containerOf({ migration, turn }: Job<WatchParts>, definition: TaskDefinition): string {
  const service = turn.environment.services.find(({ name }) => name === migration.service);
  const container = migration.container ?? service?.container;
  return chooseContainer(definition.containerDefinitions ?? [], {
    subject: `migration ${migration.name}`,
    name: migration.service,
    image: migration.image,
    ...(container === undefined ? {} : { container }),
  });
}

function coded({ result, message, exitCode }: Verdict): Pick<Settled, "result" | "code" | "message" | "exitCode"> {
  const code: FaultCode | undefined =
    result === "passed" ? undefined : result === "failed" ? "migration-failed" : "migration-unknown";
  return {
    result,
    message,
    ...(code === undefined ? {} : { code }),
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}

function timeout(
  migration: Migration,
  words: string,
  exitCode?: number,
): Pick<Settled, "result" | "code" | "message" | "exitCode"> {
  const message = `not done in ${seconds(migration)} and stopped; the database may be in between: ${words}`;
  return { result: "failed", code: "migration-timeout", message, ...(exitCode === undefined ? {} : { exitCode }) };
}

function seconds({ timeoutMs }: Migration): string {
  return `${Math.round(timeoutMs / 1000)} s`;
}

/** Records how the attempt ended; what people read names the migration, the journal's message need not. */
export async function settle(
  { step, migration, context, turn }: Job<unknown>,
  settled: Pick<Settled, "result" | "code" | "message" | "exitCode">,
  log: readonly string[],
): Promise<Outcome> {
  const lines = log.slice(-LIMITS.logLines);
  await context.record({ type: "migration-settled", migration: migration.name, key: step.key, ...settled, log: lines });
  if (settled.result === "passed") return { status: "done" };
  const last = lines.findLast((line) => line.trim() !== "");
  const where = `migration ${migration.name} of ${turn.environment.application}/${turn.environment.name}`;
  const said = last === undefined ? "" : `; last log line: ${last}`;
  const code = settled.code ?? (settled.result === "unknown" ? "migration-unknown" : "migration-failed");
  return { status: "failed", code, message: `${where}: ${settled.message}${said}` };
}
