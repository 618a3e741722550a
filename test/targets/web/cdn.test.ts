import { describe, expect, it } from "vitest";
import { cancellation } from "../../../controller/core/cancel.ts";
import type { Web } from "../../../controller/core/environment.ts";
import { type Bench, build, Crash, openBench, site } from "./bench.ts";

const cached = { headers: { "index.html": { cacheControl: "max-age=3600" } } };

async function published(changes: Partial<Web> = {}, aliases?: readonly string[]): Promise<Bench> {
  const bench = await openBench(aliases === undefined ? {} : { aliases });
  await bench.upload("a", build("a"), cached);
  await bench.upload("b", build("b"), cached);
  await bench.life().release(bench.environment("a", changes));
  bench.pass(60_000);
  return bench;
}

/** Bodies of CreateInvalidation since a call. */
function batches(bench: Bench, since: number): readonly string[] {
  const calls = bench.sandbox.calls.since(since).filter(({ operation }) => operation === "CreateInvalidation");
  return calls.map(({ input }) => String(input["body"]));
}

const paths = (batch = ""): readonly string[] => [...batch.matchAll(/<Path>([^<]+)</g)].map(([, path = ""]) => path);

describe("the distribution", () => {
  it("is found by its alias on any page of the list, and asked for once per life", async () => {
    const bench = await published();
    const life = bench.life();
    const before = bench.sandbox.calls.latest();
    await life.release(bench.environment("b"));
    await life.release(bench.environment("a"));
    const lists = bench.sandbox.calls.since(before).filter(({ operation }) => operation === "ListDistributions");
    expect(lists).toHaveLength(1);
  });

  it("may be named by a wildcard", async () => {
    const bench = await published({}, ["*.test"]);
    expect(await bench.marker()).toMatchObject({ state: "served", stale: [] });
  });

  it("that does not exist is named with the aliases there are", async () => {
    const bench = await published();
    const release = bench.life().release(bench.environment("b", { domain: "blog.test" }));
    await expect(release).rejects.toMatchObject({
      code: "distribution-missing",
      message: "web site: no distribution has the alias blog.test; there are shop.test",
    });
    const unknown = bench.life().release(bench.environment("b", { distribution: "ENONE" }));
    await expect(unknown).rejects.toMatchObject({ code: "distribution-missing" });
  });
});

