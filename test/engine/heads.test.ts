// What a head may take from the environments: nothing, when it cannot be read or was rewritten; their care, when it says so.
import { describe, expect, test } from "vitest";
import { EnvironmentName, Instant, Sha } from "../../controller/core/brand.ts";
import type { Digest } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import { environmentId } from "../../controller/core/environment.ts";
import type { Observation } from "../../controller/core/live.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { createEngine } from "../../controller/engine/engine.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Reading, Source, World } from "../../controller/ports.ts";
import { A, B, digest, environment, records, succeeded } from "../core/shop.ts";

const [FIRST, SECOND] = [Sha.parse("1".repeat(40)), Sha.parse("2".repeat(40))];
const GONE: Reading = { environments: [], problems: [] };
const HIDDEN: Reading = { environments: [], problems: ["environments/application.yaml:1:1 is not YAML"] };

function reading(...all: readonly Environment[]): Reading {
  const environments = all.map((one) => ({
    id: environmentId(one),
    content: one.fingerprint,
    environment: one,
    problems: [],
  }));
  return { environments, problems: [] };
}

/** An engine over two commits; AWS shows nothing, and hears what every look at an environment was told. */
async function follow(first: Reading, second: Reading, journal = createMemoryJournal()) {
  const pins = new Map<string, ReadonlyMap<string, Digest>>();
  let head = FIRST;
  let contains = true;
  const source: Source = {
    id: "5eed5eed5eed5eed",
    address: "https://git.example.com/ops.git",
    branch: "main",
    head: () => Promise.resolve(head),
    folders: () => Promise.resolve([]),
    files: () => Promise.resolve([]),
    isAncestor: (older, newer) => Promise.resolve(contains || older === newer),
    changes: () => Promise.resolve([]),
    expand: () => Promise.resolve([]),
    distrust: () => Promise.resolve(undefined),
  };
  const observedAt = Instant.of(1_700_000_000_000);
  const world: Pick<World, "observe" | "family"> = {
    observe(desired, recall, depth): Promise<Observation> {
      pins.set(desired.name, recall.pins);
      return Promise.resolve({ observedAt, depth, services: new Map(), webs: new Map(), artifacts: new Map() });
    },
    family: (version) => version,
  };
  const engine = await createEngine({
    sources: [source],
    read: (_, commit) => Promise.resolve(commit === FIRST ? first : second),
    contains: () => Promise.resolve(false),
    world: world as World,
    journal,
    bus: createBus([]),
    clock: { now: () => observedAt, monotonicMs: () => 0, sleep: () => Promise.resolve() },
    random: (bytes) => "0".repeat(bytes * 2),
    writer: "one",
    leaseTtlMs: 60_000,
    adopts: false,
    observes: false,
  });
  await engine.pass();
  return {
    engine,
    pins,
    push: async (how: { readonly contains: boolean } = { contains: true }) => {
      head = SECOND;
      contains = how.contains;
      await engine.pass();
      await engine.pass();
      const { environments, repositories } = engine.status();
      return { environments, halted: repositories[0]?.halted };
    },
  };
}

const OPENED = { at: Instant.of(0), writer: "one", epoch: 0 } as const;
const at = (commit: Sha, one: Environment): Environment => ({ ...one, revision: { ...one.revision, commit } });
const PROD = at(FIRST, environment(A));

describe("An environment", () => {
  test("whose file is gone is unmanaged, and stays in the status", async () => {
    const { push } = await follow(reading(PROD), GONE);
    expect((await push()).environments).toMatchObject([
      { id: "shop/prod", state: "none", why: expect.stringMatching(/^unmanaged: environments\/prod\.yaml/) },
    ]);
  });

  test("whose folder cannot be read is in force as it was", async () => {
    const { push, engine } = await follow(reading(PROD), HIDDEN);
    expect((await push()).environments).toMatchObject([
      { id: "shop/prod", git: { sha: A }, problems: HIDDEN.problems },
    ]);
    expect(engine.memory("shop/prod")?.unmanaged).toBeUndefined();
  });

  test("is what it was while the head does not contain the one before", async () => {
    const { push, engine } = await follow(reading(PROD), reading(at(SECOND, environment(B))));
    const { environments, halted } = await push({ contains: false });
    expect(environments).toMatchObject([{ git: { sha: A } }]);
    expect(halted).toMatch(/^history of main was rewritten: 2222222 does not contain 1111111/);
    expect(engine.memory("shop/prod")?.arrival?.sha).toBe(A);
  });

  test("is resolved with the digests that were healthy in another one of its application", async () => {
    const journal = createMemoryJournal();
    const dev = environment(A, { name: EnvironmentName.parse("dev") });
    await journal.append("journal", { ...OPENED, event: { type: "journal-opened", journalId: "0".repeat(16) } }, 0);
    for (const { sequence, sequence: _, ...record } of records(succeeded(dev, 1)))
      await journal.append("environment/shop/dev", record, sequence - 1);
    const { pins } = await follow(reading(PROD), GONE, journal);
    expect(pins.get("prod")?.get(`service/api@${A}`)).toBe(digest("service/api", A));
  });
});
