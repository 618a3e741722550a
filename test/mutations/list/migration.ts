// Bugs in the migration gate.
import type { Mutation } from "../mutation.ts";

const MIGRATION = "controller/targets/ecs/migration.ts";
const TASK = "controller/targets/ecs/migration-task.ts";
const VERDICT = "controller/targets/ecs/verdict.ts";

const MIGRATIONS = ["test/targets/ecs/migration.test.ts"];

export const GATE: readonly Mutation[] = [
  {
    name: "intent-after-run-task",
    breaks: "I2: the intent of a migration is journaled before RunTask",
    file: MIGRATION,
    edits: [
      {
        find: '  await context.record({\n    type: "migration-started",',
        replace: '  const record = () => context.record({\n    type: "migration-started",',
      },
      { find: "...awsAt, fresh: true };", replace: "...awsAt, fresh: true, ...{ record } };" },
      {
        find: "const answer = await runTask(aws, intended, await liveService(job), context);",
        replace:
          "const answer = await runTask(aws, intended, await liveService(job), context);\n      await (intended as { record?: () => Promise<void> }).record?.();",
      },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "token-replayed-after-an-hour",
    breaks: "I2: a token is replayed only within 45 minutes of its intent",
    file: "controller/core/limits.ts",
    edits: [{ find: "tokenReplayMs: 45 * 60_000,", replace: "tokenReplayMs: 26 * 3_600_000," }],
    caughtBy: MIGRATIONS,
  },
  {
    name: "token-by-own-clock",
    breaks: "I2: the age of a token is told by AWS's clock, not by ours",
    file: MIGRATION,
    edits: [
      {
        find: "if (!mayReplay(intended.awsAt, aws.date()))",
        replace: "if (!mayReplay(intended.startedAt, context.clock.now()))",
      },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "token-sent-before-reading",
    breaks: "I2: after a restart reads come first",
    file: MIGRATION,
    edits: [
      { find: "for (let look = !intended.fresh; ; look = true) {", replace: "for (let look = false; ; look = true) {" },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "attempt-raised-by-a-lost-answer",
    breaks: "I2: a time-out never raises the attempt: what is asked again is asked under the same token",
    file: MIGRATION,
    edits: [
      {
        find: "const { token = tokenOf(step.key, known.attempt), taskDefinition",
        replace: "const token = tokenOf(step.key, known.attempt + 1);\n  const { taskDefinition",
      },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "predecessor-not-waited-for",
    breaks: "I2: at most one migration task of an environment at a time",
    file: MIGRATION,
    edits: [{ find: "  await predecessorGone(job);\n", replace: "" }],
    caughtBy: MIGRATIONS,
  },
  {
    name: "failures-ignored",
    breaks: "a 200 with failures[] and no task has started nothing",
    file: TASK,
    edits: [
      {
        find: 'return { state: "refused", capacity, fault };',
        replace: 'return { state: "started", task: `${resource}/${fault.code}/${capacity}` };',
      },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "capacity-fails-at-once",
    breaks: "no capacity is tried again, at most five times",
    file: VERDICT,
    edits: [
      { find: "return /^(RESOURCE|AGENT|CAPACITY)", replace: "return /^(NEVER)$|^(?!.)(RESOURCE|AGENT|CAPACITY)" },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "absent-exit-code-passes",
    breaks: "I1: an absent exit code is a failure",
    file: VERDICT,
    edits: [
      {
        find: "?.exitCode;\n  const words",
        replace: "?.exitCode ?? 0;\n  const words",
      },
    ],
    caughtBy: MIGRATIONS,
  },
  {
    name: "sidecar-decides",
    breaks: "only the named container's exit code counts",
    file: VERDICT,
    edits: [{ find: "find(({ name }) => name === container)?.exitCode", replace: "at(-1)?.exitCode" }],
    caughtBy: MIGRATIONS,
  },
  {
    name: "interrupted-is-failed",
    breaks: "a task whose host was taken away is unknown, not failed",
    file: VERDICT,
    edits: [{ find: "if (INTERRUPTED.includes(stopCode))", replace: "if (INTERRUPTED.includes(words))" }],
    caughtBy: MIGRATIONS,
  },
];
