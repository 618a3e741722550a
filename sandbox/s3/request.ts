// Reads an S3 request in path style: which operation it names, on which bucket and key.
import { AwsError, type Caller, type SandboxRequest } from "../api.ts";
import { decodeBody } from "./chunked.ts";

/** One S3 request, read: header names are lower case and include the trailers of a chunked body. */
export interface S3Call {
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly caller: Caller;
}

// Subresources S3 has and the sandbox has not: they must not be mistaken for the plain operation on the same address.
const notImitated = [
  "accelerate",
  "acl",
  "analytics",
  "attributes",
  "cors",
  "encryption",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "lifecycle",
  "logging",
  "metadataTable",
  "metrics",
  "notification",
  "object-lock",
  "ownershipControls",
  "partNumber",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "renameObject",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "select",
  "session",
  "tagging",
  "torrent",
  "versioning",
  "versions",
  "website",
];

/** The operation a request names, `NotImplemented` for what S3 has and the sandbox has not, undefined for no S3 request. */
export function nameOperation(request: SandboxRequest): string | undefined {
  if (request.headers["x-amz-target"] !== undefined) return undefined;
  if (request.path.startsWith("/2020-05-31/") || request.path.startsWith("/_sandbox")) return undefined;
  const { bucket, key } = splitPath(request.path);
  if (bucket === "") return request.method === "GET" ? "ListBuckets" : undefined;
  return key === "" ? nameBucketOperation(request) : nameObjectOperation(request);
}

function nameBucketOperation({ method, query }: SandboxRequest): string {
  if (notImitated.some((name) => query.has(name)) || query.has("uploads")) return "NotImplemented";
  if (method === "GET" && query.has("location")) return "GetBucketLocation";
  if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2";
  if (method === "POST" && query.has("delete")) return "DeleteObjects";
  if (method === "PUT") return "CreateBucket";
  if (method === "HEAD") return "HeadBucket";
  if (method === "DELETE") return "DeleteBucket";
  return "NotImplemented";
}

function nameObjectOperation({ method, query, headers }: SandboxRequest): string {
  const copies = headers["x-amz-copy-source"] !== undefined;
  if (query.has("uploadId")) {
    if (method === "PUT") return copies ? "UploadPartCopy" : "UploadPart";
    if (method === "POST") return "CompleteMultipartUpload";
    if (method === "DELETE") return "AbortMultipartUpload";
    return method === "GET" ? "ListParts" : "NotImplemented";
  }
  if (method === "POST" && query.has("uploads")) return "CreateMultipartUpload";
  if (notImitated.some((name) => query.has(name))) return "NotImplemented";
  if (method === "PUT") return copies ? "CopyObject" : "PutObject";
  if (method === "GET") return "GetObject";
  if (method === "HEAD") return "HeadObject";
  return method === "DELETE" ? "DeleteObject" : "NotImplemented";
}

export function readCall(operation: string, request: SandboxRequest, caller: Caller): S3Call {
  const { bucket, key } = splitPath(request.path);
  const { body, trailers } = decodeBody(request.headers, request.body);
  const headers = { ...request.headers, ...trailers };
  const versionId = request.query.get("versionId") ?? "null";
  if (versionId !== "null") throw new AwsError("InvalidArgument", "Invalid version id specified", 400);
  const name = decode(key);
  if (Buffer.byteLength(name) > 1024) throw new AwsError("KeyTooLongError", "Your key is too long", 400);
  return { operation, bucket: decode(bucket), key: name, query: request.query, headers, body, caller };
}

/** Bucket and key of `x-amz-copy-source`, which the caller has to URL-encode. */
export function readCopySource(call: S3Call): { readonly bucket: string; readonly key: string } {
  const [path = "", version = "versionId=null"] = (call.headers["x-amz-copy-source"] ?? "").split("?");
  const source = decode(path.startsWith("/") ? path.slice(1) : path);
  const slash = source.indexOf("/");
  const unencoded = !/^[!-~]*$/.test(path);
  if (slash < 1 || slash === source.length - 1 || unencoded) {
    const message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey, URL-encoded";
    throw new AwsError("InvalidArgument", message, 400, { ArgumentName: "x-amz-copy-source" });
  }
  if (version !== "versionId=null") throw new AwsError("InvalidArgument", "Invalid version id specified", 400);
  return { bucket: source.slice(0, slash), key: source.slice(slash + 1) };
}

// Only the first slash separates: everything after it is the key, empty segments included.
function splitPath(path: string): { readonly bucket: string; readonly key: string } {
  const slash = path.indexOf("/", 1);
  return slash < 0 ? { bucket: path.slice(1), key: "" } : { bucket: path.slice(1, slash), key: path.slice(slash + 1) };
}

// S3 reads `+` in a path as a space, so that a `+` in a key has to come as %2B (sandbox/s3.md).
function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.", 400, { URI: encoded });
  }
}
