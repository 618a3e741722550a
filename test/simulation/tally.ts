// Counts what happened in a run: a simulation that never met a fault proves nothing about it.
import { CALL_FAULTS, READS, WRITES } from "./life.ts";

export interface Tally {
  count(name: string): void;
  counts(): ReadonlyMap<string, number>;
  /** Adds the counts of another run. */
  add(other: Tally): void;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  const add = (name: string, by: number): void => void counts.set(name, (counts.get(name) ?? 0) + by);
  return {
    count: (name) => add(name, 1),
    counts: () => counts,
    add(other) {
      for (const [name, by] of other.counts()) add(name, by);
    },
  };
}

/** What people and the world do by themselves in a run. */
export const DEEDS = [
  "push bump",
  "push revert",
  "push several commits at once",
  "push hold",
  "push unhold",
  "push notify-only edit",
  "push count",
  "push loosened policy with a bump",
  "push broken manifest",
  "push broken application",
  "push emptied folder",
  "push removed environment",
  "push restored tree",
  "force-push",
  "branch gone",
  "drift by hand: service",
  "drift by hand: count",
  "drift by hand: page",
  "foreign deployment in motion",
  "artifact rebuilt",
  "outage",
  "clock jump",
  "crash",
  "shutdown",
  "second controller",
  "down 61 minutes",
  "down 25 hours",
  "nudge retry",
  "nudge resolve",
  "nudge repair",
  "nudge adopt",
  "nudge abort",
  "nudge accept",
] as const;
export type Deed = (typeof DEEDS)[number];

/** What commits of the application bring with them. */
export const FATES = [
  "fate migration fails",
  "fate migration never stops",
  "fate migration without exit code",
  "fate migration interrupted",
  "fate migration refused for capacity",
  "fate rollout breaks",
  "fate health fails",
  "fate artifact missing",
  "fate artifact late",
  "fate artifact ambiguous",
  "fate release incomplete",
  "fate run-task token replayed",
] as const;
export type Fate = (typeof FATES)[number];

/** Everything that must have happened at least once in a whole suite. */
export const REQUIRED: readonly string[] = [
  ...CALL_FAULTS.map((name) => `fault ${name}`),
  ...[...READS, ...WRITES].flatMap((name) => [`crash before ${name}`, `crash after ${name}`]),
  ...DEEDS,
  ...FATES,
];

export function missing(tally: Tally): readonly string[] {
  return REQUIRED.filter((name) => !tally.counts().has(name));
}
