// Bugs in what is decided: order of steps, what may start, what is remembered of failures.
import type { Mutation } from "../mutation.ts";
import { SIMULATION } from "../mutation.ts";

const STEP = "controller/core/step.ts";
const PLAN = "controller/core/plan.ts";
const DECISION = "controller/core/decision.ts";
const OBSTACLES = "controller/core/obstacles.ts";

const FORWARD =
  "forward: { verify: 1, migrate: 2, stage: 3, deploy: 4, publish: 5, invalidate: 6, health: 7, prune: 8 }";

export const DECISIONS: readonly Mutation[] = [
  {
    name: "page-before-api",
    breaks: "I3: no page newer than the API behind it",
    file: STEP,
    edits: [
      {
        find: FORWARD,
        replace:
          "forward: { verify: 1, migrate: 2, stage: 3, deploy: 6, publish: 4, invalidate: 5, health: 7, prune: 8 }",
      },
    ],
    caughtBy: [SIMULATION, "test/core/step.test.ts"],
  },
  {
    name: "api-before-page-going-back",
    breaks: "I3: going back, the page moves before the API",
    file: STEP,
    edits: [
      {
        find: "back: { verify: 1, migrate: 2, stage: 3, publish: 4, invalidate: 5, deploy: 6, health: 7, prune: 8 }",
        replace: "back: { verify: 1, migrate: 2, stage: 3, deploy: 4, publish: 5, invalidate: 6, health: 7, prune: 8 }",
      },
    ],
    caughtBy: ["test/core/step.test.ts"],
  },
  {
    name: "deploy-before-migrate",
    breaks: "I1: no service moves to a SHA whose migration has not passed",
    file: STEP,
    edits: [
      {
        find: FORWARD,
        replace:
          "forward: { verify: 1, migrate: 4, stage: 3, deploy: 2, publish: 5, invalidate: 6, health: 7, prune: 8 }",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "migrations-side-by-side",
    breaks: "I2: at most one migration task of an environment at a time",
    file: STEP,
    edits: [
      { find: 'return wave[0]?.kind === "migrate" ? wave.map((step) => [step]) : [wave];', replace: "return [wave];" },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "going-back-migrates",
    breaks: "a plan that goes back holds no migration",
    file: PLAN,
    edits: [
      { find: 'if (direction === "back" || known?.state === "passed" ||', replace: 'if (known?.state === "passed" ||' },
    ],
    caughtBy: ["test/core/plan.test.ts"],
  },
  {
    name: "passed-migration-planned-again",
    breaks: "I10: the plan at rest is empty; a key that passed is never planned again",
    file: PLAN,
    edits: [
      { find: 'if (direction === "back" || known?.state === "passed" ||', replace: 'if (direction === "back" ||' },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "release-without-health",
    breaks: "I13: no success before health-passed",
    file: PLAN,
    edits: [
      {
        find: "health(desired, steps), ...prune(steps)]",
        replace: "...(steps.length > 0 ? [] : [health(desired, steps)]), ...prune(steps)]",
      },
    ],
    caughtBy: ["test/core/plan.test.ts"],
  },
  {
    name: "blockers-forgotten",
    breaks: "what cannot be read is unknown, never absent and never green",
    file: PLAN,
    edits: [{ find: "blockers: blockers(desired, live),", replace: "blockers: [] as ReturnType<typeof blockers>," }],
    caughtBy: ["test/core/plan.test.ts"],
  },
  {
    name: "forgotten-failures",
    breaks: "I8: a failed fingerprint is not tried again by itself",
    file: OBSTACLES,
    edits: [
      {
        find: "if (failure === undefined || failure.fingerprint !== desired.fingerprint) return undefined;",
        replace: "if (failure === undefined || failure.fingerprint !== undefined) return undefined;",
      },
    ],
    caughtBy: [SIMULATION, "test/core/decision.test.ts"],
  },
  {
    name: "notify-edit-clears-failure",
    breaks: "I8: a failure is remembered for its fingerprint, whatever commit carries it",
    file: OBSTACLES,
    edits: [
      {
        find: "if (failure === undefined || failure.fingerprint !== desired.fingerprint) return undefined;",
        replace:
          "if (failure === undefined || failure.fingerprint !== desired.fingerprint || memory.arrival?.commit !== desired.revision.commit) return undefined;",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "hold-ignored-for-repairs",
    breaks: "I5: no repair starts in a held environment",
    file: OBSTACLES,
    edits: [
      {
        find: "if (hold === undefined || (hold.until",
        replace: "if (memory.passed === desired.fingerprint || hold === undefined || (hold.until",
      },
    ],
    caughtBy: ["test/core/decision.test.ts"],
  },
  {
    name: "hold-ignored",
    breaks: "I5: no release starts in a held environment",
    file: OBSTACLES,
    edits: [{ find: "const hold = desired.hold;", replace: "const hold = undefined as typeof desired.hold;" }],
    caughtBy: [SIMULATION, "test/core/decision.test.ts"],
  },
  {
    name: "rewritten-history-followed",
    breaks: "I6: a rewritten repository changes nothing",
    file: OBSTACLES,
    edits: [{ find: "if (halted !== undefined) {", replace: "if (halted !== undefined && memory.lastNumber < 0) {" }],
    caughtBy: ["test/core/decision.test.ts"],
  },
  {
    name: "adoption-releases",
    breaks: "I5: at first contact nothing moves before a person adopts",
    file: OBSTACLES,
    edits: [
      {
        find: "if (memory.good !== undefined || memory.lastNumber > 0 || memory.released || adopts) return undefined;",
        replace: "if (memory.lastNumber >= 0 || memory.released || adopts) return undefined;",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "unknown-migration-goes-on",
    breaks: "I2: a migration whose outcome is unknown asks a person",
    file: OBSTACLES,
    edits: [
      {
        find: 'migration))?.state === "unknown",',
        replace: 'migration))?.state === ("never" as string),',
      },
    ],
    caughtBy: ["test/core/decision.test.ts"],
  },
  {
    name: "drift-repaired-without-limit",
    breaks: "drift is repaired at most three times an hour, then reported",
    file: DECISION,
    edits: [{ find: "if (repairs < LIMITS.repairsPerHour)", replace: "if (repairs < Infinity)" }],
    caughtBy: ["test/core/decision.test.ts"],
  },
  {
    name: "ignored-drift-repaired",
    breaks: "`drift: ignore` and `report` write nothing",
    file: DECISION,
    edits: [{ find: 'if (desired.drift === "repair" && !observes) {', replace: "if (!observes) {" }],
    caughtBy: ["test/core/decision.test.ts"],
  },
  {
    name: "observer-releases",
    breaks: "I11: a controller that only observes starts nothing",
    file: DECISION,
    edits: [
      {
        find: 'if (observes) return { kind: "wait", why: `would',
        replace: 'if (observes && from === undefined) return { kind: "wait", why: `would',
      },
    ],
    caughtBy: ["test/core/decision.test.ts"],
  },
  {
    name: "migration-superseded",
    breaks: "a newer release does not take the place of one whose migration runs",
    file: DECISION,
    edits: [
      {
        find: 'return startedMigrations(memory).length > 0 ? { ...goesOn, only: "started-migrations" } : undefined;',
        replace: "return undefined;",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "migration-interruptible",
    breaks: "a migration runs to its end, whatever Git says meanwhile",
    file: STEP,
    edits: [
      {
        find: "  verify: true,\n  migrate: false,\n  stage: true,\n  deploy: true,\n  publish: false,\n  invalidate: false,",
        replace:
          "  verify: true,\n  migrate: true,\n  stage: true,\n  deploy: true,\n  publish: false,\n  invalidate: false,",
      },
    ],
    caughtBy: ["test/core/step.test.ts"],
  },
];
