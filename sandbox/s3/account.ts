// What every S3 operation stands on: the store, the clock, the limits, the hook for rare errors, and finding a bucket.
import { AwsError, type SandboxClock, type SandboxResponse } from "../api.ts";
import { xml } from "../wire.ts";
import type { S3Call } from "./request.ts";
import type { Bucket, Store, StoredObject } from "./store.ts";
import type { XmlTree } from "./xml.ts";

/**
 * Asked before every effect (for DeleteObjects once per key as well); an error it returns is the answer. With status 200
 * it is embedded in a 200 response, as S3 does for copies and completed uploads. The only way to a 409
 * `ConditionalRequestConflict`, since the sandbox itself never runs two writes at once.
 */
export type Disturb = (at: {
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
}) => AwsError | undefined;

export interface S3Limits {
  /** All objects and parts in memory together. */
  readonly totalBytes: number;
  /** The largest source of one CopyObject or UploadPartCopy. */
  readonly copySourceBytes: number;
  /** The smallest part of a multipart upload, except the last. */
  readonly partBytes: number;
}

export interface S3Account {
  readonly store: Store;
  readonly clock: SandboxClock;
  readonly limits: S3Limits;
  readonly disturb: Disturb;
}

export type S3Operation = (call: S3Call, on: S3Account) => SandboxResponse;

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** The bucket of a call, in the region the call was signed for (elsewhere S3 answers 301 with the right region). */
export function bucketOf(call: S3Call, on: S3Account): Bucket {
  const bucket = existingBucket(call.bucket, on);
  if (bucket.region !== call.caller.region) {
    const message =
      "The bucket you are attempting to access must be addressed using the specified endpoint. " +
      "Please send all future requests to this endpoint.";
    const Endpoint = `${bucket.name}.s3.${bucket.region}.amazonaws.com`;
    throw new AwsError("PermanentRedirect", message, 301, { Endpoint, Bucket: bucket.name, Region: bucket.region });
  }
  return bucket;
}

export function existingBucket(name: string, on: S3Account): Bucket {
  const bucket = on.store.bucket(name);
  if (bucket !== undefined) return bucket;
  throw new AwsError("NoSuchBucket", "The specified bucket does not exist", 404, { BucketName: name });
}

/** Now, in the whole seconds S3 keeps. */
export function stamp(clock: SandboxClock): number {
  return Math.floor(clock.now() / 1000) * 1000;
}

export function isoTime(time: number): string {
  return new Date(time).toISOString();
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}

export function xmlResponse(
  root: string,
  tree: XmlTree,
  headers: Readonly<Record<string, string>> = {},
): SandboxResponse {
  return xml(root, tree, { namespace, headers });
}

export function emptyResponse(status: number, headers: Readonly<Record<string, string>> = {}): SandboxResponse {
  return { status, headers, body: "" };
}

/** Headers of an object as GET and HEAD send them. */
export function objectHeaders(object: StoredObject): Readonly<Record<string, string>> {
  const tags = object.tagging === undefined ? 0 : [...new URLSearchParams(object.tagging).keys()].length;
  return {
    ...object.headers,
    "accept-ranges": "bytes",
    etag: quoted(object.etag),
    "last-modified": new Date(object.lastModified).toUTCString(),
    "x-amz-server-side-encryption": "AES256",
    ...(tags > 0 ? { "x-amz-tagging-count": String(tags) } : {}),
  };
}
