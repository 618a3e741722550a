import { Readable } from "node:stream";
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { AwsError } from "../../../sandbox/api.ts";
import { createS3Bench, failure, start } from "./support.ts";

const at = (Key: string) => ({ Bucket: "web", Key });

describe("objects", () => {
  it("answers a missing key with NoSuchKey to GET and NotFound to HEAD", async () => {
    const { s3 } = createS3Bench();
    expect(await failure(s3.send(new GetObjectCommand(at("none"))))).toBe("404 NoSuchKey");
    expect(await failure(s3.send(new HeadObjectCommand(at("none"))))).toBe("404 NotFound");
  });

  it("refuses keys over 1,024 bytes and a body that is not what its checksum says", async () => {
    const { s3 } = createS3Bench();
    const long = new PutObjectCommand({ ...at("ü".repeat(513)), Body: "x" });
    expect(await failure(s3.send(long))).toBe("400 KeyTooLongError");
    const wrong = new PutObjectCommand({ ...at("x"), Body: "x", ChecksumSHA256: "AAAA" });
    expect(await failure(s3.send(wrong))).toBe("400 BadDigest");
    const wrongMd5 = new PutObjectCommand({ ...at("x"), Body: "x", ContentMD5: "AAAA" });
    expect(await failure(s3.send(wrongMd5))).toBe("400 BadDigest");
    expect(await failure(s3.send(new HeadObjectCommand(at("x"))))).toBe("404 NotFound");
  });

  it("refuses more bytes than it keeps, and has room again after a delete", async () => {
    const { s3 } = createS3Bench({ limits: { totalBytes: 10 } });
    const put = (Key: string) => failure(s3.send(new PutObjectCommand({ ...at(Key), Body: "123456" })));
    expect(await put("a")).toBe("no error");
    expect(await put("b")).toBe("507 SandboxStorageFull");
    expect(await put("a")).toBe("no error");
    await s3.send(new DeleteObjectsCommand({ Bucket: "web", Delete: { Objects: [{ Key: "a" }] } }));
    expect(await put("b")).toBe("no error");
  });

  it("gives back what was put: bytes, headers, metadata, ETag, time and checksums", async () => {
    const { s3 } = createS3Bench();
    const headers = { ContentType: "text/css", CacheControl: "max-age=60", ContentEncoding: "gzip" };
    const body = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
    await s3.send(new PutObjectCommand({ ...at("x"), Body: body, Metadata: { "mixed-case": "V" }, ...headers }));
    const got = await s3.send(new GetObjectCommand(at("x")));
    expect(got).toMatchObject({ ...headers, Metadata: { "mixed-case": "V" }, ContentLength: 300 });
    expect(got.LastModified).toEqual(new Date(start));
    expect(got.ChecksumCRC32).toBeDefined();
    expect(await got.Body?.transformToByteArray()).toEqual(body);
    const head = await s3.send(new HeadObjectCommand(at("x")));
    expect(head).toMatchObject({ ...headers, ETag: got.ETag, ContentLength: 300 });
    expect(head.ChecksumCRC32).toBeUndefined();
  });

  // The check values every catalogue of CRCs gives for the string "123456789".
  it.each([
    ["CRC32", "y/Q5Jg=="],
    ["CRC32C", "4waSgw=="],
    ["CRC64NVME", "rosUhgp5mIg="],
  ] as const)("computes %s as its published check value", async (algorithm, value) => {
    const { service } = createS3Bench();
    const response = await service.handle(
      "PutObject",
      {
        method: "PUT",
        path: "/web/x",
        query: new URLSearchParams(),
        headers: { "x-amz-sdk-checksum-algorithm": algorithm },
        body: Buffer.from("123456789"),
      },
      { account: "111111111111", region: "us-east-1", arn: "", userAgent: "" },
    );
    expect(response.headers).toMatchObject({ [`x-amz-checksum-${algorithm.toLowerCase()}`]: value });
  });

  it("accepts a streamed body in aws-chunked framing with its checksum behind it", async () => {
    const { s3 } = createS3Bench();
    const body = "chunk ".repeat(20_000);
    const stream = Readable.from([Buffer.from(body.slice(0, 70_000)), Buffer.from(body.slice(70_000))]);
    await s3.send(new PutObjectCommand({ ...at("x"), Body: stream, ContentLength: body.length }));
    const got = await s3.send(new GetObjectCommand(at("x")));
    expect(await got.Body?.transformToString()).toBe(body);
    expect(got).toMatchObject({ ContentLength: body.length, ChecksumCRC32: expect.any(String) });
    expect(got.ContentEncoding ?? "").not.toContain("aws-chunked");
  });

  it.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=8-100", "89", "bytes 8-9/10"],
    ["lines=1-2", "0123456789", undefined],
  ])("answers the range %s", async (Range, body, contentRange) => {
    const { s3 } = createS3Bench();
    await s3.send(new PutObjectCommand({ ...at("x"), Body: "0123456789" }));
    const got = await s3.send(new GetObjectCommand({ ...at("x"), Range }));
    expect(await got.Body?.transformToString()).toBe(body);
    expect(got.ContentRange).toBe(contentRange);
  });

  it("answers a range behind the end with 416", async () => {
    const { s3 } = createS3Bench();
    await s3.send(new PutObjectCommand({ ...at("x"), Body: "0123456789" }));
    expect(await failure(s3.send(new GetObjectCommand({ ...at("x"), Range: "bytes=10-" })))).toBe("416 InvalidRange");
  });
});

