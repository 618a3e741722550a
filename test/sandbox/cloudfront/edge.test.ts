import { GetDistributionConfigCommand, UpdateDistributionCommand } from "@aws-sdk/client-cloudfront";
import { describe, expect, it } from "vitest";
import { createSite, distributionConfig } from "./support.ts";

const optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const spa = [403, 404].map((ErrorCode) => ({ ErrorCode, ResponsePagePath: "/index.html", ResponseCode: "200" }));

describe("the edge", () => {
  it("answers 403 for a missing key, and keeps that answer for 10 seconds", async () => {
    const site = await createSite();
    expect(await site.see("/late.html")).toMatch(/^403 Error .*AccessDenied/s);
    await site.put("late.html", "here");
    site.pass(9.999);
    expect(await site.see("/late.html")).toMatch(/^403 Error/);
    site.pass(0.001);
    expect(await site.see("/late.html")).toBe("200 Miss here");
  });

  it("answers 404 when viewers may list the bucket", async () => {
    const site = await createSite({}, { missingStatus: 404 });
    expect(await site.see("/none")).toMatch(/^404 Error .*NoSuchKey/s);
  });

  it("refuses writes, and everything when it is disabled", async () => {
    const site = await createSite();
    expect((await site.get("/", {}, "POST")).status).toBe(403);
    const disabled = await createSite({ Enabled: false });
    await disabled.put("index.html", "x");
    expect((await disabled.get("/index.html")).status).toBe(403);
  });

  it("says that it serves S3 origins only", async () => {
    const Items = [
      {
        Id: "bucket",
        DomainName: "api.example",
        CustomOriginConfig: { HTTPPort: 80, HTTPSPort: 443, OriginProtocolPolicy: "https-only" as const },
      },
    ];
    const site = await createSite({ Origins: { Quantity: 1, Items } });
    expect((await site.get("/")).status).toBe(502);
  });

  it("shows a single-page application's page for a missing key, with 200, and drops it after 10 seconds", async () => {
    const site = await createSite({ CustomErrorResponses: { Quantity: 2, Items: spa } });
    await site.put("index.html", "page");
    expect(await site.see("/assets/old.js")).toBe("200 Error page");
    await site.put("assets/old.js", "code");
    expect(await site.see("/assets/old.js")).toBe("200 Error page");
    site.pass(10);
    expect(await site.see("/assets/old.js")).toBe("200 Miss code");
  });

  it("shows the old page for 24 hours when the object does not say how long", async () => {
    const site = await createSite();
    await site.put("index.html", "old");
    expect(await site.see("/")).toBe("200 Miss old");
    await site.put("index.html", "new");
    site.pass(24 * 3600 - 1);
    expect(await site.see("/")).toBe("200 Hit old");
    expect((await site.get("/")).headers["age"]).toBe(String(24 * 3600 - 1));
    site.pass(1);
    expect(await site.see("/")).toBe("200 Miss new");
  });

  it("shows the old page until the invalidation completes, and not a moment longer", async () => {
    const site = await createSite();
    await site.put("index.html", "old");
    await site.see("/index.html");
    await site.put("index.html", "new");
    await site.invalidate("/index.html");
    site.pass(9.999);
    expect(await site.see("/index.html")).toBe("200 Hit old");
    site.pass(0.001);
    expect(await site.see("/index.html")).toBe("200 Miss new");
  });

  it("keeps / and /index.html apart, so that each needs its invalidation", async () => {
    const site = await createSite();
    await site.put("index.html", "old");
    await site.see("/");
    await site.see("/index.html");
    await site.put("index.html", "new");
    await site.invalidate("/index.html");
    site.pass(10);
    expect([await site.see("/"), await site.see("/index.html")]).toEqual(["200 Hit old", "200 Miss new"]);
  });

  it.each([
    ["no-cache", 0, "RefreshHit"],
    ["public, max-age=60", 59, "Hit"],
    ["public, max-age=60", 60, "RefreshHit"],
    ["max-age=5, s-maxage=100", 99, "Hit"],
    ["max-age=500, s-maxage=10", 10, "RefreshHit"],
    ["public, max-age=31536000, immutable", 31_535_999, "Hit"],
    ["no-store", 0, "Miss"],
    ["private", 0, "Miss"],
  ])("with %s, after %d seconds it is a %s", async (cacheControl, seconds, cache) => {
    const site = await createSite();
    await site.put("x", "same", cacheControl);
    expect(await site.see("/x")).toBe("200 Miss same");
    site.pass(seconds);
    expect(await site.see("/x")).toBe(`200 ${cache} same`);
  });

  it("keeps even no-cache and no-store for the minimum of the cache policy", async () => {
    const behavior = { TargetOriginId: "bucket", ViewerProtocolPolicy: "allow-all", CachePolicyId: optimized } as const;
    const site = await createSite({ DefaultCacheBehavior: behavior });
    await site.put("x", "old", "no-store");
    await site.see("/x");
    await site.put("x", "new", "no-store");
    expect(await site.see("/x")).toBe("200 Hit old");
    site.pass(1);
    expect(await site.see("/x")).toBe("200 Miss new");
  });

  it("answers 304 to a browser that has the page, and a range of it", async () => {
    const site = await createSite();
    await site.put("x", "0123456789", "no-cache");
    const first = await site.get("/x");
    const again = await site.get("/x", { "if-none-match": first.headers["etag"] ?? "" });
    expect(again).toMatchObject({ status: 304, body: "", headers: { "cache-control": "no-cache" } });
    expect(await site.get("/x", { range: "bytes=2-3" })).toMatchObject({ status: 206, body: "23" });
    expect((await site.get("/x", { range: "bytes=10-" })).status).toBe(416);
    expect(await site.get("/x", {}, "HEAD")).toMatchObject({
      status: 200,
      body: "",
      headers: { "content-length": "10" },
    });
  });

  it("reads from the origin path, and changes it only once the new configuration is deployed", async () => {
    const origin = (OriginPath: string) => {
      const Items = [
        { Id: "bucket", DomainName: "web.s3.amazonaws.com", OriginPath, S3OriginConfig: { OriginAccessIdentity: "" } },
      ];
      return { Origins: { Quantity: 1, Items } };
    };
    const site = await createSite(origin("/releases/one"));
    await site.put("releases/one/x", "one", "no-cache");
    await site.put("releases/two/x", "two", "no-cache");
    site.pass(60);
    expect(await site.see("/x")).toBe("200 Miss one");
    const { ETag } = await site.cloudfront.send(new GetDistributionConfigCommand({ Id: site.id }));
    const DistributionConfig = distributionConfig(origin("/releases/two"));
    await site.cloudfront.send(new UpdateDistributionCommand({ Id: site.id, IfMatch: ETag, DistributionConfig }));
    expect(await site.see("/x")).toBe("200 RefreshHit one");
    site.pass(60);
    expect(await site.see("/x")).toBe("200 Miss two");
  });

  it("reads + as a space, as S3 does, so that a key with + needs %2B", async () => {
    const site = await createSite();
    await site.put("c++.js", "code");
    expect(await site.see("/c++.js")).toMatch(/^403/);
    expect(await site.see("/c%2B%2B.js")).toBe("200 Miss code");
  });

  it.each([
    ["/größe (1).html", "/gr%C3%B6%C3%9Fe%20(1).html"],
    ["/[slug].js", "/%5Bslug%5D.js"],
    ["/a//b", "/a//b"],
  ])("finds %s and forgets it by its encoded path", async (name, encoded) => {
    const site = await createSite();
    await site.put(name.slice(1), "old");
    expect(await site.see(encoded)).toBe("200 Miss old");
    await site.put(name.slice(1), "new");
    await site.invalidate(encoded);
    site.pass(10);
    expect(await site.see(encoded)).toBe("200 Miss new");
  });

  it("does not forget /a~b by /a%7Eb, only by a wildcard", async () => {
    const site = await createSite();
    await site.put("a~b", "old");
    await site.see("/a~b");
    await site.invalidate("/a%7Eb");
    site.pass(10);
    expect(await site.see("/a%7eb")).toBe("200 Hit old");
    await site.invalidate("/a*");
    site.pass(10);
    expect(await site.see("/a~b")).toBe("200 Miss old");
  });

  it("tells a directory with a trailing slash from one without", async () => {
    const site = await createSite();
    await site.put("docs/", "slash");
    await site.put("docs", "bare");
    const both = async () => [await site.see("/docs"), await site.see("/docs/")];
    await both();
    await site.invalidate("/docs");
    site.pass(10);
    expect(await both()).toEqual(["200 Miss bare", "200 Hit slash"]);
    await site.invalidate("/docs/*");
    site.pass(10);
    expect(await both()).toEqual(["200 Hit bare", "200 Miss slash"]);
    await site.invalidate("/docs*");
    site.pass(10);
    expect(await both()).toEqual(["200 Miss bare", "200 Miss slash"]);
  });
});
