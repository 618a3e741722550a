// The wire tier: lives of the controller with its real targets and SDK clients, every invariant checked on the account itself.
import { describe, expect, test } from "vitest";
import { sha256 } from "../../../controller/core/sha256.ts";
import { createTally } from "../tally.ts";
import { AWS_WRITES } from "./operations.ts";
import { runOnTheWire } from "./run.ts";
import { REGRESSIONS } from "./seeds.ts";

/** In CI the commit is the seed, so that every commit is tried on lives nobody has seen before. */
const BASE = process.env["GITHUB_SHA"] ?? process.env["CI_COMMIT_SHA"] ?? "lockstep";
/** 24 numbers in a row bring every crash and lost answer to every write: half of them here, from another place each time. */
const SEEDS = 12;
const FROM = Number.parseInt(sha256(BASE).slice(0, 4), 16);

function replay(seed: string): string {
  return `replay: npm run simulate -- --seeds 1 --trace --tier wire --from ${seed}`;
}

describe("A controller with real AWS clients", () => {
  test.each(REGRESSIONS)("keeps every invariant under seed $seed ($found)", { timeout: 120_000 }, async ({ seed }) => {
    const { violations } = await runOnTheWire({ seed });
    expect(violations, replay(seed)).toEqual([]);
  });

  test(
    "keeps every invariant when it dies at its writes, or their answers are lost",
    { timeout: 600_000 },
    async () => {
      const tally = createTally();
      for (let nth = 0; nth < SEEDS; nth += 1) {
        const seed = `${BASE}+${FROM + nth}`;
        const result = await runOnTheWire({ seed });
        expect(result.violations, replay(seed)).toEqual([]);
        tally.add(result.tally);
      }
      const met = AWS_WRITES.flatMap((name) => [`crash before ${name}`, `crash after ${name}`, `after ${name}`]);
      expect(met.filter((name) => tally.counts().has(name)).length).toBeGreaterThanOrEqual(SEEDS / 2);
    },
  );

  test("does the same again from the same seed", { timeout: 60_000 }, async () => {
    const [one, other] = [await runOnTheWire({ seed: "again+3" }), await runOnTheWire({ seed: "again+3" })];
    expect([...other.tally.counts()]).toEqual([...one.tally.counts()]);
    expect([other.calls, other.lives, other.virtualMs]).toEqual([one.calls, one.lives, one.virtualMs]);
  });
});
