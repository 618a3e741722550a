// Multipart uploads: create, upload or copy parts, list, complete, abort.
import { createHash, randomUUID } from "node:crypto";
import { AwsError, type SandboxResponse } from "../api.ts";
import { bucketOf, emptyResponse, isoTime, quoted, stamp, xmlResponse, type S3Account } from "./account.ts";
import { algorithmOf, checkBody, checksumElements, checksumHeaders } from "./checksum.ts";
import { compositeChecksum, digest, type Checksum } from "./checksum.ts";
import { judgeWrite } from "./conditions.ts";
import { assertCopySize, copySource } from "./copy.ts";
import { storedHeaders } from "./metadata.ts";
import { readRange } from "./range.ts";
import type { S3Call } from "./request.ts";
import type { Part, Upload } from "./store.ts";
import { childrenOf, malformedXml, parseXml, textOf, type XmlTree } from "./xml.ts";

export function createMultipartUpload(call: S3Call, on: S3Account): SandboxResponse {
  bucketOf(call, on);
  const algorithm = algorithmOf(call.headers["x-amz-checksum-algorithm"] ?? "CRC64NVME");
  const asked = call.headers["x-amz-checksum-type"];
  const checksumType = asked === "FULL_OBJECT" || algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  const id = randomUUID().replaceAll("-", "");
  const tagging = call.headers["x-amz-tagging"];
  const headers = storedHeaders(call.headers);
  on.store.startUpload({ id, bucket: call.bucket, key: call.key, headers, tagging, algorithm, checksumType });
  const echoed = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": checksumType };
  const result = { Bucket: call.bucket, Key: call.key, UploadId: id };
  return xmlResponse("InitiateMultipartUploadResult", result, echoed);
}

export function uploadPart(call: S3Call, on: S3Account): SandboxResponse {
  const upload = uploadOf(call, on);
  const checksum = checkBody(call.headers, call.body);
  const part = storePart(call, on, upload, call.body);
  return emptyResponse(200, { etag: quoted(part.etag), ...checksumHeaders(checksum) });
}

export function uploadPartCopy(call: S3Call, on: S3Account): SandboxResponse {
  const upload = uploadOf(call, on);
  const source = copySource(call, on);
  const header = call.headers["x-amz-copy-source-range"];
  const range = readRange(header, source.body.length);
  if (range === "unsatisfiable" || (header !== undefined && range === undefined)) {
    const message = "The x-amz-copy-source-range value must be of the form bytes=first-last within the source";
    throw new AwsError("InvalidArgument", message, 400, { ArgumentName: "x-amz-copy-source-range" });
  }
  const body = range === undefined ? source.body : source.body.subarray(range.first, range.last + 1);
  assertCopySize(body.length, on);
  const part = storePart(call, on, upload, body);
  const result = { LastModified: isoTime(part.lastModified), ETag: quoted(part.etag) };
  return xmlResponse("CopyPartResult", { ...result, ...partChecksum(part) });
}

export function listParts(call: S3Call, on: S3Account): SandboxResponse {
  const upload = uploadOf(call, on);
  const after = Number(call.query.get("part-number-marker") ?? "0");
  const max = Math.min(1000, Number(call.query.get("max-parts") ?? "1000"));
  const later = [...upload.parts.values()].filter((part) => part.number > after).sort((a, b) => a.number - b.number);
  const page = later.slice(0, max);
  return xmlResponse("ListPartsResult", {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: String(after),
    NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
    MaxParts: String(max),
    IsTruncated: String(later.length > page.length),
    ChecksumAlgorithm: upload.algorithm,
    ChecksumType: upload.checksumType,
    StorageClass: "STANDARD",
    Part: page.map((part) => ({
      PartNumber: String(part.number),
      LastModified: isoTime(part.lastModified),
      ETag: quoted(part.etag),
      Size: String(part.body.length),
      ...partChecksum(part),
    })),
  });
}

export function abortMultipartUpload(call: S3Call, on: S3Account): SandboxResponse {
  on.store.endUpload(uploadOf(call, on).id);
  return emptyResponse(204);
}

