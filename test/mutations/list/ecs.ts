// Bugs against ECS and ECR: the migration gate, deployments, task definitions, digests.
import type { Mutation } from "../mutation.ts";

const MIGRATION = "controller/targets/ecs/migration.ts";
const TASK = "controller/targets/ecs/migration-task.ts";
const VERDICT = "controller/targets/ecs/verdict.ts";
const DEPLOY = "controller/targets/ecs/deploy.ts";
const ROLLOUT = "controller/targets/ecs/rollout.ts";

const MIGRATIONS = ["test/targets/ecs/migration.test.ts"];
const DEPLOYMENTS = ["test/targets/ecs/deploy.test.ts"];

export const ECS: readonly Mutation[] = [
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
  {
    name: "deployment-judged-by-running-tasks",
    breaks: "I7: a deployment is done in terminal states only",
    file: ROLLOUT,
    edits: [
      {
        find: 'case "IN_PROGRESS":\n      return {\n        state: "moving",',
        replace:
          'case "IN_PROGRESS":\n      if (settled) return { state: "done" };\n      return {\n        state: "moving",',
      },
    ],
    caughtBy: DEPLOYMENTS,
  },
  {
    name: "deployment-judged-by-steady-service",
    breaks: "I7: never success after a rollback: whose deployment is PRIMARY matters",
    file: ROLLOUT,
    edits: [
      {
        find: 'if (primary === undefined || primary.id !== aim.deployment || primary.rolloutState === "FAILED")',
        replace: 'if (primary === undefined || primary.rolloutState === "FAILED")',
      },
    ],
    caughtBy: DEPLOYMENTS,
  },
  {
    name: "rollback-counts-as-success",
    breaks: "I7: ROLLBACK_SUCCESSFUL is a failed deployment",
    file: "controller/targets/ecs/deployments.ts",
    edits: [
      { find: '    case "SUCCESSFUL":\n', replace: '    case "SUCCESSFUL":\n    case "ROLLBACK_SUCCESSFUL":\n' },
      {
        find: '    case "ROLLBACK_SUCCESSFUL":\n      return { state: "ended"',
        replace: '    case "ROLLED_BACK":\n      return { state: "ended"',
      },
    ],
    caughtBy: ["test/targets/ecs/rollout.test.ts", ...DEPLOYMENTS],
  },
  {
    name: "deploy-sends-count",
    breaks: "a count that the manifest does not own is left alone",
    file: DEPLOY,
    edits: [
      {
        find: "const count = isDaemon(live) ? undefined : countOf(service);\n  const configuration",
        replace: "const count = countOf(service) ?? 1;\n  const configuration",
      },
    ],
    caughtBy: DEPLOYMENTS,
  },
  {
    name: "intent-after-update-service",
    breaks: "law 6: the intent of a deployment is journaled before UpdateService",
    file: DEPLOY,
    edits: [
      {
        find: '  await context.record({\n    type: "deploy-intended",',
        replace: '  const record = () => context.record({\n    type: "deploy-intended",',
      },
      {
        find: "const answer = await parts.aws.write(call, (ecs, http) => ecs.updateService(input, http));",
        replace:
          "const answer = await parts.aws.write(call, (ecs, http) => ecs.updateService(input, http));\n  await record();",
      },
    ],
    caughtBy: DEPLOYMENTS,
  },
  {
    name: "update-service-sent-twice",
    breaks: "an UpdateService whose answer was lost is found again by reads",
    file: DEPLOY,
    edits: [
      {
        find: "const made = (await resumed(parts, work)) ?? (await send(parts, work));",
        replace: "const made = await send(parts, work);",
      },
    ],
    caughtBy: DEPLOYMENTS,
  },
  {
    name: "circuit-breaker-off",
    breaks: "deployments run with the circuit breaker enabled",
    file: DEPLOY,
    edits: [
      {
        find: 'enable: true, rollback: onFailure === "rollback" };',
        replace: 'enable: false, rollback: onFailure === "rollback" };',
      },
    ],
    caughtBy: DEPLOYMENTS,
  },
  {
    name: "tag-deployed",
    breaks: "I4: only digests are deployed",
    file: "controller/targets/ecs/task-definition.ts",
    edits: [
      {
        find: "return `${registry}/${repository}@${digest}`;",
        replace: "return `${registry}/${repository}:${digest.slice(7, 47)}`;",
      },
    ],
    caughtBy: ["test/targets/ecs/task-definition.test.ts", ...DEPLOYMENTS],
  },
  {
    name: "pins-ignored-by-images",
    breaks: "I12: a tag that was rebuilt since the first environment is refused",
    file: "controller/targets/artifacts.ts",
    edits: [
      {
        find: "const chosen = pin === undefined ? newest : found.find(({ digest }) => digest === pin);",
        replace: "const chosen = newest;",
      },
    ],
    caughtBy: ["test/targets/ecs/images.test.ts"],
  },
  {
    name: "ambiguous-image-taken",
    breaks: "two digests pushed at the same time are refused",
    file: "controller/targets/artifacts.ts",
    edits: [{ find: "second.pushedAtMs === chosen.pushedAtMs", replace: "second.pushedAtMs > chosen.pushedAtMs" }],
    caughtBy: ["test/targets/ecs/images.test.ts"],
  },
  {
    name: "writes-repeated",
    breaks: "a write is sent once: an answer that was lost is never sent again blindly",
    file: "controller/targets/aws.ts",
    edits: [
      {
        find: 'return isStaleSignature(fault) || (!write && fault.consequence === "retry");',
        replace: 'return isStaleSignature(fault) || fault.consequence === "retry";',
      },
    ],
    caughtBy: ["test/targets/aws.test.ts"],
  },
  {
    name: "write-without-guard",
    breaks: "I9: the guard is asked immediately before each write",
    file: "controller/targets/aws.ts",
    edits: [
      {
        find: "return await attempt(call, about, write?.guard ?? (() => undefined), send);",
        replace: "return await attempt(call, about, () => undefined, send);",
      },
    ],
    caughtBy: ["test/targets/aws.test.ts", ...MIGRATIONS],
  },
  {
    name: "values-of-secrets-shown",
    breaks: "the plan names what changes in a template by key, never by value",
    file: "controller/targets/ecs/task-definition.ts",
    edits: [
      { find: '${name}.${key}.${pair.name ?? ""}`', replace: '${name}.${key}.${pair.name ?? ""}=${pair.value ?? ""}`' },
    ],
    caughtBy: ["test/targets/ecs/task-definition.test.ts"],
  },
];
