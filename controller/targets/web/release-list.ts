// Reads `lockstep.json`: what a web release consists of, as the build wrote it, every line checked before it is believed.
import type { ReleaseFile } from "../../core/assets.ts";
import { LIMITS } from "../../core/limits.ts";
import { cacheControlOf, contentTypeOf } from "./headers.ts";

/** Uploaded last, so that its presence says that the upload has ended. */
export const RELEASE_LIST = "lockstep.json";

/** Keys under it are ours, in every web bucket. */
export const OWN_FOLDER = ".lockstep/";

/** Bytes of an object that one CopyObject takes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const COPY_BYTES = 5 * 1024 ** 3;

/** Bytes of a whole release. */
const RELEASE_BYTES = 50 * 1024 ** 3;

/**
 * `{"files": [{"key", "size", "sha256", "contentType"?, "cacheControl"?, "contentEncoding"?}]}`; answers with the first
 * thing that is wrong as text.
 */
export function parseReleaseList(text: string): readonly ReleaseFile[] | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  const entries = isObject(parsed) ? parsed["files"] : undefined;
  if (!Array.isArray(entries)) return 'it has no list "files"';
  if (entries.length === 0) return "it lists no files";
  const files: ReleaseFile[] = [];
  for (const [index, entry] of entries.entries()) {
    const file = parseFile(entry);
    if (typeof file === "string") return `files[${index}] ${file}`;
    files.push(file);
  }
  return faultOfFiles(files) ?? files;
}

/** What forbids publishing these files, in words; undefined = nothing. */
export function faultOfFiles(files: readonly Pick<ReleaseFile, "key" | "size">[]): string | undefined {
  if (files.length > LIMITS.releaseFiles) return `it has more than ${LIMITS.releaseFiles} files`;
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > RELEASE_BYTES) return `it has more than ${RELEASE_BYTES} bytes`;
  const large = files.find((file) => file.size > COPY_BYTES);
  if (large !== undefined) return `${large.key} has ${large.size} bytes, and S3 copies at most 5 GiB at once`;
  const seen = new Set<string>();
  for (const { key } of files) {
    if (!isKey(key)) return `${JSON.stringify(key.slice(0, 120))} cannot be the key of a file`;
    if (seen.has(key)) return `${key} is listed twice`;
    seen.add(key);
  }
  return undefined;
}

function parseFile(entry: unknown): ReleaseFile | string {
  if (!isObject(entry)) return "is not an object";
  const { key, size, sha256, contentType, cacheControl, contentEncoding } = entry;
  if (typeof key !== "string") return "has no key";
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return `(${key}) has no size in bytes`;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return `(${key}) has no sha256 of 64 digits`;
  for (const [name, value] of Object.entries({ contentType, cacheControl, contentEncoding })) {
    if (value !== undefined && !isHeader(value)) return `(${key}) has a ${name} that cannot be a header`;
  }
  return {
    key,
    size,
    checksum: `sha256:${sha256}`,
    contentType: isHeader(contentType) ? contentType : contentTypeOf(key),
    cacheControl: isHeader(cacheControl) ? cacheControl : cacheControlOf(key),
    ...(isHeader(contentEncoding) ? { contentEncoding } : {}),
  };
}

function isHeader(value: unknown): value is string {
  return typeof value === "string" && /^[\u0020-\u007e]{1,1024}$/.test(value);
}

/** Relative, without empty or dotted segments (an HTTP client would fold them), and not one of ours. */
function isKey(key: string): boolean {
  const segments = key.split("/");
  const plain = segments.every((segment) => segment !== "" && segment !== "." && segment !== "..");
  // eslint-disable-next-line no-control-regex
  return plain && Buffer.byteLength(key) <= 900 && !/[\u0000-\u001f\u007f]/.test(key) && !key.startsWith(OWN_FOLDER);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
