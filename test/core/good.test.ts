import { describe, expect, test } from "vitest";
import { NO_SHA, TargetVersion } from "../../controller/core/brand.ts";
import type { Durable } from "../../controller/core/event.ts";
import { hasMoved, lastGood } from "../../controller/core/good.ts";
import { A, API, arrived, B, deployed, environment, failedAt, published, remembered } from "./shop.ts";
import { service, started, succeeded, version, web, WORKER } from "./shop.ts";

const ONE = succeeded(environment(A), 1);
const FOUND = TargetVersion.parse("arn:task-definition/shop-prod-api:7");
const NUDGE = { actor: "lockstep", reason: "first contact" };
const ADOPTED: Durable = {
  type: "adopted",
  services: [{ name: API, version: FOUND, family: "shop-prod-api" }],
  matches: false,
  applied: [],
  by: NUDGE,
};

describe("The last good release", () => {
  test("is nothing where nothing was ever good and nothing was adopted", () => {
    expect(lastGood(remembered(arrived(environment(A))), environment(A))).toBeUndefined();
  });

  test("is put back by the versions that ran, and renders nothing", () => {
    const value = lastGood(remembered(...ONE), environment(B));
    expect(value?.release).toBe(1);
    expect(value?.desired.fingerprint).toBe(environment(A).fingerprint);
    expect(value?.desired.services.map(({ recorded }) => recorded?.version)).toEqual([
      version("api", A),
      version("worker", A),
    ]);
  });

  test("never migrates", () => {
    expect(lastGood(remembered(...ONE), environment(B))?.desired.migrations).toEqual([]);
  });

  test("is not reached from a page that it knows nothing of", () => {
    const bare = environment(A, { webs: [] });
    const events = [...succeeded(bare, 1), started(environment(B), 2), ...published(environment(B), 2)];
    expect(lastGood(remembered(...events), environment(B))).toBeUndefined();
  });

  test("is reached from a page that it published itself", () => {
    const events = [...ONE, started(environment(B), 2), ...published(environment(B), 2)];
    expect(lastGood(remembered(...events), environment(B))?.desired.webs).toEqual([web(A)]);
  });
});

describe("What ran before Lockstep came", () => {
  const first = [ADOPTED, arrived(environment(A)), started(environment(A), 1), ...deployed(environment(A), 1)];

  test("is put back by its version, without a page and without a commit", () => {
    const value = lastGood(remembered(...first, failedAt(1, "health", true)), environment(A));
    expect(value).toMatchObject({ release: 0, desired: { sha: NO_SHA, webs: [], migrations: [] } });
    expect(value?.desired.services).toMatchObject([{ name: API, sha: NO_SHA, recorded: { version: FOUND } }]);
  });

  test("is asked for its health, but not for a version that nobody knows", () => {
    const health = { url: "https://shop.example/health", version: "$.sha", forMs: 1, timeoutMs: 2 };
    const desired = environment(A, { services: [service(A, API, { health })] });
    const [put] = lastGood(remembered(...first), desired)?.desired.services ?? [];
    expect(put?.health).toEqual({ url: "https://shop.example/health", forMs: 1, timeoutMs: 2 });
  });

  test("is out of reach once a page of ours stands", () => {
    expect(lastGood(remembered(...first, ...published(environment(A), 1)), environment(A))).toBeUndefined();
  });

  test("is nothing for services that were not found then", () => {
    const other = environment(A, { services: [service(A, WORKER)] });
    expect(lastGood(remembered(ADOPTED), other)).toBeUndefined();
  });
});

describe("Fields that the failed release had set", () => {
  const counted = environment(B, { services: [service(B, API, { count: 9 })], webs: [], migrations: [] });
  const events = [...ONE, arrived(counted), started(counted, 2), ...deployed(counted, 2), failedAt(2, "health", true)];

  test("are put back as they were, where the good release does not own them", () => {
    const [put] = lastGood(remembered(...events), counted)?.desired.services ?? [];
    expect(put?.recorded?.restore).toEqual({ count: 2 });
  });

  test("are left to the good release where it owns them", () => {
    const owning = environment(A, { services: [service(A, API, { count: 3 })], webs: [], migrations: [] });
    const memory = remembered(...succeeded(owning, 1), ...events.slice(ONE.length));
    const [put] = lastGood(memory, counted)?.desired.services ?? [];
    expect(put).toMatchObject({ count: 3 });
    expect(put?.recorded?.restore).toBeUndefined();
  });

  test("of an earlier release are not put back", () => {
    const [put] = lastGood(remembered(...ONE), environment(B))?.desired.services ?? [];
    expect(put?.recorded?.restore).toBeUndefined();
  });
});

test("A release has moved something once it meant to deploy or to publish, and not before", () => {
  const begun = [...ONE, started(environment(B), 2)];
  expect(hasMoved(remembered(...begun), 2)).toBe(false);
  expect(hasMoved(remembered(...begun, ...deployed(environment(B), 2).slice(0, 1)), 2)).toBe(true);
  expect(hasMoved(remembered(...begun, ...published(environment(B), 2).slice(0, 1)), 2)).toBe(true);
  expect(hasMoved(remembered(...ONE), 2)).toBe(false);
});
