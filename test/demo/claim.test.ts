// A sentence is true only when the world shows it; it is given up when it cannot come true, or in its time did not.
import { expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { Told } from "../../controller/core/told.ts";
import type { Claim, Reading } from "../../controller/demo/claim.ts";
import { prove } from "../../controller/demo/claim.ts";
import type { Clock } from "../../controller/ports.ts";

/** Time that passes only while somebody sleeps. */
function createClock(): Clock {
  let nowMs = 0;
  return {
    now: () => Instant.of(nowMs),
    monotonicMs: () => nowMs,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      nowMs += ms;
    },
  };
}

const right: Reading = { by: "aws ecs describe-services", found: "shop-api:2", holds: true };
const wrong: Reading = { by: "GET http://127.0.0.1:1/", found: "503", holds: false };

async function told(claim: Partial<Claim>, signal = new AbortController().signal): Promise<readonly Told[]> {
  const whole: Claim = { sentence: "dev runs it", expected: "shop-api:2", look: async () => [right], ...claim };
  const all: Told[] = [];
  for await (const one of prove(whole, { clock: createClock(), signal })) all.push(one);
  return all;
}

test("a look that shows it makes it true, with what was looked at", async () => {
  const evidence = [{ by: right.by, found: right.found }];
  expect(await told({})).toEqual([
    { kind: "claim", sentence: "dev runs it" },
    { kind: "true", sentence: "dev runs it", evidence, tookMs: 0 },
  ]);
});

test("it is looked at again until every reading holds at once", async () => {
  const looks = [
    [wrong, right],
    [right, wrong],
    [right, right],
  ];
  let count = 0;
  const [, verdict] = await told({ look: async () => looks[count++] ?? [] });
  expect([verdict?.kind, count]).toEqual(["true", 3]);
});

test("after its time it is untrue, and what did not hold is shown first", async () => {
  const [, verdict] = await told({ look: async () => [right, wrong], deadlineMs: 2_000, environment: "shop/dev" });
  expect(verdict).toMatchObject({
    kind: "untrue",
    expected: "shop-api:2",
    why: "it had not come true after 2 s",
    environment: "shop/dev",
    evidence: [{ found: "503" }, { found: "shop-api:2" }],
  });
});

test("what cannot come true any more is given up at once, after one last look", async () => {
  let looks = 0;
  const look = async (): Promise<readonly Reading[]> => {
    looks += 1;
    return [wrong];
  };
  const [, verdict] = await told({ look, hopeless: () => "denied: UpdateService" });
  expect(verdict).toMatchObject({ kind: "untrue", why: "denied: UpdateService", tookMs: 0 });
  expect(looks).toBe(1);
});

test("what the world shows outweighs the controller's word that it is hopeless", async () => {
  const [, verdict] = await told({ hopeless: () => "denied: UpdateService" });
  expect(verdict?.kind).toBe("true");
});

test("a look that fails is shown as what it met, never taken for a yes", async () => {
  const look = (): Promise<readonly Reading[]> => Promise.reject(new Error("connect ECONNREFUSED 127.0.0.1:1"));
  const [, verdict] = await told({ look, deadlineMs: 500 });
  expect(verdict).toMatchObject({ kind: "untrue", evidence: [{ found: "Error: connect ECONNREFUSED 127.0.0.1:1" }] });
});

test("no reading at all proves nothing", async () => {
  const [, verdict] = await told({ look: async () => [], deadlineMs: 500 });
  expect(verdict?.kind).toBe("untrue");
});

test("it ends as soon as the demo is told to end", async () => {
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  await expect(told({ look: async () => [wrong] }, stop.signal)).rejects.toThrow("stopped");
});
