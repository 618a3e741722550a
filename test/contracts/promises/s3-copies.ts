// S3 copies and multipart uploads: conditions at both ends, what a copy keeps, and ETags of parts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type Account, failure, present } from "../account.ts";
import type { Contract } from "../contract.ts";
import { bucket, md5, put, read } from "./s3-objects.ts";

async function copy(account: Account, Bucket: string, more: Partial<CopyObjectCommandInput> = {}): Promise<string> {
  const input = { Bucket, Key: "to", CopySource: `${Bucket}/from`, ...more };
  return present((await account.s3.send(new CopyObjectCommand(input))).CopyObjectResult?.ETag);
}

/** A bucket with `from`, as a release would hold it. */
async function prepared(account: Account): Promise<string> {
  const Bucket = await bucket(account);
  const headers = { ContentType: "text/css", CacheControl: "public, max-age=60", Metadata: { sha: "1" } };
  await put(account, Bucket, "from", "new", headers);
  return Bucket;
}

async function headersOf(account: Account, Bucket: string, Key: string): Promise<unknown> {
  const { ContentType, CacheControl, Metadata } = await account.s3.send(new HeadObjectCommand({ Bucket, Key }));
  return { ContentType, CacheControl, Metadata };
}

const PART = "p".repeat(5 * 1024 * 1024);
const LAST = "the end";

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

async function begin(account: Account): Promise<Upload> {
  const [Bucket, Key] = [await bucket(account), "from"];
  const { UploadId } = await account.s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  return { Bucket, Key, UploadId: present(UploadId) };
}

async function upload(account: Account, to: Upload, bodies: readonly string[]): Promise<readonly string[]> {
  const etags: string[] = [];
  for (const [index, Body] of bodies.entries()) {
    const part = await account.s3.send(new UploadPartCommand({ ...to, PartNumber: index + 1, Body }));
    etags.push(present(part.ETag));
  }
  return etags;
}

function complete(
  account: Account,
  to: Upload,
  parts: readonly (readonly [number, string])[],
  more: Partial<CompleteMultipartUploadCommandInput> = {},
) {
  const MultipartUpload = { Parts: parts.map(([PartNumber, ETag]) => ({ PartNumber, ETag })) };
  return account.s3.send(new CompleteMultipartUploadCommand({ ...to, MultipartUpload, ...more }));
}

const inOrder = (etags: readonly string[]): readonly (readonly [number, string])[] =>
  etags.map((etag, index) => [index + 1, etag] as const);

function etagOfParts(bodies: readonly string[]): string {
  const digests = bodies.map((body) => createHash("md5").update(body).digest());
  return `"${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${bodies.length}"`;
}

