import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Digest, Instant, MigrationName, NO_SHA, ServiceName, WebName } from "../../controller/core/brand.ts";
import {
  ago,
  clears,
  count,
  describeDecision,
  describeDifference,
  describeOutcome,
  describePlan,
  describeStep,
  duration,
  journey,
  moment,
  stepIdName,
  stepName,
  stepPosition,
} from "../../controller/core/describe.ts";
import type { Event } from "../../controller/core/event.ts";
import { attention, nextFor, STATES } from "../../controller/core/looks.ts";
import { about, narrate, weight } from "../../controller/core/narrate.ts";
import { stepId } from "../../controller/core/step.ts";
import {
  blocked,
  converging,
  DONE,
  drifted,
  EXIT_ONE,
  failed,
  healthy,
  NEW,
  NOW,
  OLD,
  release,
  STEPS,
  steps,
  waiting,
} from "../cli/shop.ts";

test.each([
  [0, "0ms"],
  [-5, "0ms"],
  [999, "999ms"],
  [1000, "1s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [346_000, "5m46s"],
  [3_600_000, "1h"],
  [4_320_000, "1h12m"],
  [86_400_000, "1d"],
  [273_600_000, "3d4h"],
])("%i ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("a duration never sounds longer than it is, and loses less than one part in twenty", () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e11 }), (ms) => {
      const said = [...duration(ms).matchAll(/(\d+)(ms|[smhd])/g)].reduce(
        (sum, [, number, unit]) => sum + Number(number) * units[unit as keyof typeof units],
        0,
      );
      expect(said).toBeLessThanOrEqual(ms);
      expect(ms - said).toBeLessThanOrEqual(Math.max(1000, ms / 20));
    }),
  );
});

test("times are relative in text and exact in records", () => {
  expect(ago(NOW, NOW)).toBe("just now");
  expect(ago(Instant.plus(NOW, 5000), NOW)).toBe("just now");
  expect(ago(Instant.plus(NOW, -720_000), NOW)).toBe("12m ago");
  expect(moment(NOW)).toBe("2026-10-30 14:20:10 UTC");
  expect(clears(Instant.plus(NOW, 2_880_000), NOW)).toBe("in 48m, at 15:08 UTC");
  expect(clears(Instant.plus(NOW, 2 * 86_400_000), NOW)).toBe("in 2d, at 2026-11-01 14:20 UTC");
  expect(clears(NOW, NOW)).toBe("now");
  expect([count(0, "step"), count(1, "step"), count(2, "step")]).toEqual(["0 steps", "1 step", "2 steps"]);
});

test("a journey says where from only when that is known and another place", () => {
  expect(journey(OLD, NEW)).toBe("4b825dc → 9f2c1ab");
  expect(journey(undefined, NEW)).toBe("9f2c1ab");
  expect(journey(NEW, NEW)).toBe("9f2c1ab");
  expect(journey(NO_SHA, NEW)).toBe("what ran before → 9f2c1ab");
});

test("every step has a name, the same by its id, and says its calls", () => {
  const prune = { kind: "prune", web: WebName.parse("site"), why: "assets of old releases end with them" } as const;
  expect([...STEPS, prune].map((step) => `${stepName(step)}: ${describeStep(step)}`).join("\n")).toMatchInlineSnapshot(`
    "artifacts: read 2 artifacts again: service/api sha256:aaaaaaaaaaaa, web/site sha256:cccccccccccc
    migrate: ecs:RunTask, one task with image sha256:aaaaaaaaaaaa; nothing else changes unless it exits 0
    stage site: s3:CopyObject of the files that site lacks, from release sha256:cccccccccccc; nothing is replaced
    deploy api: ecs:RegisterTaskDefinition with image sha256:aaaaaaaaaaaa unless registered, ecs:UpdateService
    publish site: s3:CopyObject of the files that differ, index.html last; then s3:DeleteObjects of what the release lacks
    invalidate site: cloudfront:CreateInvalidation of the paths that change
    health: ask every health check until all stay green
    prune site: s3:DeleteObjects of assets whose releases are no longer kept"
  `);
  for (const step of [...STEPS, prune]) expect(stepIdName(stepId(step))).toBe(stepName(step));
});

test("a deployment says what of a service it changes", () => {
  const [deploy] = STEPS.flatMap((step) => (step.kind === "deploy" ? [step] : []));
  if (deploy === undefined) throw new Error("the shop deploys");
  const { image: _, ...back } = deploy;
  expect(describeStep({ ...deploy, changes: ["count"] })).toBe("ecs:UpdateService: count");
  expect(describeStep({ ...deploy, changes: ["version", "count"] })).toContain("ecs:UpdateService with count");
  expect(describeStep(back)).toBe("ecs:UpdateService back to a recorded task definition");
});

test("every difference says what is live first and what Git says last", () => {
  const digest = Digest.parse(`sha256:${"a".repeat(64)}`);
  const [web, service, migration] = [WebName.parse("site"), ServiceName.parse("api"), MigrationName.parse("migrate")];
  expect(
    [
      { kind: "service", service, field: "count", live: "1", desired: "2" },
      { kind: "migration", migration, live: "absent", desired: "passed" },
      { kind: "web", web, live: "nothing published", desired: digest },
      { kind: "invalidation", web, live: "never", desired: "0123" },
      { kind: "health", live: "never proven", desired: digest },
    ].map((one) => describeDifference(one as Parameters<typeof describeDifference>[0])),
  ).toMatchInlineSnapshot(`
    [
      "api count 1 → 2",
      "migrate migration absent → passed",
      "site page nothing published → sha256:aaaaaaaaaaaa",
      "site is published and its CloudFront cache is not invalidated yet",
      "health has not been proven for what Git says",
    ]
  `);
});

