import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ConnectionLost } from "../../../sandbox/api.ts";
import { cancellation } from "../../../controller/core/cancel.ts";
import { build, Crash, JOURNAL, openBench, site } from "./bench.ts";

describe("a first publication", () => {
  it("puts every file into the bucket with its headers, and says so in marker and journal", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"), { headers: { "robots.txt": { cacheControl: "max-age=60" } } });
    const outcomes = await bench.life().release(bench.environment("a"));
    expect(outcomes.map((one) => one.status)).toEqual(["done", "done", "done", "done", "done", "done"]);
    expect(await bench.bucket()).toEqual(build("a"));
    expect(await bench.marker()).toMatchObject({ state: "served", journal: JOURNAL, serial: 1 });
    expect(bench.events.map(({ type }) => type)).toContain("publication-settled");
    expect(await bench.see("/")).toEqual({
      status: 200,
      body: build("a")["index.html"],
      type: "text/html; charset=utf-8",
    });
    const headers = bench.sandbox.calls.since(0).filter(({ operation }) => operation === "CopyObject");
    expect(headers).toHaveLength(3);
  });

  it("leaves what others put into the bucket, and takes over what has the same name", async () => {
    const bench = await openBench();
    await bench.put("robots.txt", "somebody's");
    await bench.put("uploads/logo.png", "somebody's");
    await bench.upload("a", build("a"));
    await bench.life().release(bench.environment("a"));
    expect(await bench.bucket()).toEqual({ ...build("a"), "uploads/logo.png": "somebody's" });
  });
});

describe("a later publication", () => {
  it("leads to an empty plan", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const life = bench.life();
    await life.release(bench.environment("a"));
    expect((await life.plan(bench.environment("a"))).steps).toEqual([]);
    expect((await bench.life().plan(bench.environment("a"))).steps).toEqual([]);
  });

  it("copies what changed, deletes what is gone, and keeps the old page's assets", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a", { "old.html": "x", "same.css": "same" }));
    await bench.upload("b", build("b", { "same.css": "same", "new.css": "new" }));
    const life = bench.life();
    await life.release(bench.environment("a"));
    const before = bench.sandbox.calls.latest();
    await life.release(bench.environment("b"));
    const copies = bench.sandbox.calls.since(before).filter(({ operation }) => operation === "CopyObject");
    expect(copies.map(({ input }) => input["path"])).toEqual([
      "/web/assets/app.c0ffee62.js",
      "/web/new.css",
      "/web/robots.txt",
      "/web/index.html",
    ]);
    const deletions = bench.sandbox.calls.since(before).filter(({ operation }) => operation === "DeleteObjects");
    expect(deletions).toHaveLength(1);
    expect(deletions[0]?.sequence).toBeGreaterThan(copies.at(-1)?.sequence ?? Number.POSITIVE_INFINITY);
    const { "assets/app.c0ffee61.js": old } = build("a");
    expect(await bench.bucket()).toEqual({
      ...build("b", { "same.css": "same", "new.css": "new" }),
      "assets/app.c0ffee61.js": old,
    });
  });

  it("keeps assets that the release lacks, hashed or not, for caches that still show the old page", async () => {
    const bench = await openBench();
    const old = { "app.css": "old", "assets/app-20680094.js": "a hash without a letter" };
    await bench.upload("a", build("a", { ...old, "gone.html": "x" }));
    await bench.upload("b", build("b"));
    const life = bench.life();
    await life.release(bench.environment("a"));
    await life.release(bench.environment("b"));
    expect(await bench.bucket()).toMatchObject({ ...build("b"), ...old });
    expect(await bench.bucket()).not.toHaveProperty("gone.html");
  });

  it("rolls back to an older page of the same size", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("b", build("b"));
    const life = bench.life();
    for (const name of ["a", "b", "a"]) await life.release(bench.environment(name));
    expect((await bench.bucket())["index.html"]).toBe(build("a")["index.html"]);
    expect((await bench.see("/")).body).toBe(build("a")["index.html"]);
  });

  it("copies index.html last even when other copies are slow", async () => {
    const bench = await openBench();
    const pages = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`p${n}/index.html`, `${n}`]));
    await bench.upload("a", build("a", pages));
    const ended: string[] = [];
    const life = bench.life(async (request, send) => {
      if (request.headers["x-amz-copy-source"] === undefined) return send();
      if (request.path.includes("/p3")) for (let late = 0; late < 50; late += 1) await turn();
      const answer = await send();
      ended.push(request.path);
      return answer;
    });
    await life.release(bench.environment("a"));
    expect(ended).toHaveLength(43);
    expect(ended.at(-1)).toBe("/web/index.html");
  });

  it("is told apart by its publication, so that A, B, A make three invalidations", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("b", build("b"));
    const life = bench.life();
    for (const name of ["a", "b", "a"]) await life.release(bench.environment(name));
    const references = await bench.callerReferences();
    expect(new Set(references).size).toBe(3);
    for (const reference of references) expect(reference).toMatch(/^lockstep-site-[0-9a-f]{32}$/);
  });

  it("takes keys with any character through copy, listing, deletion and invalidation", async () => {
    const bench = await openBench();
    const odd = { "c++/[slug] (x).html": "1", "größe/日本 🚀.html": "2", "a&b=c;d@e,f.html": "3", "100%.html": "4" };
    await bench.upload("a", build("a", odd));
    await bench.upload("b", build("b"));
    const life = bench.life();
    await life.release(bench.environment("a"));
    expect(await bench.bucket()).toEqual(build("a", odd));
    await life.release(bench.environment("b"));
    expect(Object.keys(await bench.bucket()).toSorted()).toEqual(
      [...Object.keys(build("b")), "assets/app.c0ffee61.js"].toSorted(),
    );
    expect(await bench.callerReferences()).toHaveLength(2);
  });
});

