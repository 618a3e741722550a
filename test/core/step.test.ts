import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Direction, Step, StepKind } from "../../controller/core/step.ts";
import { INTERRUPTIBLE, RANK, stepId, subject, waves, WRITES } from "../../controller/core/step.ts";
import { A, API, digest, SCHEMA, SITE, version, WORKER } from "./shop.ts";

const image = digest("service/api", A);
const why = "a test";
const migrate = (name: string): Step => ({ kind: "migrate", migration: name as never, key: image, image, why });
const deploy = (service: typeof API): Step => ({
  kind: "deploy",
  service,
  from: version(service, A),
  image,
  key: image,
  settings: image,
  changes: ["version"],
  why,
});

const STEPS: readonly Step[] = [
  { kind: "verify", artifacts: [], why },
  migrate(SCHEMA),
  migrate("content"),
  { kind: "stage", web: SITE, digest: image, why },
  deploy(API),
  deploy(WORKER),
  { kind: "publish", web: SITE, digest: image, why },
  { kind: "invalidate", web: SITE, why },
  { kind: "health", fingerprint: image, why },
  { kind: "prune", web: SITE, why },
];

const some = fc.shuffledSubarray([...STEPS]);
const direction = fc.constantFrom<Direction>("forward", "back");
const kinds = (steps: readonly (readonly Step[])[]): readonly StepKind[] =>
  steps.flatMap((wave) => (wave[0] === undefined ? [] : [wave[0].kind]));

describe("Waves", () => {
  test("hold every step exactly once", () => {
    fc.assert(
      fc.property(some, direction, (steps, towards) => {
        const flat = waves(steps, towards).flat();
        expect(flat.map(stepId).sort()).toEqual(steps.map(stepId).sort());
      }),
    );
  });

  test("come in the order of their ranks, and no wave mixes ranks", () => {
    fc.assert(
      fc.property(some, direction, (steps, towards) => {
        const ranks = waves(steps, towards).map((wave) => [...new Set(wave.map(({ kind }) => RANK[towards][kind]))]);
        expect(ranks.every((rank) => rank.length === 1)).toBe(true);
        const flat = ranks.flat();
        expect(flat).toEqual(flat.toSorted((a, b) => a - b));
      }),
    );
  });

  test("run migrations one at a time, in the order of the manifest", () => {
    const found = waves([migrate("content"), migrate(SCHEMA), deploy(API)], "forward");
    expect(found.map((wave) => wave.map(stepId))).toEqual([["migrate/content"], ["migrate/schema"], ["deploy/api"]]);
  });

  test("of no steps are none", () => {
    expect(waves([], "forward")).toEqual([]);
  });

  test("going forward move the API before the page that needs it", () => {
    expect(kinds(waves(STEPS, "forward"))).toEqual(
      "verify migrate migrate stage deploy publish invalidate health prune".split(" "),
    );
  });

  test("going back move the page before the API it needs", () => {
    expect(kinds(waves(STEPS, "back"))).toEqual(
      "verify migrate migrate stage publish invalidate deploy health prune".split(" "),
    );
  });
});

describe("A step", () => {
  test("has an id of its own in a plan", () => {
    expect(new Set(STEPS.map(stepId)).size).toBe(STEPS.length);
  });

  test.each(STEPS.map((step) => [stepId(step), step] as const))("%s names its subject in its id", (id, step) => {
    const about = subject(step);
    expect(id).toBe(about === undefined ? step.kind : `${step.kind}/${about}`);
  });

  test("that writes to a database or to what readers see is never cut short, but for a deployment", () => {
    const cut = Object.entries(WRITES).filter(([kind, writes]) => writes && INTERRUPTIBLE[kind as StepKind]);
    expect(cut.map(([kind]) => kind)).toEqual(["stage", "deploy", "prune"]);
  });
});
