// The S3 calls of web releases, with conditions that did not hold as answers and everything else as faults.
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { ReleaseFile } from "../../core/assets.ts";
import { Fault } from "../../core/fault.ts";
import type { Aws, AwsPlace } from "../aws.ts";

export interface Bucket {
  readonly place: AwsPlace;
  readonly name: string;
}

/** Who writes: aborted = nothing more leaves; the guard is asked immediately before each request. */
export interface Writer {
  readonly signal: AbortSignal;
  readonly guard: () => void;
}

export interface Listed {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

export type Fetched =
  | { readonly state: "found"; readonly etag: string; readonly body: string }
  | { readonly state: "same" | "absent" };

/** What must be at the destination of a copy: an ETag, nothing at all, or whatever there is. */
export type Expected = { readonly etag: string } | "absent" | "any";

export type Copied =
  | { readonly state: "copied"; readonly etag: string; readonly sha256?: string }
  /** A condition did not hold, or another write was under way. */
  | { readonly state: "refused" }
  /** The source is not there, or the destination that was expected is not. */
  | { readonly state: "missing" };

/** Keys a DeleteObjects call takes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export const DELETES = 1000;

export interface Buckets {
  /** Faults: release-incomplete when the object is longer than `limitBytes`, bucket-missing, denied, … */
  get(at: Bucket, key: string, known: { etag?: string; limitBytes: number }, signal: AbortSignal): Promise<Fetched>;
  /** Writes JSON. Undefined = the condition did not hold: there is another ETag, or anything at all. */
  put(at: Bucket, key: string, body: string, etag: string | undefined, by: Writer): Promise<string | undefined>;
  /** ETag of what is there. */
  head(at: Bucket, key: string, signal: AbortSignal): Promise<string | undefined>;
  /** Pages of at most 1,000 objects, keys without the prefix. */
  list(at: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<readonly Listed[]>;
  copy(job: CopyJob, by: Writer): Promise<Copied>;
  /** At most DELETES keys. Fault: the first of the errors that S3 lists under its 200. */
  remove(at: Bucket, keys: readonly string[], by: Writer): Promise<void>;
}

export interface CopyJob {
  readonly from: { readonly bucket: string; readonly key: string; readonly etag: string };
  readonly to: Bucket & { readonly key: string };
  readonly file: ReleaseFile;
  readonly expected: Expected;
}

export function createBuckets(aws: Aws): Buckets {
  const call = ({ place, name }: Bucket, operation: string, key: string, signal: AbortSignal) =>
    ({ place, service: "s3", operation, resource: `s3://${name}/${key}`, signal }) as const;

  return {
    async get(at, key, { etag, limitBytes }, signal) {
      const input = { Bucket: at.name, Key: key, ...(etag === undefined ? {} : { IfNoneMatch: etag }) };
      try {
        return await aws.read(call(at, "GetObject", key, signal), async (s3, http) => {
          const answer = await s3.send(new GetObjectCommand(input), http);
          if ((answer.ContentLength ?? 0) > limitBytes) {
            await answer.Body?.transformToWebStream().cancel();
            throw new Fault("release-incomplete", `s3://${at.name}/${key} is longer than ${limitBytes} bytes`);
          }
          return { state: "found", etag: answer.ETag ?? "", body: (await answer.Body?.transformToString()) ?? "" };
        });
      } catch (error) {
        if (refusal(error).status === 304) return { state: "same" };
        if (isMissing(error)) return { state: "absent" };
        throw error;
      }
    },

    async put(at, key, body, etag, by) {
      const condition = etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag };
      const headers = { ContentType: "application/json", CacheControl: "no-store" };
      const command = new PutObjectCommand({ Bucket: at.name, Key: key, Body: body, ...headers, ...condition });
      try {
        const write = { ...call(at, "PutObject", key, by.signal), guard: by.guard };
        return (await aws.write(write, (s3, http) => s3.send(command, http))).ETag ?? "";
      } catch (error) {
        // 404: If-Match on a key that is gone. 409: another conditional write at the same time.
        if (isMissing(error) || [409, 412].includes(refusal(error).status ?? 0)) return undefined;
        throw error;
      }
    },

    async head(at, key, signal) {
      const command = new HeadObjectCommand({ Bucket: at.name, Key: key });
      try {
        return (await aws.read(call(at, "HeadObject", key, signal), (s3, http) => s3.send(command, http))).ETag ?? "";
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async *list(at, prefix, signal) {
      for (let token: string | undefined, more = true; more; more = token !== undefined) {
        const input = { Bucket: at.name, Prefix: prefix, EncodingType: "url", ContinuationToken: token } as const;
        const command = new ListObjectsV2Command(input);
        const page = await aws.read(call(at, "ListObjectsV2", prefix, signal), (s3, http) => s3.send(command, http));
        yield (page.Contents ?? []).map(({ Key = "", Size = 0, ETag = "" }) => {
          return { key: decodeKey(Key).slice(prefix.length), size: Size, etag: ETag };
        });
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      }
    },

    async copy(job, by) {
      const write = { ...call(job.to, "CopyObject", job.to.key, by.signal), guard: by.guard };
      const command = copyCommand(job);
      try {
        const { CopyObjectResult: result } = await aws.write(write, (s3, http) => s3.send(command, http));
        const whole = result?.ChecksumType === undefined || result.ChecksumType === "FULL_OBJECT";
        const sha256 = whole ? result?.ChecksumSHA256 : undefined;
        return { state: "copied", etag: result?.ETag ?? "", ...(sha256 === undefined ? {} : { sha256 }) };
      } catch (error) {
        if ([409, 412].includes(refusal(error).status ?? 0)) return { state: "refused" };
        if (isMissing(error)) return { state: "missing" };
        throw error;
      }
    },

    async remove(at, keys, by) {
      const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
      const command = new DeleteObjectsCommand({ Bucket: at.name, Delete });
      const write = { ...call(at, "DeleteObjects", keys[0] ?? "", by.signal), guard: by.guard };
      const { Errors: errors = [] } = await aws.write(write, (s3, http) => s3.send(command, http));
      const first = errors[0];
      if (first === undefined) return;
      const message = `bucket ${at.name}: ${errors.length} of ${keys.length} keys were not deleted, first ${first.Key}: ${first.Code} ${first.Message}`;
      throw new Fault(first.Code === "AccessDenied" ? "denied" : "unavailable", message);
    },
  };
}

function copyCommand({ from, to, file, expected }: CopyJob): CopyObjectCommand {
  const condition = expected === "any" ? {} : expected === "absent" ? { IfNoneMatch: "*" } : { IfMatch: expected.etag };
  return new CopyObjectCommand({
    Bucket: to.name,
    Key: to.key,
    // The SDK sends it as it is; a `+` would be read as a space (aws-sdk-js-v3#5475).
    CopySource: [from.bucket, ...from.key.split("/")].map(encodeURIComponent).join("/"),
    CopySourceIfMatch: from.etag,
    // COPY would keep the headers of the upload and its tags, which take permissions of their own.
    MetadataDirective: "REPLACE",
    TaggingDirective: "REPLACE",
    ContentType: file.contentType,
    CacheControl: file.cacheControl,
    ...(file.contentEncoding === undefined ? {} : { ContentEncoding: file.contentEncoding }),
    // S3 then answers with the sha256 of what it copied, which proves the bytes without reading them.
    ...(file.checksum.startsWith("sha256:") ? { ChecksumAlgorithm: "SHA256" as const } : {}),
    ...condition,
  });
}

/** The key is not there; a bucket that is not there is a fault. */
function isMissing(thrown: unknown): boolean {
  const { name, status } = refusal(thrown);
  return status === 404 && name !== "NoSuchBucket";
}

/** Code and HTTP status by which AWS refused; empty for anything else. */
function refusal(thrown: unknown): { readonly name?: string; readonly status?: number } {
  const cause = thrown instanceof Fault ? thrown.cause : thrown;
  if (!(cause instanceof Error)) return {};
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return { name: cause.name, ...(status === undefined ? {} : { status }) };
}

/** Listings come URL-encoded, because XML cannot carry every key: a space is `+`. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}
