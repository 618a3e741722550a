// CopyObject, and finding and judging the source of any copy.
import { createHash } from "node:crypto";
import { AwsError, type SandboxResponse } from "../api.ts";
import { bucketOf, existingBucket, isoTime, quoted, stamp, xmlResponse, type S3Account } from "./account.ts";
import { algorithmOf, checksumElements, digest, type Checksum } from "./checksum.ts";
import { judgeCopySource, judgeWrite, noSuchKey } from "./conditions.ts";
import { storedHeaders } from "./metadata.ts";
import { readCopySource, type S3Call } from "./request.ts";
import type { StoredObject } from "./store.ts";

/** Copies in one atomic step. The copy is a single-part object, so a multipart source changes its ETag. */
export function copyObject(call: S3Call, on: S3Account): SandboxResponse {
  const bucket = bucketOf(call, on);
  const source = copySource(call, on);
  assertCopySize(source.body.length, on);
  judgeWrite(call.headers, call.key, bucket.objects.get(call.key));
  const replaceHeaders = directive(call, "x-amz-metadata-directive") === "REPLACE";
  const replaceTags = directive(call, "x-amz-tagging-directive") === "REPLACE";
  const from = readCopySource(call);
  if (from.bucket === call.bucket && from.key === call.key && !replaceHeaders && !changesStorage(call)) {
    const message =
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
      "metadata, storage class, website redirect location or encryption attributes.";
    throw new AwsError("InvalidRequest", message, 400);
  }
  const copy: StoredObject = {
    key: call.key,
    body: source.body,
    etag: createHash("md5").update(source.body).digest("hex"),
    lastModified: stamp(on.clock),
    headers: replaceHeaders ? storedHeaders(call.headers) : source.headers,
    tagging: replaceTags ? call.headers["x-amz-tagging"] : source.tagging,
    checksum: copiedChecksum(call, source),
  };
  on.store.putObject(bucket.name, copy);
  return xmlResponse("CopyObjectResult", {
    LastModified: isoTime(copy.lastModified),
    ETag: quoted(copy.etag),
    ...checksumElements(copy.checksum),
  });
}

/** The object to copy from, its conditions judged. It may live in any region. */
export function copySource(call: S3Call, on: S3Account): StoredObject {
  const from = readCopySource(call);
  const source = existingBucket(from.bucket, on).objects.get(from.key);
  if (source === undefined) throw noSuchKey(from.key);
  judgeCopySource(call.headers, source);
  return source;
}

/** Refuses what S3 copies only in parts. */
export function assertCopySize(bytes: number, on: S3Account): void {
  const limit = on.limits.copySourceBytes;
  if (bytes <= limit) return;
  const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${limit}`;
  throw new AwsError("InvalidRequest", message, 400);
}

function copiedChecksum(call: S3Call, source: StoredObject): Checksum {
  const asked = call.headers["x-amz-checksum-algorithm"];
  const algorithm = asked === undefined ? source.checksum.algorithm : algorithmOf(asked);
  if (algorithm === source.checksum.algorithm && source.checksum.type === "FULL_OBJECT") return source.checksum;
  return { algorithm, type: "FULL_OBJECT", value: digest(algorithm, source.body) };
}

function directive(call: S3Call, header: string): "COPY" | "REPLACE" {
  const value = call.headers[header] ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw new AwsError("InvalidArgument", "Unknown directive.", 400, { ArgumentName: header, ArgumentValue: value });
}

function changesStorage(call: S3Call): boolean {
  const changing = ["x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-server-side-encryption"];
  return changing.some((header) => call.headers[header] !== undefined);
}
