// Bugs in what is remembered and compared: marks, pins, gates, the last good release.
import type { Mutation } from "../mutation.ts";
import { SIMULATION } from "../mutation.ts";

const DIFFERENCES = "controller/core/differences.ts";
const RELEASES = "controller/core/history-release.ts";
const GATES = "controller/core/gates.ts";

export const MEMORIES: readonly Mutation[] = [
  {
    name: "rollback-retried-for-ever",
    breaks: "a rollback is never rolled back nor tried again: rollback-failed asks for a person",
    file: RELEASES,
    edits: [
      {
        find: '  const { undo: _, ...rest } = after;\n  return { ...rest, releases: restate(after.releases, undoes, "rollback-failed") };',
        replace: '  return { ...after, releases: restate(after.releases, undoes, "rollback-failed") };',
      },
    ],
    caughtBy: ["test/core/history.test.ts"],
  },
  {
    name: "proof-survives-writes",
    breaks: "I7: after a write nothing is proven until health passes again",
    file: "controller/core/history-marks.ts",
    edits: [{ find: "  const { passed: _, ...rest } = memory;\n  return rest;", replace: "  return memory;" }],
    caughtBy: [SIMULATION],
  },
  {
    name: "late-answer-reopens-migration",
    breaks: "I2: a migration that passed never runs again, whatever a person answers later",
    file: "controller/core/history.ts",
    edits: [
      {
        find: 'if (known === undefined || (known.state !== "unknown" && known.state !== "failed")) return memory;',
        replace: "if (known === undefined) return memory;",
      },
    ],
    caughtBy: ["test/core/history.test.ts"],
  },
  {
    name: "marker-by-digest-only",
    breaks: "a page is served when its marker says served, not when a digest matches",
    file: DIFFERENCES,
    edits: [
      {
        find: 'if (desired !== undefined && !(now.state === "served" && now.digest === desired)) {',
        replace: "if (desired !== undefined && now.digest !== desired) {",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "invalidated-once-is-enough",
    breaks: "an invalidation is due for each publication, not once per web",
    file: DIFFERENCES,
    edits: [
      {
        find: "now.publication !== undefined && now.invalidated !== now.publication)",
        replace: "now.publication !== undefined && now.invalidated === undefined)",
      },
    ],
    caughtBy: ["test/core/plan.test.ts"],
  },
  {
    name: "moving-deployment-counts",
    breaks: "what still moves is not what Git says yet",
    file: DIFFERENCES,
    edits: [
      {
        find: "if (settled && (ours || adopted)) return undefined;",
        replace: "if (ours || adopted) return undefined;",
      },
    ],
    caughtBy: ["test/core/plan.test.ts"],
  },
  {
    name: "pins-ignored-by-engine",
    breaks: "I12: later environments deploy the digests that passed in the first",
    file: "controller/engine/engine.ts",
    edits: [
      {
        find: "return new Map([...fixed].map(([component, { digest }]) => [component, digest]));",
        replace: "return new Map<string, Digest>();",
      },
    ],
    caughtBy: ["test/engine/heads.test.ts"],
  },
  {
    name: "promoted-while-unhealthy",
    breaks: "I5: promotedFrom wants the previous environment healthy now, not once",
    file: GATES,
    edits: [
      {
        find: "if (neighbour.healthy === desired.sha) return {",
        replace: "if (neighbour.everHealthy.has(desired.sha) || neighbour.healthy === desired.sha) return {",
      },
    ],
    caughtBy: ["test/core/gates.test.ts"],
  },
  {
    name: "promotion-skipped",
    breaks: "I5: no release starts in a gated environment",
    file: GATES,
    edits: [{ find: "if (wasHealthyHere) return {", replace: "if (wasHealthyHere || neighbours.size > 0) return {" }],
    caughtBy: [SIMULATION],
  },
  {
    name: "loosened-policy-counts",
    breaks: "I5: a push cannot loosen the policy that judges it",
    file: "controller/engine/consider.ts",
    edits: [
      {
        find: "...new Set([...policy.promotedFrom, ...(before?.promotedFrom ?? [])])",
        replace: "...new Set([...policy.promotedFrom, ...(before?.promotedFrom ?? []).slice(0, 0)])",
      },
    ],
    caughtBy: ["test/engine/policy.test.ts"],
  },
  {
    name: "health-passes-on-first-green",
    breaks: "health is green for as long as the manifest says",
    file: "controller/core/health.ts",
    edits: [{ find: "if (since !== undefined && greenMs >= health.forMs)", replace: "if (since !== undefined)" }],
    caughtBy: ["test/core/health.test.ts"],
  },
  {
    name: "old-assets-deleted-at-publish",
    breaks: "I3: old assets outlive the old page",
    file: "controller/core/assets.ts",
    edits: [{ find: '!listed.has(key) && kindOf(key) !== "asset");', replace: "!listed.has(key));" }],
    caughtBy: ["test/core/assets.test.ts", "test/targets/web/publish.test.ts"],
  },
  {
    name: "entry-page-first",
    breaks: "I3: index.html is the last copy",
    file: "controller/core/assets.ts",
    edits: [
      {
        find: 'const WAVES: readonly Kind[] = ["asset", "page", "worker", "entry"];',
        replace: 'const WAVES: readonly Kind[] = ["entry", "asset", "page", "worker"];',
      },
    ],
    caughtBy: ["test/core/assets.test.ts", "test/targets/web/publish.test.ts"],
  },
  {
    name: "open-tabs-forgotten",
    breaks: "what was shown within 24 hours is never pruned",
    file: "controller/core/assets.ts",
    edits: [{ find: "const DAY_MS = 24 * 3_600_000;", replace: "const DAY_MS = 0;" }],
    caughtBy: ["test/core/assets.test.ts", "test/targets/web/prune.test.ts"],
  },
  {
    name: "status-healthy-without-proof",
    breaks: "I7: never green when unknown",
    file: "controller/core/status.ts",
    edits: [
      {
        find: "const proven = memory.passed === desired.fingerprint && live !== undefined;",
        replace: "const proven = live !== undefined;",
      },
    ],
    caughtBy: ["test/core/status.test.ts"],
  },
];
