import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Held, Inventory, ReleaseFile } from "../../controller/core/assets.ts";
import {
  copies,
  hasHash,
  invalidationPaths,
  isFixed,
  prunable,
  retainedFrom,
  signature,
} from "../../controller/core/assets.ts";
import { Digest, Instant } from "../../controller/core/brand.ts";

const IMMUTABLE = "public, max-age=31536000, immutable";

function file(key: string, content = "1"): ReleaseFile {
  const cacheControl = hasHash(key) ? IMMUTABLE : "no-cache";
  return { key, size: content.length, checksum: `sha256:${content}`, contentType: "text/plain", cacheControl };
}

function inventoryOf(files: readonly ReleaseFile[], last = 1): Inventory {
  return new Map(files.map((one) => [one.key, { last, fixed: isFixed(one), is: signature(one), etag: "e" }]));
}

const keys = (files: readonly ReleaseFile[]): readonly string[] => files.map(({ key }) => key);
const nothing = { inventory: new Map<string, Held>(), complete: false };

describe("a content hash in a name", () => {
  it.each([
    "app.4f3a9c1b.js",
    "assets/index-BqkZ2xQ7.js",
    "assets/index-DxKzQwYp.css",
    "assets/index-B-kZ_xQ7.js",
    "chunk-QX4KDZ5B.js",
    "main.4f3a9c1b2d5e6f70.chunk.js",
    "styles.4f3a9c1b.min.css",
    "4f3a9c1b2d5e6f708192.png",
    "logo.k3jd82ls.svg",
  ])("is seen in %s", (key) => expect(hasHash(key)).toBe(true));

  it.each([
    "index.html",
    "app.js",
    "hero-background.png",
    "service-worker.js",
    "photo-20240115.jpg",
    "report-summary2024.pdf",
    "fonts/Inter-SemiBoldItalic.woff2",
    "components/date-time-picker.js",
    "Skeleton.js",
    "chunk-MyComponent.js",
    "robots.txt",
    "favicon.ico",
    "material-icons-outlined400.woff2",
  ])("is not seen in %s", (key) => expect(hasHash(key)).toBe(false));

  it("never makes a page, a worker or a web manifest fixed", () => {
    for (const key of ["page-4f3a9c1b.html", "sw.js", "ngsw.json", "app-4f3a9c1b.webmanifest"]) {
      expect(isFixed({ key, cacheControl: IMMUTABLE })).toBe(false);
    }
    expect(isFixed({ key: "data.json", cacheControl: "max-age=60, immutable" })).toBe(true);
  });
});

describe("copies", () => {
  it("stage only fixed assets while nothing is known of the bucket", () => {
    const files = [file("index.html"), file("robots.txt"), file("app.4f3a9c1b.js")];
    const work = copies(files, nothing, 1);
    expect(keys(work.stage)).toEqual(["app.4f3a9c1b.js"]);
    expect(work.publish.map(keys)).toEqual([["robots.txt"], ["index.html"]]);
  });

  it("stage new assets, and publish changed ones before pages, workers and the entry page", () => {
    const before = ["index.html", "about/index.html", "sw.js", "site.webmanifest", "logo.svg"];
    const old = before.map((key) => file(key));
    const now = [...before.map((key) => file(key, "2")), file("new.svg"), file("app.4f3a9c1b.js"), file("new.html")];
    const work = copies(now, { inventory: inventoryOf(old), complete: true }, 2);
    expect(keys(work.stage)).toEqual(["new.svg", "app.4f3a9c1b.js"]);
    expect(work.publish.map(keys)).toEqual([
      ["logo.svg"],
      ["about/index.html", "new.html"],
      ["sw.js", "site.webmanifest"],
      ["index.html"],
    ]);
  });

  it("are none where everything is what it was", () => {
    const files = [file("index.html"), file("a.css"), file("app.4f3a9c1b.js")];
    expect(copies(files, { inventory: inventoryOf(files), complete: true }, 2)).toEqual({
      stage: [],
      publish: [],
      deletions: [],
    });
  });

  it("come again when only a header changed", () => {
    const old = file("logo.svg");
    const now = { ...old, cacheControl: "max-age=60" };
    const work = copies([now], { inventory: inventoryOf([old]), complete: true }, 2);
    expect(work.publish.map(keys)).toEqual([["logo.svg"]]);
  });

  it("delete pages that are gone, and no asset: readers still hold the page that loads it", () => {
    const assets = [file("a.css"), file("app.4f3a9c1b.js"), file("app-20680094.js")];
    const old = [...assets, file("old.html"), file("index.html")];
    const work = copies([file("index.html")], { inventory: inventoryOf(old), complete: true }, 2);
    expect(work.deletions).toEqual(["old.html"]);
  });

  it("take up what an earlier attempt at the same publication announced", () => {
    const announced = new Map<string, Held>([["new.svg", { last: 2, fixed: false }]]);
    expect(keys(copies([file("new.svg")], { inventory: announced, complete: true }, 2).stage)).toEqual(["new.svg"]);
    const torn = new Map<string, Held>([["new.svg", { last: 1, fixed: false }]]);
    expect(copies([file("new.svg")], { inventory: torn, complete: true }, 2).publish.map(keys)).toEqual([["new.svg"]]);
  });
});

