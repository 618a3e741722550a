// Bugs in the engine and the journal: fencing, leases, arrivals, what a look may conclude.
import type { Mutation } from "../mutation.ts";
import { SIMULATION } from "../mutation.ts";

const LEDGER = "controller/engine/ledger.ts";
const RELEASE = "controller/engine/release.ts";
const EXECUTE = "controller/engine/execute.ts";
const DIRECTORY = "controller/journal/directory.ts";

export const ENGINES: readonly Mutation[] = [
  {
    name: "lease-by-wall-clock",
    breaks: "I9: a lease runs out on one's own monotonic clock",
    file: LEDGER,
    edits: [
      {
        find: "return clock.monotonicMs() - seenMs >= leaseTtlMs;",
        replace: "return clock.now() - (memory.lastAt ?? 0) >= leaseTtlMs;",
      },
    ],
    caughtBy: ["test/engine/ledger.test.ts"],
  },
  {
    name: "lease-not-waited-for",
    breaks: "I9: another controller takes over only after the lease was seen to run out",
    file: LEDGER,
    edits: [{ find: "return clock.monotonicMs() - seenMs >= leaseTtlMs;", replace: "return true;" }],
    caughtBy: [SIMULATION, "test/engine/ledger.test.ts"],
  },
  {
    name: "guard-does-nothing",
    breaks: "I9: no write leaves later than half a lease after the last append",
    file: LEDGER,
    edits: [
      {
        find: "guard(release) {\n      assertHeld(release);",
        replace: "guard(release) {\n      if (release > 0) return;",
      },
    ],
    caughtBy: ["test/engine/ledger.test.ts"],
  },
  {
    name: "held-by-anybody",
    breaks: "I9: only the holder of a release goes on journaling it",
    file: LEDGER,
    edits: [
      {
        find: "if (memory.open?.number !== release || memory.holder !== writer)",
        replace: "if (memory.open?.number !== release && memory.holder !== writer)",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "claim-without-condition",
    breaks: "I9: who lost an append decides anew",
    file: LEDGER,
    edits: [
      {
        find: "if (await write(event, epoch ?? memory.epoch)) return true;\n      await refresh();\n      return false;",
        replace: "while (!(await write(event, epoch ?? memory.epoch))) await refresh();\n      return true;",
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "outdated-decision-acted-on",
    breaks: "I8, I9: a decision made on an old memory is made anew",
    file: RELEASE,
    edits: [{ find: 'if (memory !== what.memory) return "outdated";', replace: "" }],
    caughtBy: ["test/engine/release.test.ts"],
  },
  {
    name: "tag-moved-under-open-release",
    breaks: "I12: a release has one set of digests from start to end",
    file: RELEASE,
    edits: [
      {
        find: "(what.partial === true || canonical(open.artifacts) === canonical(resolved(what)))",
        replace: "(what.partial === true || canonical(open.artifacts) !== canonical({ never: true }))",
      },
    ],
    caughtBy: ["test/engine/release.test.ts"],
  },
  {
    name: "success-without-proof",
    breaks: "I13: no success status before health-passed",
    file: RELEASE,
    edits: [
      {
        find: 'if (ending.how === "done" && memory.passed === desired.fingerprint) {',
        replace: 'if (ending.how === "done" || ending.how === "cancelled") {',
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "going-on-after-a-failed-step",
    breaks: "I1: stop at the first failure",
    file: EXECUTE,
    edits: [
      {
        find: "if (ending !== undefined) return ending;",
        replace: 'if (ending !== undefined && ending.how !== "failed") return ending;',
      },
    ],
    caughtBy: [SIMULATION],
  },
  {
    name: "running-migration-failed-at-deadline",
    breaks: "a migration that runs is ended by nothing but its own verdict",
    file: EXECUTE,
    edits: [
      {
        find: '?.state === "started") return ending;',
        replace: '?.state === ("never" as string)) return ending;',
      },
    ],
    caughtBy: ["test/engine/execute.test.ts"],
  },
  {
    name: "ancestry-ignored",
    breaks: "I6: a head that does not contain the last one halts the repository",
    file: "controller/engine/repository.ts",
    edits: [
      {
        find: "!(await source.isAncestor(seen, head, signal))",
        replace: "!(await source.isAncestor(head, head, signal))",
      },
    ],
    caughtBy: ["test/engine/heads.test.ts"],
  },
  {
    name: "arrivals-collapsed",
    breaks: "A → B → A is three arrivals, also when read at once",
    file: "controller/engine/arrivals.ts",
    edits: [
      {
        find: "if (commits.at(-1) !== newer) commits.push(newer);",
        replace: "commits.splice(0, commits.length, newer);",
      },
    ],
    caughtBy: ["test/engine/arrivals.test.ts"],
  },
  {
    name: "older-reading-wins",
    breaks: "I9: a controller that read Git earlier does not take back what another one read later",
    file: "controller/engine/arrivals.ts",
    edits: [
      { find: "if ((await ledger.refresh()).arrival !== last) return false;", replace: "await ledger.refresh();" },
    ],
    caughtBy: ["test/engine/arrivals.test.ts"],
  },
  {
    name: "unmanaged-forgotten",
    breaks: "an environment whose file is gone stays in the status, as unmanaged",
    file: "controller/engine/engine.ts",
    edits: [
      {
        find: "lane.wish(look.problems.length === 0 ? gone(id) : await hidden(lane, repository, look.problems));",
        replace:
          "if (look.problems.length === 0) lanes.delete(id);\n      else lane.wish(await hidden(lane, repository, look.problems));",
      },
    ],
    caughtBy: ["test/engine/heads.test.ts"],
  },
  {
    name: "hidden-is-gone",
    breaks: "I6: a folder that cannot be read keeps the last good environments in force",
    file: "controller/engine/engine.ts",
    edits: [
      {
        find: "lane.wish(look.problems.length === 0 ? gone(id) : await hidden(lane, repository, look.problems));",
        replace: "lane.wish(gone(id));",
      },
    ],
    caughtBy: ["test/engine/heads.test.ts"],
  },
  {
    name: "memory-journal-without-condition",
    breaks: "I9: one history; an append whose sequence is taken is fenced",
    file: "controller/journal/memory.ts",
    edits: [{ find: "if (expected < records.length) {", replace: "if (expected < 0) {" }],
    caughtBy: ["test/journal/memory.test.ts"],
  },
  {
    name: "directory-journal-overwrites",
    breaks: "I9: link() lets exactly one writer win",
    file: DIRECTORY,
    edits: [
      { find: "import { access, link, mkdir,", replace: "import { access, copyFile, link, mkdir," },
      { find: "await calls.link(temporary, target).catch(", replace: "await copyFile(temporary, target).catch(" },
    ],
    caughtBy: ["test/journal/directory.test.ts"],
  },
  {
    name: "directory-journal-not-flushed",
    breaks: "a record survives the loss of power once its append has returned",
    file: DIRECTORY,
    edits: [{ find: "    await calls.syncFolder(layout.streamFolder(root, stream));\n", replace: "" }],
    caughtBy: ["test/journal/directory.test.ts"],
  },
  {
    name: "bucket-journal-overwrites",
    breaks: "I9: If-None-Match lets exactly one writer win",
    file: "controller/compose/journal-bucket.ts",
    edits: [{ find: 'IfNoneMatch: "*"', replace: "" }],
    caughtBy: ["test/journal/s3.test.ts"],
  },
  {
    name: "bucket-journal-fences-itself",
    breaks: "a lost answer is settled by reading: one's own nonce is success",
    file: "controller/journal/s3.ts",
    edits: [
      {
        find: 'if (answer === "created" || there?.nonce === record.nonce) return;',
        replace: 'if (answer === "created") return;',
      },
    ],
    caughtBy: ["test/journal/s3.test.ts"],
  },
  {
    name: "gap-skipped",
    breaks: "a gapped journal is damaged, not shorter",
    file: "controller/journal/record.ts",
    edits: [
      { find: 'if (value["sequence"] !== sequence) throw', replace: 'if (value["sequence"] === undefined) throw' },
    ],
    caughtBy: ["test/journal/directory.test.ts"],
  },
];
