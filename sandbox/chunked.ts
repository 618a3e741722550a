// Undoes the aws-chunked encoding in which SDK v3 sends streamed S3 bodies with a checksum behind them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html

import { AwsError, type SandboxRequest } from "./api.ts";

const LINE_LIMIT = 16_384;

/**
 * The request as the service should see it: the plain body, `aws-chunked` gone from Content-Encoding, trailers
 * (checksums) among the headers. Chunk signatures are not checked. Fault: IncompleteBody.
 */
export function withoutChunks(request: SandboxRequest): SandboxRequest {
  const encodings = (request.headers["content-encoding"] ?? "").split(",").map((encoding) => encoding.trim());
  const streamed = request.headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true;
  if (!encodings.includes("aws-chunked") && !streamed) return request;
  const { body, trailers } = decode(Buffer.from(request.body));
  const announced = request.headers["x-amz-decoded-content-length"];
  if (announced !== undefined && Number(announced) !== body.length) throw incomplete();
  const headers: Record<string, string> = { ...request.headers, ...trailers, "content-length": String(body.length) };
  const left = encodings.filter((encoding) => encoding !== "aws-chunked" && encoding !== "");
  delete headers["content-encoding"];
  if (left.length > 0) headers["content-encoding"] = left.join(",");
  return { ...request, headers, body };
}

function decode(raw: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const pieces: Buffer[] = [];
  const trailers: Record<string, string> = {};
  let at = 0;
  function line(): string {
    const end = raw.indexOf("\r\n", at);
    if (end < 0 || end - at > LINE_LIMIT) throw incomplete();
    const text = raw.toString("latin1", at, end);
    at = end + 2;
    return text;
  }
  for (;;) {
    const [digits = ""] = line().split(";");
    if (!/^[0-9a-fA-F]{1,12}$/.test(digits)) throw incomplete();
    const size = Number.parseInt(digits, 16);
    if (size === 0) break;
    if (at + size + 2 > raw.length) throw incomplete();
    pieces.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  while (at < raw.length) {
    const text = line();
    const colon = text.indexOf(":");
    if (colon > 0) trailers[text.slice(0, colon).trim().toLowerCase()] = text.slice(colon + 1).trim();
  }
  return { body: Buffer.concat(pieces), trailers };
}

function incomplete(): AwsError {
  return new AwsError(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
  );
}