test("every outcome is said", () => {
  expect(describeOutcome(DONE)).toBe("done");
  expect(describeOutcome({ status: "done", note: "draining 3 old tasks" })).toBe("done: draining 3 old tasks");
  expect(describeOutcome(EXIT_ONE)).toBe("failed: migrate exited 1 after 38s");
  for (const by of ["superseded", "shutdown", "timeout", "fenced", "aborted"] as const) {
    expect(describeOutcome({ status: "cancelled", by })).toMatch(/^(left|ended)/);
  }
});

test("every decision is said, a wait with the time it clears", () => {
  const why = "soak 1h12m of 2h in staging";
  expect(describeDecision({ kind: "rest", why: "healthy on 9f2c1ab" }, NOW)).toBe("healthy on 9f2c1ab");
  expect(describeDecision({ kind: "act", as: "rollback", target: "good", why: "#12 failed" }, NOW)).toBe(
    "rolls back: #12 failed",
  );
  expect(describeDecision({ kind: "wait", why }, NOW)).toBe(`waits: ${why}`);
  expect(describeDecision({ kind: "wait", why, until: Instant.plus(NOW, 2_880_000) }, NOW)).toBe(
    `waits: ${why}; clears in 48m, at 15:08 UTC`,
  );
  expect(describeDecision({ kind: "blocked", why: "halted", next: "accept" }, NOW)).toBe("blocked: halted");
});

test("a plan is summed up in one line", () => {
  expect(describePlan([], "forward")).toBe("No changes: live is what Git says.");
  expect(describePlan(STEPS, "forward")).toBe("Plan: 1 migration, 1 service to deploy, 1 page to publish; 7 steps.");
  expect(describePlan(STEPS, "back")).toMatch(/^Plan \(back\): /);
});

test("a release says at which step it is", () => {
  expect(stepPosition(release())).toBe("step 4 of 7: deploy api");
  expect(stepPosition(release({ steps: steps([], false) }))).toBeUndefined();
});

describe("the nine states", () => {
  test("differ in shape, in ASCII shape and in word", () => {
    const looks = Object.values(STATES);
    expect(looks).toHaveLength(9);
    for (const part of ["symbol", "ascii", "word"] as const)
      expect(new Set(looks.map((look) => look[part])).size).toBe(9);
  });

  test("need somebody in the order of urgency, a broken manifest before all", () => {
    const broken = healthy("dev", { problems: ["environments/dev.yaml:1:1 x"] });
    const all = [healthy("a"), converging("b"), waiting("c"), drifted("d"), blocked("e"), failed("f"), broken];
    expect(attention(all).map(({ environment }) => environment)).toEqual(["dev", "f", "e", "d", "c"]);
  });

  test("name the next command where somebody has to do something", () => {
    expect(nextFor(drifted("dev"))).toContain("`lockstep repair shop/dev`");
    expect(nextFor(failed("dev"))).toContain("`lockstep retry shop/dev`");
    expect(nextFor(healthy("dev"))).toBeUndefined();
  });
});

describe("events", () => {
  const ephemeral = (event: Extract<Event, { durable: false }>["event"]): Event => ({
    durable: false,
    stream: "environment/shop/prod",
    at: NOW,
    event,
  });
  const durable = (event: Extract<Event, { durable: true }>["record"]["event"]): Event => ({
    durable: true,
    stream: "environment/shop/prod",
    record: { v: 1, sequence: 1, at: NOW, writer: "w", epoch: 1, nonce: "n", event },
  });
  const by = { actor: "mia", reason: "quota was raised" };

  test.each<readonly [Event, string, ReturnType<typeof weight>]>([
    [
      ephemeral({ type: "progress", release: 12, step: "deploy/api", text: "1 of 2" }),
      "#12 deploy api: 1 of 2",
      "detail",
    ],
    [
      ephemeral({ type: "trouble", where: "ecs", fault: { code: "throttled", message: "ECS asked to slow down" } }),
      "ecs: ECS asked to slow down",
      "world",
    ],
    [
      ephemeral({ type: "manifest-invalid", problems: ["a.yaml:1:1 x", "a.yaml:2:1 y"] }),
      "manifest invalid, nothing of it is applied: a.yaml:1:1 x (and 1 more)",
      "author",
    ],
    [
      ephemeral({ type: "decided", decision: "blocked", why: "no role", code: "denied", next: "grant it" }),
      "blocked: no role; next: grant it",
      "operator",
    ],
    [
      durable({ type: "retry-requested", fingerprint: Digest.parse(`sha256:${"a".repeat(64)}`), ...by }),
      "retry asked for by mia: quota was raised",
      "news",
    ],
    [
      durable({ type: "step-settled", release: 12, step: "migrate/migrate", outcome: EXIT_ONE }),
      "#12 migrate failed: migrate exited 1 after 38s",
      "author",
    ],
    [
      durable({
        type: "release-failed",
        release: 12,
        step: "deploy/api",
        code: "no-capacity",
        message: "no room",
        undone: true,
      }),
      "#12 failed at deploy api: no room; the last good release is put back",
      "world",
    ],
    [durable({ type: "lease", ttlMs: 60_000, released: true }), "lease released", "detail"],
    [durable({ type: "drift-cleared" }), "drift is gone: live is what Git says", "news"],
  ])("%#: says %s", (event, text, weighs) => {
    expect(narrate(event)).toBe(text);
    expect(weight(event)).toBe(weighs);
    expect(about(event)).toBe("shop/prod");
  });
});
