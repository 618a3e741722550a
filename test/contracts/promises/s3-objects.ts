// S3 objects: conditional writes and reads, ETags, ranges, keys as bytes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
import { createHash } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type PutObjectCommandInput,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { type Account, failure, present, REGION } from "../account.ts";
import type { Contract } from "../contract.ts";

/** A bucket of the row's own. */
export async function bucket({ s3, fresh }: Account): Promise<string> {
  const Bucket = fresh("contract-bucket");
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }));
  return Bucket;
}

export async function put(
  { s3 }: Account,
  Bucket: string,
  Key: string,
  Body: string,
  more: Partial<PutObjectCommandInput> = {},
): Promise<string> {
  return present((await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))).ETag);
}

export async function read({ s3 }: Account, Bucket: string, Key: string): Promise<string> {
  return present(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString());
}

export const md5 = (text: string): string => `"${createHash("md5").update(text).digest("hex")}"`;

/** Keys that a careless client or server turns into others. */
export const KEYS = ["a b", "a+b", "a%2Bb", "[x](y)", "ü/ß", "d//e", "日本.txt", "q?x=1&y#z", "~t", "'quote'"];

export const S3_OBJECTS: readonly Contract[] = [
  {
    name: "PutObject with If-None-Match * on an existing key is refused with 412 and changes nothing",
    async observe(account) {
      const Bucket = await bucket(account);
      await put(account, Bucket, "k", "first");
      const refused = await failure(put(account, Bucket, "k", "second", { IfNoneMatch: "*" }));
      return [refused, await read(account, Bucket, "k")];
    },
    promised: ["412 PreconditionFailed", "first"],
  },
  {
    name: "PutObject with If-None-Match * on a new key is taken",
    async observe(account) {
      const Bucket = await bucket(account);
      return put(account, Bucket, "k", "first", { IfNoneMatch: "*" });
    },
    promised: md5("first"),
  },
  {
    name: "PutObject with the ETag of what stands there is taken, with another it is refused with 412",
    async observe(account) {
      const Bucket = await bucket(account);
      const IfMatch = await put(account, Bucket, "k", "first");
      const taken = await failure(put(account, Bucket, "k", "second", { IfMatch }));
      return [taken, await failure(put(account, Bucket, "k", "third", { IfMatch })), await read(account, Bucket, "k")];
    },
    promised: ["no error", "412 PreconditionFailed", "second"],
  },
  {
    name: "PutObject with If-Match on a missing key is refused with 404",
    async observe(account) {
      const Bucket = await bucket(account);
      return failure(put(account, Bucket, "k", "first", { IfMatch: md5("other") }));
    },
    promised: "404 NoSuchKey",
  },
  {
    name: "of writers that come one after another with If-None-Match *, exactly the first wins",
    async observe(account) {
      const Bucket = await bucket(account);
      const outcomes: string[] = [];
      for (const body of ["a", "b", "c"]) {
        outcomes.push(await failure(put(account, Bucket, "lock", body, { IfNoneMatch: "*" })));
      }
      return [...outcomes, await read(account, Bucket, "lock")];
    },
    promised: ["no error", "412 PreconditionFailed", "412 PreconditionFailed", "a"],
  },
  {
    name: "the ETag of a whole upload is the MD5 of its bytes, and equal bytes have equal ETags whatever their headers",
    async observe(account) {
      const Bucket = await bucket(account);
      await put(account, Bucket, "a", "body", { CacheControl: "no-store" });
      await put(account, Bucket, "b", "body", { ContentType: "text/plain" });
      const heads = ["a", "b"].map((Key) => account.s3.send(new HeadObjectCommand({ Bucket, Key })));
      return (await Promise.all(heads)).map(({ ETag }) => ETag);
    },
    promised: [md5("body"), md5("body")],
  },
  {
    name: "Content-Type, Cache-Control and metadata come back as they were sent",
    async observe(account) {
      const Bucket = await bucket(account);
      const headers = { ContentType: "text/css; charset=utf-8", CacheControl: "public, max-age=60" };
      await put(account, Bucket, "k", "x", { ...headers, Metadata: { release: "17" } });
      const { ContentType, CacheControl, Metadata } = await account.s3.send(
        new HeadObjectCommand({ Bucket, Key: "k" }),
      );
      return { ContentType, CacheControl, Metadata };
    },
    promised: {
      ContentType: "text/css; charset=utf-8",
      CacheControl: "public, max-age=60",
      Metadata: { release: "17" },
    },
  },
  {
    name: "a missing key is NoSuchKey to GET, a bare 404 to HEAD, and nothing to DELETE",
    async observe(account) {
      const Bucket = await bucket(account);
      return Promise.all([
        failure(account.s3.send(new GetObjectCommand({ Bucket, Key: "none" }))),
        failure(account.s3.send(new HeadObjectCommand({ Bucket, Key: "none" }))),
        failure(account.s3.send(new DeleteObjectCommand({ Bucket, Key: "none" }))),
      ]);
    },
    promised: ["404 NoSuchKey", "404 NotFound", "no error"],
  },
  {
    name: "a missing bucket is NoSuchBucket",
    observe: ({ s3 }) => failure(s3.send(new GetObjectCommand({ Bucket: "nobody-has-this", Key: "k" }))),
    promised: "404 NoSuchBucket",
  },
  {
    // A 304 has no body and so no code: the SDK calls it Unknown.
    name: "GetObject with If-None-Match answers 304 for the same bytes, with If-Match 412 for others",
    async observe(account) {
      const Bucket = await bucket(account);
      const ETag = await put(account, Bucket, "k", "x");
      return Promise.all([
        failure(account.s3.send(new GetObjectCommand({ Bucket, Key: "k", IfNoneMatch: ETag }))),
        failure(account.s3.send(new GetObjectCommand({ Bucket, Key: "k", IfMatch: md5("other") }))),
      ]);
    },
    promised: ["304 Unknown", "412 PreconditionFailed"],
  },
  {
    name: "a range answers its bytes and says where they stand; one behind the end is refused with 416",
    async observe(account) {
      const Bucket = await bucket(account);
      await put(account, Bucket, "k", "0123456789");
      const part = await account.s3.send(new GetObjectCommand({ Bucket, Key: "k", Range: "bytes=2-4" }));
      const behind = account.s3.send(new GetObjectCommand({ Bucket, Key: "k", Range: "bytes=20-30" }));
      return [await part.Body?.transformToString(), part.ContentRange, await failure(behind)];
    },
    promised: ["234", "bytes 2-4/10", "416 InvalidRange"],
  },
  {
    name: "keys are bytes: blanks, plus signs, brackets, doubled slashes and Unicode name objects of their own",
    async observe(account) {
      const Bucket = await bucket(account);
      for (const key of KEYS) await put(account, Bucket, key, `body of ${key}`);
      const bodies: string[] = [];
      for (const key of KEYS) bodies.push(await read(account, Bucket, key));
      return bodies;
    },
    promised: KEYS.map((key) => `body of ${key}`),
  },
  {
    name: "DeleteObject with If-Match of other bytes is refused with 412, and the object stays",
    async observe(account) {
      const Bucket = await bucket(account);
      await put(account, Bucket, "k", "x");
      const stale = account.s3.send(new DeleteObjectCommand({ Bucket, Key: "k", IfMatch: md5("other") }));
      return [await failure(stale), await read(account, Bucket, "k")];
    },
    promised: ["412 PreconditionFailed", "x"],
  },
];
