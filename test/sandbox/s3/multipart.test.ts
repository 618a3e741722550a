import { createHash } from "node:crypto";
import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand } from "@aws-sdk/client-s3";
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
} from "@aws-sdk/client-s3";
import { ListPartsCommand, PutObjectCommand, UploadPartCommand, UploadPartCopyCommand } from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { createS3Bench, failure, type S3Bench } from "./support.ts";

let bench: S3Bench;
const at = { Bucket: "web", Key: "big" };

beforeEach(() => {
  bench = createS3Bench({ limits: { partBytes: 4 } });
});

async function begin() {
  const input = { ...at, ContentType: "video/mp4", CacheControl: "max-age=5", ChecksumAlgorithm: "CRC32" } as const;
  const { UploadId } = await bench.s3.send(new CreateMultipartUploadCommand(input));
  return { ...at, UploadId };
}

async function upload(to: Awaited<ReturnType<typeof begin>>, bodies: readonly string[]) {
  const parts = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag, ChecksumCRC32 } = await bench.s3.send(new UploadPartCommand({ ...to, PartNumber, Body }));
    parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  return parts;
}

describe("multipart uploads", () => {
  it("refuses wrong order, wrong ETags, small parts, no parts and unknown uploads", async () => {
    const to = await begin();
    const parts = await upload(to, ["aaaa", "bbbb"]);
    const complete = (Parts: typeof parts) =>
      failure(bench.s3.send(new CompleteMultipartUploadCommand({ ...to, MultipartUpload: { Parts } })));
    expect(await complete([...parts].reverse())).toBe("400 InvalidPartOrder");
    expect(await complete(parts.map((item) => ({ ...item, ETag: '"x"' })))).toBe("400 InvalidPart");
    expect(await complete([])).toBe("400 MalformedXML");
    const small = await upload(to, ["aaa", "bbbb"]);
    expect(await complete(small)).toBe("400 EntityTooSmall");
    const unknown = { ...to, UploadId: "none" };
    expect(await failure(bench.s3.send(new ListPartsCommand(unknown)))).toBe("404 NoSuchUpload");
    const part = new UploadPartCommand({ ...to, PartNumber: 10_001, Body: "x" });
    expect(await failure(bench.s3.send(part))).toBe("400 InvalidArgument");
  });

  it("joins parts under an ETag with the number of parts, which a copy does not keep", async () => {
    const to = await begin();
    const parts = await upload(to, ["aaaa", "bbbb", "c"]);
    const complete = new CompleteMultipartUploadCommand({ ...to, MultipartUpload: { Parts: parts } });
    const { ETag, ChecksumCRC32, ChecksumType } = await bench.s3.send(complete);
    const md5 = (data: string | Buffer) => createHash("md5").update(data).digest();
    expect(ETag).toBe(`"${md5(Buffer.concat([md5("aaaa"), md5("bbbb"), md5("c")])).toString("hex")}-3"`);
    expect(ChecksumCRC32).toMatch(/-3$/);
    expect(ChecksumType).toBe("COMPOSITE");
    const got = await bench.s3.send(new GetObjectCommand(at));
    expect(await got.Body?.transformToString()).toBe("aaaabbbbc");
    expect(got).toMatchObject({ ETag, ContentType: "video/mp4", CacheControl: "max-age=5" });
    const copied = await bench.s3.send(new CopyObjectCommand({ Bucket: "web", Key: "copy", CopySource: "web/big" }));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5("aaaabbbbc").toString("hex")}"`);
  });

  it("copies parts of an object, and loses its headers as S3 does", async () => {
    await bench.s3.send(
      new PutObjectCommand({ Bucket: "web", Key: "src", Body: "0123456789", ContentType: "text/css" }),
    );
    const { UploadId } = await bench.s3.send(new CreateMultipartUploadCommand(at));
    const to = { ...at, UploadId, CopySource: "web/src" };
    const Parts = [];
    for (const [index, CopySourceRange] of ["bytes=0-4", "bytes=5-9"].entries()) {
      const PartNumber = index + 1;
      const input = { ...to, PartNumber, CopySourceRange };
      const { CopyPartResult } = await bench.s3.send(new UploadPartCopyCommand(input));
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    const outside = new UploadPartCopyCommand({ ...to, PartNumber: 3, CopySourceRange: "bytes=10-11" });
    expect(await failure(bench.s3.send(outside))).toBe("400 InvalidArgument");
    await bench.s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
    const got = await bench.s3.send(new GetObjectCommand(at));
    expect(await got.Body?.transformToString()).toBe("0123456789");
    expect(got.ContentType).toBe("binary/octet-stream");
  });

  it("creates a key once with If-None-Match, and the refused upload can still be aborted", async () => {
    const to = await begin();
    const Parts = await upload(to, ["x"]);
    await bench.s3.send(new PutObjectCommand({ ...at, Body: "first" }));
    const complete = { ...to, MultipartUpload: { Parts }, IfNoneMatch: "*" };
    expect(await failure(bench.s3.send(new CompleteMultipartUploadCommand(complete)))).toBe("412 PreconditionFailed");
    expect(await failure(bench.s3.send(new AbortMultipartUploadCommand(to)))).toBe("no error");
    expect(await failure(bench.s3.send(new AbortMultipartUploadCommand(to)))).toBe("404 NoSuchUpload");
    expect((await bench.s3.send(new HeadObjectCommand(at))).ContentLength).toBe(5);
  });

  it("lists parts page by page", async () => {
    const to = await begin();
    await upload(to, ["aaaa", "bbbb", "c"]);
    const first = await bench.s3.send(new ListPartsCommand({ ...to, MaxParts: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: "2" });
    const rest = await bench.s3.send(new ListPartsCommand({ ...to, PartNumberMarker: first.NextPartNumberMarker }));
    expect(rest.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([[3, 1]]);
  });
});
