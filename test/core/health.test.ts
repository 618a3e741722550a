import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import { isVersionOf, type Sample, valueAt, verdict } from "../../controller/core/health.ts";

const start = Date.UTC(2026, 2, 1);
const at = (second: number): Instant => Instant.of(start + second * 1000);
/** `g` green, `r` red, one letter a second. */
const samples = (letters: string): readonly Sample[] =>
  letters.split("").map((letter, second) => ({
    at: at(second),
    green: letter === "g",
    what: letter === "g" ? "200" : "503",
  }));
const health = { forMs: 3_000, timeoutMs: 10_000 };
const judge = (letters: string) => verdict(samples(letters), health, at(Math.max(0, letters.length - 1)));

describe("the verdict", () => {
  it("waits before the first sample", () => {
    expect(verdict([], health, at(0))).toEqual({ state: "waiting", greenMs: 0 });
  });

  it.each([
    ["gggg", "passed"],
    ["ggg", "waiting"],
    ["rrgggg", "passed"],
    ["gggrggg", "waiting"],
    ["rrrrrrrrrrr", "failed"],
    ["rrrrrrrrggg", "failed"],
  ])("of %s is %s", (letters, state) => expect(judge(letters).state).toBe(state));

  it("says what came last, or what came before green was too short", () => {
    expect(judge("rrrrrrrrrrr")).toEqual({ state: "failed", why: "not green within 10 s; last answer 503" });
    expect(judge("rrrrrrrrggg")).toEqual({ state: "failed", why: "green for only 2 s of 3 s; before that 503" });
  });

  it("passes on one green sample when nothing longer is asked for", () => {
    expect(verdict(samples("g"), { forMs: 0, timeoutMs: 1000 }, at(0))).toEqual({ state: "passed" });
  });

  it("never passes with a sample that is not green in the window", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("g", "r"), minLength: 1, maxLength: 30 }), (letters) => {
        if (judge(letters).state === "passed") expect(letters).toMatch(/g{4}$/);
      }),
    );
  });
});

describe("a version", () => {
  const sha = "9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01";

  it.each([
    ["$.sha", { sha: "x" }, "x"],
    ["$.build.git-sha", { build: { "git-sha": "x" } }, "x"],
    ["$.items[1]['a b']", { items: [0, { "a b": "x" }] }, "x"],
    ["$", "x", "x"],
    ["$.sha.length", { sha: "x" }, undefined],
    ["$.constructor", {}, undefined],
    ["$.a..b", { a: 1 }, undefined],
    ["sha", { sha: "x" }, undefined],
  ])("at %s is found by its own keys only", (path, json, value) => expect(valueAt(json, path)).toBe(value));

  it("is the whole SHA or at least seven digits of it", () => {
    expect(isVersionOf(sha, sha)).toBe(true);
    expect(isVersionOf("9F2C1AB", sha)).toBe(true);
    expect(isVersionOf("9f2c1a", sha)).toBe(false);
    expect(isVersionOf(`${sha}0`, sha)).toBe(false);
    expect(isVersionOf(9, sha)).toBe(false);
  });
});
