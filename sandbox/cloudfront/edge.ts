// The CDN edge of one distribution: answers viewers from its cache, and from the S3 origin when the cache may not.
import type { ReadObject, SandboxClock, SandboxRequest, SandboxResponse } from "../api.ts";
import { readRange } from "../s3/range.ts";
import type { EdgeConfig } from "./config.ts";
import { freshness } from "./freshness.ts";
import { cacheKey, invalidates, objectKey } from "./paths.ts";

export interface Edge {
  answer(request: SandboxRequest): SandboxResponse;
  /** Forgets what the paths mean, as an invalidation does when it completes. */
  forget(paths: readonly string[]): void;
}

export interface EdgeDependencies {
  readonly clock: SandboxClock;
  readonly readObject: ReadObject;
  /** What S3 says for a missing key: 403 with an origin access control that may not list the bucket, else 404. */
  readonly missingStatus: 403 | 404;
  /** The configuration that is deployed at this moment. */
  readonly config: () => EdgeConfig;
}

interface Kept {
  /** Undefined: the origin answered with an error, which is cached as well. */
  readonly object: NonNullable<ReturnType<ReadObject>> | undefined;
  readonly storedAt: number;
  readonly expiresAt: number;
}

interface Looked extends Kept {
  readonly cache: "Hit" | "Miss" | "RefreshHit";
}

export function createEdge({ clock, readObject, missingStatus, config }: EdgeDependencies): Edge {
  const cache = new Map<string, Kept>();

  function look(path: string): Looked {
    const key = cacheKey(path);
    const now = clock.now();
    const kept = cache.get(key);
    if (kept !== undefined && now < kept.expiresAt) return { ...kept, cache: "Hit" };
    const { object, keep, seconds } = fetchOrigin(path);
    const fetched: Kept = { object, storedAt: now, expiresAt: now + seconds * 1000 };
    if (keep) cache.set(key, fetched);
    else cache.delete(key);
    const unchanged = object !== undefined && kept?.object?.etag === object.etag;
    return { ...fetched, cache: unchanged ? "RefreshHit" : "Miss" };
  }

  function fetchOrigin(path: string): Pick<Kept, "object"> & { readonly keep: boolean; readonly seconds: number } {
    const { bucket, originPath, rootObject, timeToLive, errors } = config();
    const key = objectKey(originPath, path === "/" ? `/${rootObject}` : path);
    const object = bucket === undefined || key === undefined ? undefined : readObject(bucket, key);
    if (object !== undefined) return { object, ...freshness(object.cacheControl, timeToLive) };
    return { object, keep: true, seconds: errors.get(missingStatus)?.cachingMinSeconds ?? 10 };
  }

  function answerError(request: SandboxRequest): SandboxResponse {
    const { page, responseCode = missingStatus } = config().errors.get(missingStatus) ?? {};
    const shown = page === undefined ? undefined : look(page);
    if (shown?.object === undefined) return errorDocument(request, missingStatus);
    const headers = { ...objectHeaders(shown, clock.now()), "x-cache": "Error from cloudfront" };
    return withBody(request, responseCode, headers, shown.object.body);
  }

  return {
    answer(request) {
      const { enabled, bucket } = config();
      if (!enabled) return errorDocument(request, 403, "The distribution is disabled.");
      if (request.method !== "GET" && request.method !== "HEAD") {
        return errorDocument(request, 403, "This distribution is not configured to allow this HTTP request method.");
      }
      if (bucket === undefined) return errorDocument(request, 502, "The sandbox serves S3 origins only.");
      const looked = look(request.path);
      if (looked.object === undefined) return answerError(request);
      return answerObject(request, looked, clock.now());
    },
    forget(paths) {
      for (const key of cache.keys()) if (paths.some((path) => invalidates(path, key))) cache.delete(key);
    },
  };
}

function answerObject(request: SandboxRequest, looked: Looked, now: number): SandboxResponse {
  const body = looked.object?.body ?? new Uint8Array();
  const headers = objectHeaders(looked, now);
  const condition = request.headers["if-none-match"];
  if (condition !== undefined && matchesEtag(condition, looked.object?.etag ?? "")) {
    const { "content-type": _, ...kept } = headers;
    return { status: 304, headers: kept, body: "" };
  }
  const range = readRange(request.headers["range"], body.length);
  if (range === "unsatisfiable") {
    return { status: 416, headers: { ...headers, "content-range": `bytes */${body.length}` }, body: "" };
  }
  if (range === undefined) return withBody(request, 200, headers, body);
  const contentRange = `bytes ${range.first}-${range.last}/${body.length}`;
  const part = body.subarray(range.first, range.last + 1);
  return withBody(request, 206, { ...headers, "content-range": contentRange }, part);
}

function objectHeaders({ object, storedAt, cache }: Looked, now: number): Readonly<Record<string, string>> {
  const age = Math.floor((now - storedAt) / 1000);
  return {
    "accept-ranges": "bytes",
    "content-type": object?.contentType ?? "binary/octet-stream",
    etag: object?.etag ?? "",
    server: "AmazonS3",
    via: "1.1 sandbox.cloudfront.net (CloudFront)",
    "x-cache": `${cache} from cloudfront`,
    ...(object?.cacheControl === undefined ? {} : { "cache-control": object.cacheControl }),
    ...(cache === "Hit" ? { age: String(age) } : {}),
  };
}

function matchesEtag(condition: string, etag: string): boolean {
  const wanted = condition.split(",").map((candidate) => candidate.trim().replace(/^W\//, ""));
  return wanted.includes("*") || wanted.includes(etag);
}

function withBody(
  request: SandboxRequest,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string,
): SandboxResponse {
  const length = { "content-length": String(Buffer.byteLength(body)) };
  return { status, headers: { ...headers, ...length }, body: request.method === "HEAD" ? "" : body };
}

// What S3 itself says for a missing key, or what the edge says without asking it.
function errorDocument(request: SandboxRequest, status: number, message?: string): SandboxResponse {
  const [code, words] =
    status === 404 ? ["NoSuchKey", "The specified key does not exist."] : ["AccessDenied", "Access Denied"];
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message ?? words}</Message></Error>`;
  const headers = { "content-type": "application/xml", server: "CloudFront", "x-cache": "Error from cloudfront" };
  return withBody(request, status, headers, body);
}
