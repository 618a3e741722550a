// Which policy judges a start: the strictest of the one a push carries and the one that stood before it.
import { expect, test } from "vitest";
import { EnvironmentName } from "../../controller/core/brand.ts";
import type { GatePolicy } from "../../controller/core/environment.ts";
import { consider } from "../../controller/engine/consider.ts";
import type { World } from "../../controller/ports.ts";
import { A, arrived, B, bumped, environment, NOW, remembered, succeeded } from "../core/shop.ts";

const STAGING = EnvironmentName.parse("staging");
const ASKS: GatePolicy = { promotedFrom: [STAGING] };
const FREE: GatePolicy = { promotedFrom: [] };

/** What is decided about a bump that arrived under the policy `before` and carries another. */
async function decided(before: GatePolicy | undefined, carries: GatePolicy) {
  const [from, to] = [environment(A), environment(B, { gates: carries })];
  const arrival = before === undefined ? arrived(to) : { ...arrived(to), before };
  const memory = remembered(...succeeded(from, 1), arrival as ReturnType<typeof arrived>);
  const world: Pick<World, "observe"> = { observe: () => Promise.resolve(bumped(from, to)) };
  const staging = remembered(...succeeded(environment(A, { name: STAGING }), 1));
  const { decision } = await consider(
    { desired: to, memory, depth: "full" },
    {
      world: world as World,
      clock: { now: () => NOW, monotonicMs: () => 0, sleep: () => Promise.resolve() },
      contains: () => Promise.resolve(false),
      surroundings: { neighbour: () => staging, pins: () => new Map() },
      adopts: false,
      observes: false,
    },
    new AbortController().signal,
  );
  return decision;
}

test("A bump that drops the promotion in the same push still waits for it", async () => {
  expect(await decided(ASKS, FREE)).toMatchObject({ kind: "wait", why: expect.stringContaining("in staging") });
});

test("A bump that brings the promotion along is held to it at once", async () => {
  expect(await decided(FREE, ASKS)).toMatchObject({ kind: "wait", why: expect.stringContaining("in staging") });
});

test("A bump after the policy was loosened is free", async () => {
  expect(await decided(FREE, FREE)).toMatchObject({ kind: "act", target: "desired" });
  expect(await decided(undefined, FREE)).toMatchObject({ kind: "act", target: "desired" });
});