describe("a page changed by hand", () => {
  it("is seen at rest, and published again in full", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const life = bench.life();
    await life.release(bench.environment("a"));
    await bench.put("index.html", "vandal");
    await bench.put("robots.txt", "vandal");
    const live = await life.look(bench.environment("a"));
    expect(live.webs.get(site)).toMatchObject({ state: "served" });
    expect(live.webs.get(site)).not.toHaveProperty("digest");
    await life.release(bench.environment("a"));
    expect(await bench.bucket()).toEqual(build("a"));
  });

  it("is overwritten by the next release though nobody had noticed", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("b", build("b"));
    const life = bench.life();
    await life.release(bench.environment("a"));
    await bench.put("robots.txt", "vandal");
    await bench.remove("index.html");
    await life.release(bench.environment("b"));
    expect(await bench.bucket()).toMatchObject(build("b"));
  });
});

describe("another journal", () => {
  it("is named by the marker", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.life().release(bench.environment("a"));
    const marker = await bench.marker();
    await bench.put(".lockstep/site.json", JSON.stringify({ ...marker, journal: "other" }));
    const live = await bench.life().look(bench.environment("a"));
    expect(live.webs.get(site)).toMatchObject({ journal: "other" });
  });

  it("that publishes during the release makes a conflict", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("b", build("b"));
    await bench.life().release(bench.environment("a"));
    const life = bench.life(async (request, send) => {
      if (request.path.endsWith("index.html") && request.method === "PUT") {
        const marker = await bench.marker();
        const other = { ...marker, journal: "other", nonce: "x", writtenAt: bench.clock.now() + 1 };
        await bench.put(".lockstep/site.json", JSON.stringify(other));
      }
      return send();
    });
    await expect(life.release(bench.environment("b"))).rejects.toMatchObject({ code: "publish-conflict" });
  });

  it("with a marker nobody can read makes the page unknown", async () => {
    const bench = await openBench();
    await bench.put(".lockstep/site.json", "{}");
    await bench.upload("a", build("a"));
    const live = await bench.life().look(bench.environment("a"));
    expect(live.webs.get(site)).toMatchObject({ state: "unknown", why: { code: "foreign-page" } });
  });
});

describe("faults of the world", () => {
  it.each(["throttle", "5xx", "before", "after"] as const)("%s on any write only cost time", async (kind) => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("b", build("b", { "x.html": "1" }));
    const life = bench.life();
    await life.release(bench.environment("a"));
    for (const operation of ["PutObject", "CopyObject", "DeleteObjects", "CreateInvalidation"]) {
      for (const nth of [1, 2, 4]) bench.sandbox.faults.add({ operation, kind, nth });
    }
    await life.release(bench.environment("b"));
    await life.release(bench.environment("a"));
    const { "assets/app.c0ffee62.js": kept } = build("b");
    expect(await bench.bucket()).toEqual({ ...build("a"), "assets/app.c0ffee62.js": kept });
    expect(await bench.marker()).toMatchObject({ state: "served" });
  });

  it("name the key when S3 refuses some deletions under its 200", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a", { "old.html": "x" }));
    await bench.upload("b", build("b"));
    await bench.life().release(bench.environment("a"));
    const life = bench.life((request, send) => {
      if (!request.query.has("delete")) return send();
      const error = "<Error><Key>old.html</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
      const body = `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${error}</DeleteResult>`;
      return { status: 200, headers: { "content-type": "application/xml" }, body };
    });
    await expect(life.release(bench.environment("b"))).rejects.toMatchObject({
      code: "denied",
      message: expect.stringContaining("old.html"),
    });
    expect(await bench.marker()).toMatchObject({ state: "publishing" });
  });

  it("are a denied fault when the role may not write", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    bench.sandbox.faults.add({ operation: "PutObject", kind: "denied", count: "forever" });
    await expect(bench.life().release(bench.environment("a"))).rejects.toMatchObject({ code: "denied" });
    expect(await bench.bucket()).toEqual({});
  });

  it("do not let a changed source be published", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const life = bench.life();
    const environment = bench.environment("a");
    const planned = await life.plan(environment);
    await bench.upload("a", { ...build("a"), "robots.txt": "z" }, { list: false });
    const publish = planned.steps.find(({ kind }) => kind === "publish");
    if (publish === undefined) throw new Error("nothing to publish");
    await expect(life.step(publish, environment)).rejects.toMatchObject({ code: "artifact-rebuilt" });
  });

  it("do not let bytes be published that are not those of lockstep.json", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("a", { ...build("a"), "robots.txt": "z" }, { list: false });
    const release = bench.life().release(bench.environment("a"));
    await expect(release).rejects.toMatchObject({
      code: "artifact-rebuilt",
      message: expect.stringContaining("sha256"),
    });
  });
});

