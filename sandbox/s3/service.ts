// S3 of the sandbox: REST-XML in path style over buckets in memory. What it imitates is listed in ../s3.md.
import { AwsError, type ReadObject, type SandboxClock, type SandboxResponse, type Service } from "../api.ts";
import { xml } from "../wire.ts";
import { quoted, type Disturb, type S3Account, type S3Limits, type S3Operation } from "./account.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from "./buckets.ts";
import { copyObject } from "./copy.ts";
import { listObjectsV2 } from "./list.ts";
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload } from "./multipart.ts";
import { listParts, uploadPart, uploadPartCopy } from "./multipart.ts";
import { deleteObject, deleteObjects, getObject, headObject, putObject } from "./objects.ts";
import { nameOperation, readCall } from "./request.ts";
import { createStore } from "./store.ts";

export interface S3Dependencies {
  readonly clock: SandboxClock;
  /** Rare answers on demand; without it there are none. */
  readonly disturb?: Disturb;
  /** Smaller than S3's own, so that a test reaches them with small objects. */
  readonly limits?: Partial<S3Limits>;
}

const operations: Readonly<Record<string, S3Operation>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketLocation: getBucketLocation,
  GetObject: getObject,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};

/** Answers whose status is sent before the work is done, so that a late error can only be in the body. */
const embedsErrors = ["CompleteMultipartUpload", "CopyObject", "UploadPartCopy"];

export function createS3(dependencies: S3Dependencies): Service & { readObject: ReadObject } {
  const limits: S3Limits = {
    totalBytes: 512 * 1024 ** 2,
    copySourceBytes: 5 * 1024 ** 3,
    partBytes: 5 * 1024 ** 2,
    ...dependencies.limits,
  };
  const disturb = dependencies.disturb ?? (() => undefined);
  const on: S3Account = { store: createStore(limits.totalBytes), clock: dependencies.clock, limits, disturb };

  return {
    name: "s3",
    operation: nameOperation,
    handle(operation, request, caller) {
      const run = operations[operation];
      if (run === undefined) {
        const message = `${request.method} ${request.path} implies functionality that is not implemented`;
        throw new AwsError("NotImplemented", message, 501);
      }
      if (request.method === "HEAD") return withoutBody(() => run(readCall(operation, request, caller), on));
      const call = readCall(operation, request, caller);
      const disturbed = disturb(call);
      if (disturbed?.status === 200 && embedsErrors.includes(operation)) return fail(disturbed, "sandbox");
      if (disturbed !== undefined) throw disturbed;
      return run(call, on);
    },
    fail,
    readObject(bucket, key) {
      const object = on.store.bucket(bucket)?.objects.get(key);
      if (object === undefined) return undefined;
      const { "content-type": contentType = "binary/octet-stream", "cache-control": cacheControl } = object.headers;
      return { body: object.body, etag: quoted(object.etag), contentType, cacheControl };
    },
  };
}

// A HEAD is answered by its status alone, errors included.
function withoutBody(answer: () => SandboxResponse): SandboxResponse {
  try {
    return answer();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { ...fail(error, "sandbox"), body: "" };
  }
}

function fail(error: AwsError, requestId: string): SandboxResponse {
  const members: Record<string, string> = {};
  for (const [name, value] of Object.entries(error.members)) if (typeof value === "string") members[name] = value;
  const region = members["Region"];
  const headers = {
    "x-amz-request-id": requestId,
    ...(region === undefined ? {} : { "x-amz-bucket-region": region }),
  };
  const content = { Code: error.code, Message: error.message, ...members, RequestId: requestId, HostId: "sandbox" };
  return xml("Error", content, { status: error.status, headers });
}
