// Unwraps `aws-chunked` bodies, the framing in which SDKs stream uploads with a checksum behind the data.
import { AwsError } from "../api.ts";

export interface DecodedBody {
  readonly body: Uint8Array;
  /** Trailing headers, lower case, such as `x-amz-checksum-crc32`. */
  readonly trailers: Readonly<Record<string, string>>;
}

/**
 * The object's own bytes. A body already as long as `x-amz-decoded-content-length` was unwrapped before it came here
 * (framing always adds bytes).
 */
export function decodeBody(headers: Readonly<Record<string, string>>, body: Uint8Array): DecodedBody {
  const framed =
    (headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-") ||
    (headers["content-encoding"] ?? "").split(",").some((coding) => coding.trim() === "aws-chunked");
  if (!framed || headers["x-amz-decoded-content-length"] === String(body.length)) return { body, trailers: {} };
  return unwrap(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

function unwrap(framed: Buffer): DecodedBody {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = framed.indexOf("\r\n", at);
    if (lineEnd < 0) throw incomplete();
    const [length = ""] = framed.toString("latin1", at, lineEnd).split(";");
    const size = Number.parseInt(length, 16);
    at = lineEnd + 2;
    if (Number.isNaN(size) || at + size > framed.length) throw incomplete();
    if (size === 0) return { body: Buffer.concat(chunks), trailers: trailersOf(framed.toString("latin1", at)) };
    chunks.push(framed.subarray(at, at + size));
    at += size + 2;
  }
}

function trailersOf(text: string): Readonly<Record<string, string>> {
  const trailers: Record<string, string> = {};
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return trailers;
}

function incomplete(): AwsError {
  const message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
  return new AwsError("IncompleteBody", message, 400);
}
