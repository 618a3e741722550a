// What a web release changes in its bucket: which keys are copied, in which order, which are deleted, pruned, invalidated.
import { Instant } from "./brand.ts";
import type { Digest } from "./brand.ts";
import { sha256 } from "./sha256.ts";

/** One file of a web release, with the headers it will be served with. */
export interface ReleaseFile {
  /** Relative to the release, and to the web's prefix. */
  readonly key: string;
  readonly size: number;
  /** `sha256:<hex>` from `lockstep.json`, else `etag:<etag>`. */
  readonly checksum: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly contentEncoding?: string;
}

/** What our marker says of one key of the web bucket. */
export interface Held {
  /** Serial of the newest publication whose release lists the key. */
  readonly last: number;
  /** Signature of what is there; undefined while nobody knows, because a copy was begun and not seen to end. */
  readonly is?: string;
  /** ETag as it was when we last wrote a key that can change. */
  readonly etag?: string;
  /** Its name or its headers promise that its content never changes. */
  readonly fixed: boolean;
}

export type Inventory = ReadonlyMap<string, Held>;

/** What is known of a bucket. */
export interface Known {
  readonly inventory: Inventory;
  /** A release of ours is served: keys beyond the inventory are not there. Else whoever came before may have left any. */
  readonly complete: boolean;
}

/** A release that was published here, or begun to be. */
export interface Published {
  readonly serial: number;
  readonly digest: Digest;
  readonly at: Instant;
}

export interface Copies {
  /** Additive, safe under the old page. */
  readonly stage: readonly ReleaseFile[];
  /** Waves, each after the one before: changed assets, pages, workers and web manifests, the entry page. */
  readonly publish: readonly (readonly ReleaseFile[])[];
  /** Pages, workers and web manifests that the release lacks. */
  readonly deletions: readonly string[];
}

const ENTRY = "index.html";
const WORKER =
  /(?:^|\/)(?:sw|service-?worker|ngsw-worker|firebase-messaging-sw|ngsw)\.(?:m?js|json)$|\.webmanifest$|(?:^|\/)manifest\.json$/i;
const PAGE = /\.(?:html?|xhtml)$/i;

type Kind = "asset" | "page" | "worker" | "entry";
const WAVES: readonly Kind[] = ["asset", "page", "worker", "entry"];

function kindOf(key: string): Kind {
  if (key === ENTRY) return "entry";
  if (WORKER.test(key)) return "worker";
  return PAGE.test(key) ? "page" : "asset";
}

/** Assets whose name or headers say that a change of content would change the name. */
export function isFixed(file: Pick<ReleaseFile, "key" | "cacheControl">): boolean {
  if (kindOf(file.key) !== "asset") return false;
  return hasHash(file.key) || /(?:^|,)\s*immutable\s*(?:,|$)/i.test(file.cacheControl);
}

/** Equal signatures = the same bytes under the same headers. 128 bits of a sha256. */
export function signature(file: ReleaseFile): string {
  const headers = [file.contentType, file.cacheControl, file.contentEncoding ?? ""];
  return sha256([file.checksum, String(file.size), ...headers].join("\n")).slice(0, 32);
}

/**
 * Whether a file name carries a content hash of at least 8 characters, as bundlers write it (`app.4f3a9c1b.js`,
 * `index-BqkZ2xQ7.js`, `chunk-QX4KDZ5B.js`). Words and dates are not hashes: "never immutable on a name without a hash".
 */
export function hasHash(key: string): boolean {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const parts = name.split(".");
  return (parts.length > 1 ? parts.slice(0, -1) : parts).some((part) => {
    const tail = /[-_]([^-_]{8,64})$/.exec(part)?.[1];
    // Base 64 digits of a URL include the separators themselves: eight of them stand behind a `-`.
    const eight = /-([\w-]{8})$/.exec(part)?.[1];
    return [part, tail, eight].some((text) => text !== undefined && looksHashed(text));
  });
}

function looksHashed(text: string): boolean {
  if (!/^[\w-]{8,64}$/.test(text)) return false;
  const digits = /\d/.test(text);
  if (/^[0-9a-f]+$/.test(text) || /^[0-9A-Z]+$/.test(text)) return digits && /[A-Za-z]/.test(text);
  if (/^[0-9a-z]+$/.test(text)) return (text.match(/\d+/g) ?? []).length > 1;
  const mixed = /[a-z]/.test(text) && /[A-Z]/.test(text);
  return mixed && (text.length === 8 || (digits && !/[-_]/.test(text))) && !isWords(text);
}

