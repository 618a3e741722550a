import { describe, expect, test } from "vitest";
import type { Durable } from "../../controller/core/event.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import { withMarks } from "../../controller/core/marks.ts";
import { A, API, arrived, B, deployed, environment, migrated, migration, published, remembered } from "./shop.ts";
import { SCHEMA, settled, SITE, started, succeeded, WORKER } from "./shop.ts";

const KEY = migrationKey(environment(B), migration(B));
const begun = (...events: readonly Durable[]) => {
  const memory = remembered(
    ...succeeded(environment(A), 1),
    arrived(environment(B)),
    started(environment(B), 2),
    ...events,
  );
  const { passed: _, ...seen } = settled(environment(A));
  return withMarks(seen, environment(B), memory);
};

describe("What only the journal knows of a migration", () => {
  test.each<[string, readonly Durable[], string]>([
    ["never started is absent", [], "absent"],
    ["started is started", migrated(KEY, 2), "started"],
    [
      "refused for capacity is started: no task may run, and the step has to go on",
      migrated(KEY, 2, "refused"),
      "started",
    ],
    ["passed is passed", migrated(KEY, 2, "passed"), "passed"],
    ["failed is failed", migrated(KEY, 2, "failed"), "failed"],
    ["unknown is unknown", migrated(KEY, 2, "unknown"), "unknown"],
    ["failed and let run again is absent", [...migrated(KEY, 2, "failed"), arrived(environment(B))], "absent"],
  ])("%s", (_, events, state) => {
    expect(begun(...events).migrations.get(SCHEMA)?.state).toBe(state);
  });

  test("is known under its commit only", () => {
    expect(
      begun(...migrated(migrationKey(environment(A), migration(A)), 2, "failed")).migrations.get(SCHEMA)?.state,
    ).toBe("absent");
  });
});

describe("What only the journal knows of the rest", () => {
  test("a deployment that was meant and not accepted is not called deployed, and its step must run", () => {
    const [intended] = deployed(environment(B), 2);
    const live = begun(...(intended === undefined ? [] : [intended]));
    expect(live.deployed.get(API)).toEqual(begun().deployed.get(API));
    expect([...(live.begun ?? [])]).toEqual([API]);
    expect([...(begun(...deployed(environment(B), 2)).begun ?? [])]).not.toContain(WORKER);
  });

  test("a page that is being published is served by nobody's word", () => {
    expect(begun().served.get(SITE)).toBeDefined();
    expect(begun(...published(environment(B), 2).slice(0, 1)).served.get(SITE)).toBeUndefined();
  });

  test("a proof is the journal's, whatever was observed", () => {
    expect(begun().passed).toBe(environment(A).fingerprint);
    expect(begun(...migrated(KEY, 2))).not.toHaveProperty("passed");
  });
});