/** Joins the named parts; the ETag is the MD5 of the parts' MD5s, with `-<parts>` behind it. */
export function completeMultipartUpload(call: S3Call, on: S3Account): SandboxResponse {
  const upload = uploadOf(call, on);
  const bucket = bucketOf(call, on);
  const parts = namedParts(call, on, upload);
  judgeWrite(call.headers, call.key, bucket.objects.get(call.key));
  const body = Uint8Array.from(Buffer.concat(parts.map((part) => part.body)));
  const hashes = Buffer.concat(parts.map((part) => Buffer.from(part.etag, "hex")));
  const etag = `${createHash("md5").update(hashes).digest("hex")}-${parts.length}`;
  const checksum = wholeChecksum(upload, parts, body);
  const { key, headers, tagging } = upload;
  // The parts make room for the object they become.
  on.store.endUpload(upload.id);
  on.store.putObject(bucket.name, { key, body, etag, lastModified: stamp(on.clock), headers, tagging, checksum });
  return xmlResponse("CompleteMultipartUploadResult", {
    Location: `https://${bucket.name}.s3.${bucket.region}.amazonaws.com/${encodeURIComponent(key)}`,
    Bucket: bucket.name,
    Key: key,
    ETag: quoted(etag),
    ...checksumElements(checksum),
  });
}

function uploadOf(call: S3Call, on: S3Account): Upload {
  bucketOf(call, on);
  const upload = on.store.upload(call.query.get("uploadId") ?? "");
  if (upload !== undefined && upload.bucket === call.bucket && upload.key === call.key) return upload;
  const message =
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
  throw new AwsError("NoSuchUpload", message, 404, { UploadId: call.query.get("uploadId") ?? "" });
}

function storePart(call: S3Call, on: S3Account, upload: Upload, body: Uint8Array): Part {
  const number = Number(call.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    const message = "Part number must be an integer between 1 and 10000, inclusive";
    throw new AwsError("InvalidArgument", message, 400, { ArgumentName: "partNumber" });
  }
  const part: Part = {
    number,
    body: Uint8Array.from(body),
    etag: createHash("md5").update(body).digest("hex"),
    lastModified: stamp(on.clock),
    checksum: { algorithm: upload.algorithm, type: "FULL_OBJECT", value: digest(upload.algorithm, body) },
  };
  on.store.putPart(upload.id, part);
  return part;
}

// The parts the request names, in its order: ascending, each uploaded, each large enough except the last.
function namedParts(call: S3Call, on: S3Account, upload: Upload): readonly Part[] {
  const { root, element } = parseXml(call.body);
  const entries = childrenOf(element, "Part");
  if (root !== "CompleteMultipartUpload" || entries.length === 0) throw malformedXml();
  const parts = entries.map((entry) => namedPart(entry, upload));
  parts.forEach((part, index) => {
    const next = parts[index + 1];
    if (next === undefined) return;
    if (next.number <= part.number) {
      throw new AwsError("InvalidPartOrder", "The list of parts was not in ascending order.", 400);
    }
    if (part.body.length < on.limits.partBytes) {
      const members = { PartNumber: String(part.number), MinSizeAllowed: String(on.limits.partBytes) };
      throw new AwsError(
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
        400,
        members,
      );
    }
  });
  return parts;
}

function namedPart(entry: XmlTree, upload: Upload): Part {
  if (typeof entry === "string") throw malformedXml();
  const number = Number(textOf(entry, "PartNumber"));
  const part = upload.parts.get(number);
  const etag = textOf(entry, "ETag")?.replaceAll('"', "");
  const sent = textOf(entry, `Checksum${upload.algorithm}`);
  if (part !== undefined && part.etag === etag && (sent ?? part.checksum.value) === part.checksum.value) return part;
  const message = "One or more of the specified parts could not be found, or its ETag or checksum did not match.";
  throw new AwsError("InvalidPart", message, 400, { PartNumber: String(number), UploadId: upload.id });
}

function wholeChecksum(upload: Upload, parts: readonly Part[], body: Uint8Array): Checksum {
  if (upload.checksumType === "COMPOSITE") {
    const values = parts.map((part) => part.checksum.value);
    return compositeChecksum(upload.algorithm, values);
  }
  return { algorithm: upload.algorithm, type: "FULL_OBJECT", value: digest(upload.algorithm, body) };
}

function partChecksum(part: Part): Readonly<Record<string, string>> {
  return { [`Checksum${part.checksum.algorithm}`]: part.checksum.value };
}
