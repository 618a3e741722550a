// The marker in the web bucket: what was published, which keys are ours, what the CDN may still hold. One object, so that
// all of it changes at once or not at all.
import type { Held, Inventory, Published } from "../../core/assets.ts";
import { Digest, Instant, PublicationId } from "../../core/brand.ts";
import type { Web } from "../../core/environment.ts";
import { Fault } from "../../core/fault.ts";
import type { Context } from "../../ports.ts";
import type { AwsPlace } from "../aws.ts";
import type { Bucket, Buckets } from "./bucket.ts";
import { patiently } from "./patience.ts";
import { OWN_FOLDER } from "./release-list.ts";

export interface Marker {
  /** Random per write, by which a writer knows its own again after a lost answer. */
  readonly nonce: string;
  readonly writtenAt: Instant;
  /** Id of the journal that wrote it. */
  readonly journal: string;
  /** `none`: assets were staged, and no page was ever published. */
  readonly state: "none" | "publishing" | "served";
  readonly publication?: PublicationId;
  readonly digest?: Digest;
  readonly invalidated?: PublicationId;
  /** Number of the last publication; serials grow by one. */
  readonly serial: number;
  /** Oldest first; each digest once, under its newest publication. */
  readonly published: readonly Published[];
  /** What the CDN may hold as it was before: changed keys since the last invalidation. */
  readonly stale: "all" | readonly string[];
  /** Keys of serial + 1 whose content is unknown were being staged by this release. */
  readonly staging?: { readonly release: string; readonly digest: Digest };
  readonly files: Inventory;
}

/** A marker as it was read, with the ETag that the next write must find. */
export interface Seen {
  readonly marker?: Marker;
  readonly etag?: string;
}

export type Written = Required<Seen>;

/** A marker to be written: nonce and time are added. */
export type Unsigned = Omit<Marker, "nonce" | "writtenAt">;

export interface Markers {
  /** Faults: foreign-page when it cannot be read as ours, bucket-missing, denied, … */
  read(web: Web, place: AwsPlace, signal: AbortSignal): Promise<Seen>;
  /** As it was last read or written here; the next write finds out whether that still holds. */
  latest(web: Web, place: AwsPlace, signal: AbortSignal): Promise<Seen>;
  /**
   * Puts `next` where `seen` was. A lost answer is settled by reading. Fault: publish-conflict when somebody else wrote.
   */
  write(at: Spot, seen: Seen, next: Unsigned): Promise<Written>;
}

/** Where and for whom a marker is written; `signal` may outlive the context's own. */
export interface Spot {
  readonly web: Web;
  readonly place: AwsPlace;
  readonly context: Context;
  readonly signal: AbortSignal;
}

const MARKER_BYTES = 64 * 1024 ** 2;
/** Markers remembered with all their keys; others are read again. */
const REMEMBERED = 16;

export function createMarkers(buckets: Buckets): Markers {
  const remembered = new Map<string, Seen>();

  function remember<As extends Seen>(name: string, seen: As): As {
    remembered.delete(name);
    remembered.set(name, seen);
    for (const oldest of [...remembered.keys()].slice(0, -REMEMBERED)) remembered.delete(oldest);
    return seen;
  }

  async function read(web: Web, place: AwsPlace, signal: AbortSignal): Promise<Seen> {
    const name = nameOf(web, place);
    const known = remembered.get(name);
    const condition = known?.etag === undefined ? {} : { etag: known.etag };
    const limits = { limitBytes: MARKER_BYTES, ...condition };
    const answer = await buckets.get(bucketOf(web, place), markerKey(web), limits, signal);
    if (answer.state === "same" && known !== undefined) return known;
    if (answer.state !== "found") return remember(name, {});
    const marker = parseMarker(answer.body);
    if (marker === undefined) {
      const message = `s3://${web.bucket}/${markerKey(web)} is not a marker that this Lockstep can read`;
      throw new Fault("foreign-page", message);
    }
    return remember(name, { marker, etag: answer.etag });
  }

  async function write(at: Spot, seen: Seen, next: Unsigned): Promise<Written> {
    const { web, place, context, signal } = at;
    const marker: Marker = { ...next, nonce: context.random(8), writtenAt: context.clock.now() };
    const body = printMarker(marker);
    return patiently(context, signal, async (attempt) => {
      if (attempt > 1) {
        // An earlier attempt may have arrived although its answer was lost.
        const own = ownOf(await read(web, place, signal), marker);
        if (own !== undefined) return own;
      }
      const by = { signal, guard: () => context.guard() };
      const etag = await buckets.put(bucketOf(web, place), markerKey(web), body, seen.etag, by);
      if (etag !== undefined) return remember(nameOf(web, place), { marker, etag });
      const now = await read(web, place, signal);
      const own = ownOf(now, marker);
      if (own !== undefined) return own;
      if (now.etag === seen.etag) throw new Fault("unavailable", `${markerKey(web)} is being written by another call`);
      throw conflict(web, now.marker);
    });
  }

  return {
    read,
    write,
    latest: async (web, place, signal) => remembered.get(nameOf(web, place)) ?? read(web, place, signal),
  };
}

