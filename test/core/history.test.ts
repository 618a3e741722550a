import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { Durable, Recorded } from "../../controller/core/event.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import type { Memory } from "../../controller/core/history.ts";
import { fold, isReturning, NOTHING, recentRepairs, remember } from "../../controller/core/history.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import { A, API, arrived, B, C, deployed, digest, environment, failedAt, migrated, migration, NOW } from "./shop.ts";
import { passed, published, records, remembered, SCHEMA, SITE, started, succeeded, version } from "./shop.ts";

const NUDGE = { actor: "person", reason: "a test" };
const KEY = migrationKey(environment(B), migration(B));
const ONE = succeeded(environment(A), 1);
const undo = (release: number, undoes: number): Durable =>
  started(environment(A), release, { kind: "rollback", direction: "back", undoes });

describe("A migration", () => {
  const state = (...events: readonly Durable[]): unknown => {
    const known = remembered(...ONE, arrived(environment(B)), started(environment(B), 2), ...events).migrations.get(
      KEY,
    );
    return known && { state: known.state, again: known.again };
  };
  const failed = migrated(KEY, 2, "failed");
  const unknown = migrated(KEY, 2, "unknown");
  const retry: Durable = { type: "retry-requested", fingerprint: environment(B).fingerprint, ...NUDGE };
  const resolved = (outcome: "applied" | "not-applied"): Durable => ({
    type: "resolved",
    migration: SCHEMA,
    key: KEY,
    outcome,
    ...NUDGE,
  });

  test.each<[string, readonly Durable[], object | undefined]>([
    ["never started is not known", [], undefined],
    ["that failed does not run again by itself", failed, { state: "failed", again: false }],
    ["that failed may run again after a retry", [...failed, retry], { state: "failed", again: true }],
    [
      "that failed may run again after a new arrival",
      [...failed, arrived(environment(C))],
      { state: "failed", again: true },
    ],
    ["that is unknown does not run again after a retry", [...unknown, retry], { state: "unknown", again: false }],
    [
      "that is unknown does not run again after a new arrival",
      [...unknown, arrived(environment(C))],
      { state: "unknown", again: false },
    ],
    [
      "that is unknown counts as passed once a person says so",
      [...unknown, resolved("applied")],
      { state: "passed", again: false },
    ],
    [
      "that is unknown may run again once a person says it was not applied",
      [...unknown, resolved("not-applied")],
      { state: "failed", again: true },
    ],
    [
      "that passed meanwhile is not touched by a late answer",
      [...migrated(KEY, 2, "passed"), resolved("not-applied")],
      { state: "passed", again: false },
    ],
    [
      "that still runs is not touched by an early answer",
      [...migrated(KEY, 2), resolved("not-applied")],
      { state: "started", again: false },
    ],
  ])("%s", (_, events, expected) => {
    expect(state(...events)).toEqual(expected);
  });

  test("nobody ever heard of is not made known by an answer", () => {
    expect(remembered(resolved("applied")).migrations.size).toBe(0);
  });

  test("of code that already ran counts as applied", () => {
    const adopted: Durable = { type: "adopted", services: [], matches: true, applied: [KEY], by: NUDGE };
    expect(remembered(adopted).migrations.get(KEY)).toMatchObject({ state: "passed" });
  });
});

describe("What was proven", () => {
  test("is the fingerprint whose health passed", () => {
    expect(remembered(...ONE).passed).toBe(environment(A).fingerprint);
  });

  test.each<[string, readonly Durable[]]>([
    ["a migration", migrated(KEY, 2)],
    ["a deployment", deployed(environment(B), 2).slice(0, 1)],
    ["a publication", published(environment(B), 2).slice(0, 1)],
  ])("is not proven any more once %s was begun", (_, events) => {
    expect(remembered(...ONE, started(environment(B), 2), ...events).passed).toBeUndefined();
  });

  test("fixes the digests of the release under their commits", () => {
    const { pins, good, healthy } = remembered(...ONE);
    expect(pins.get(`service/api@${A}`)).toBe(digest("service/api", A));
    expect(pins.get(`web/site@${A}`)).toBe(digest("web/site", A));
    expect(good?.release).toBe(1);
    expect([...healthy.keys()]).toEqual([A]);
  });
});

