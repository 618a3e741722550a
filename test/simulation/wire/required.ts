// What must have happened at least once in a suite of the wire tier: a simulation that never met a fault proves nothing about it.
import { WRITES } from "../life.ts";
import type { Tally } from "../tally.ts";
import { AWS_FAULTS } from "./line.ts";
import { AWS_READS, AWS_WRITES } from "./operations.ts";

/** What happens to controllers and to the account, beside what people do. */
export const MISFORTUNES = [
  "crash",
  "shutdown",
  "second controller",
  "clock jump",
  "down 61 minutes",
  "down 61 minutes after RunTask",
  "down 25 hours",
  "aimed fault",
  "spot interruption",
  "capacity refused",
  "infrastructure registers a revision",
  "infrastructure deregisters a revision",
] as const;
export type Misfortune = (typeof MISFORTUNES)[number];

/** What people do, by the names of the decision tier. */
const DEEDS = [
  "push bump",
  "push revert",
  "push several commits at once",
  "push hold",
  "push count",
  "push broken manifest",
  "force-push",
  "drift by hand: service",
  "drift by hand: count",
  "drift by hand: page",
  "foreign deployment in motion",
  "artifact rebuilt",
  "outage",
  "nudge retry",
  "nudge resolve",
  "nudge adopt",
  "nudge accept",
] as const;

const FATES = [
  "fate migration fails",
  "fate migration never stops",
  "fate migration without exit code",
  "fate migration interrupted",
  "fate rollout breaks",
  "fate health fails",
  "fate artifact missing",
  "fate artifact late",
  "fate artifact ambiguous",
  "fate release incomplete",
  "task ignores SIGTERM",
  "two webs on one distribution",
] as const;

const APPEND = WRITES.filter((name) => name === "append");

export const REQUIRED: readonly string[] = [
  ...AWS_FAULTS.map((name) => `aws ${name}`),
  ...AWS_WRITES.flatMap((name) => [`crash before ${name}`, `crash after ${name}`]),
  ...APPEND.flatMap((name) => [`crash before ${name}`, `crash after ${name}`]),
  // A lost answer is the fault that asks most of a write.
  ...AWS_WRITES.map((name) => `after ${name}`),
  ...[...AWS_READS, ...AWS_WRITES].map((name) => `call ${name}`),
  ...MISFORTUNES,
  ...DEEDS,
  ...FATES,
];

export function missing(tally: Tally): readonly string[] {
  return REQUIRED.filter((name) => !tally.counts().has(name));
}