export const S3_COPIES: readonly Contract[] = [
  {
    name: "CopyObject keeps Content-Type, Cache-Control, metadata and the ETag of its source",
    async observe(account) {
      const Bucket = await prepared(account);
      return [await copy(account, Bucket), await headersOf(account, Bucket, "to")];
    },
    promised: [md5("new"), { ContentType: "text/css", CacheControl: "public, max-age=60", Metadata: { sha: "1" } }],
  },
  {
    name: "CopyObject with REPLACE has what was sent and nothing of the source's headers",
    async observe(account) {
      const Bucket = await prepared(account);
      await copy(account, Bucket, { MetadataDirective: "REPLACE", ContentType: "text/plain", Metadata: { sha: "2" } });
      return headersOf(account, Bucket, "to");
    },
    promised: { ContentType: "text/plain", CacheControl: undefined, Metadata: { sha: "2" } },
  },
  {
    name: "CopyObject from a missing key is NoSuchKey",
    async observe(account) {
      const Bucket = await bucket(account);
      return failure(copy(account, Bucket));
    },
    promised: "404 NoSuchKey",
  },
  {
    name: "CopyObject onto itself without a change is refused",
    async observe(account) {
      const Bucket = await prepared(account);
      return failure(copy(account, Bucket, { Key: "from" }));
    },
    promised: "400 InvalidRequest",
  },
  {
    name: "CopyObject is refused with 412 when the source is not the one that was read",
    async observe(account) {
      const Bucket = await prepared(account);
      return failure(copy(account, Bucket, { CopySourceIfMatch: md5("old") }));
    },
    promised: "412 PreconditionFailed",
    moto: {
      says: "no error",
      evidence: "x-amz-copy-source-if-match: 412 when it evaluates to false (API_CopyObject); moto does not read it.",
    },
  },
  {
    name: "CopyObject with If-None-Match * is refused with 412 when the destination exists, and leaves it alone",
    async observe(account) {
      const Bucket = await prepared(account);
      await put(account, Bucket, "to", "old");
      return [await failure(copy(account, Bucket, { IfNoneMatch: "*" })), await read(account, Bucket, "to")];
    },
    promised: ["412 PreconditionFailed", "old"],
    moto: {
      says: ["no error", "new"],
      evidence:
        "If-None-Match of CopyObject (API_CopyObject, conditional writes); moto reads conditions of PutObject only and overwrites.",
    },
  },
  {
    name: "CopyObject with If-Match is refused with 412 when the destination is not the one that was read",
    async observe(account) {
      const Bucket = await prepared(account);
      await put(account, Bucket, "to", "somebody else's");
      return [await failure(copy(account, Bucket, { IfMatch: md5("old") })), await read(account, Bucket, "to")];
    },
    promised: ["412 PreconditionFailed", "somebody else's"],
    moto: {
      says: ["no error", "new"],
      evidence:
        "If-Match of CopyObject (API_CopyObject, conditional writes); moto reads conditions of PutObject only and overwrites.",
    },
  },
  {
    name: "a source with blanks, plus signs and Unicode in its key is copied when it is URL-encoded",
    async observe(account) {
      const Bucket = await bucket(account);
      await put(account, Bucket, "a b+c/ü", "x");
      await copy(account, Bucket, { CopySource: `${Bucket}/${encodeURIComponent("a b+c/ü")}` });
      return read(account, Bucket, "to");
    },
    promised: "x",
  },
  {
    name: "the ETag of a multipart upload is the MD5 of its parts' MD5s and their number, so not that of its bytes",
    async observe(account) {
      const to = await begin(account);
      const { ETag } = await complete(account, to, inOrder(await upload(account, to, [PART, LAST])));
      return ETag;
    },
    promised: etagOfParts([PART, LAST]),
  },
  {
    name: "a copy of a multipart object is one part, so its ETag is another",
    async observe(account) {
      const to = await begin(account);
      await complete(account, to, inOrder(await upload(account, to, [PART, LAST])));
      return copy(account, to.Bucket);
    },
    promised: md5(PART + LAST),
  },
  {
    name: "CompleteMultipartUpload refuses parts under 5 MiB and unknown ETags",
    async observe(account) {
      const small = await begin(account);
      const tooSmall = await failure(complete(account, small, inOrder(await upload(account, small, ["a", "b"]))));
      const to = await begin(account);
      await upload(account, to, [PART]);
      return [tooSmall, await failure(complete(account, to, [[1, md5("other")]]))];
    },
    promised: ["400 EntityTooSmall", "400 InvalidPart"],
  },
  {
    name: "CompleteMultipartUpload refuses parts in a wrong order",
    async observe(account) {
      const to = await begin(account);
      const parts = inOrder(await upload(account, to, [PART, PART]));
      return failure(complete(account, to, parts.toReversed()));
    },
    promised: "400 InvalidPartOrder",
    moto: {
      says: "no error",
      evidence:
        '"The parts list must be specified in order by part number": InvalidPartOrder (API_CompleteMultipartUpload); moto joins them as they come.',
    },
  },
  {
    name: "CompleteMultipartUpload with If-None-Match * is refused with 412 when the key exists",
    async observe(account) {
      const to = await begin(account);
      await put(account, to.Bucket, to.Key, "first");
      const parts = inOrder(await upload(account, to, ["second"]));
      const refused = await failure(complete(account, to, parts, { IfNoneMatch: "*" }));
      return [refused, await read(account, to.Bucket, to.Key)];
    },
    promised: ["412 PreconditionFailed", "first"],
  },
  {
    name: "an upload that was aborted is NoSuchUpload",
    async observe(account) {
      const to = await begin(account);
      await account.s3.send(new AbortMultipartUploadCommand(to));
      return failure(account.s3.send(new ListPartsCommand(to)));
    },
    promised: "404 NoSuchUpload",
  },
];
