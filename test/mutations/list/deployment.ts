// Bugs against ECS and ECR: deployments, task definitions, digests, calls.
import type { Mutation } from "../mutation.ts";

const DEPLOY = "controller/targets/ecs/deploy.ts";
const ROLLOUT = "controller/targets/ecs/rollout.ts";

const MIGRATIONS = ["test/targets/ecs/migration.test.ts"];
const DEPLOYMENTS = ["test/targets/ecs/deploy.test.ts"];

export const DEPLOYS: readonly Mutation[] = [
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