function ownOf(seen: Seen, marker: Marker): Written | undefined {
  return seen.marker?.nonce === marker.nonce && seen.etag !== undefined ? { marker, etag: seen.etag } : undefined;
}

export function bucketOf(web: Web, place: AwsPlace): Bucket {
  return { place, name: web.bucket };
}

function markerKey(web: Web): string {
  return `${web.prefix}${OWN_FOLDER}${web.name}.json`;
}

function nameOf(web: Web, place: AwsPlace): string {
  return JSON.stringify([web.bucket, markerKey(web), place.region, place.account, place.role]);
}

function conflict(web: Web, other: Marker | undefined): Fault {
  const who = other === undefined ? "it is gone" : `journal ${other.journal} wrote publication ${other.publication}`;
  return new Fault("publish-conflict", `s3://${web.bucket}/${markerKey(web)} changed during the release: ${who}`);
}

const VERSION = 1;

/** Files are arrays, because there are thousands of them: last, fixed, signature, ETag. */
function printMarker({ files, ...marker }: Marker): string {
  const rows = [...files].map(([key, held]) => [key, [held.last, held.fixed ? 1 : 0, held.is ?? "", held.etag ?? ""]]);
  return JSON.stringify({ v: VERSION, ...marker, files: Object.fromEntries(rows) });
}

/** Undefined for anything that does not follow the format to the letter: what is not understood is not changed. */
function parseMarker(text: string): Marker | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(parsed) || parsed["v"] !== VERSION) return undefined;
  const { nonce, writtenAt, journal, state, serial, stale } = parsed;
  if (typeof nonce !== "string" || typeof journal !== "string") return undefined;
  if (!isWhole(writtenAt) || !isWhole(serial)) return undefined;
  if (state !== "none" && state !== "publishing" && state !== "served") return undefined;
  if (stale !== "all" && !isTexts(stale)) return undefined;
  const [published, files] = [parsePublished(parsed["published"]), parseFiles(parsed["files"])];
  const identity = parseIdentity(parsed);
  if (published === undefined || files === undefined || identity === undefined) return undefined;
  return { nonce, journal, state, serial, stale, published, files, ...identity, writtenAt: Instant.of(writtenAt) };
}

function parseIdentity(
  parsed: Readonly<Record<string, unknown>>,
): Pick<Marker, "publication" | "digest" | "invalidated" | "staging"> | undefined {
  const { publication, digest, invalidated, staging } = parsed;
  if (publication !== undefined && !(typeof publication === "string" && PublicationId.is(publication))) return;
  if (invalidated !== undefined && !(typeof invalidated === "string" && PublicationId.is(invalidated))) return;
  if (digest !== undefined && !(typeof digest === "string" && Digest.is(digest))) return;
  const stage = isObject(staging) ? staging : {};
  const { release, digest: staged } = stage;
  if (staging !== undefined && !(typeof release === "string" && typeof staged === "string" && Digest.is(staged))) {
    return;
  }
  return {
    ...(publication === undefined ? {} : { publication }),
    ...(invalidated === undefined ? {} : { invalidated }),
    ...(digest === undefined ? {} : { digest }),
    ...(typeof release === "string" && typeof staged === "string" && Digest.is(staged)
      ? { staging: { release, digest: staged } }
      : {}),
  };
}

function parsePublished(value: unknown): readonly Published[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const published: Published[] = [];
  for (const entry of value as readonly unknown[]) {
    if (!isObject(entry)) return undefined;
    const { serial, digest, at } = entry;
    if (!isWhole(serial) || !isWhole(at) || typeof digest !== "string" || !Digest.is(digest)) return undefined;
    published.push({ serial, digest, at: Instant.of(at) });
  }
  return published;
}

function parseFiles(value: unknown): Inventory | undefined {
  if (!isObject(value)) return undefined;
  const files = new Map<string, Held>();
  for (const [key, row] of Object.entries(value)) {
    const [last, fixed, is, etag] = Array.isArray(row) ? (row as readonly unknown[]) : [];
    if (!isWhole(last) || typeof is !== "string" || typeof etag !== "string") return undefined;
    const known = { ...(is === "" ? {} : { is }), ...(etag === "" ? {} : { etag }) };
    files.set(key, { last, fixed: fixed === 1, ...known });
  }
  return files;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