describe("DeleteObjects", () => {
  const remove = (Objects: { Key: string; ETag?: string | undefined }[], Quiet = false) =>
    new DeleteObjectsCommand({ Bucket: "web", Delete: { Objects, Quiet } });

  it("refuses no keys and more than 1,000", async () => {
    const { s3 } = createS3Bench();
    expect(await failure(s3.send(remove([])))).toBe("400 MalformedXML");
    const keys = Array.from({ length: 1001 }, (_, index) => ({ Key: `k${index}` }));
    expect(await failure(s3.send(remove(keys)))).toBe("400 MalformedXML");
  });

  it("answers 200 with the keys that failed, also when it is quiet", async () => {
    const denied = new AwsError("AccessDenied", "Access Denied", 403);
    const { s3 } = createS3Bench({ disturb: ({ key }) => (key === "locked" ? denied : undefined) });
    const { ETag } = await s3.send(new PutObjectCommand({ ...at("changed"), Body: "x" }));
    await s3.send(new PutObjectCommand({ ...at("same"), Body: "x" }));
    const keys = [
      { Key: "locked" },
      { Key: "changed", ETag: '"stale"' },
      { Key: "gone", ETag: '"stale"' },
      { Key: "same", ETag },
      { Key: "never" },
    ];
    const errors = ["locked AccessDenied", "changed PreconditionFailed", "gone NoSuchKey"];
    const loud = await s3.send(remove(keys));
    expect(loud.Errors?.map(({ Key, Code }) => `${Key} ${Code}`)).toEqual(errors);
    expect(loud.Deleted?.map(({ Key }) => Key)).toEqual(["same", "never"]);
    const quiet = await s3.send(remove([{ Key: "locked" }, { Key: "never" }], true));
    expect(quiet.Errors?.map(({ Key }) => Key)).toEqual(["locked"]);
    expect(quiet.Deleted ?? []).toEqual([]);
  });

  it("deletes 1,000 keys whose names need escaping in XML", async () => {
    const { s3, service } = createS3Bench();
    const keys = Array.from({ length: 1000 }, (_, index) => `a&b<${index}> "q" \r 'x'`);
    for (const key of keys.slice(0, 3)) await s3.send(new PutObjectCommand({ ...at(key), Body: "x" }));
    const { Deleted, Errors } = await s3.send(remove(keys.map((Key) => ({ Key }))));
    expect(Errors ?? []).toEqual([]);
    expect(Deleted?.map(({ Key }) => Key)).toEqual(keys);
    expect(service.readObject("web", keys[0] ?? "")).toBeUndefined();
  });
});
