// The decision tier: a thousand lives of the controller from seeds, every invariant checked after every event.
import { describe, expect, test } from "vitest";
import { READS, WRITES } from "./life.ts";
import { run } from "./run.ts";
import { REGRESSIONS } from "./seeds.ts";
import { createTally, missing } from "./tally.ts";

/** In CI the commit is the seed, so that every commit is tried on lives nobody has seen before. */
const BASE = process.env["GITHUB_SHA"] ?? process.env["CI_COMMIT_SHA"] ?? "lockstep";
const LIVES = 1_000;
const TIMEOUT = { timeout: 300_000 };

function replay(seed: string): string {
  return `replay: npm run simulate -- --seeds 1 --trace --from ${seed}`;
}

describe("A controller that crashes, is doubled, and meets every fault", () => {
  const tally = createTally();

  test.each(REGRESSIONS)("keeps every invariant under seed $seed ($found)", async ({ seed }) => {
    const { violations } = await run({ seed });
    expect(violations, replay(seed)).toEqual([]);
  });

  // A run with every kind of call: a migration that never stops, a page with a CDN, old assets to prune.
  test.each(["before", "after"] as const)(
    "settles when it is killed %s any one of its port calls, counted from the first to the last",
    TIMEOUT,
    async (side) => {
      for (let call = 1; ; call += 1) {
        const result = await run({ seed: "kill 94", killAt: { call, side } });
        expect(result.violations, `killed ${side} call ${call}`).toEqual([]);
        tally.add(result.tally);
        // The first life made fewer calls than that, and was the only one.
        if (result.lives === 1) return;
      }
    },
  );

  test.each([...READS, ...WRITES])("settles when it is killed before and after its first %s", async (name) => {
    for (const side of ["before", "after"] as const) {
      // What became of a deployment is only asked by the successor of a process that died right after sending one.
      const successor = name === "list-deployments" ? { next: { at: name, side } } : {};
      const call = name === "list-deployments" ? "update-service" : name;
      const killAt = { call, side: name === "list-deployments" ? ("after" as const) : side, ...successor };
      const result = await run({ seed: name === "stop-task" ? "kill 94" : "kill 46", killAt });
      expect(result.violations, side).toEqual([]);
      tally.add(result.tally);
    }
  });

  test("keeps every invariant over a thousand lives", TIMEOUT, async () => {
    let lives = 0;
    for (let nth = 0; lives < LIVES; nth += 1) {
      const seed = `${BASE}+${nth}`;
      const result = await run({ seed });
      expect(result.violations, replay(seed)).toEqual([]);
      lives += result.lives;
      tally.add(result.tally);
    }
  });

  // A simulation that never met a fault proves nothing about it: this one comes last and looks back.
  test("has met every fault, every crash point and every deed in the lives above", TIMEOUT, async () => {
    for (let nth = 0; missing(tally).length > 0 && nth < 150; nth += 1) {
      const seed = `${BASE}+rare+${nth}`;
      const result = await run({ seed });
      expect(result.violations, replay(seed)).toEqual([]);
      tally.add(result.tally);
    }
    expect(missing(tally), "never happened").toEqual([]);
  });

  test("does the same again from the same seed", async () => {
    const [one, other] = [await run({ seed: "again" }), await run({ seed: "again" })];
    expect([...other.tally.counts()]).toEqual([...one.tally.counts()]);
    expect(other.calls).toBe(one.calls);
  });
});
