import { describe, expect, it } from "vitest";
import type { Environment } from "../../../controller/core/environment.ts";
import { type Bench, type Files, openBench } from "./bench.ts";

/** With `lockstep.json` 5,000 objects, which S3 lists in five pages. */
const FILES = 4_999;

/** A build in which the files below `changed` carry the build's name, every other one of them in a hashed file name. */
function build(name: string, changed: number): Files {
  const files: Record<string, string> = { "index.html": name };
  for (let n = 1; n < FILES; n += 1) {
    const owner = n < changed ? name : "0";
    const hash = `${owner.charCodeAt(0).toString(16)}c${n.toString(16).padStart(6, "0")}`;
    files[n % 2 === 0 ? `assets/chunk.${hash}.js` : `pages/${n}.json`] = `${owner}${n}`;
  }
  return files;
}

/** No CDN: telling one writes the marker once more. */
function plain(bench: Bench, name: string): Environment {
  const environment = bench.environment(name);
  return { ...environment, webs: environment.webs.map(({ domain: _, ...web }) => web) };
}

async function measured(bench: Bench, run: () => Promise<unknown>): Promise<{ all: number; changed: number }> {
  const before = bench.sandbox.calls.latest();
  await run();
  const calls = bench.sandbox.calls.since(before).filter(({ service }) => service === "s3");
  return { all: calls.length, changed: calls.filter(({ operation }) => operation === "CopyObject").length };
}

describe("a web release of 5,000 objects", () => {
  it("takes one request for each file that changed, and at most ten more", { timeout: 120_000 }, async () => {
    const bench = await openBench();
    await bench.upload("a", build("a", 0));
    await bench.upload("b", build("b", 200));

    const fresh = await measured(bench, () => bench.life().release(plain(bench, "a")));
    expect(fresh.changed).toBe(FILES);
    expect(fresh.all).toBeLessThanOrEqual(fresh.changed + 10);

    const few = await measured(bench, () => bench.life().release(plain(bench, "b")));
    expect(few.changed).toBe(200);
    expect(few.all).toBeLessThanOrEqual(few.changed + 10);

    const none = await measured(bench, async () => {
      expect((await bench.life().plan(plain(bench, "b"))).steps).toEqual([]);
    });
    expect(none.all).toBeLessThanOrEqual(10);
  });
});
