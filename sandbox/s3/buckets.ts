// CreateBucket, HeadBucket, ListBuckets, DeleteBucket and GetBucketLocation.
import { AwsError, type SandboxResponse } from "../api.ts";
import { bucketOf, emptyResponse, existingBucket, isoTime, stamp, xmlResponse, type S3Account } from "./account.ts";
import type { S3Call } from "./request.ts";
import { parseXml, textOf } from "./xml.ts";

/** Names are global: another account's bucket is `BucketAlreadyExists`, your own `BucketAlreadyOwnedByYou`. */
export function createBucket(call: S3Call, on: S3Account): SandboxResponse {
  const { bucket: name, caller } = call;
  if (!/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(name) || /^\d+(?:\.\d+){3}$/.test(name) || name.includes("..")) {
    throw new AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, { BucketName: name });
  }
  const region = locationConstraint(call) ?? "us-east-1";
  if (region !== caller.region && caller.region !== "us-east-1") {
    const message = `The ${region} location constraint is incompatible for the region specific endpoint this request was sent to.`;
    throw new AwsError("IllegalLocationConstraintException", message, 400);
  }
  const existing = on.store.bucket(name);
  if (existing !== undefined && existing.account !== caller.account) {
    const message = "The requested bucket name is not available. Please select a different name and try again.";
    throw new AwsError("BucketAlreadyExists", message, 409, { BucketName: name });
  }
  // In us-east-1 creating one's own bucket again succeeds, as it always did.
  if (existing !== undefined && (existing.region !== "us-east-1" || region !== "us-east-1")) {
    const message = "Your previous request to create the named bucket succeeded and you already own it.";
    throw new AwsError("BucketAlreadyOwnedByYou", message, 409, { BucketName: name });
  }
  if (existing === undefined) {
    on.store.createBucket({ name, region, account: caller.account, createdAt: stamp(on.clock) });
  }
  return emptyResponse(200, { location: `/${name}` });
}

function locationConstraint(call: S3Call): string | undefined {
  if (call.body.length === 0) return undefined;
  const constraint = textOf(parseXml(call.body).element, "LocationConstraint")?.trim();
  return constraint === "" ? undefined : constraint;
}

export function headBucket(call: S3Call, on: S3Account): SandboxResponse {
  return emptyResponse(200, { "x-amz-bucket-region": bucketOf(call, on).region });
}

/** The caller's own buckets, by name. */
export function listBuckets(call: S3Call, on: S3Account): SandboxResponse {
  const { account } = call.caller;
  const own = on.store.buckets().filter((bucket) => bucket.account === account);
  const sorted = own.sort((a, b) => (a.name < b.name ? -1 : 1));
  const elements = sorted.map((bucket) => ({
    Name: bucket.name,
    CreationDate: isoTime(bucket.createdAt),
    BucketRegion: bucket.region,
  }));
  return xmlResponse("ListAllMyBucketsResult", { Owner: { ID: account }, Buckets: { Bucket: elements } });
}

export function deleteBucket(call: S3Call, on: S3Account): SandboxResponse {
  const bucket = bucketOf(call, on);
  if (bucket.objects.size > 0) {
    const message = "The bucket you tried to delete is not empty";
    throw new AwsError("BucketNotEmpty", message, 409, { BucketName: bucket.name });
  }
  on.store.deleteBucket(bucket.name);
  return emptyResponse(204);
}

/** Answers from every region; us-east-1 is the empty constraint. */
export function getBucketLocation(call: S3Call, on: S3Account): SandboxResponse {
  const { region } = existingBucket(call.bucket, on);
  return xmlResponse("LocationConstraint", region === "us-east-1" ? "" : region);
}
