import { describe, expect, it } from "vitest";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Digest } from "../../../controller/core/brand.ts";
import type { Artifact } from "../../../controller/core/live.ts";
import { references } from "../../../controller/targets/web/references.ts";
import { parseReleaseList } from "../../../controller/targets/web/release-list.ts";
import { cacheControlOf, contentTypeOf } from "../../../controller/targets/web/headers.ts";
import { type Bench, build, type Files, openBench, shaOf, type Upload } from "./bench.ts";

async function resolve(bench: Bench, pins: ReadonlyMap<string, Digest> = new Map()): Promise<Artifact | undefined> {
  const { target } = bench.life();
  const idle = new AbortController().signal;
  return (await bench.drive(target.artifacts(bench.environment("a"), pins, idle))).get("web/site");
}

async function resolved(files: Files, how?: Upload): Promise<Artifact | undefined> {
  const bench = await openBench();
  await bench.upload("a", files, how);
  return resolve(bench);
}

const artifact = `s3://artifacts/shop/${shaOf("a")}/`;

describe("a release that cannot be published", () => {
  it("is missing when nothing is there", async () => {
    const message = `no web release at ${artifact}`;
    expect(await resolve(await openBench())).toEqual({
      state: "unresolved",
      why: { code: "artifact-missing", message },
    });
  });

  it("is incomplete while listed files are missing, naming the first five", async () => {
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`${n}.css`, "x"]));
    const found = await resolved({ ...build("a"), ...files }, { without: Object.keys(files).slice(1) });
    const message = `release is incomplete: 1.css, 2.css, 3.css, 4.css, 5.css and 2 more (${artifact})`;
    expect(found).toEqual({ state: "unresolved", why: { code: "release-incomplete", message } });
  });

  it("is incomplete when a file has another size than listed", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    await bench.upload("a", { "robots.txt": "longer than before" }, { list: false });
    expect(await resolve(bench)).toMatchObject({ why: { message: expect.stringContaining("robots.txt") } });
  });

  it("without a list is incomplete while index.html or what it loads is missing", async () => {
    const files = { "index.html": `<link rel=stylesheet href="/a.css"><script src=b.js></script>`, "a.css": "" };
    expect(await resolved(files, { list: false })).toMatchObject({
      why: { message: `release is incomplete: b.js (${artifact})` },
    });
    expect(await resolved({ "a.css": "x" }, { list: false })).toMatchObject({
      why: { message: `release is incomplete: index.html (${artifact})` },
    });
  });

  it("says that the bucket does not exist, or that the role may not read it", async () => {
    const bench = await openBench();
    const { target } = bench.life();
    const environment = bench.environment("a", { artifact: "s3://no-such-bucket-here/x/" });
    const found = await bench.drive(target.artifacts(environment, new Map(), new AbortController().signal));
    expect(found.get("web/site")).toMatchObject({ why: { code: "bucket-missing" } });
    bench.sandbox.faults.add({ operation: "ListObjectsV2", kind: "denied" });
    expect(await resolve(bench)).toMatchObject({ why: { code: "denied" } });
  });

  it("was rebuilt when an earlier environment passed other bytes", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const pins = new Map([[`web/site@${shaOf("a")}`, Digest.parse(`sha256:${"0".repeat(64)}`)]]);
    expect(await resolve(bench, pins)).toMatchObject({ state: "unresolved", why: { code: "artifact-rebuilt" } });
  });

  it.each([
    ["{", "it is not JSON"],
    ["{}", 'it has no list "files"'],
    ['{"files":[]}', "it lists no files"],
    ['{"files":[{}]}', "files[0] has no key"],
    ['{"files":[{"key":"a","size":-1}]}', "files[0] (a) has no size in bytes"],
    ['{"files":[{"key":"a","size":1,"sha256":"x"}]}', "files[0] (a) has no sha256 of 64 digits"],
  ])("is refused for the list %s", (text, why) => expect(parseReleaseList(text)).toBe(why));

  it.each(["/a", "a//b", "../a", "a/./b", ".lockstep/site.json", "a\u0000", "", "x".repeat(901)])(
    "is refused for the key %j",
    (key) => {
      const list = JSON.stringify({ files: [{ key, size: 1, sha256: "0".repeat(64) }] });
      expect(parseReleaseList(list)).toMatch(/cannot be the key of a file$/);
    },
  );

  it("is refused for headers that would break the answer, double keys and files beyond what S3 copies", () => {
    const entry = { key: "a", size: 1, sha256: "0".repeat(64) };
    const list = (...files: readonly object[]) => parseReleaseList(JSON.stringify({ files }));
    expect(list({ ...entry, cacheControl: "a\r\nb: c" })).toContain("cannot be a header");
    expect(list(entry, entry)).toBe("a is listed twice");
    expect(list({ ...entry, size: 6 * 1024 ** 3 })).toContain("5 GiB");
    expect(list({ ...entry, size: 5 * 1024 ** 3 })).not.toBeTypeOf("string");
  });
});