describe("A release that failed", () => {
  const failing = [...ONE, arrived(environment(B)), started(environment(B), 2), failedAt(2, "deploy/api", true)];

  test("is to be undone only when its end says so", () => {
    expect(remembered(...failing).undo).toEqual({ release: 2 });
    expect(remembered(...failing.slice(0, -1), failedAt(2, "migrate/schema", false)).undo).toBeUndefined();
  });

  test("is remembered with its fingerprint until Git or a person says otherwise", () => {
    expect(remembered(...failing).failure).toMatchObject({ release: 2, fingerprint: environment(B).fingerprint });
    expect(remembered(...failing, arrived(environment(C))).failure).toBeUndefined();
    const retry: Durable = { type: "retry-requested", fingerprint: environment(B).fingerprint, ...NUDGE };
    expect(remembered(...failing, retry)).not.toHaveProperty("failure");
    expect(remembered(...failing, retry)).not.toHaveProperty("undo");
  });

  test("is called rolled back once the rollback has succeeded, and what passed before stands again", () => {
    const memory = remembered(...failing, undo(3, 2), passed(environment(A), 3), {
      type: "release-succeeded",
      release: 3,
    });
    expect(memory.releases.map(({ number, state }) => [number, state])).toEqual([
      [1, "succeeded"],
      [2, "rolled-back"],
      [3, "succeeded"],
    ]);
    expect(memory.undo).toBeUndefined();
    expect(memory.passed).toBe(environment(A).fingerprint);
  });

  test("whose rollback fails is not rolled back again", () => {
    const memory = remembered(...failing, undo(3, 2), failedAt(3, "deploy/api", false));
    expect(memory.undo).toBeUndefined();
    expect(memory.rollbackFailed).toMatchObject({ release: 2 });
    expect(memory.failure).toMatchObject({ release: 2 });
    expect(memory.releases.map(({ state }) => state)).toEqual(["succeeded", "rollback-failed", "failed"]);
  });

  test("needs no undoing once a newer one has started", () => {
    const memory = remembered(...failing, arrived(environment(C)), started(environment(C), 3));
    expect(memory.undo).toBeUndefined();
    expect(memory.open?.number).toBe(3);
  });
});

describe("Who holds the environment", () => {
  const lease = (released?: true): Durable => ({
    type: "lease",
    ttlMs: 0,
    ...(released === undefined ? {} : { released }),
  });
  const by = (writer: string, ...events: readonly Durable[]): readonly Recorded[] => records(events, writer);
  const holder = (...all: readonly (readonly Recorded[])[]): Pick<Memory, "holder" | "leaseReleased"> => {
    const { holder, leaseReleased } = fold(all.flat());
    return { ...(holder === undefined ? {} : { holder }), leaseReleased };
  };

  test("is whoever started the last release", () => {
    expect(holder(by("one", started(environment(A), 1)))).toEqual({ holder: "one", leaseReleased: false });
  });

  test("is whoever took it over", () => {
    const adopted: Durable = { type: "release-adopted", from: "one" };
    expect(holder(by("one", started(environment(A), 1)), by("two", adopted)).holder).toBe("two");
  });

  test("is not who merely appended something", () => {
    expect(holder(by("one", started(environment(A), 1)), by("two", arrived(environment(B)))).holder).toBe("one");
  });

  test("may say that it stops, and nobody else can say it for it", () => {
    const begun = by("one", started(environment(A), 1));
    expect(holder(begun, by("one", lease(true))).leaseReleased).toBe(true);
    expect(holder(begun, by("two", lease(true))).leaseReleased).toBe(false);
    expect(holder(begun, by("one", lease(true)), by("one", lease())).leaseReleased).toBe(false);
  });
});

describe("The direction", () => {
  test.each<[string, readonly Durable[], typeof A, boolean]>([
    ["to a commit that was healthy before the last one is back", [...ONE, ...succeeded(environment(B), 2)], A, true],
    ["to a new commit is forward", ONE, B, false],
    ["to the commit released last is forward", ONE, A, false],
    [
      "to a commit that was never healthy here is forward",
      [
        arrived(environment(A)),
        started(environment(A), 1),
        failedAt(1, "health", true),
        ...succeeded(environment(B), 2),
      ],
      A,
      false,
    ],
    [
      "to what was rolled back from is forward again",
      [
        ...ONE,
        ...succeeded(environment(B), 2),
        undo(3, 2),
        passed(environment(A), 3),
        { type: "release-succeeded", release: 3 },
      ],
      B,
      false,
    ],
    [
      "of a release that went back stays back when it goes on",
      [...ONE, ...succeeded(environment(B), 2), started(environment(A), 3, { direction: "back" })],
      A,
      true,
    ],
    [
      "to the commit after the one that runs is forward, though a later release failed before it wrote anything",
      [
        ...ONE,
        ...succeeded(environment(B), 2),
        started(environment(A), 3, { direction: "back" }),
        passed(environment(A), 3),
        { type: "release-succeeded", release: 3 },
        arrived(environment(C)),
        started(environment(C), 4),
        failedAt(4, "migrate/migrate", false),
      ],
      B,
      false,
    ],
    ["of a release that went forward stays forward when it goes on", [...ONE, started(environment(B), 2)], B, false],
  ])("%s", (_, events, sha, returning) => {
    expect(isReturning(remembered(...events), sha)).toBe(returning);
  });
});

