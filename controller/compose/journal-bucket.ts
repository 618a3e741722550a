// The bucket of a journal over the AWS clients: the controller's own credentials, the region found by itself.
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { Fault } from "../core/fault.ts";
import { damaged } from "../journal/record.ts";
import type { BucketStore } from "../journal/s3-store.ts";
import type { Clock } from "../ports.ts";
import type { Aws, Http } from "../targets/aws.ts";
import type { Clients } from "../targets/aws/clients.ts";

/**
 * How long one append may take: S3 answers such requests within a second, and a connection that hangs must leave time to
 * ask again before half of a lease is over.
 */
const APPEND_MS = 8_000;

export interface BucketParts {
  readonly aws: Aws;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Send<Output> = (s3: Clients["s3"], http: Http) => Promise<Output>;

export function createBucketStore(bucket: string, { aws, clock, env }: BucketParts): BucketStore {
  const address = `s3://${bucket}/`;
  // An append is never called off: whoever gave it up would not know whether it took place.
  const signal = new AbortController().signal;
  let region =
    [env["AWS_REGION"], env["AWS_DEFAULT_REGION"]].find((one) => one !== undefined && one !== "") ?? "us-east-1";

  /** Once more where S3 says that the bucket is; a request that was sent to another region had no effect. */
  async function there<Output>(ask: (call: ReturnType<typeof callOf>) => Promise<Output>, ...of: [string, string]) {
    try {
      return await ask(callOf(...of));
    } catch (thrown) {
      const actual = regionIn(thrown);
      if (actual === undefined || actual === region) throw thrown;
      region = actual;
      return ask(callOf(...of));
    }
  }

  const callOf = (operation: string, key: string) =>
    ({ place: { region }, service: "s3", operation, resource: `${address}${key}`, signal }) as const;
  const read = <Output>(operation: string, key: string, send: Send<Output>): Promise<Output> =>
    there((call) => aws.read(call, send), operation, key);
  const write = <Output>(operation: string, key: string, send: Send<Output>): Promise<Output> =>
    there((call) => aws.write({ ...call, guard: () => undefined }, limited(clock, send)), operation, key);
  const at = (key: string) => ({ Bucket: bucket, Key: key });

  return {
    address,
    async create(key, body) {
      try {
        const input = { ...at(key), Body: body, ContentType: "application/json", IfNoneMatch: "*" };
        await write("PutObject", key, (s3, http) => s3.putObject(input, http));
        return "created";
      } catch (thrown) {
        const { name, status } = refusalOf(thrown);
        if (status === 412) return "taken";
        if (status === 409 || (status === 404 && name !== "NoSuchBucket")) return "busy";
        throw thrown;
      }
    },
    async put(key, body) {
      await write("PutObject", key, (s3, http) => s3.putObject({ ...at(key), Body: body }, http));
    },
    async get(key, limitBytes) {
      try {
        return await read("GetObject", key, async (s3, http) =>
          bytesOf(await s3.getObject(at(key), http), limitBytes, `${address}${key}`),
        );
      } catch (thrown) {
        if (isMissing(thrown)) return undefined;
        throw thrown;
      }
    },
    async has(key) {
      try {
        await read("HeadObject", key, (s3, http) => s3.headObject(at(key), http));
        return true;
      } catch (thrown) {
        if (isMissing(thrown)) return false;
        throw thrown;
      }
    },
    async list({ prefix, after, folders, token }) {
      const input = {
        Bucket: bucket,
        Prefix: prefix,
        // XML cannot carry every key, and a bucket may hold what is not ours.
        EncodingType: "url" as const,
        ...(after === undefined ? {} : { StartAfter: after }),
        ...(folders === undefined ? {} : { Delimiter: "/" }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      };
      const page = await read("ListObjectsV2", prefix, (s3, http) => s3.listObjectsV2(input, http));
      const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      return {
        objects: (page.Contents ?? []).map(({ Key = "", ETag = "" }) => ({ key: decodeKey(Key), etag: ETag })),
        folders: (page.CommonPrefixes ?? []).map(({ Prefix = "" }) => decodeKey(Prefix)),
        ...(next === undefined ? {} : { next }),
      };
    },
  };
}

/** Without an answer in time, whether it took effect is not known (fault outcome-unknown). */
function limited<Output>(clock: Clock, send: Send<Output>): Send<Output> {
  return async (s3, { abortSignal }) => {
    const limit = new AbortController();
    const done = new AbortController();
    clock.sleep(APPEND_MS, done.signal).then(
      () => limit.abort(),
      () => undefined,
    );
    try {
      return await send(s3, { abortSignal: AbortSignal.any([abortSignal, limit.signal]) });
    } finally {
      done.abort();
    }
  };
}

async function bytesOf(answer: GetObjectCommandOutput, limitBytes: number, where: string): Promise<Uint8Array> {
  const length = answer.ContentLength ?? 0;
  if (length > limitBytes) {
    await answer.Body?.transformToWebStream().cancel();
    throw damaged(where, `is ${length} bytes long`);
  }
  return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
}

interface Refusal {
  readonly name?: string;
  readonly status?: number;
  readonly region?: string;
}

/** How S3 refused, by the SDK's error behind a fault; empty for anything else. */
function refusalOf(thrown: unknown): Refusal {
  const cause = thrown instanceof Fault ? thrown.cause : thrown;
  if (!(cause instanceof Error)) return {};
  const { $metadata, $response, Region } = cause as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
    readonly Region?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  const region = $response?.headers?.["x-amz-bucket-region"] ?? (typeof Region === "string" ? Region : undefined);
  return { name: cause.name, ...(status === undefined ? {} : { status }), ...(region === undefined ? {} : { region }) };
}

/** Where the bucket is, when S3 answered that it is elsewhere. */
function regionIn(thrown: unknown): string | undefined {
  return thrown instanceof Fault && thrown.code === "region-wrong" ? refusalOf(thrown).region : undefined;
}

/** The key is not there; a bucket that is not there is a fault. */
function isMissing(thrown: unknown): boolean {
  const { name, status } = refusalOf(thrown);
  return status === 404 && name !== "NoSuchBucket";
}

/** Listings come URL-encoded: a space is `+`. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}
