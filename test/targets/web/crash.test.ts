import { describe, expect, it } from "vitest";
import { type Bench, build, Crash, type Files, openBench, site, type Tap } from "./bench.ts";

/** Cached by the CDN for an hour, so that only an invalidation moves readers on. */
const cached = { cacheControl: "public, max-age=3600" };
const headers = { "index.html": cached, "docs/index.html": cached };

const releases: Readonly<Record<string, Files>> = {
  a: build("a", { "docs/index.html": "docs a", "old.html": "old", "theme.css": "1" }),
  b: build("b", { "docs/index.html": "docs b", "new.css": "new", "theme.css": "2" }),
};

async function prepared(): Promise<Bench> {
  const bench = await openBench();
  for (const [name, files] of Object.entries(releases)) await bench.upload(name, files, { headers });
  await bench.life().release(bench.environment("a"));
  bench.pass(60_000);
  // A reader has been there: the CDN holds the old pages.
  for (const path of ["/", "/index.html", "/docs/index.html"]) expect((await bench.see(path)).status).toBe(200);
  return bench;
}

/** Whatever page is in the bucket, the scripts it loads are there too. */
async function assertWhole(bench: Bench): Promise<void> {
  const bucket = await bench.bucket();
  const page = bucket["index.html"] ?? "";
  const script = /src="\/([^"]+)"/.exec(page)?.[1] ?? "none";
  expect(Object.keys(bucket), page).toContain(script);
}

function checking(bench: Bench, fate: Tap): Tap {
  return async (request, send) => {
    const answer = await fate(request, send);
    if (request.method === "PUT" || request.query.has("delete")) await assertWhole(bench);
    return answer;
  };
}

function crashAt(nth: number, when: "before" | "after", count: { calls: number }): Tap {
  return async (_, send) => {
    count.calls += 1;
    if (count.calls !== nth) return send();
    if (when === "after") await send();
    throw new Crash(`crash ${when} call ${nth}`);
  };
}

async function settles(bench: Bench, name: string): Promise<void> {
  const life = bench.life(checking(bench, (_, send) => send()));
  await life.release(bench.environment(name));
  bench.pass(60_000);
  expect(await bench.bucket()).toMatchObject(releases[name] ?? {});
  // What was only staged may stay until the next publication, because no page loads it; pages may not.
  const leftovers = Object.keys(await bench.bucket()).filter((key) => !(key in (releases[name] ?? {})));
  expect(leftovers.filter((key) => !key.startsWith("assets/") && key !== "new.css")).toEqual([]);
  for (const [path, key] of [
    ["/", "index.html"],
    ["/index.html", "index.html"],
    ["/docs/index.html", "docs/index.html"],
  ] as const) {
    expect((await bench.see(path)).body, path).toBe(releases[name]?.[key]);
  }
  const live = await life.look(bench.environment(name));
  expect(live.webs.get(site)).toMatchObject({ state: "served" });
  expect((await life.plan(bench.environment(name))).steps).toEqual([]);
}

describe.each(["before", "after"] as const)("a crash %s any single call of a release", (when) => {
  it.each(["b", "a"])("leaves whole pages, and the next life serves %s everywhere", async (next) => {
    let crashes = 0;
    for (let nth = 1; ; nth += 1) {
      const bench = await prepared();
      const count = { calls: 0 };
      const life = bench.life(checking(bench, crashAt(nth, when, count)));
      const ended = await life.release(bench.environment("b")).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Crash) return false;
          throw error;
        },
      );
      if (ended) break;
      crashes += 1;
      await assertWhole(bench);
      await settles(bench, next);
    }
    expect(crashes).toBeGreaterThan(15);
  });
});

describe("two crashes in a row", () => {
  it("of which the second meets the resumed release, still settle", async () => {
    for (let nth = 4; nth <= 16; nth += 3) {
      const bench = await prepared();
      for (const offset of [nth, nth + 1]) {
        const life = bench.life(checking(bench, crashAt(offset, "after", { calls: 0 })));
        await life.release(bench.environment("b")).catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
      }
      await settles(bench, "b");
    }
  });
});
