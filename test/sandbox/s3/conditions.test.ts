import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { AwsError } from "../../../sandbox/api.ts";
import type { S3Dependencies } from "../../../sandbox/s3/service.ts";
import { createS3Bench, failure, start, type S3Bench } from "./support.ts";

let bench: S3Bench;
let etag: string | undefined;
const here = { Bucket: "web", Key: "here" };
const missing = { Bucket: "web", Key: "missing" };
const stale = '"00000000000000000000000000000000"';

beforeEach(async () => {
  bench = createS3Bench();
  etag = (await bench.s3.send(new PutObjectCommand({ ...here, Body: "one" }))).ETag;
});

describe("conditional writes", () => {
  const put = (input: Partial<PutObjectCommandInput>) =>
    bench.s3.send(new PutObjectCommand({ ...here, Body: "two", ...input }));

  it("refuses If-None-Match: * when the key exists, and leaves the object alone", async () => {
    expect(await failure(put({ IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
    const object = await bench.s3.send(new GetObjectCommand(here));
    expect(await object.Body?.transformToString()).toBe("one");
  });

  it("lets exactly one of many writers create a key", async () => {
    const writers = Array.from({ length: 8 }, () => put({ ...missing, IfNoneMatch: "*" }));
    const results = await Promise.all(writers.map(failure));
    expect(results.filter((result) => result === "no error")).toHaveLength(1);
    expect(new Set(results)).toEqual(new Set(["no error", "412 PreconditionFailed"]));
  });

  it("refuses If-None-Match with an ETag, which S3 does not implement for writes", async () => {
    expect(await failure(put({ IfNoneMatch: stale }))).toBe("501 NotImplemented");
  });

  it("refuses If-Match with a stale ETag, and answers 404 for a missing key", async () => {
    expect(await failure(put({ IfMatch: stale }))).toBe("412 PreconditionFailed");
    expect(await failure(put({ ...missing, IfMatch: stale }))).toBe("404 NoSuchKey");
    expect(await failure(put({ IfMatch: etag }))).toBe("no error");
  });

  it("refuses to delete what is not as expected", async () => {
    const remove = (input: { Key: string; IfMatch?: string | undefined }) =>
      failure(bench.s3.send(new DeleteObjectCommand({ Bucket: "web", ...input })));
    expect(await remove({ Key: "here", IfMatch: stale })).toBe("412 PreconditionFailed");
    expect(await remove({ Key: "missing", IfMatch: "*" })).toBe("404 NoSuchKey");
    expect(await remove({ Key: "missing" })).toBe("no error");
    expect(await remove({ Key: "here", IfMatch: etag })).toBe("no error");
  });

  it("answers 409 ConditionalRequestConflict only when it is asked to", async () => {
    const conflict = new AwsError("ConditionalRequestConflict", "A conflicting operation is in progress.", 409);
    const disturb: S3Dependencies["disturb"] = ({ operation }) => (operation === "PutObject" ? conflict : undefined);
    const disturbed = createS3Bench({ disturb });
    const write = disturbed.s3.send(new PutObjectCommand({ ...here, Body: "x", IfNoneMatch: "*" }));
    expect(await failure(write)).toBe("409 ConditionalRequestConflict");
    expect(await failure(disturbed.s3.send(new HeadObjectCommand(here)))).toBe("404 NotFound");
  });
});

describe("conditional reads", () => {
  it.each([
    ["If-Match with another ETag", { IfMatch: stale }, "412 PreconditionFailed"],
    ["If-Unmodified-Since before the change", { IfUnmodifiedSince: new Date(start - 1000) }, "412 PreconditionFailed"],
    ["If-Modified-Since after the change", { IfModifiedSince: new Date(start + 1000) }, "304 Unknown"],
    ["If-Modified-Since before the change", { IfModifiedSince: new Date(start - 1000) }, "no error"],
    ["If-None-Match with another ETag", { IfNoneMatch: stale }, "no error"],
  ])("judges %s", async (_, condition, expected) => {
    expect(await failure(bench.s3.send(new GetObjectCommand({ ...here, ...condition })))).toBe(expected);
  });

  it("answers 304 for the ETag the client has, to GET and to HEAD", async () => {
    const condition = { ...here, IfNoneMatch: etag };
    expect(await failure(bench.s3.send(new GetObjectCommand(condition)))).toMatch(/^304 /);
    expect(await failure(bench.s3.send(new HeadObjectCommand(condition)))).toMatch(/^304 /);
  });

  it("lets If-Match win over If-Unmodified-Since", async () => {
    const condition = { ...here, IfMatch: etag, IfUnmodifiedSince: new Date(start - 1000) };
    expect(await failure(bench.s3.send(new GetObjectCommand(condition)))).toBe("no error");
  });
});

describe("conditional copies", () => {
  const copy = (input: object) =>
    failure(bench.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "copy", CopySource: "web/here", ...input })));

  it.each([
    ["a source that changed", { CopySourceIfMatch: stale }],
    ["a source that changed since", { CopySourceIfUnmodifiedSince: new Date(start - 1000) }],
    ["a source that did not change since", { CopySourceIfModifiedSince: new Date(start + 1000) }],
    ["a destination that exists", { Key: "here2", IfNoneMatch: "*" }],
    ["a destination that changed", { Key: "here2", IfMatch: stale }],
  ])("refuses %s", async (_, input) => {
    await bench.s3.send(new PutObjectCommand({ Bucket: "web", Key: "here2", Body: "old" }));
    expect(await copy(input)).toBe("412 PreconditionFailed");
    const untouched = await bench.s3.send(new GetObjectCommand({ Bucket: "web", Key: "here2" }));
    expect(await untouched.Body?.transformToString()).toBe("old");
  });

  it("refuses a source that is still the one the client has", async () => {
    expect(await copy({ CopySourceIfNoneMatch: etag })).toBe("412 PreconditionFailed");
  });

  it("copies when every condition holds, and answers 404 for If-Match on a missing destination", async () => {
    expect(await copy({ CopySourceIfMatch: etag, IfNoneMatch: "*" })).toBe("no error");
    expect(await copy({ CopySourceIfMatch: etag, IfMatch: etag })).toBe("no error");
    expect(await copy({ Key: "never", IfMatch: etag })).toBe("404 NoSuchKey");
  });
});
