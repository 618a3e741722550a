// The migrate runner of the model: the gate's protocol of release.md ("Migration gate") over modelled tasks.
import type { Instant } from "../../controller/core/brand.ts";
import type { Mark, Outcome } from "../../controller/core/event.ts";
import { Fault } from "../../controller/core/fault.ts";
import { digestOf } from "../../controller/core/fingerprint.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import type { StepOf } from "../../controller/core/step.ts";
import type { Context, Runner, Turn } from "../../controller/ports.ts";
import type { Life } from "./life.ts";
import type { Task, Tasks } from "./tasks.ts";

const POLL_MS = 5_000;
const CAPACITY_PAUSE_MS = 10_000;
const PREDECESSOR_MS = 5 * 60_000;

interface Attempt {
  readonly number: number;
  readonly token: string;
  /** AWS's own clock at the intent. */
  readonly awsAtMs: number;
  readonly startedMs: number;
  readonly task?: string;
  readonly fresh: boolean;
}

export function migrateRunner(life: Life, tasksOf: (turn: Turn) => Tasks, awsNowMs: () => number): Runner<"migrate"> {
  return async (step, turn, context) => {
    const tasks = tasksOf(turn);
    const known = turn.memory.migrations.get(step.key);
    if (known === undefined || known.again || known.state === "refused") {
      await predecessorGone(tasks, context);
      return run(await intend((known?.attempt ?? 0) + 1));
    }
    switch (known.state) {
      case "passed":
        return { status: "done" };
      case "failed":
        return { status: "failed", code: "migration-failed", message: known.message ?? "failed before" };
      case "unknown":
        return { status: "failed", code: "migration-unknown", message: known.message ?? "unknown" };
      case "started":
        return run({
          number: known.attempt,
          token: known.token ?? "",
          awsAtMs: known.awsAt ?? 0,
          startedMs: context.clock.monotonicMs(),
          fresh: false,
          ...(known.task === undefined ? {} : { task: known.task }),
        });
    }

    async function intend(number: number): Promise<Attempt> {
      const token = digestOf([step.key, number]);
      const awsAtMs = awsNowMs();
      await context.record({
        type: "migration-started",
        release: turn.release.number,
        migration: step.migration,
        key: step.key,
        attempt: number,
        token,
        taskDefinition: `arn:task-definition/migrate:${number}`,
        cluster: turn.environment.place.cluster,
        awsAt: awsAtMs as Instant,
      });
      return { number, token, awsAtMs, startedMs: context.clock.monotonicMs(), fresh: true };
    }

    async function run(first: Attempt): Promise<Outcome> {
      let attempt = first;
      for (let tries = 1; ; tries += 1) {
        const found = attempt.task === undefined ? await launch(attempt) : { task: attempt.task };
        if (found === "unknown") return settle({ result: "unknown", message: "too late to ask again" });
        if (found !== "refused") return watch(attempt, found.task);
        if (tries >= LIMITS.capacityAttempts) {
          return settle({ result: "failed", code: "no-capacity", message: "no room for the task" });
        }
        await settle({ result: "refused", code: "no-capacity", message: "no room for the task" });
        await context.clock.sleep(CAPACITY_PAUSE_MS, context.signal);
        attempt = await intend(attempt.number + 1);
      }
    }

    /** Reads first unless the intent is this moment's; replays the token only while AWS still knows it. */
    async function launch(attempt: Attempt): Promise<{ readonly task: string } | "unknown" | "refused"> {
      if (!attempt.fresh) {
        const [found] = await life.read(
          "list-tasks",
          () => tasks.list(attempt.token),
          () => tasks.staleList(attempt.token),
        );
        if (found !== undefined) return begun(found);
        if (awsNowMs() - attempt.awsAtMs >= LIMITS.tokenReplayMs) return "unknown";
      }
      context.guard();
      const of = { migration: step.migration, sha: shaOf(step, turn) };
      const task = await life.write("run-task", () => tasks.run(attempt.token, attempt.token, of));
      return task === undefined ? "refused" : begun(task);
    }

    async function begun(task: Task): Promise<{ readonly task: string }> {
      await context.record({ type: "migration-task", migration: step.migration, key: step.key, task: task.arn });
      return { task: task.arn };
    }

    async function watch(attempt: Attempt, arn: string): Promise<Outcome> {
      const timeoutMs = turn.environment.migrations.find(({ name }) => name === step.migration)?.timeoutMs ?? 0;
      for (;;) {
        const task = await life.read("describe-tasks", () => tasks.describe(arn));
        if (task === undefined) return settle({ result: "unknown", message: "ECS has forgotten the task" });
        if (task.stoppedMs !== undefined) return settle(verdict(task));
        if (context.clock.monotonicMs() - attempt.startedMs > timeoutMs) {
          context.guard();
          await life.write("stop-task", () => tasks.stop(arn));
          return settle({ result: "failed", code: "migration-timeout", message: "stopped at its deadline" });
        }
        await context.clock.sleep(POLL_MS, context.signal);
      }
    }

    async function settle(
      how: Omit<Extract<Mark, { type: "migration-settled" }>, "type" | "migration" | "key" | "log">,
    ) {
      await context.record({ type: "migration-settled", migration: step.migration, key: step.key, log: [], ...how });
      const { result, message } = how;
      if (result === "passed") return { status: "done" } as const;
      const code = how.code ?? (result === "unknown" ? "migration-unknown" : "migration-failed");
      return { status: "failed", code, message } as const;
    }
  };

  /** At most one task at a time: one of an earlier attempt or of another SHA has to be gone first. */
  async function predecessorGone(tasks: Tasks, context: Context): Promise<void> {
    const untilMs = context.clock.monotonicMs() + PREDECESSOR_MS;
    while ((await life.read("list-tasks", () => tasks.running())).length > 0) {
      if (context.clock.monotonicMs() >= untilMs) throw new Fault("migration-unknown", "another task still runs");
      await context.clock.sleep(POLL_MS, context.signal);
    }
  }
}

function shaOf(step: StepOf<"migrate">, turn: Turn): Turn["environment"]["sha"] {
  return turn.environment.migrations.find(({ name }) => name === step.migration)?.sha ?? turn.environment.sha;
}

function verdict(task: Task): { result: "passed" | "failed" | "unknown"; message: string; exitCode?: number } {
  const { exitCode, stopCode } = task;
  const code = exitCode === undefined ? {} : { exitCode };
  if (stopCode === "SpotInterruption") return { result: "unknown", message: "the capacity was taken away" };
  const passed = stopCode === "EssentialContainerExited" && exitCode === 0;
  return { result: passed ? "passed" : "failed", message: `exit code ${exitCode ?? "none"}`, ...code };
}