describe("a complete release", () => {
  it("has one digest in every upload of the same bytes, and another for other bytes", async () => {
    const [one, two] = [await resolved(build("a")), await resolved(build("a"))];
    expect(one).toEqual(two);
    expect(await resolved(build("b"))).not.toEqual(one);
    expect(one).toMatchObject({ state: "resolved", from: artifact });
  });

  it("without a list is taken as it lies there, and the plan says so", async () => {
    expect(await resolved(build("a"), { list: false })).toMatchObject({
      state: "resolved",
      note: "no lockstep.json; judged by what index.html loads",
    });
  });

  it("is listed once and then asked for by one conditional request", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const life = bench.life();
    await life.look(bench.environment("a"));
    const before = bench.sandbox.calls.latest();
    await life.look(bench.environment("a"));
    const calls = bench.sandbox.calls.since(before).filter(({ input }) => String(input["path"]).includes("/artifacts"));
    expect(calls.map(({ operation, status }) => [operation, status])).toEqual([["GetObject", 304]]);
  });

  it("is read anew when its list changes", async () => {
    const bench = await openBench();
    await bench.upload("a", build("a"));
    const life = bench.life();
    const first = (await life.look(bench.environment("a"))).artifacts.get("web/site");
    await bench.upload("a", build("b"));
    expect((await life.look(bench.environment("a"))).artifacts.get("web/site")).not.toEqual(first);
    await bench.s3.send(new DeleteObjectCommand({ Bucket: "artifacts", Key: `shop/${shaOf("a")}/lockstep.json` }));
    await bench.s3.send(new PutObjectCommand({ Bucket: "artifacts", Key: `shop/${shaOf("a")}/x/`, Body: "" }));
    expect((await life.look(bench.environment("a"))).artifacts.get("web/site")).toMatchObject({ state: "resolved" });
  });
});

describe("what a page loads", () => {
  it.each([
    [`<script src="/a.js"></script><img src='b.png'>`, ["a.js", "b.png"]],
    [`<link rel="modulepreload" href="/c.js"><link rel="canonical" href="/d"><a href="/e">`, ["c.js"]],
    [`<!-- <script src="/x.js"></script> --><script>"<img src=y.png>"</script><img src=z.png>`, ["z.png"]],
    [`<base href="/app/"><script src="a.js?v=1#x"></script>`, ["app/a.js"]],
    [`<img src="https://other.test/a.png"><img src="//other.test/a.png"><img src="data:,x"><img src="">`, []],
    [
      `<iframe src="/docs/"></iframe><img src="/a%20b.png"><img src="/c&amp;d.png">`,
      ["docs/index.html", "a b.png", "c&d.png"],
    ],
    [`<img src="unclosed`, []],
  ])("of %s", (html, keys) => expect(references(html, "").map(([key]) => key)).toEqual(keys));

  it("under a prefix may be named with or without it", () => {
    expect(references(`<img src="/shop/a.png"><img src="/b.png">`, "shop/")).toEqual([
      ["shop/a.png", "a.png"],
      ["b.png"],
    ]);
  });

  it("is found in time linear in the page", () => {
    const hostile = ["<", `<a b="`, "<a ".repeat(3), "<!--", `<script `, "<img src='"].map((part) =>
      part.repeat(50_000),
    );
    const began = performance.now();
    for (const html of hostile) references(html, "");
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("headers that the list does not give", () => {
  it.each([
    ["index.html", "text/html; charset=utf-8", "no-cache"],
    ["app.c0ffee61.mjs", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
    ["sw.js", "text/javascript; charset=utf-8", "no-cache"],
    ["site.webmanifest", "application/manifest+json", "no-cache"],
    ["app.c0ffee61.wasm", "application/wasm", "public, max-age=31536000, immutable"],
    ["LICENSE", "application/octet-stream", "no-cache"],
    ["a.constructor", "application/octet-stream", "no-cache"],
    ["PHOTO.JPG", "image/jpeg", "no-cache"],
  ])("of %s are %s and %s", (key, type, control) => {
    expect(contentTypeOf(key)).toBe(type);
    expect(cacheControlOf(key)).toBe(control);
  });
});
