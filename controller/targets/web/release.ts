// Web releases as CI uploaded them: whether one is complete, what it consists of, and the digest that names its bytes.
import type { ReleaseFile } from "../../core/assets.ts";
import { Digest } from "../../core/brand.ts";
import type { ComponentName } from "../../core/brand.ts";
import type { Environment, Web } from "../../core/environment.ts";
import { Fault, faultValue } from "../../core/fault.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Artifact } from "../../core/live.ts";
import { sha256 } from "../../core/sha256.ts";
import type { AwsPlace } from "../aws.ts";
import type { Bucket, Buckets, Listed } from "./bucket.ts";
import { cacheControlOf, contentTypeOf } from "./headers.ts";
import { faultOfFiles, parseReleaseList, RELEASE_LIST } from "./release-list.ts";
import { references } from "./references.ts";

/** A file of a release and the ETag under which it was listed, so that exactly this is copied. */
export interface Source extends ReleaseFile {
  readonly etag: string;
}

export interface Release {
  readonly digest: Digest;
  readonly bucket: string;
  /** Ends in a slash. */
  readonly prefix: string;
  readonly files: readonly Source[];
  readonly note?: string;
}

export interface Releases {
  /** Faults: artifact-missing, release-incomplete, bucket-missing, denied and what the world brings. */
  read(web: Web, place: AwsPlace, signal: AbortSignal): Promise<Release>;
  /**
   * The release a plan named, without asking again if it is remembered: copies are bound to the ETags it was read with.
   * Fault beside those of `read`: artifact-rebuilt when it is another one now.
   */
  planned(web: Web, place: AwsPlace, digest: Digest, signal: AbortSignal): Promise<Release>;
  /** After a file was found to have changed under its list: the next reading lists anew. */
  forget(web: Web, place: AwsPlace): void;
  /** Resolves the web releases of an environment; `pins` are digests fixed earlier, by `web/<name>@<sha>`. */
  artifacts(
    environment: Environment,
    pins: ReadonlyMap<string, Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<ComponentName, Artifact>>;
}

/** Releases remembered with all their files; each is read again by one conditional GET. */
const REMEMBERED = 16;
/** An `index.html` longer than this is no page. */
const PAGE_BYTES = 4 * 1024 ** 2;

export function createReleases(buckets: Buckets): Releases {
  const remembered = new Map<string, { readonly etag: string; readonly release: Release }>();

  async function read(web: Web, place: AwsPlace, signal: AbortSignal): Promise<Release> {
    const { bucket, prefix } = address(web.artifact);
    const at: Bucket = { place, name: bucket };
    const name = nameOf(web, place);
    const known = remembered.get(name);
    const limits = { limitBytes: LIMITS.releaseManifestBytes };
    const list = await buckets.get(
      at,
      prefix + RELEASE_LIST,
      known === undefined ? limits : { ...limits, etag: known.etag },
      signal,
    );
    if (list.state === "same" && known !== undefined) return known.release;
    const listing = await listAll(at, prefix, web, signal);
    if (list.state !== "found") return { bucket, prefix, ...(await judgePage(at, prefix, web, listing, signal)) };
    const release = { bucket, prefix, ...judgeList(web, list.body, listing) };
    remembered.delete(name);
    remembered.set(name, { etag: list.etag, release });
    for (const oldest of [...remembered.keys()].slice(0, -REMEMBERED)) remembered.delete(oldest);
    return release;
  }

  async function listAll(at: Bucket, prefix: string, web: Web, signal: AbortSignal): Promise<readonly Listed[]> {
    const all: Listed[] = [];
    for await (const page of buckets.list(at, prefix, signal)) {
      // Folder markers of consoles are no files.
      all.push(...page.filter(({ key }) => key !== "" && !key.endsWith("/")));
      // Twice as many may lie there as are published: source maps, reports.
      if (all.length > 2 * LIMITS.releaseFiles) {
        throw new Fault("release-incomplete", `${web.artifact} holds more than ${2 * LIMITS.releaseFiles} objects`);
      }
    }
    if (all.length === 0) throw new Fault("artifact-missing", `no web release at ${web.artifact}`);
    return all;
  }

  async function judgePage(
    at: Bucket,
    prefix: string,
    web: Web,
    listing: readonly Listed[],
    signal: AbortSignal,
  ): Promise<Pick<Release, "digest" | "files" | "note">> {
    const files = listing.map((listed): Source => ({
      ...listed,
      checksum: `etag:${listed.etag.replaceAll('"', "")}`,
      contentType: contentTypeOf(listed.key),
      cacheControl: cacheControlOf(listed.key),
    }));
    const wrong = faultOfFiles(files);
    if (wrong !== undefined) throw new Fault("release-incomplete", `${web.artifact} cannot be published: ${wrong}`);
    const page = await buckets.get(at, `${prefix}index.html`, { limitBytes: PAGE_BYTES }, signal);
    const keys = new Set(files.map(({ key }) => key));
    const missing =
      page.state === "found"
        ? references(page.body, web.prefix).flatMap((any) => (any.some((key) => keys.has(key)) ? [] : any.slice(-1)))
        : ["index.html"];
    if (missing.length > 0) throw incomplete(web, missing);
    return { digest: digestOfFiles(files), files, note: "no lockstep.json; judged by what index.html loads" };
  }

  return {
    read,
    async planned(web, place, digest, signal) {
      const known = remembered.get(nameOf(web, place))?.release;
      if (known?.digest === digest) return known;
      const release = await read(web, place, signal);
      if (release.digest === digest) return release;
      const message = `${web.artifact} is ${brief(release.digest)} now, and the plan named ${brief(digest)}`;
      throw new Fault("artifact-rebuilt", message);
    },
    forget: (web, place) => void remembered.delete(nameOf(web, place)),
    async artifacts(environment, pins, signal) {
      const resolved = await Promise.all(
        environment.webs.map(async (web): Promise<readonly [ComponentName, Artifact]> => {
          const name: ComponentName = `web/${web.name}`;
          try {
            const release = await read(web, environment.place, signal);
            return [name, pinned(release, web, pins.get(`${name}@${web.sha}`))];
          } catch (error) {
            signal.throwIfAborted();
            if (!(error instanceof Fault)) throw error;
            return [name, { state: "unresolved", why: faultValue(error) }];
          }
        }),
      );
      return new Map(resolved);
    },
  };
}

function nameOf(web: Web, place: AwsPlace): string {
  return JSON.stringify([web.artifact, place.region, place.account, place.role]);
}

function pinned(release: Release, web: Web, pin: Digest | undefined): Artifact {
  if (pin === undefined || pin === release.digest) {
    const note = release.note === undefined ? {} : { note: release.note };
    return { state: "resolved", digest: release.digest, from: web.artifact, ...note };
  }
  const message = `${web.artifact} was rebuilt: it is ${brief(release.digest)} now, and ${brief(pin)} was healthy before`;
  return { state: "unresolved", why: { code: "artifact-rebuilt", message } };
}

function judgeList(web: Web, text: string, listing: readonly Listed[]): Pick<Release, "digest" | "files"> {
  const listed = parseReleaseList(text);
  if (typeof listed === "string") {
    throw new Fault("release-incomplete", `${web.artifact}${RELEASE_LIST} cannot be used: ${listed}`);
  }
  const there = new Map(listing.map((one) => [one.key, one]));
  const missing: string[] = [];
  const files = listed.flatMap((file): readonly Source[] => {
    const found = there.get(file.key);
    if (found?.size === file.size) return [{ ...file, etag: found.etag }];
    missing.push(file.key);
    return [];
  });
  if (missing.length > 0) throw incomplete(web, missing);
  return { digest: digestOfFiles(files), files };
}

function incomplete(web: Web, missing: readonly string[]): Fault {
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
  return new Fault(
    "release-incomplete",
    `release is incomplete: ${missing.slice(0, 5).join(", ")}${more} (${web.artifact})`,
  );
}

/** sha256 over key, size and checksum of every file, sorted by the bytes of the keys. */
function digestOfFiles(files: readonly ReleaseFile[]): Digest {
  const sorted = files
    .map((file) => ({ bytes: Buffer.from(file.key), file }))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes));
  const lines = sorted.map(({ file }) => `${file.key}\0${file.size}\0${file.checksum}\n`);
  return Digest.parse(`sha256:${sha256(lines.join(""))}`);
}

/** Bucket and prefix of `s3://bucket/prefix/`. */
function address(artifact: string): { readonly bucket: string; readonly prefix: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(artifact);
  if (match?.[1] === undefined) throw new Fault("manifest-invalid", `${artifact} is not s3://bucket/prefix/`);
  const prefix = match[2] ?? "";
  return { bucket: match[1], prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/` };
}

function brief(digest: Digest): string {
  return digest.slice(0, 19);
}
