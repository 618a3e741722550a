// Reading a journal in a bucket: one listing proves what is there and that nothing is missing, then records in order.
import type { Recorded, Sequence, Stream } from "../core/event.ts";
import type { Fault } from "../core/fault.ts";
import type { Keys } from "./s3-keys.ts";
import type { BucketStore } from "./s3-store.ts";
import { RECORD_BYTES, damaged, decode, utf8 } from "./record.ts";

/** Records fetched at once. */
const READ_AHEAD = 32;
/** Folders listed at once. */
const LISTINGS = 8;

export interface Shelf {
  readonly store: BucketStore;
  readonly keys: Keys;
}

/**
 * Records from `from` on. The listing begins with the record before, so that the one request that finds nothing new also
 * finds that what was read earlier is still there.
 */
export async function* readFrom(shelf: Shelf, stream: Stream, from: Sequence): AsyncGenerator<Recorded> {
  const { store, keys } = shelf;
  let next = Math.max(1, from - 1);
  let after = next > 1 ? keys.record(stream, next - 1) : undefined;
  for (let more = true; more;) {
    const page = await store.list({ prefix: keys.folder(stream), ...(after === undefined ? {} : { after }) });
    const wanted: Sequence[] = [];
    for (const { key } of page.objects) {
      const sequence = keys.sequence(stream, key);
      if (sequence === undefined) continue;
      if (sequence !== next) throw missing(shelf, stream, next);
      if (sequence >= from) wanted.push(sequence);
      next += 1;
    }
    for (let at = 0; at < wanted.length; at += READ_AHEAD) {
      const bite = wanted.slice(at, at + READ_AHEAD);
      yield* await Promise.all(bite.map((sequence) => fetchListed(shelf, stream, sequence)));
    }
    after = page.objects.at(-1)?.key ?? after;
    more = page.next !== undefined;
  }
  if (next < from) throw missing(shelf, stream, from - 1);
}

async function fetchListed(shelf: Shelf, stream: Stream, sequence: Sequence): Promise<Recorded> {
  const record = await load(shelf, stream, sequence);
  if (record === undefined) throw missing(shelf, stream, sequence);
  return record;
}

/** A record by its key, undefined when there is none. */
export async function load({ store, keys }: Shelf, stream: Stream, sequence: Sequence): Promise<Recorded | undefined> {
  const key = keys.record(stream, sequence);
  const where = `${store.address}${key}`;
  const body = await store.get(key, RECORD_BYTES);
  return body === undefined ? undefined : decode(utf8(body, where), where, sequence);
}

export function missing({ store, keys }: Shelf, stream: Stream, sequence: Sequence): Fault {
  return damaged(`${store.address}${keys.record(stream, sequence)}`, "is missing");
}

/** Streams by their folders: three listings and one more per application, however long the history is. */
export async function listStreams(shelf: Shelf, prefix: string): Promise<readonly Stream[]> {
  const found: Stream[] = [];
  let folders = await listFolders(shelf, [prefix]);
  // Folders of a journal are at most three deep.
  for (let depth = 1; depth <= 3; depth += 1) {
    const deeper = folders.filter((folder) => {
      const stream = shelf.keys.streamOf(folder);
      if (stream !== undefined) found.push(stream);
      return stream === undefined && /^(environment\/([^/]+\/)?|repository\/)$/.test(folder.slice(prefix.length));
    });
    folders = await listFolders(shelf, deeper);
  }
  return found;
}

async function listFolders({ store }: Shelf, prefixes: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (let at = 0; at < prefixes.length; at += LISTINGS) {
    const pages = await Promise.all(prefixes.slice(at, at + LISTINGS).map((prefix) => foldersIn(store, prefix)));
    found.push(...pages.flat());
  }
  return found;
}

async function foldersIn(store: BucketStore, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await store.list({ prefix, folders: true, ...(token === undefined ? {} : { token }) });
    found.push(...page.folders);
    token = page.next;
  }
  return found;
}
