// A look costs no more than its depth needs.
import { expect, it } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import { NOTHING } from "../../controller/core/history.ts";
import type { Depth, Observation } from "../../controller/core/live.ts";
import { consider } from "../../controller/engine/consider.ts";
import type { Recall, World } from "../../controller/ports.ts";
import { environment } from "../targets/ecs/world.ts";

async function pinsAsked(depth: Depth): Promise<number> {
  let asked = 0;
  const at = Instant.of(0);
  const seen: Observation = { observedAt: at, depth, services: new Map(), webs: new Map(), artifacts: new Map() };
  const observe = (_: unknown, recall: Recall): Promise<Observation> => {
    expect(recall.pins.size).toBe(0);
    return Promise.resolve(seen);
  };
  const surroundings = {
    neighbour: () => undefined,
    pins: () => {
      asked += 1;
      return new Map();
    },
  };
  const clock = { now: () => at, monotonicMs: () => 0, sleep: () => Promise.resolve() };
  const world = { observe } as Partial<World> as World;
  const contains = (): Promise<undefined> => Promise.resolve(undefined);
  const parts = { world, clock, contains, surroundings, adopts: true, observes: false };
  const desired = environment({ services: [], migrations: [] });
  await consider({ desired, memory: NOTHING, depth }, parts, new AbortController().signal);
  return asked;
}

it.each([
  ["glance", 0],
  ["pages", 0],
  ["full", 1],
] as const)("at the depth %s the digests of the other environments are gathered %i times", async (depth, times) => {
  expect(await pinsAsked(depth)).toBe(times);
});