/** A release whose pages load some of its assets; contents are small numbers, fixed names carry theirs. */
const releases = fc
  .record({
    plain: fc.uniqueArray(fc.constantFrom("a.css", "b.js", "c.svg", "d.json"), { maxLength: 4 }),
    fixed: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 5 }),
    pages: fc.uniqueArray(fc.constantFrom("index.html", "x/index.html", "y.html"), { minLength: 1, maxLength: 3 }),
    content: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ plain, fixed, pages, content }) => {
    const assets = [
      ...plain.map((key) => file(key, String(content))),
      ...fixed.map((n) => file(`app.4f3a9c1${n}.js`, String(n))),
    ];
    const loads = keys(assets);
    return [...assets, ...pages.map((key) => file(key, JSON.stringify({ content, loads })))];
  });

function loadsOf(page: ReleaseFile): readonly string[] {
  return (JSON.parse(page.checksum.slice(7)) as { loads: readonly string[] }).loads;
}

describe("in any sequence of releases", () => {
  it("every page, in the bucket or still in a cache, finds its assets after each single copy and deletion", () => {
    fc.assert(
      fc.property(fc.array(releases, { minLength: 1, maxLength: 5 }), (sequence) => {
        const bucket = new Map<string, ReleaseFile>();
        /** Pages as a CDN shows them until its invalidation is completed. */
        let cached: readonly ReleaseFile[] = [];
        const check = (): void => {
          for (const page of [...bucket.values(), ...cached]) {
            if (!page.key.endsWith(".html")) continue;
            for (const asset of loadsOf(page)) expect(bucket.has(asset), `${page.key} loads ${asset}`).toBe(true);
          }
        };
        let inventory: Inventory = new Map();
        for (const [index, files] of sequence.entries()) {
          const work = copies(files, { inventory, complete: index > 0 }, index + 1);
          cached = [...bucket.values()];
          for (const one of [...work.stage, ...work.publish.flat()]) {
            bucket.set(one.key, one);
            // Two pages may be between releases at once: the old one keeps its own assets, which deletions come after.
            check();
          }
          for (const key of work.deletions) bucket.delete(key);
          check();
          const deleted = work.deletions;
          const kept = [...inventory].filter(([key]) => !deleted.includes(key));
          inventory = new Map([...kept, ...inventoryOf(files, index + 1)]);
          for (const one of files) expect(bucket.get(one.key)).toEqual(one);
        }
      }),
    );
  });

  it("the entry page is always the last copy", () => {
    fc.assert(
      fc.property(releases, (files) => {
        const order = keys(copies(files, nothing, 1).publish.flat());
        if (order.includes("index.html")) expect(order.at(-1)).toBe("index.html");
      }),
    );
  });
});

describe("retention", () => {
  const now = Instant.of(Date.UTC(2026, 2, 10));
  const digest = (n: number): Digest => Digest.parse(`sha256:${String(n).padStart(64, "0")}`);
  const published = (...hoursAgo: readonly number[]) =>
    hoursAgo.map((hours, index) => ({
      serial: index + 1,
      digest: digest(index + 1),
      at: Instant.plus(now, -hours * 3_600_000),
    }));

  it("keeps the newest releases", () => {
    expect(retainedFrom(published(500, 400, 300, 200), { keep: 2, now })).toBe(3);
  });

  it("keeps whatever was published or still shown within 24 hours", () => {
    expect(retainedFrom(published(500, 400, 23, 1), { keep: 1, now })).toBe(2);
    expect(retainedFrom(published(20, 10, 5, 1), { keep: 1, now })).toBe(1);
  });

  it("keeps the last good release however old it is", () => {
    expect(retainedFrom(published(500, 400, 300, 200), { keep: 1, now, good: digest(2) })).toBe(2);
  });

  it("prunes keys that only older releases list", () => {
    const inventory = new Map<string, Held>([
      ["old.js", { last: 1, fixed: true }],
      ["kept.js", { last: 2, fixed: true }],
    ]);
    expect(prunable(inventory, 2)).toEqual(["old.js"]);
  });
});

describe("invalidation paths", () => {
  it("name changed keys, the root and the folder form of index pages", () => {
    expect(invalidationPaths(["index.html", "docs/index.html", "logo.svg", "myindex.html"], [""])).toEqual([
      "/",
      "/index.html",
      "/docs/index.html",
      "/docs/",
      "/logo.svg",
      "/myindex.html",
    ]);
  });

  it("are one wildcard above 100, when nothing is known, and for characters that no path can name", () => {
    const many = Array.from({ length: 100 }, (_, n) => `${n}.css`);
    expect(invalidationPaths(many, [""])).toEqual(["/*"]);
    expect(invalidationPaths("all", [""])).toEqual(["/*"]);
    expect(invalidationPaths(["~user.html"], [""])).toEqual(["/*"]);
    expect(invalidationPaths(["a*b.html"], [""])).toEqual(["/*"]);
  });

  it("encode what viewers encode, and both forms of what they send either way", () => {
    expect(invalidationPaths(["c++/[slug] (x).html"], [""])).toEqual(["/", "/c%2B%2B/%5Bslug%5D%20(x).html"]);
    expect(invalidationPaths(["a&b.html"], [""])).toEqual(["/", "/a&b.html", "/a%26b.html"]);
    expect(invalidationPaths(["grüße.html"], [""])).toEqual(["/", "/gr%C3%BC%C3%9Fe.html"]);
    expect(invalidationPaths(["what?.html", "a#b"], [""])).toEqual(["/", "/what%3F.html", "/a%23b"]);
  });

  it("name a prefix with and without it, because it may be the origin's path", () => {
    expect(invalidationPaths(["index.html"], ["", "site/"])).toEqual([
      "/",
      "/index.html",
      "/site/",
      "/site/index.html",
    ]);
  });
});