describe("being stopped", () => {
  /** Aborts with the reason when the nth write of the step leaves. */
  async function stopped(reason: "superseded" | "shutdown", kind: "stage" | "publish", nth: number) {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const abort = new AbortController();
    let writes = 0;
    const life = bench.life((request, send) => {
      if (request.method === "PUT") writes += 1;
      if (writes === nth) abort.abort(cancellation(reason));
      return send();
    });
    const environment = bench.environment("a");
    const planned = await life.plan(environment);
    const step = planned.steps.find((one) => one.kind === kind);
    if (step === undefined) throw new Error(`no ${kind}`);
    const outcome = await life.step(step, environment, abort.signal);
    return { bench, outcome, writes };
  }

  it("by a newer revision lets a publication end", async () => {
    const { bench, outcome } = await stopped("superseded", "publish", 2);
    expect(outcome.status).toBe("done");
    expect(await bench.bucket()).toEqual(build("a"));
  });

  it("by a shutdown lets nothing more be written", async () => {
    const { bench, outcome, writes } = await stopped("shutdown", "publish", 2);
    expect(outcome).toEqual({ status: "cancelled", by: "shutdown" });
    expect(writes).toBe(2);
    expect(await bench.marker()).toMatchObject({ state: "publishing" });
  });

  it("by a newer revision ends staging at once", async () => {
    const { outcome } = await stopped("superseded", "stage", 1);
    expect(outcome).toEqual({ status: "cancelled", by: "superseded" });
  });
});

describe("a lost answer", () => {
  it("to the marker's write is found out by reading, and is no conflict", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    let lost = 0;
    const life = bench.life(async (request, send) => {
      const answer = await send();
      if (request.method === "PUT" && request.path.includes(".lockstep") && lost < 3) {
        lost += 1;
        throw new ConnectionLost("PutObject");
      }
      return answer;
    });
    await life.release(bench.environment("a"));
    expect(lost).toBe(3);
    expect(await bench.bucket()).toEqual(build("a"));
    expect(await bench.marker()).toMatchObject({ state: "served", serial: 1 });
  });
});

describe("a process that lost its environment", () => {
  it("writes nothing once its guard says so", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const life = bench.life();
    const environment = bench.environment("a");
    const planned = await life.plan(environment);
    life.fence();
    for (const step of planned.steps.filter(({ kind }) => kind === "stage" || kind === "publish")) {
      await expect(life.step(step, environment)).rejects.toMatchObject({ code: "fenced" });
    }
    expect(await bench.bucket()).toEqual({});
    await expect(bench.marker()).rejects.toMatchObject({ name: "NoSuchKey" });
  });

  it("and wakes up in the middle of a copy does not overwrite what its successor published", async () => {
    const bench = await openBench();
    for (const name of ["a", "b", "c"]) await bench.upload(name, build(name));
    await bench.life().release(bench.environment("a"));
    let late: () => Promise<{ readonly status: number }> = () => Promise.reject(new Error("never sent"));
    const frozen = bench.life((request, send) => {
      if (!request.path.endsWith("/web/index.html")) return send();
      late = send;
      throw new Crash("frozen");
    });
    await expect(frozen.release(bench.environment("b"))).rejects.toThrow("frozen");
    await bench.life().release(bench.environment("c"));
    expect((await late()).status).toBe(412);
    expect(await bench.bucket()).toMatchObject(build("c"));
  });
});
