// Migration tasks of one environment as a model: tokens that ECS remembers for a while, ends good and bad.
import type { Sha } from "../../controller/core/brand.ts";
import type { Builds } from "./builds.ts";
import type { Chance } from "./chance.ts";
import type { Tally } from "./tally.ts";
import type { Timeline } from "./timeline.ts";

export interface Task {
  readonly arn: string;
  readonly startedBy: string;
  readonly migration: string;
  readonly sha: Sha;
  readonly startedMs: number;
  stoppedMs?: number;
  stopCode?: "EssentialContainerExited" | "SpotInterruption" | "UserInitiated";
  exitCode?: number;
}

export interface Tasks {
  /** Every task that was ever started. */
  readonly all: readonly Task[];
  /** Undefined when there is no room for the task. */
  run(token: string, startedBy: string, of: { readonly migration: string; readonly sha: Sha }): Task | undefined;
  stop(arn: string): void;
  /** Undefined once ECS has forgotten it, an hour after its end. */
  describe(arn: string): Task | undefined;
  list(startedBy: string): readonly Task[];
  /** The same by a list that does not know the newest yet. */
  staleList(startedBy: string): readonly Task[];
  running(): readonly Task[];
  /** What the database holds, told as `migration@sha`. */
  readonly applied: ReadonlySet<string>;
}

export interface TasksParts {
  readonly builds: Builds;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly tally: Tally;
  /** How often there is no room. */
  readonly refusals: () => number;
  readonly onStart: (task: Task) => void;
  /** What the database held before Lockstep came. */
  readonly before: readonly string[];
}

const STALE_MS = 10_000;
const HOUR_MS = 3_600_000;

export function createTasks({ builds, chance, timeline, tally, refusals, onStart, before }: TasksParts): Tasks {
  const all: Task[] = [];
  const tokens = new Map<string, Task>();
  const applied = new Set<string>(before);

  const remembers = (task: Task): boolean => timeline.nowMs() < (task.stoppedMs ?? Number.POSITIVE_INFINITY) + HOUR_MS;

  function end(task: Task, how: Pick<Task, "stopCode" | "exitCode">): void {
    if (task.stoppedMs !== undefined) return;
    Object.assign(task, how, { stoppedMs: timeline.nowMs() });
    if (how.exitCode === 0) applied.add(`${task.migration}@${task.sha}`);
  }

  function plan(task: Task): void {
    const fate = builds.commit(task.sha)?.migration ?? "passes";
    const again = all.some((one) => one !== task && one.migration === task.migration && one.sha === task.sha);
    const ms = chance.between(3_000, 90_000);
    // What failed once may pass when a person asks again: a lock that is gone, a disk that was full.
    const passes = fate === "passes" || (again && chance.is(0.5));
    if (passes) timeline.after(ms, () => end(task, { stopCode: "EssentialContainerExited", exitCode: 0 }));
    else if (fate === "fails")
      timeline.after(ms, () => end(task, { stopCode: "EssentialContainerExited", exitCode: 1 }));
    else if (fate === "without exit code")
      timeline.after(ms, () => end(task, { stopCode: "EssentialContainerExited" }));
    else if (fate === "interrupted") timeline.after(ms, () => end(task, { stopCode: "SpotInterruption" }));
  }

  return {
    all,
    applied,
    run(token, startedBy, { migration, sha }) {
      const known = tokens.get(token);
      if (known !== undefined && remembers(known) && timeline.nowMs() < known.startedMs + 24 * HOUR_MS) {
        tally.count("fate run-task token replayed");
        return known;
      }
      if (chance.is(refusals())) {
        tally.count("fate migration refused for capacity");
        return undefined;
      }
      const task: Task = { arn: `arn:task/${all.length}`, startedBy, migration, sha, startedMs: timeline.nowMs() };
      all.push(task);
      tokens.set(token, task);
      plan(task);
      onStart(task);
      return task;
    },
    stop(arn) {
      const task = all.find((one) => one.arn === arn);
      if (task !== undefined) end(task, { stopCode: "UserInitiated", exitCode: 137 });
    },
    describe: (arn) => all.find((one) => one.arn === arn && remembers(one)),
    list: (startedBy) => all.filter((one) => one.startedBy === startedBy && remembers(one)),
    staleList: (startedBy) =>
      all.filter((one) => one.startedBy === startedBy && remembers(one) && one.startedMs < timeline.nowMs() - STALE_MS),
    running: () => all.filter((one) => one.stoppedMs === undefined),
  };
}
