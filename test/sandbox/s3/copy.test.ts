import { CopyObjectCommand, CreateBucketCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { AwsError } from "../../../sandbox/api.ts";
import { createS3Bench, failure, type S3Bench } from "./support.ts";

let bench: S3Bench;
const source = { Bucket: "web", Key: "source" };

beforeEach(async () => {
  bench = createS3Bench();
  const headers = { ContentType: "text/html", CacheControl: "no-cache", Metadata: { release: "abc" } };
  await bench.s3.send(new PutObjectCommand({ ...source, Body: "page", Tagging: "a=1&b=2", ...headers }));
});

const encode = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

describe("CopyObject", () => {
  it.each([
    ["a missing source key", "web/none", "404 NoSuchKey"],
    ["a missing source bucket", "none/source", "404 NoSuchBucket"],
    ["a source without a key", "web", "400 InvalidArgument"],
    ["a source that is not URL-encoded", "web/größe", "400 InvalidArgument"],
    ["a source with a broken escape", "web/%E0%A4%A", "400 InvalidURI"],
  ])("refuses %s", async (_, CopySource, expected) => {
    expect(await failure(bench.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "x", CopySource })))).toBe(expected);
  });

  it("reads + in the source as a space, so that an unencoded c++.js is another key", async () => {
    await bench.s3.send(new PutObjectCommand({ Bucket: "web", Key: "c++.js", Body: "plus" }));
    const copy = (CopySource: string) => bench.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "x", CopySource }));
    expect(await failure(copy("web/c++.js"))).toBe("404 NoSuchKey");
    expect(await failure(copy("web/c%2B%2B.js"))).toBe("no error");
  });

  it("throws an error that comes inside a 200 response, and copies nothing", async () => {
    const disturbed = createS3Bench({
      disturb: ({ operation }) =>
        operation === "CopyObject" ? new AwsError("SlowDown", "Slow down.", 200) : undefined,
    });
    await disturbed.s3.send(new PutObjectCommand({ ...source, Body: "page" }));
    const copy = disturbed.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "x", CopySource: "web/source" }));
    expect(await failure(copy)).toMatch(/ SlowDown$/);
    expect(await failure(disturbed.s3.send(new HeadObjectCommand({ Bucket: "web", Key: "x" })))).toBe("404 NotFound");
  });

  it("refuses to copy an object to itself unless something changes", async () => {
    const self = { ...source, CopySource: "web/source" };
    expect(await failure(bench.s3.send(new CopyObjectCommand(self)))).toBe("400 InvalidRequest");
    const replaced = { ...self, MetadataDirective: "REPLACE", CacheControl: "max-age=1" } as const;
    expect(await failure(bench.s3.send(new CopyObjectCommand(replaced)))).toBe("no error");
  });

  it("refuses a source larger than one copy may be", async () => {
    const small = createS3Bench({ limits: { copySourceBytes: 3 } });
    await small.s3.send(new PutObjectCommand({ ...source, Body: "page" }));
    const copy = small.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "x", CopySource: "web/source" }));
    expect(await failure(copy)).toBe("400 InvalidRequest");
  });

  it("keeps headers, metadata and tags by default", async () => {
    const target = { Bucket: "web", Key: "target" };
    const { CopyObjectResult } = await bench.s3.send(new CopyObjectCommand({ ...target, CopySource: "/web/source" }));
    const head = await bench.s3.send(new HeadObjectCommand({ ...target, ChecksumMode: "ENABLED" }));
    expect(head).toMatchObject({
      ContentType: "text/html",
      CacheControl: "no-cache",
      Metadata: { release: "abc" },
      ETag: CopyObjectResult?.ETag,
      ChecksumCRC32: CopyObjectResult?.ChecksumCRC32,
      ChecksumType: "FULL_OBJECT",
    });
    const got = await bench.s3.send(new GetObjectCommand(target));
    expect(got.TagCount).toBe(2);
    expect(await got.Body?.transformToString()).toBe("page");
  });

  it("drops every header that a replacing copy does not send again, Content-Type included", async () => {
    const replace = { MetadataDirective: "REPLACE", CacheControl: "max-age=60" } as const;
    await bench.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "t", CopySource: "web/source", ...replace }));
    const head = await bench.s3.send(new HeadObjectCommand({ Bucket: "web", Key: "t" }));
    expect(head).toMatchObject({ ContentType: "binary/octet-stream", CacheControl: "max-age=60", Metadata: {} });
  });

  it("copies keys with every awkward character when the source is encoded", async () => {
    const keys = ["a+b", "[slug]", "(group)/x", "with space", "größe/日本語/🚀", "a//b", "50%", "q?x=1&y", "it's"];
    for (const key of keys) {
      await bench.s3.send(new PutObjectCommand({ Bucket: "web", Key: key, Body: key }));
      const target = { Bucket: "web", Key: `live/${key}` };
      await bench.s3.send(new CopyObjectCommand({ ...target, CopySource: `web/${encode(key)}` }));
      const copied = await bench.s3.send(new GetObjectCommand(target));
      expect(await copied.Body?.transformToString()).toBe(key);
    }
  });

  it("copies from a bucket of another region", async () => {
    const europe = bench.client({ region: "eu-west-1" });
    await europe.send(new CreateBucketCommand({ Bucket: "europe" }));
    const copy = europe.send(new CopyObjectCommand({ Bucket: "europe", Key: "x", CopySource: "web/source" }));
    expect(await failure(copy)).toBe("no error");
  });
});
