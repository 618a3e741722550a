// Decides conditional requests: reads (304, 412), writes (412, 404) and copies (conditions on the source and the destination).
import { AwsError } from "../api.ts";
import type { StoredObject } from "./store.ts";

type Headers = Readonly<Record<string, string>>;

/** Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD. */
export function judgeRead(headers: Headers, object: StoredObject): "send" | "not-modified" {
  const match = headers["if-match"];
  if (match !== undefined && !matches(match, object)) throw failed("If-Match");
  const unmodified = headers["if-unmodified-since"];
  if (match === undefined && unmodified !== undefined && !isUnmodified(unmodified, object)) {
    throw failed("If-Unmodified-Since");
  }
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) return matches(noneMatch, object) ? "not-modified" : "send";
  const modified = headers["if-modified-since"];
  return modified !== undefined && isUnmodified(modified, object) ? "not-modified" : "send";
}

/** Judges `x-amz-copy-source-if-*`: every false condition is 412. */
export function judgeCopySource(headers: Headers, source: StoredObject): void {
  const prefix = "x-amz-copy-source-";
  const match = headers[`${prefix}if-match`];
  if (match !== undefined && !matches(match, source)) throw failed(`${prefix}If-Match`);
  const unmodified = headers[`${prefix}if-unmodified-since`];
  if (match === undefined && unmodified !== undefined && !isUnmodified(unmodified, source)) {
    throw failed(`${prefix}If-Unmodified-Since`);
  }
  const noneMatch = headers[`${prefix}if-none-match`];
  if (noneMatch !== undefined && matches(noneMatch, source)) throw failed(`${prefix}If-None-Match`);
  const modified = headers[`${prefix}if-modified-since`];
  if (noneMatch === undefined && modified !== undefined && isUnmodified(modified, source)) {
    throw failed(`${prefix}If-Modified-Since`);
  }
}

/**
 * Judges If-None-Match (only `*` is defined for writes) and If-Match of a write or delete against what is there now.
 * Faults: 412 `PreconditionFailed`; 404 `NoSuchKey` for If-Match on a missing key; 501 for If-None-Match with an ETag.
 */
export function judgeWrite(headers: Headers, key: string, existing: StoredObject | undefined): void {
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== "*") {
      const message = "A header you provided implies functionality that is not implemented";
      throw new AwsError("NotImplemented", message, 501, { Header: "If-None-Match" });
    }
    if (existing !== undefined) throw failed("If-None-Match");
  }
  const match = headers["if-match"];
  if (match === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!matches(match, existing)) throw failed("If-Match");
}

export function noSuchKey(key: string): AwsError {
  return new AwsError("NoSuchKey", "The specified key does not exist.", 404, { Key: key });
}

function failed(condition: string): AwsError {
  const message = "At least one of the pre-conditions you specified did not hold";
  return new AwsError("PreconditionFailed", message, 412, { Condition: condition });
}

function matches(condition: string, object: StoredObject): boolean {
  const wanted = condition.trim();
  return wanted === "*" || wanted.replaceAll('"', "") === object.etag;
}

// A date S3 cannot read is a condition that is not there.
function isUnmodified(since: string, object: StoredObject): boolean {
  const time = Date.parse(since);
  return !Number.isNaN(time) && object.lastModified <= time;
}
