import { describe, expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import { decide, startedMigrations } from "../../controller/core/decision.ts";
import type { Situation } from "../../controller/core/decision.ts";
import type { Durable } from "../../controller/core/event.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import type { Memory } from "../../controller/core/history.ts";
import { withMarks } from "../../controller/core/marks.ts";
import { plan } from "../../controller/core/plan.ts";
import type { Step } from "../../controller/core/step.ts";
import { A, API, arrived, artifactsOf, B, C, deployed, digest, environment, failedAt, migrated } from "./shop.ts";
import { migration, NOW, passed, remembered, SCHEMA, settled, started, succeeded, version } from "./shop.ts";

const NUDGE = { actor: "person", reason: "a test" };
const KEY = migrationKey(environment(B), migration(B));

/** What the controller would see: `runs` is in place, the journal says `memory`, Git says `desired`. */
function situation(desired: Environment, memory: Memory, runs: Environment, more: Partial<Situation> = {}): Situation {
  const { passed: _, ...seen } = settled(runs);
  const live = withMarks({ ...seen, artifacts: artifactsOf(desired) }, desired, memory);
  const given: Situation = {
    desired,
    live,
    plan: plan(desired, live),
    memory,
    gates: [],
    adopts: false,
    observes: false,
    now: NOW,
    ...more,
  };
  return given;
}

const ONE = succeeded(environment(A), 1);
const rest = (): Situation => situation(environment(A), remembered(...ONE), environment(A));
const bump = (more: Partial<Situation> = {}, ...events: readonly Durable[]): Situation =>
  situation(environment(B), remembered(...ONE, arrived(environment(B)), ...events), environment(A), more);
const hold = (until?: number): Environment =>
  environment(B, { hold: { reason: "freeze", ...(until === undefined ? {} : { until }) } });
const BLOCKED = { gate: "promotedFrom", state: "blocked", why: "staging is not managed" } as const;
const WAITING = { gate: "promotedFrom", state: "waiting", why: "staging has not passed" } as const;

describe("Nothing starts", () => {
  test.each<[string, Situation, object]>([
    [
      "where history was rewritten",
      bump({ halted: { code: "history-rewritten", message: "history was rewritten" } }),
      { kind: "blocked", code: "history-rewritten" },
    ],
    ["where a gate blocks", bump({ gates: [BLOCKED] }), { kind: "blocked", why: BLOCKED.why }],
    ["where a gate waits", bump({ gates: [WAITING] }), { kind: "wait" }],
    ["where a blocked gate stands beside a waiting one", bump({ gates: [WAITING, BLOCKED] }), { kind: "blocked" }],
    [
      "where nobody has adopted what runs",
      situation(environment(B), remembered(arrived(environment(B))), environment(A)),
      { kind: "wait" },
    ],
    ["by a controller that only observes", bump({ observes: true }), { kind: "wait" }],
  ])("%s", (_, given, decision) => {
    expect(decide(given)).toMatchObject(decision);
  });

  test("while a hold is in force, and it says until when", () => {
    const memory = remembered(...ONE, arrived(hold()));
    expect(decide(situation(hold(), memory, environment(A)))).toMatchObject({ kind: "wait" });
    const until = NOW + 60_000;
    expect(decide(situation(hold(until), memory, environment(A)))).toEqual({
      kind: "wait",
      until: Instant.of(until),
      why: "on hold: freeze (until 2023-11-14T22:14:20.000Z); bbbbbbb waits",
    });
  });

  test("when what cannot be read is of the world, and waits instead of asking a person", () => {
    const throttled = { code: "throttled", message: "slow down" } as const;
    const given = bump();
    expect(decide({ ...given, plan: { ...given.plan, blockers: [throttled] } })).toMatchObject({
      kind: "wait",
      code: "throttled",
    });
    const denied = { code: "denied", message: "not allowed" } as const;
    expect(decide({ ...given, plan: { ...given.plan, blockers: [denied, throttled] } })).toMatchObject({
      kind: "blocked",
      code: "denied",
      why: "not allowed (and 1 more)",
    });
  });

  test("on a reading of Git that is older than the journal's", () => {
    const given = situation(environment(B), remembered(...ONE, arrived(environment(C))), environment(A));
    expect(decide(given)).toMatchObject({ kind: "wait" });
  });

  test("while the outcome of a migration is unknown, and it says how to answer", () => {
    const events = [started(environment(B), 2), ...migrated(KEY, 2, "unknown"), failedAt(2, "migrate/schema", false)];
    expect(decide(bump({}, ...events))).toMatchObject({
      kind: "blocked",
      code: "migration-unknown",
      next: "check the database, then `lockstep resolve shop/prod --migration applied|not-applied`",
    });
  });
});

describe("What may start does", () => {
  test("a bump", () => {
    expect(decide(bump())).toEqual({ kind: "act", as: "release", target: "desired", why: "aaaaaaa → bbbbbbb" });
  });

  test("a bump whose hold has run out", () => {
    const desired = hold(NOW - 1);
    const given = situation(desired, remembered(...ONE, arrived(desired)), environment(A));
    expect(decide(given)).toMatchObject({ kind: "act", target: "desired" });
  });

  test("the first release once a person allowed it, or the operator did for all", () => {
    const first = (more: Partial<Situation>, ...events: readonly Durable[]): Situation =>
      situation(environment(B), remembered(arrived(environment(B)), ...events), environment(A), more);
    expect(decide(first({}, { type: "release-requested", ...NUDGE }))).toMatchObject({ kind: "act" });
    expect(decide(first({ adopts: true }))).toMatchObject({ kind: "act" });
  });

  test("a way back, and it is called that", () => {
    const memory = remembered(...ONE, ...succeeded(environment(B), 2), arrived(environment(A)));
    const given = situation(environment(A), memory, environment(B));
    expect(given.plan.direction).toBe("back");
    expect(decide(given)).toMatchObject({ kind: "act", why: "bbbbbbb → aaaaaaa (back)" });
  });
});

describe("A release that has started goes on", () => {
  const open = [started(environment(B), 2), ...deployed(environment(B), 2)];

  test.each<[string, Partial<Situation>]>([
    ["though a gate blocks now", { gates: [BLOCKED] }],
    ["though history was rewritten since", { halted: { code: "history-rewritten", message: "history was rewritten" } }],
  ])("%s", (_, more) => {
    expect(decide(bump(more, ...open))).toMatchObject({ kind: "act", as: "release", target: "desired" });
  });

  test("though it is held since", () => {
    const given = situation(hold(), remembered(...ONE, arrived(hold()), ...open), environment(A));
    expect(decide(given)).toMatchObject({ kind: "act", as: "release", target: "desired" });
  });

  const newer = (more: Partial<Situation>, ...events: readonly Durable[]): Situation => {
    const memory = remembered(...ONE, arrived(environment(B)), ...events, arrived(environment(C)));
    return situation(environment(C), memory, environment(A), more);
  };

  test("until a newer one may start, which takes its place", () => {
    expect(decide(newer({}, ...open))).toMatchObject({ kind: "act", target: "desired" });
  });

  test("while a newer one waits for its gate", () => {
    expect(decide(newer({ gates: [WAITING] }, ...open))).toMatchObject({ kind: "act", as: "release", target: "open" });
  });

  test("as far as its started migration, before a newer one takes its place", () => {
    const steps: readonly Step[] = [
      { kind: "migrate", migration: SCHEMA, key: KEY, image: digest("migration/schema", B), why: "" },
    ];
    const given = newer({}, started(environment(B), 2, { steps }), ...migrated(KEY, 2));
    expect(decide(given)).toMatchObject({ kind: "act", target: "open", only: "started-migrations" });
    expect(startedMigrations(given.memory)).toEqual(steps);
  });

  test("as far as its started migration, whatever else stands in its way", () => {
    const steps: readonly Step[] = [
      { kind: "migrate", migration: SCHEMA, key: KEY, image: digest("migration/schema", B), why: "" },
    ];
    const given = bump({}, started(environment(B), 2, { steps }), ...migrated(KEY, 2));
    const missing = { code: "artifact-missing", message: "no image" } as const;
    const blocked = { ...given, plan: { ...given.plan, blockers: [missing] } };
    expect(decide(blocked)).toMatchObject({ kind: "act", target: "open", only: "started-migrations" });
  });

  test("but is ended when Git takes it back before it wrote anything", () => {
    const memory = remembered(...ONE, arrived(environment(B)), started(environment(B), 2), arrived(environment(A)));
    const given = situation(environment(A), memory, environment(A));
    expect(given.plan.steps).toEqual([]);
    expect(decide(given)).toMatchObject({ kind: "act", as: "release", target: "desired" });
  });

  test("with other digests only when another release may start, because that is what it would be", () => {
    const artifacts = { "service/api": digest("service/api", C) };
    const rebuilt = [started(environment(B), 2, { artifacts }), ...deployed(environment(B), 2)];
    expect(decide(bump({}, ...rebuilt))).toMatchObject({ kind: "act", target: "desired" });
    expect(decide(bump({ gates: [WAITING] }, ...rebuilt))).toMatchObject({ kind: "blocked", code: "artifact-rebuilt" });
    expect(decide(bump({}, ...rebuilt, ...migrated(KEY, 2)))).toMatchObject({ kind: "act", target: "desired" });
  });

  test("but not into what a person must answer first", () => {
    expect(decide(bump({}, ...open, ...migrated(KEY, 2, "unknown")))).toMatchObject({ code: "migration-unknown" });
  });
});

describe("A release that failed", () => {
  const failing = [started(environment(B), 2), ...deployed(environment(B), 2), failedAt(2, "deploy/api", true)];

  test("is undone before anything else, held or not", () => {
    expect(decide(bump({}, ...failing))).toMatchObject({ kind: "act", as: "rollback", target: "good" });
    expect(decide(bump({ halted: { code: "history-rewritten", message: "rewritten" } }, ...failing))).toMatchObject({
      kind: "act",
      as: "rollback",
    });
  });

  test("is not undone when it had nothing to undo", () => {
    const nothing = [started(environment(B), 2), ...migrated(KEY, 2, "failed"), failedAt(2, "migrate/schema", false)];
    expect(decide(bump({}, ...nothing))).toMatchObject({ kind: "blocked", code: "deployment-failed" });
  });

  test("gives way to something newer instead of being undone", () => {
    const memory = remembered(...ONE, arrived(environment(B)), ...failing, arrived(environment(C)));
    expect(decide(situation(environment(C), memory, environment(A)))).toMatchObject({
      as: "release",
      target: "desired",
    });
  });

  const undone = [
    ...failing,
    started(environment(A), 3, { kind: "rollback", direction: "back", undoes: 2 }),
    passed(environment(A), 3),
    { type: "release-succeeded", release: 3 } as const,
  ];

  test("is remembered, and says what can be done", () => {
    const decision = decide(bump({}, ...undone));
    expect(decision).toMatchObject({ kind: "blocked", code: "deployment-failed" });
    expect(decision.why).toContain("rolled back to aaaaaaa. Git still says bbbbbbb");
    expect(decision).toHaveProperty("next", expect.stringContaining("lockstep retry shop/prod"));
  });

  test.each<[string, Durable]>([
    ["a retry", { type: "retry-requested", fingerprint: environment(B).fingerprint, ...NUDGE }],
    ["a later commit that brings it back", arrived(environment(B))],
  ])("is tried again after %s", (_, event) => {
    expect(decide(bump({}, ...undone, event))).toMatchObject({ kind: "act", as: "release", target: "desired" });
  });

  test("does not keep an edit of what is not released from waiting for a person", () => {
    const edited = environment(B, { drift: "repair", onFailure: "stop", url: "https://shop.example" });
    const memory = remembered(...ONE, arrived(environment(B)), ...undone);
    expect(decide(situation(edited, memory, environment(A)))).toMatchObject({ kind: "blocked" });
  });

  test("and whose rollback failed asks for a person and is never rolled back again", () => {
    const worse = [
      ...failing,
      started(environment(A), 3, { kind: "rollback", direction: "back", undoes: 2 }),
      failedAt(3, "deploy/api", false),
    ];
    const decision = decide(bump({}, ...worse));
    expect(decision).toMatchObject({ kind: "blocked" });
    expect(decision.why).toContain("the rollback failed too: ECS gave up");
  });
});

describe("At rest", () => {
  test("it rests", () => {
    expect(decide(rest())).toEqual({ kind: "rest", why: "healthy on aaaaaaa" });
  });

  test("a tag that was deleted since does not unmake what is healthy", () => {
    const given = rest();
    const missing = { code: "artifact-missing", message: "no image" } as const;
    expect(decide({ ...given, plan: { ...given.plan, blockers: [missing] } })).toMatchObject({ kind: "rest" });
  });

  const drifted = (drift: Environment["drift"], ...events: readonly Durable[]): Situation => {
    const desired = environment(A, { drift });
    const memory = remembered(...succeeded(desired, 1), ...events);
    const given = situation(desired, memory, desired);
    const now = given.live.services.get(API);
    if (now?.state !== "present") throw new Error("it is present");
    const live = {
      ...given.live,
      services: new Map(given.live.services).set(API, { ...now, version: version("api", C) }),
    };
    return { ...given, live, plan: plan(desired, live) };
  };

  test.each([
    ["report", { kind: "rest" }],
    ["ignore", { kind: "rest", why: "drift is ignored here" }],
    ["repair", { kind: "act", as: "repair", target: "desired" }],
  ] as const)("drift under `drift: %s`", (drift, decision) => {
    expect(decide(drifted(drift))).toMatchObject(decision);
  });

  test("drift is repaired whatever the manifest says when a person asks", () => {
    expect(decide(drifted("report", { type: "repair-requested", ...NUDGE }))).toMatchObject({ as: "repair" });
  });

  test("drift is repaired three times an hour, and then only reported", () => {
    const repairs = [2, 3, 4].flatMap((release): readonly Durable[] => [
      started(environment(A, { drift: "repair" }), release, { kind: "repair" }),
      passed(environment(A, { drift: "repair" }), release),
      { type: "release-succeeded", release },
    ]);
    const given = drifted("repair", ...repairs);
    expect(decide(given)).toMatchObject({ kind: "rest" });
    expect(decide({ ...given, now: Instant.plus(NOW, 2 * 3_600_000) })).toMatchObject({ kind: "act", as: "repair" });
  });

  test("somebody else's deployment is judged when it has settled", () => {
    const given = drifted("repair");
    const now = given.live.services.get(API);
    if (now?.state !== "present") throw new Error("it is present");
    const rollout = { state: "moving", since: NOW, failedTasks: 0, to: version("api", C) } as const;
    const live = { ...given.live, services: new Map(given.live.services).set(API, { ...now, rollout }) };
    expect(decide({ ...given, live, plan: plan(given.desired, live) })).toMatchObject({ kind: "wait" });
  });

  test("nothing is repaired while it is held, not even when a person asks", () => {
    for (const given of [drifted("repair"), drifted("report", { type: "repair-requested", ...NUDGE })]) {
      const held = { ...given, desired: { ...given.desired, hold: { reason: "freeze" } } };
      expect(decide(held)).toMatchObject({ kind: "wait", why: expect.stringMatching(/^on hold: freeze/) });
    }
  });

  test("nothing is repaired by a controller that only observes", () => {
    expect(decide({ ...drifted("repair"), observes: true })).toMatchObject({ kind: "rest" });
  });
});

test("Waiting ends when the last gate says so, and only if each of them knows", () => {
  const gate = (until?: number): Situation["gates"][number] => ({
    ...WAITING,
    ...(until === undefined ? {} : { until: Instant.of(until) }),
  });
  expect(decide(bump({ gates: [gate(NOW + 5), gate(NOW + 9)] }))).toMatchObject({ until: NOW + 9 });
  expect(decide(bump({ gates: [gate(NOW + 5), gate()] }))).not.toHaveProperty("until");
});