describe("an invalidation", () => {
  it("names everything after the first publication, and what changed after later ones", async () => {
    const bench = await published();
    expect(paths(batches(bench, 0)[0])).toEqual(["/*"]);
    const before = bench.sandbox.calls.latest();
    await bench.life().release(bench.environment("b"));
    expect(paths(batches(bench, before)[0])).toEqual(["/", "/robots.txt", "/index.html"]);
  });

  it("takes the paths of the manifest instead", async () => {
    const bench = await published();
    const before = bench.sandbox.calls.latest();
    await bench.life().release(bench.environment("b", { invalidate: ["/app/*"] }));
    expect(paths(batches(bench, before)[0])).toEqual(["/app/*"]);
  });

  it("names what an earlier publication changed that was never invalidated", async () => {
    const bench = await published();
    await bench.upload("c", { ...build("b"), "robots.txt": "c" }, cached);
    bench.sandbox.faults.add({ operation: "CreateInvalidation", kind: "denied" });
    await expect(bench.life().release(bench.environment("b"))).rejects.toMatchObject({ code: "denied" });
    const before = bench.sandbox.calls.latest();
    await bench.life().release(bench.environment("c"));
    expect(paths(batches(bench, before)[0])).toEqual(["/", "/robots.txt", "/index.html"]);
  });

  it("leaves no old page at the edge after B was published, never invalidated, and reverted", async () => {
    const bench = await published();
    expect((await bench.see("/")).body).toContain("a");
    bench.sandbox.faults.add({ operation: "CreateInvalidation", kind: "denied" });
    await expect(bench.life().release(bench.environment("b"))).rejects.toMatchObject({ code: "denied" });
    await bench.life().release(bench.environment("a"));
    bench.pass(60_000);
    expect((await bench.see("/")).body).toBe(build("a")["index.html"]);
    expect((await bench.life().look(bench.environment("a"))).webs.get(site)).toMatchObject({ state: "served" });
  });

  it("is the same one after a lost answer, and another one when the manifest names other paths since", async () => {
    const bench = await published();
    bench.sandbox.faults.add({ operation: "CreateInvalidation", kind: "after" });
    await bench.life().release(bench.environment("b"));
    expect(new Set(await bench.callerReferences()).size).toBe(2);

    const again = await published();
    again.sandbox.faults.add({ operation: "CreateInvalidation", kind: "after", count: 6 });
    await expect(again.life().release(again.environment("b"))).rejects.toMatchObject({ code: "outcome-unknown" });
    await again.life().release(again.environment("b", { invalidate: ["/other"] }));
    const references = await again.callerReferences();
    expect(references.at(-1)).toMatch(/^lockstep-site-[0-9a-f]{32}-[0-9a-f]{8}$/);
  });

  it("waits for room when too many are in progress", async () => {
    const bench = await published();
    let refusals = 0;
    const life = bench.life((request, send) => {
      if (!request.path.endsWith("/invalidation") || refusals === 3) return send();
      refusals += 1;
      const body = `<ErrorResponse><Error><Type>Sender</Type><Code>TooManyInvalidationsInProgress</Code><Message>Too many</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
      return { status: 400, headers: { "content-type": "text/xml" }, body };
    });
    const began = bench.clock.now();
    const outcomes = await life.release(bench.environment("b"));
    expect(outcomes.every(({ status }) => status === "done")).toBe(true);
    expect(bench.clock.now() - began).toBe(30_000);
    expect(life.notes).toContain(`${bench.distribution}: too many invalidations in progress, waiting for room`);
  });

  it("is not waited for forwards, and is complete before anything else goes back", async () => {
    const bench = await published();
    const life = bench.life();
    const began = bench.clock.now();
    await life.release(bench.environment("b"));
    expect(bench.clock.now()).toBe(began);
    expect((await life.plan(bench.environment("a"))).direction).toBe("back");
    await life.release(bench.environment("a"));
    expect(bench.clock.now() - began).toBeGreaterThanOrEqual(10_000);
    expect((await bench.see("/")).body).toBe(build("a")["index.html"]);
  });

  it("is not made without a CDN, and not twice for one publication", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const served = bench.environment("a");
    const webs = served.webs.map(({ domain: _, ...web }) => web);
    const environment = { ...served, webs };
    const life = bench.life();
    await life.release(environment);
    const step = { kind: "invalidate", web: site, why: "" } as const;
    expect(await life.step(step, environment)).toEqual({ status: "done", note: "no CDN" });
    await life.step(step, bench.environment("a"));
    expect(await life.step(step, bench.environment("a"))).toEqual({ status: "done", note: "was invalidated before" });
    expect(await bench.callerReferences()).toHaveLength(1);
  });

  it("is not made of a page that is still being published", async () => {
    const bench = await published();
    const dying = bench.life((request, send) => {
      if (request.method === "PUT" && request.path.endsWith("/index.html")) throw new Crash("before the page");
      return send();
    });
    await expect(dying.release(bench.environment("b"))).rejects.toBeInstanceOf(Crash);
    const before = bench.sandbox.calls.latest();
    const step = bench.life().step({ kind: "invalidate", web: site, why: "test" }, bench.environment("b"));
    await expect(step).rejects.toMatchObject({ code: "publish-conflict" });
    expect(batches(bench, before)).toEqual([]);
  });

  it("that waits for room ends with a shutdown", async () => {
    const bench = await published();
    const stop = new AbortController();
    const life = bench.life((request, send) => {
      if (!request.path.endsWith("/invalidation")) return send();
      stop.abort(cancellation("shutdown"));
      return { status: 503, headers: {}, body: "" };
    });
    const outcomes = await life.release(bench.environment("b"), stop.signal);
    expect(outcomes.at(-1)).toEqual({ status: "cancelled", by: "shutdown" });
  });
});
