import { describe, expect, it } from "vitest";
import { type Bench, build, Crash, openBench, site } from "./bench.ts";

const DAY_MS = 24 * 3_600_000;
const asset = (name: string): string => `assets/app.c0ffee${Buffer.from(name).toString("hex")}.js`;

/** Releases in order, days apart, keeping one. */
async function released(names: string, days: number, keep = 1): Promise<Bench> {
  const bench = await openBench();
  const life = bench.life();
  for (const name of names.split("")) {
    await bench.upload(name, build(name));
    await life.release(bench.environment(name, { keep }));
    bench.pass(days * DAY_MS);
  }
  return bench;
}

const assets = async (bench: Bench): Promise<readonly string[]> =>
  Object.keys(await bench.bucket()).filter((key) => key.startsWith("assets/"));

describe("pruning", () => {
  it("deletes assets of releases beyond those kept, but never of the one shown a day ago", async () => {
    const bench = await released("abcd", 2);
    expect(await assets(bench)).toEqual([asset("c"), asset("d")]);
  });

  it("deletes nothing that was published within a day", async () => {
    const bench = await released("abcd", 0.1);
    expect(await assets(bench)).toEqual(["a", "b", "c", "d"].map(asset));
  });

  it("keeps as many releases as the manifest says", async () => {
    const bench = await released("abcde", 2, 3);
    expect(await assets(bench)).toEqual(["c", "d", "e"].map(asset));
  });

  it("keeps the last good release, to which a rollback leads", async () => {
    const bench = await released("a", 2);
    const good = bench.memory.good;
    const life = bench.life();
    for (const name of ["b", "c", "d"]) {
      await bench.upload(name, build(name));
      if (good !== undefined) bench.memory = { ...bench.memory, good };
      await life.release(bench.environment(name, { keep: 1 }));
      bench.pass(2 * DAY_MS);
    }
    expect(await assets(bench)).toContain(asset("a"));
  });

  it("touches only keys that its own markers list", async () => {
    const bench = await openBench();
    await bench.put("assets/other.c0ffee00.js", "somebody's");
    const life = bench.life();
    for (const name of ["a", "b", "c"]) {
      await bench.upload(name, build(name));
      await life.release(bench.environment(name, { keep: 1 }));
      bench.pass(2 * DAY_MS);
    }
    expect(await assets(bench)).toEqual([asset("b"), asset("c"), "assets/other.c0ffee00.js"]);
  });

  it("deletes nothing where another journal published last", async () => {
    const bench = await released("abcd", 2, 10);
    await bench.put(".lockstep/site.json", JSON.stringify({ ...(await bench.marker()), journal: "journal-2" }));
    const step = { kind: "prune", web: site, why: "test" } as const;
    const outcome = await bench.life().step(step, bench.environment("d", { keep: 1 }));
    expect(outcome).toEqual({ status: "done", note: "another journal published here" });
    expect(await assets(bench)).toEqual(["a", "b", "c", "d"].map(asset));
  });

  it("never fails a release", async () => {
    const bench = await released("ab", 2);
    await bench.upload("c", build("c"));
    bench.sandbox.faults.add({ operation: "DeleteObjects", kind: "denied" });
    const outcomes = await bench.life().release(bench.environment("c", { keep: 1 }));
    expect(outcomes.at(-1)).toMatchObject({ status: "done", note: expect.stringContaining("not pruned: ") });
  });

  it("that crashes at any call leaves no release without its assets, and is made good by the next", async () => {
    for (let nth = 1; ; nth += 1) {
      const bench = await released("ab", 2);
      await bench.upload("c", build("c"));
      let deletes = 0;
      let calls = 0;
      const life = bench.life(async (request, send) => {
        if (request.query.has("delete")) deletes += 1;
        // The last three calls of the release are those of pruning: marker, deletion, marker.
        const counts = bench.events.some(({ type }) => type === "invalidated") && bench.memory.lastNumber === 3;
        if (counts && request.method !== "GET") calls += 1;
        const answer = await send();
        if (counts && calls === nth) throw new Crash("while pruning");
        return answer;
      });
      const ended = await life.release(bench.environment("c", { keep: 1 })).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(Crash);
          return false;
        },
      );
      const next = bench.life();
      for (const name of ["a", "c"]) {
        await next.release(bench.environment(name, { keep: 1 }));
        expect(await bench.bucket()).toMatchObject(build(name));
        bench.pass(2 * DAY_MS);
      }
      expect(await assets(bench)).toEqual([asset("a"), asset("c")]);
      if (ended) {
        expect(deletes).toBeGreaterThan(0);
        break;
      }
    }
  });
});
