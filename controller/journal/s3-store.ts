// What a journal in a bucket asks of S3; compose builds it over the AWS clients, so that this room knows no SDK.

/**
 * One bucket. Faults are those of the AWS clients (denied, bucket-missing, unavailable, …); the journal puts them in its
 * own words.
 *
 * The least that a role needs, for a journal at `s3://bucket/prefix`:
 * - `s3:ListBucket` on `arn:aws:s3:::bucket` (condition `s3:prefix` = `prefix/*`): without it S3 answers 403 for a key
 *   that is not there, and a reader could not tell the end of a stream from a refusal;
 * - `s3:GetObject` on `arn:aws:s3:::bucket/prefix/*`;
 * - to append, `s3:PutObject` on the same. A bucket policy may deny PutObject without `s3:if-none-match` on everything
 *   but `prefix/heads/*`, which makes the history unchangeable also for Lockstep;
 * - with a key of one's own: `kms:Decrypt` and `kms:GenerateDataKey`.
 * `s3:DeleteObject` is never needed, and no lifecycle rule may expire anything below the prefix.
 */
export interface BucketStore {
  /** `s3://bucket/`: keys are put behind it for people. */
  readonly address: string;
  /**
   * PutObject with `If-None-Match: *`, sent once. `taken`: there is an object (412). `busy`: another conditional write
   * was under way (409, 404). Fault outcome-unknown: it may have taken effect.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
   */
  create(key: string, body: string): Promise<"created" | "taken" | "busy">;
  /** Overwrites. */
  put(key: string, body: string): Promise<void>;
  /** Undefined when there is none. Fault journal-damaged when it is longer than the limit. */
  get(key: string, limitBytes: number): Promise<Uint8Array | undefined>;
  has(key: string): Promise<boolean>;
  list(query: ListQuery): Promise<Listing>;
}

export interface ListQuery {
  readonly prefix: string;
  /** Keys after this one only. */
  readonly after?: string;
  /** Keys are rolled up at the first `/` behind the prefix. */
  readonly folders?: true;
  /** `next` of the page before. */
  readonly token?: string;
}

/** At most 1,000 keys and folders, in the order of their bytes. */
export interface Listing {
  readonly objects: readonly { readonly key: string; readonly etag: string }[];
  /** With the `/` at their end. */
  readonly folders: readonly string[];
  readonly next?: string;
}
