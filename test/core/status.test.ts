import { describe, expect, test } from "vitest";
import type { Decision } from "../../controller/core/decision.ts";
import type { Environment } from "../../controller/core/environment.ts";
import type { Durable } from "../../controller/core/event.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import { withMarks } from "../../controller/core/marks.ts";
import { plan } from "../../controller/core/plan.ts";
import type { EnvironmentStatus, Glimpse } from "../../controller/core/status.ts";
import { statusOf } from "../../controller/core/status.ts";
import { A, API, arrived, B, C, deployed, environment, failedAt, migrated, migration, passed } from "./shop.ts";
import { remembered, settled, started, succeeded, version, WORKER } from "./shop.ts";

const ONE = succeeded(environment(A), 1);
const NEXT = [arrived(environment(B)), started(environment(B), 2)];
const REST: Decision = { kind: "rest", why: "healthy on aaaaaaa" };
const ACT: Decision = { kind: "act", as: "release", target: "desired", why: "aaaaaaa → bbbbbbb" };
const BLOCKED: Decision = { kind: "blocked", code: "denied", why: "not allowed", next: "allow it" };

function status(
  desired: Environment,
  decision: Decision | undefined,
  ...events: readonly Durable[]
): EnvironmentStatus {
  const memory = remembered(...events);
  const { passed: _, ...seen } = settled(environment(A));
  const live = withMarks(seen, desired, memory);
  const glimpse: Glimpse = { id: "shop/prod", memory, desired, live, plan: plan(desired, live), problems: [] };
  return statusOf(decision === undefined ? glimpse : { ...glimpse, decision });
}

describe("Success is never said without a proof", () => {
  test("what was not looked at is unknown", () => {
    expect(status(environment(A), undefined, ...ONE)).toMatchObject({ state: "unknown", why: "not looked at yet" });
  });

  test("what rests without its own proof is unknown, not healthy", () => {
    const unproven = [...ONE, arrived(environment(B))];
    expect(status({ ...environment(A), fingerprint: environment(B).fingerprint }, REST, ...unproven).state).toBe(
      "drift",
    );
    const ignoring = { ...environment(A, { drift: "ignore" }), fingerprint: environment(B).fingerprint };
    expect(status(ignoring, REST, ...unproven).state).toBe("unknown");
    const { live: _, ...blind } = {
      id: "shop/prod" as const,
      memory: remembered(...ONE),
      problems: [],
      live: undefined,
    };
    expect(statusOf({ ...blind, desired: environment(A), decision: REST }).state).toBe("unknown");
  });

  test("what was rolled back is not healthy, though what runs is", () => {
    const events = [
      ...ONE,
      ...NEXT,
      ...deployed(environment(B), 2),
      failedAt(2, "health", true),
      started(environment(A), 3, { kind: "rollback", direction: "back", undoes: 2 }),
      passed(environment(A), 3),
      { type: "release-succeeded", release: 3 } as const,
    ];
    const failed: Decision = { kind: "blocked", code: "health-failed", why: "release #2 failed", next: "revert" };
    expect(status(environment(B), failed, ...events)).toMatchObject({ state: "rolled-back", next: "revert" });
  });

  test("what rests while something differs is drift", () => {
    const drifted = environment(A, { services: environment(A).services.map((one) => ({ ...one, count: 7 })) });
    expect(status(drifted, REST, ...succeeded(drifted, 1)).state).toBe("drift");
    const ignoring = { ...drifted, drift: "ignore" as const };
    expect(status(ignoring, REST, ...succeeded(drifted, 1)).state).toBe("healthy");
  });
});

describe("The state", () => {
  test.each<[string, Environment, Decision, readonly Durable[], string]>([
    ["of what rests on its proof is healthy", environment(A), REST, ONE, "healthy"],
    ["of a release that runs is converging", environment(B), ACT, [...ONE, ...NEXT], "converging"],
    ["of a release that is about to start is converging", environment(B), ACT, ONE, "converging"],
    ["of a release that cannot go on is blocked", environment(B), BLOCKED, [...ONE, ...NEXT], "blocked"],
    ["of what waits for a gate is waiting", environment(B), { kind: "wait", why: "gate" }, ONE, "waiting"],
    [
      "of what cannot be read now is unknown",
      environment(B),
      { kind: "wait", why: "slow down", code: "throttled" },
      ONE,
      "unknown",
    ],
    ["of what a person has to answer is blocked", environment(B), BLOCKED, ONE, "blocked"],
    [
      "of what failed is failed",
      environment(B),
      BLOCKED,
      [...ONE, ...NEXT, failedAt(2, "deploy/api", false)],
      "failed",
    ],
    [
      "of what nobody manages is none",
      environment(A),
      REST,
      [...ONE, { type: "unmanaged", why: "its file is gone" }],
      "none",
    ],
  ])("%s", (_, desired, decision, events, state) => {
    expect(status(desired, decision, ...events).state).toBe(state);
  });

  test("of a release that cannot go on says why, and what to do", () => {
    expect(status(environment(B), BLOCKED, ...ONE, ...NEXT)).toMatchObject({
      why: "releasing (#2): not allowed",
      code: "denied",
      next: "allow it",
    });
  });

  test("of a release that meets a fault of the world goes on converging, and names the fault", () => {
    const slow: Decision = { kind: "wait", why: "slow down", code: "throttled" };
    expect(status(environment(B), slow, ...ONE, ...NEXT)).toMatchObject({ state: "converging", code: "throttled" });
  });
});

describe("The document", () => {
  test("names what Git says, at the commit where it came to be so", () => {
    const later = environment(A, { revision: { repository: "5eed5eed5eed5eed", commit: C, folder: "" } });
    expect(status(later, REST, ...ONE).git).toEqual({ sha: A, commit: A });
  });

  test("names the SHA of a service only where the journal knows the version", () => {
    const found = status(environment(A), REST, ...ONE).services;
    expect(found).toMatchObject([
      { name: API, sha: A, version: version("api", A) },
      { name: WORKER, sha: A },
    ]);
    const memory = remembered(arrived(environment(A)));
    const live = withMarks(settled(environment(A)), environment(A), memory);
    const [unknown] = statusOf({ id: "shop/prod", memory, desired: environment(A), live, problems: [] }).services;
    expect(unknown).not.toHaveProperty("sha");
  });

  test("shows the log of a migration that failed, and of nothing else", () => {
    const key = migrationKey(environment(B), migration(B));
    const failed = [...ONE, ...NEXT, ...migrated(key, 2, "failed"), failedAt(2, "migrate/schema", false)];
    expect(status(environment(B), BLOCKED, ...failed).log).toEqual(["last line"]);
    expect(status(environment(B), BLOCKED, ...ONE, ...NEXT, failedAt(2, "deploy/api", false))).not.toHaveProperty(
      "log",
    );
  });

  test("shows the release that runs, or the last one, without the value a rollback needs", () => {
    const { release } = status(environment(B), ACT, ...ONE, ...NEXT);
    expect(release).toMatchObject({ number: 2, state: "running" });
    expect(release).not.toHaveProperty("desired");
    expect(status(environment(A), REST, ...ONE).release).toMatchObject({ number: 1, state: "succeeded" });
  });

  test("is JSON as it stands", () => {
    const document = status(environment(B), ACT, ...ONE, ...NEXT);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
