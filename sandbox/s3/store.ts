// The buckets, objects and unfinished uploads of the sandbox, in memory, with a cap on their bytes.
import { AwsError } from "../api.ts";
import type { Checksum, ChecksumAlgorithm } from "./checksum.ts";
import { compareKeys } from "./key-order.ts";

export interface StoredObject {
  readonly key: string;
  readonly body: Uint8Array;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch, cut to whole seconds as S3 keeps it. */
  readonly lastModified: number;
  /** What is sent back as headers: Content-Type, Cache-Control, … and `x-amz-meta-*`, lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** `key=value&…` as it was sent, or undefined. */
  readonly tagging: string | undefined;
  readonly checksum: Checksum;
}

export interface Part {
  readonly number: number;
  readonly body: Uint8Array;
  readonly etag: string;
  readonly lastModified: number;
  readonly checksum: Checksum;
}

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tagging: string | undefined;
  readonly algorithm: ChecksumAlgorithm;
  readonly checksumType: Checksum["type"];
  readonly parts: ReadonlyMap<number, Part>;
}

export interface Bucket {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly createdAt: number;
  readonly objects: ReadonlyMap<string, StoredObject>;
}

export interface Store {
  bucket(name: string): Bucket | undefined;
  buckets(): readonly Bucket[];
  createBucket(bucket: Omit<Bucket, "objects">): void;
  deleteBucket(name: string): void;
  /** All keys of a bucket in S3's order. */
  keys(bucket: string): readonly string[];
  putObject(bucket: string, object: StoredObject): void;
  deleteObject(bucket: string, key: string): void;
  upload(id: string): Upload | undefined;
  startUpload(upload: Omit<Upload, "parts">): void;
  putPart(uploadId: string, part: Part): void;
  endUpload(id: string): void;
}

interface OwnBucket extends Bucket {
  readonly objects: Map<string, StoredObject>;
  /** Sorted keys, made when first asked for and dropped when a key comes or goes. */
  sorted: readonly string[] | undefined;
}

interface OwnUpload extends Upload {
  readonly parts: Map<number, Part>;
}

/** @param totalBytes of all objects and parts together; a copy counts as much as its source. */
export function createStore(totalBytes: number): Store {
  const buckets = new Map<string, OwnBucket>();
  const uploads = new Map<string, OwnUpload>();
  let used = 0;

  function account(added: number, removed: number): void {
    if (used + added - removed > totalBytes) {
      const message = `The sandbox keeps objects in memory, at most ${totalBytes} bytes; delete some or raise the cap.`;
      throw new AwsError("SandboxStorageFull", message, 507);
    }
    used += added - removed;
  }

  function required<T>(map: ReadonlyMap<string, T>, name: string): T {
    const found = map.get(name);
    if (found === undefined) throw new AwsError("InternalError", `The sandbox lost ${name}.`, 500);
    return found;
  }

  return {
    bucket: (name) => buckets.get(name),
    buckets: () => [...buckets.values()],
    createBucket(bucket) {
      buckets.set(bucket.name, { ...bucket, objects: new Map(), sorted: undefined });
    },
    deleteBucket: (name) => void buckets.delete(name),
    keys(name) {
      const bucket = required(buckets, name);
      bucket.sorted ??= [...bucket.objects.keys()].sort(compareKeys);
      return bucket.sorted;
    },
    putObject(name, object) {
      const bucket = required(buckets, name);
      const before = bucket.objects.get(object.key);
      account(object.body.length, before?.body.length ?? 0);
      if (before === undefined) bucket.sorted = undefined;
      bucket.objects.set(object.key, object);
    },
    deleteObject(name, key) {
      const bucket = required(buckets, name);
      const before = bucket.objects.get(key);
      if (before === undefined) return;
      account(0, before.body.length);
      bucket.objects.delete(key);
      bucket.sorted = undefined;
    },
    upload: (id) => uploads.get(id),
    startUpload: (upload) => void uploads.set(upload.id, { ...upload, parts: new Map() }),
    putPart(uploadId, part) {
      const upload = required(uploads, uploadId);
      account(part.body.length, upload.parts.get(part.number)?.body.length ?? 0);
      upload.parts.set(part.number, part);
    },
    endUpload(id) {
      for (const part of uploads.get(id)?.parts.values() ?? []) account(0, part.body.length);
      uploads.delete(id);
    },
  };
}