/** `Skeleton`, `dateTime2`, `Log-View`: words of a person, not digits of a hash. */
function isWords(text: string): boolean {
  const words = text.replace(/\d+$/, "").split(/[-_]|(?<=[a-z])(?=[A-Z])/);
  return words.every((word) => /^(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}[a-z]*)$/.test(word));
}

/** What to copy and delete so that the bucket holds `files`, with the publication `serial` being made. */
export function copies(files: readonly ReleaseFile[], known: Known, serial: number): Copies {
  const { inventory, complete } = known;
  const stage: ReleaseFile[] = [];
  const waves = new Map<Kind, ReleaseFile[]>(WAVES.map((kind) => [kind, []]));
  const listed = new Set<string>();
  for (const file of files) {
    listed.add(file.key);
    const held = inventory.get(file.key);
    if (held?.is === signature(file)) continue;
    const kind = kindOf(file.key);
    const unknown = held?.is === undefined;
    // A key that only an earlier attempt at this very publication announced carries nothing that the old page needs.
    const absent = complete && unknown && (held === undefined || held.last >= serial);
    if (kind === "asset" && (absent || (unknown && isFixed(file)))) stage.push(file);
    else waves.get(kind)?.push(file);
  }
  // Assets stay until they are pruned: caches and open tabs still hold the page that loads them.
  const gone = [...inventory.keys()].filter((key) => !listed.has(key) && kindOf(key) !== "asset");
  return {
    stage,
    publish: WAVES.map((kind) => waves.get(kind) ?? []).filter((wave) => wave.length > 0),
    deletions: gone,
  };
}

export interface Retention {
  /** Releases whose assets stay. */
  readonly keep: number;
  readonly now: Instant;
  /** The last good release, which a rollback puts back. */
  readonly good?: Digest;
}

const DAY_MS = 24 * 3_600_000;

/**
 * The first serial whose keys stay: of the newest `keep` releases, of anything published or still shown within 24 hours
 * (open tabs load their chunks late), and of the last good release.
 */
export function retainedFrom(published: readonly Published[], retention: Retention): number {
  const newest = published.toSorted((a, b) => b.serial - a.serial);
  const since = Instant.plus(retention.now, -DAY_MS);
  const recent = newest.findIndex((one) => one.at < since);
  const kept = [
    ...newest.slice(0, Math.max(1, retention.keep)),
    // The one before the window was shown until the first one within it.
    ...newest.slice(0, recent < 0 ? newest.length : recent + 1),
    ...newest.filter((one) => one.digest === retention.good),
  ];
  return Math.min(...kept.map((one) => one.serial), Infinity);
}

/** Keys that no retained release lists. */
export function prunable(inventory: Inventory, from: number): readonly string[] {
  return [...inventory].filter(([, held]) => held.last < from).map(([key]) => key);
}

/** Above this, one wildcard is cheaper and surer: CloudFront bills paths, and `/*` counts as one. */
const PATHS = 100;

/**
 * CloudFront paths for changed keys, with `/` and the `dir/` form of each `dir/index.html`, each under every prefix.
 * Characters that viewers send both ways are listed both ways; `~` and `*` cannot be named at all and need the wildcard.
 */
export function invalidationPaths(stale: "all" | readonly string[], prefixes: readonly string[]): readonly string[] {
  if (stale === "all" || stale.some((key) => /[~*]/.test(key))) return ["/*"];
  const paths = new Set<string>();
  for (const prefix of new Set(prefixes)) {
    for (const key of ["", ...stale]) {
      for (const form of key.endsWith(ENTRY) ? [key, key.slice(0, -ENTRY.length)] : [key]) {
        if (form !== key && form !== "" && !form.endsWith("/")) continue;
        paths.add(encodeURI(`/${prefix}${form}`).replaceAll("+", "%2B").replaceAll("?", "%3F").replaceAll("#", "%23"));
        paths.add(`/${`${prefix}${form}`.split("/").map(encodeURIComponent).join("/")}`);
      }
    }
    if (paths.size > PATHS) return ["/*"];
  }
  return [...paths];
}
