// How lines of the story look: the sentence, the call it was checked with, and what came back.
import { expect, test } from "vitest";
import { farewell, helpLines, pending, toldLines } from "../../controller/cli/view-demo.ts";
import { Instant } from "../../controller/core/brand.ts";
import type { Line } from "../../controller/core/paint.ts";
import { paint } from "../../controller/core/paint.ts";
import type { StatusDocument } from "../../controller/core/status.ts";
import type { Told } from "../../controller/core/told.ts";
import { clockTime, imageName, revision } from "../../controller/demo/evidence.ts";
import { isHeld, shaIn, withHold, withoutHold, withSha } from "../../controller/demo/manifests.ts";

const [A, B] = ["a".repeat(40), "b".repeat(40)];
const plain = (lines: readonly Line[]): string => paint(lines, { colour: false, unicode: true });
const describe = {
  by: "aws ecs describe-services --cluster prod --services api",
  found: "task definition lockstep-shop-prod-api:3 (shop/api@sha256:1f2e3d4c5b6a…) 2/2 COMPLETED",
};
const untrue: Told & { kind: "untrue" } = {
  kind: "untrue",
  sentence: "prod runs 9f2c1ab",
  expected: "the image of 9f2c1ab",
  why: "it had not come true after 30 s",
  evidence: [describe],
  tookMs: 30_012,
  environment: "shop/prod",
};

test("a true line names the call and what came back, on one line where it is not a terminal", () => {
  const told: Told = { kind: "true", sentence: "prod runs 9f2c1ab", evidence: [describe], tookMs: 6240 };
  expect(plain(toldLines(told))).toBe(`  ✔ prod runs 9f2c1ab  6.2s\n      ${describe.by} → ${describe.found}\n`);
});

test("on a terminal a call whose answer does not fit is broken before the answer", () => {
  const told: Told = { kind: "true", sentence: "prod runs 9f2c1ab", evidence: [describe], tookMs: 0 };
  expect(plain(toldLines(told, 100))).toContain(`      ${describe.by}\n       → ${describe.found}\n`);
});

test("an untrue line says what was expected, what was found, by which call, and why nobody waits any more", () => {
  expect(plain(toldLines(untrue))).toBe(
    [
      "  ✖ prod runs 9f2c1ab  30.0s",
      "      expected  the image of 9f2c1ab",
      `      found     ${describe.found}`,
      `                by ${describe.by}`,
      "      given up  it had not come true after 30 s",
      "",
    ].join("\n"),
  );
});

test("the controller's own words stand apart from the evidence, and only for the environment in question", () => {
  const status: StatusDocument = {
    schema: "lockstep/v1",
    at: Instant.of(0),
    repositories: [],
    environments: [
      {
        id: "shop/prod",
        application: "shop",
        environment: "prod",
        state: "blocked",
        why: "denied: UpdateService",
        next: "Grant the action.",
        services: [],
        webs: [],
        differences: [],
        problems: [],
      },
    ],
  };
  expect(plain(helpLines(untrue, status))).toBe(
    "\nThe controller's own words, as a help:\n  ▲ shop/prod  denied: UpdateService\n    next: Grant the action.\n",
  );
  expect(helpLines({ ...untrue, environment: "shop/dev" }, status)).toEqual([]);
});

test("a claim under way has a line only where lines can be redrawn", () => {
  expect(toldLines({ kind: "claim", sentence: "dev runs 9f2c1ab" })).toEqual([]);
  expect(plain([pending("dev runs 9f2c1ab")])).toBe("  ● dev runs 9f2c1ab …\n");
});

test("the end counts the lines and leads to a real account", () => {
  expect(plain(toldLines({ kind: "end", lines: 25, tookMs: 39_214 }))).toBe("\n✔ All 25 lines came true in 39.2s.\n");
  expect(plain(farewell())).toContain("serve --observe");
});

test.each([
  [
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api@sha256:1f2e3d4c5b6a7988" + "0".repeat(48),
    "shop/api@sha256:1f2e3d4c5b6a…",
  ],
  [`111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api:${A}`, `shop/api:${A}`],
])("%s is shown as %s", (image, shown) => expect(imageName(image)).toBe(shown));

test("task definitions and times are shown short, and what is missing as such", () => {
  const arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/lockstep-shop-prod-api:3";
  expect(revision(arn)).toBe("lockstep-shop-prod-api:3");
  expect(revision(undefined)).toBe("none");
  expect(clockTime(new Date("2026-11-21T11:42:02.310Z"))).toBe("11:42:02.310");
  expect(clockTime(undefined)).toBe("never");
});

test("a bump, a hold and its removal each change one line of a manifest and nothing else", () => {
  const manifest = `sha: ${A} # from CI\nservices:\n  api: { count: 2 }\ndrift: repair\n`;
  expect(withSha(manifest, B)).toBe(manifest.replace(A, B));
  expect(shaIn(withSha(manifest, B))).toBe(B);
  const held = withHold(manifest, "INC-4711: checkout errors");
  expect(held).toBe(`${manifest}hold: { reason: "INC-4711: checkout errors" }\n`);
  expect([isHeld(manifest), isHeld(held)]).toEqual([false, true]);
  expect(withoutHold(held)).toBe(manifest);
});
