// What changed between two looks at an environment, and whether waiting is over. Pure.
import type { Instant, Sha } from "../core/brand.ts";
import { short } from "../core/brand.ts";
import { clears, describeOutcome, duration } from "../core/describe.ts";
import type { ReleaseRecord, StepRecord } from "../core/history.ts";
import { stepState } from "../core/looks.ts";
import type { EnvironmentStatus, State } from "../core/status.ts";
import { stepId } from "../core/step.ts";
import { EXIT, exitOf } from "./exit.ts";

/** One thing that changed, as `wait --json` prints it. */
export type Change =
  | { readonly type: "state"; readonly state: State; readonly why: string }
  | {
      readonly type: "release";
      readonly release: number;
      readonly kind: ReleaseRecord["kind"];
      readonly from?: Sha;
      readonly sha: Sha;
    }
  | {
      readonly type: "step";
      readonly release: number;
      readonly step: string;
      readonly state: string;
      readonly elapsedMs?: number;
      readonly detail?: string;
    }
  | { readonly type: "progress"; readonly release: number; readonly text: string };

/** What has been told already. */
export interface Told {
  readonly state?: string;
  readonly release?: number;
  /** Words of steps by `<release> <step>`. */
  readonly steps: ReadonlyMap<string, string>;
  readonly progress?: string;
}

export const NOTHING_TOLD: Told = { steps: new Map() };

/**
 * News since `told`. `releases` are those that ran since the last look, oldest first, the environment's own last;
 * a first look tells nothing of a release that had ended before.
 */
export function news(
  told: Told,
  one: EnvironmentStatus,
  releases: readonly ReleaseRecord[],
): { readonly changes: readonly Change[]; readonly told: Told } {
  const changes: Change[] = [];
  const steps = new Map(told.steps);
  let number = told.release;
  for (const release of releases) {
    if (number !== undefined && release.number < number) continue;
    if (number === undefined && release.state !== "running") {
      number = release.number;
      for (const record of release.steps) steps.set(key(release, record), stepState(record).word);
      continue;
    }
    if (number === undefined || release.number > number) changes.push(begun(release));
    number = release.number;
    for (const record of release.steps) {
      const { word } = stepState(record);
      if (word === "not started" || steps.get(key(release, record)) === word) continue;
      steps.set(key(release, record), word);
      changes.push(stepChange(release, record, word));
    }
  }
  const progress = one.release?.state === "running" ? one.progress : undefined;
  if (progress !== undefined && progress !== told.progress && one.release !== undefined) {
    changes.push({ type: "progress", release: one.release.number, text: progress });
  }
  const state = `${one.state} ${one.state === "converging" ? "" : one.why}`;
  if (state !== told.state) {
    const change: Change = { type: "state", state: one.state, why: one.why };
    // That something begins is said before its first step, how it ended after its last.
    if (one.state === "converging") changes.unshift(change);
    else changes.push(change);
  }
  return {
    changes,
    told: {
      state,
      steps,
      ...(number === undefined ? {} : { release: number }),
      ...(progress === undefined ? {} : { progress }),
    },
  };
}

function key(release: ReleaseRecord, record: StepRecord): string {
  return `${release.number} ${stepId(record.step)}`;
}

function begun(release: ReleaseRecord): Change {
  const { number, kind, from, sha } = release;
  return { type: "release", release: number, kind, ...(from === undefined ? {} : { from }), sha };
}

function stepChange(release: ReleaseRecord, record: StepRecord, state: string): Change {
  const { startedAt, settledAt, outcome } = record;
  const detail = outcome === undefined || outcome.status === "done" ? outcome?.note : describeOutcome(outcome);
  return {
    type: "step",
    release: release.number,
    step: stepId(record.step),
    state,
    ...(startedAt === undefined || settledAt === undefined ? {} : { elapsedMs: settledAt - startedAt }),
    ...(detail === undefined ? {} : { detail }),
  };
}

export interface Goal {
  /** The SHA, or its first digits, that is waited for. */
  readonly sha?: string;
  /** Git was seen to say that SHA while waiting. */
  readonly seen: boolean;
  readonly waitsForGates: boolean;
  /** Git was read since waiting began, so that "healthy" speaks of what Git says now. */
  readonly fresh: boolean;
}

export interface Ending {
  readonly exit: number;
  readonly message: string;
  readonly next?: string;
}

/** How waiting ends, or undefined while it goes on. */
export function ending(one: EnvironmentStatus, goal: Goal, now: Instant): Ending | undefined {
  const git = one.git?.sha;
  const wanted = goal.sha === undefined || (git !== undefined && git.startsWith(goal.sha));
  if (!wanted && goal.seen && git !== undefined) {
    return {
      exit: EXIT.releaseFailed,
      message: `${goal.sha ?? ""} was superseded: Git says ${short(git)} for ${one.id}`,
      next: `lockstep wait ${one.id} --sha ${short(git)}`,
    };
  }
  if (wanted && one.state === "healthy" && (goal.sha !== undefined || goal.fresh) && git !== undefined) {
    if (goal.sha !== undefined || one.problems.length === 0) return healthy(one, git);
  }
  if (one.problems.length > 0 && (goal.fresh || !wanted)) {
    const more = one.problems.length > 1 ? ` (and ${one.problems.length - 1} more)` : "";
    return {
      exit: EXIT.invalid,
      message: `${one.id}: nothing new is applied: ${one.problems[0] ?? ""}${more}`,
      next: "lockstep validate",
    };
  }
  if (one.state === "none") return { exit: EXIT.failed, message: `${one.id}: ${one.why}` };
  return wanted && (goal.sha !== undefined || goal.fresh) ? stuck(one, goal, now) : undefined;
}

function healthy(one: EnvironmentStatus, git: Sha): Ending {
  const { release } = one;
  const took =
    release?.endedAt === undefined || release.sha !== git
      ? ""
      : ` (release #${release.number}, ${duration(release.endedAt - release.startedAt)})`;
  return { exit: EXIT.done, message: `${one.id} is healthy on ${short(git)}${took}.` };
}

function stuck(one: EnvironmentStatus, goal: Goal, now: Instant): Ending | undefined {
  const next = one.next === undefined ? {} : { next: one.next };
  if (one.state === "failed" || one.state === "rolled-back") {
    return { exit: EXIT.releaseFailed, message: `${one.id}: ${one.why}`, ...next };
  }
  if (one.state === "blocked" && one.code !== undefined) {
    return { exit: exitOf(one.code), message: `${one.id} is blocked: ${one.why}`, ...next };
  }
  if (goal.waitsForGates || (one.state !== "blocked" && one.state !== "waiting")) return undefined;
  const until = one.until === undefined ? "" : `; clears ${clears(one.until, now)}`;
  return { exit: EXIT.blocked, message: `${one.id}: ${one.why}${until}`, ...next };
}
