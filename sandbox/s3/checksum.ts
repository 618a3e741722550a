// The checksums S3 keeps with an object: computed, compared with what the client sent, and written as headers or XML.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsError } from "../api.ts";

const algorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof algorithms)[number];

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** COMPOSITE: the checksum of the parts' checksums, with `-<parts>` behind it. */
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  /** Base64. */
  readonly value: string;
}

/** Names an algorithm a header asks for; unknown ones (XXHASH, SHA512, MD5) are not imitated. */
export function algorithmOf(name: string): ChecksumAlgorithm {
  const found = algorithms.find((algorithm) => algorithm === name.toUpperCase());
  if (found === undefined) throw new AwsError("NotImplemented", `Checksum algorithm ${name} is not imitated.`, 501);
  return found;
}

const digests: Readonly<Record<ChecksumAlgorithm, (body: Uint8Array) => string>> = {
  CRC32: (body) => word(crc32(body)),
  CRC32C: (body) => word(crc32c(body)),
  CRC64NVME: crc64nvme,
  SHA1: (body) => createHash("sha1").update(body).digest("base64"),
  SHA256: (body) => createHash("sha256").update(body).digest("base64"),
};

/** Base64, as headers and XML carry it. */
export function digest(algorithm: ChecksumAlgorithm, body: Uint8Array): string {
  return digests[algorithm](body);
}

/** The checksum the client sent with the body, in a header or a trailer; undefined when it sent none. */
export function sentChecksum(headers: Readonly<Record<string, string>>): Checksum | undefined {
  for (const algorithm of algorithms) {
    const value = headers[`x-amz-checksum-${algorithm.toLowerCase()}`];
    if (value !== undefined) return { algorithm, type: "FULL_OBJECT", value };
  }
  return undefined;
}

/**
 * The checksum of a body as it arrived: the client's own when it is right, else CRC64NVME as S3 adds it.
 * Faults: `BadDigest` when the client's checksum or Content-MD5 does not fit the body.
 */
export function checkBody(headers: Readonly<Record<string, string>>, body: Uint8Array): Checksum {
  const md5 = headers["content-md5"];
  if (md5 !== undefined && md5 !== createHash("md5").update(body).digest("base64")) {
    throw new AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400);
  }
  const sent = sentChecksum(headers);
  const algorithm = sent?.algorithm ?? algorithmOf(headers["x-amz-sdk-checksum-algorithm"] ?? "CRC64NVME");
  const value = digest(algorithm, body);
  if (sent !== undefined && sent.value !== value) {
    throw new AwsError("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`, 400);
  }
  return { algorithm, type: "FULL_OBJECT", value };
}

/** The checksum of a multipart object over the checksums of its parts. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const joined = Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
  return { algorithm, type: "COMPOSITE", value: `${digest(algorithm, joined)}-${parts.length}` };
}

export function checksumHeaders(checksum: Checksum): Readonly<Record<string, string>> {
  return {
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value,
    "x-amz-checksum-type": checksum.type,
  };
}

export function checksumElements(checksum: Checksum): Readonly<Record<string, string>> {
  return { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type };
}

function word(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes.toString("base64");
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82_f6_3b_78 : crc >>> 1;
  return crc;
});

function crc32c(body: Uint8Array): number {
  let crc = 0xff_ff_ff_ff;
  for (const byte of body) crc = (castagnoli[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xff_ff_ff_ff) >>> 0;
}

// CRC-64/NVME in two 32-bit halves: BigInt would be some fifty times slower.
const nvmeHigh = new Uint32Array(256);
const nvmeLow = new Uint32Array(256);
for (let index = 0; index < 256; index += 1) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit += 1) {
    const odd = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (odd === 1) {
      high = (high ^ 0x9a_6c_93_29) >>> 0;
      low = (low ^ 0xac_4b_c9_b5) >>> 0;
    }
  }
  nvmeHigh[index] = high;
  nvmeLow[index] = low;
}

function crc64nvme(body: Uint8Array): string {
  let high = 0xff_ff_ff_ff;
  let low = 0xff_ff_ff_ff;
  for (const byte of body) {
    const index = (low ^ byte) & 0xff;
    low = (((low >>> 8) | (high << 24)) ^ (nvmeLow[index] ?? 0)) >>> 0;
    high = ((high >>> 8) ^ (nvmeHigh[index] ?? 0)) >>> 0;
  }
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(~high >>> 0, 0);
  bytes.writeUInt32BE(~low >>> 0, 4);
  return bytes.toString("base64");
}
