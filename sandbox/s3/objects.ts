// GetObject, HeadObject, PutObject, DeleteObject and DeleteObjects.
import { createHash } from "node:crypto";
import { AwsError, type SandboxResponse } from "../api.ts";
import { bucketOf, emptyResponse, objectHeaders, quoted, stamp, xmlResponse, type S3Account } from "./account.ts";
import { checkBody, checksumHeaders, sentChecksum } from "./checksum.ts";
import { judgeRead, judgeWrite, noSuchKey } from "./conditions.ts";
import { storedHeaders } from "./metadata.ts";
import { readRange } from "./range.ts";
import type { S3Call } from "./request.ts";
import type { StoredObject } from "./store.ts";
import { childrenOf, malformedXml, parseXml, textOf, type XmlElement } from "./xml.ts";

export function getObject(call: S3Call, on: S3Account): SandboxResponse {
  const object = bucketOf(call, on).objects.get(call.key);
  if (object === undefined) throw noSuchKey(call.key);
  const headers = objectHeaders(object);
  if (judgeRead(call.headers, object) === "not-modified") return notModified(headers);
  const range = readRange(call.headers["range"], object.body.length);
  if (range === "unsatisfiable") {
    const members = { RangeRequested: call.headers["range"], ActualObjectSize: String(object.body.length) };
    throw new AwsError("InvalidRange", "The requested range is not satisfiable", 416, members);
  }
  if (range !== undefined) {
    const body = object.body.subarray(range.first, range.last + 1);
    const contentRange = `bytes ${range.first}-${range.last}/${object.body.length}`;
    const partial = { ...headers, "content-range": contentRange, "content-length": String(body.length) };
    return { status: 206, headers: partial, body };
  }
  return { status: 200, headers: wholeHeaders(call, object), body: object.body };
}

/** As GetObject, without a body: a missing key or bucket is a bare 404, which SDKs call `NotFound`. */
export function headObject(call: S3Call, on: S3Account): SandboxResponse {
  const response = getObject(call, on);
  return { ...response, body: "" };
}

function wholeHeaders(call: S3Call, object: StoredObject): Readonly<Record<string, string>> {
  const asked = call.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED";
  return {
    ...objectHeaders(object),
    "content-length": String(object.body.length),
    ...(asked ? checksumHeaders(object.checksum) : {}),
  };
}

function notModified(headers: Readonly<Record<string, string>>): SandboxResponse {
  const names = ["cache-control", "etag", "expires", "last-modified"];
  return emptyResponse(304, Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name))));
}

export function putObject(call: S3Call, on: S3Account): SandboxResponse {
  const bucket = bucketOf(call, on);
  judgeWrite(call.headers, call.key, bucket.objects.get(call.key));
  const checksum = checkBody(call.headers, call.body);
  const etag = createHash("md5").update(call.body).digest("hex");
  on.store.putObject(bucket.name, {
    key: call.key,
    body: Uint8Array.from(call.body),
    etag,
    lastModified: stamp(on.clock),
    headers: storedHeaders(call.headers),
    tagging: call.headers["x-amz-tagging"],
    checksum,
  });
  const headers = { etag: quoted(etag), "x-amz-server-side-encryption": "AES256", ...checksumHeaders(checksum) };
  return emptyResponse(200, headers);
}

/** Deleting what is not there succeeds, unless If-Match expects it to be there. */
export function deleteObject(call: S3Call, on: S3Account): SandboxResponse {
  const bucket = bucketOf(call, on);
  judgeWrite(call.headers, call.key, bucket.objects.get(call.key));
  on.store.deleteObject(bucket.name, call.key);
  return emptyResponse(204);
}

/** Answers 200 with `Errors[]` for the keys that failed; `Quiet` leaves only those. */
export function deleteObjects(call: S3Call, on: S3Account): SandboxResponse {
  bucketOf(call, on);
  if (call.headers["content-md5"] === undefined && sentChecksum(call.headers) === undefined) {
    const message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
    throw new AwsError("InvalidRequest", message, 400);
  }
  checkBody(call.headers, call.body);
  const { root, element } = parseXml(call.body);
  const entries = childrenOf(element, "Object");
  if (root !== "Delete" || entries.length === 0 || entries.length > 1000) throw malformedXml();
  const deleted: XmlElement[] = [];
  const errors: XmlElement[] = [];
  for (const entry of entries) {
    const key = typeof entry === "string" ? undefined : textOf(entry, "Key");
    if (key === undefined || key === "" || typeof entry === "string") throw malformedXml();
    const error = tryDelete(call, on, key, textOf(entry, "ETag"));
    if (error === undefined) deleted.push({ Key: key });
    else errors.push({ Key: key, Code: error.code, Message: error.message });
  }
  const quiet = textOf(element, "Quiet")?.trim() === "true";
  return xmlResponse("DeleteResult", { Deleted: quiet ? [] : deleted, Error: errors });
}

function tryDelete(call: S3Call, on: S3Account, key: string, etag: string | undefined): AwsError | undefined {
  const disturbed = on.disturb({ operation: call.operation, bucket: call.bucket, key });
  if (disturbed !== undefined) return disturbed;
  try {
    const existing = on.store.bucket(call.bucket)?.objects.get(key);
    judgeWrite(etag === undefined ? {} : { "if-match": etag }, key, existing);
    on.store.deleteObject(call.bucket, key);
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}