describe("What is bounded", () => {
  test("releases in memory, the newest kept", () => {
    const many = Array.from({ length: LIMITS.releasesRemembered + 5 }, (_, index): readonly Durable[] => [
      started(environment(A), index + 1),
      { type: "release-superseded", release: index + 1, by: B },
    ]).flat();
    const memory = remembered(...many);
    expect(memory.releases).toHaveLength(LIMITS.releasesRemembered);
    expect(memory.releases.at(-1)?.number).toBe(LIMITS.releasesRemembered + 5);
    expect(memory.lastNumber).toBe(LIMITS.releasesRemembered + 5);
  });

  test("repairs, of which only those of the last hour count", () => {
    const events = [1, 2].flatMap((release): readonly Durable[] => [
      started(environment(A), release, { kind: "repair" }),
      { type: "release-superseded", release, by: B },
    ]);
    expect(recentRepairs(remembered(...events), Instant.plus(NOW, 60_000))).toBe(2);
    expect(recentRepairs(remembered(...events), Instant.plus(NOW, 3_700_000))).toBe(0);
  });
});

/** Any event, in any order: also those that make no sense where they stand. */
const anything = fc.array(
  fc.constantFrom<Durable>(
    ...ONE,
    ...succeeded(environment(B), 2),
    ...migrated(KEY, 2, "failed"),
    ...migrated(KEY, 2, "unknown"),
    arrived(environment(C)),
    started(environment(C), 3),
    undo(4, 3),
    failedAt(3, "deploy/api", true),
    failedAt(3, "migrate/schema", false),
    { type: "adopted", services: [], matches: false, applied: [KEY], by: NUDGE },
    { type: "release-superseded", release: 3, by: A },
    { type: "release-rolled-back", release: 3, to: 4 },
    { type: "rollback-failed", release: 3, code: "deployment-failed", message: "no" },
    { type: "release-requested", ...NUDGE },
    { type: "retry-requested", fingerprint: environment(B).fingerprint, ...NUDGE },
    { type: "repair-requested", ...NUDGE },
    { type: "abort-requested", release: 3, ...NUDGE },
    { type: "resolved", migration: SCHEMA, key: KEY, outcome: "not-applied", ...NUDGE },
    { type: "hold-seen", reason: "freeze" },
    { type: "hold-cleared" },
    { type: "unmanaged", why: "gone" },
    { type: "managed" },
    { type: "drift-found", differences: [] },
    { type: "drift-cleared" },
    { type: "lease", ttlMs: 60_000 },
    { type: "lease", ttlMs: 0, released: true },
    { type: "release-adopted", from: "one" },
    { type: "step-started", release: 3, step: "deploy/api", what: { kind: "health", fingerprint: KEY, why: "" } },
    { type: "step-settled", release: 3, step: "health", outcome: { status: "done" } },
    { type: "invalidated", web: SITE, publication: "0123456789abcdef" as never, invalidation: "I1" },
    { type: "deploy-accepted", release: 9, service: API, version: version("api", A) },
  ),
  { maxLength: 40 },
);

describe("For any journal", () => {
  test("the fold is total, and the same every time", () => {
    fc.assert(
      fc.property(anything, (events) => {
        expect(fold(records(events))).toEqual(fold(records(events)));
      }),
    );
  });

  test("a life that reads it in pieces remembers the same as one that reads it at once", () => {
    fc.assert(
      fc.property(anything, fc.nat(), (events, at) => {
        const all = records(events);
        const cut = all.length === 0 ? 0 : at % all.length;
        expect(fold(all.slice(cut), fold(all.slice(0, cut)))).toEqual(fold(all));
      }),
    );
  });

  test("what is remembered is the same after the records went through JSON", () => {
    fc.assert(
      fc.property(anything, (events) => {
        const all = records(events);
        expect(fold(JSON.parse(JSON.stringify(all)) as readonly Recorded[])).toEqual(fold(all));
      }),
    );
  });

  test("no record changes what was remembered before it", () => {
    fc.assert(
      fc.property(anything, (events) => {
        let memory = NOTHING;
        for (const record of records(events)) {
          const before = structuredClone(memory);
          remember(memory, record);
          expect(memory).toEqual(before);
          memory = remember(memory, record);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a migration that has passed never stands otherwise again, unless it is started again", () => {
    fc.assert(
      fc.property(anything, (events) => {
        let memory = NOTHING;
        for (const record of records(events)) {
          const before = memory.migrations.get(KEY)?.state;
          memory = remember(memory, record);
          const gate = ["migration-started", "migration-settled"].includes(record.event.type);
          if (before === "passed" && !gate) expect(memory.migrations.get(KEY)?.state).toBe("passed");
        }
      }),
    );
  });

  test("nothing is both open and ended", () => {
    fc.assert(
      fc.property(anything, (events) => {
        const { open, releases } = fold(records(events));
        expect(releases.some((one) => one.state === "running")).toBe(false);
        expect(open === undefined || open.state === "running").toBe(true);
      }),
    );
  });
});
