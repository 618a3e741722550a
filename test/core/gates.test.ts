import { describe, expect, test } from "vitest";
import { EnvironmentName } from "../../controller/core/brand.ts";
import type { Neighbour } from "../../controller/core/gates.ts";
import { verdicts } from "../../controller/core/gates.ts";
import { A, B, C, environment } from "./shop.ts";

const STAGING = EnvironmentName.parse("staging");
const DESIRED = environment(B, { gates: { promotedFrom: [STAGING] } });

function judged(staging: Partial<Neighbour> | undefined, wasHealthyHere = false) {
  const known: Neighbour = { name: STAGING, everHealthy: new Set(), ...staging };
  const neighbours = staging === undefined ? new Map() : new Map([[STAGING, known]]);
  return verdicts({ desired: DESIRED, neighbours, wasHealthyHere })[0];
}

describe("promotedFrom", () => {
  test.each<[string, Partial<Neighbour> | undefined, object]>([
    ["blocks where the previous environment is not managed", undefined, { state: "blocked" }],
    [
      "waits while it is not healthy",
      {},
      { state: "waiting", why: "bbbbbbb has not been healthy in staging (staging is not healthy now)" },
    ],
    ["waits while it is healthy on something older", { healthy: A, descends: false }, { state: "waiting" }],
    ["waits while nobody can tell whether it contains the commit", { healthy: C }, { state: "waiting" }],
    [
      "waits once it was healthy and is no longer",
      { everHealthy: new Set([B]) },
      { state: "waiting", why: "bbbbbbb is no longer healthy in staging (staging is not healthy now)" },
    ],
    [
      "waits while it passed another application.yaml",
      { healthy: B, shared: false },
      { state: "waiting", why: "staging has not passed this application.yaml yet" },
    ],
    [
      "waits while a descendant passed another application.yaml",
      { healthy: C, descends: true, shared: false },
      { state: "waiting" },
    ],
    [
      "passes when it is healthy on this commit",
      { healthy: B, shared: true },
      { state: "passed", why: "staging is healthy on bbbbbbb" },
    ],
    ["passes when it is healthy on a descendant", { healthy: C, descends: true }, { state: "passed" }],
  ])("%s", (_, staging, verdict) => {
    expect(judged(staging)).toMatchObject({ gate: "promotedFrom", ...verdict });
  });

  test("passes for a commit that was healthy here before, whatever the previous environment is", () => {
    expect(judged(undefined, true)).toMatchObject({ state: "passed" });
  });

  test("is judged for each environment of the previous rank", () => {
    const desired = environment(B, { gates: { promotedFrom: [STAGING, EnvironmentName.parse("canary")] } });
    expect(verdicts({ desired, neighbours: new Map(), wasHealthyHere: false })).toHaveLength(2);
  });

  test("says nothing where the manifest asks for no promotion", () => {
    expect(verdicts({ desired: environment(B), neighbours: new Map(), wasHealthyHere: false })).toEqual([]);
  });
});
