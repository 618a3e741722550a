// The list of mutations does not rot: every bug still finds its place, and what must notice it is there.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MUTATIONS } from "./list.ts";
import { mutated } from "./mutation.ts";

function path(file: string): string {
  return fileURLToPath(new URL(`../../${file}`, import.meta.url));
}

describe("A deliberate bug", () => {
  test.each(MUTATIONS)("$name still finds its place, and what must catch it", (mutation) => {
    const source = readFileSync(path(mutation.file), "utf8");
    expect(mutated(source, mutation)).not.toBe(source);
    expect(mutation.caughtBy).not.toEqual([]);
    for (const proof of mutation.caughtBy)
      if (typeof proof === "string") expect(existsSync(path(proof)), proof).toBe(true);
  });

  test("whose place is gone, or is there twice, says so", () => {
    const mutation = { name: "n", breaks: "", file: "f.ts", edits: [{ find: "a", replace: "b" }], caughtBy: [] };
    expect(() => mutated("c", mutation)).toThrow('mutation n: f.ts holds "a" 0 times, not once');
    expect(() => mutated("a a", mutation)).toThrow("2 times");
    expect(mutated("c a", mutation)).toBe("c b");
  });

  test("has a name of its own, and there are at least 25", () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
    expect(MUTATIONS.length).toBeGreaterThanOrEqual(25);
  });
});
