// How the marker changes with each step, as values: what is announced, begun and finished, and what of it may be believed.
import type { Copies, Held, Known, ReleaseFile } from "../../core/assets.ts";
import { isFixed, signature } from "../../core/assets.ts";
import type { Instant, PublicationId } from "../../core/brand.ts";
import type { Etags } from "./copy.ts";
import type { Marker, Unsigned } from "./marker.ts";
import type { Release } from "./release.ts";

/** More changed keys than this end in one wildcard anyway. */
const STALE = 100;

/**
 * What may be believed of the bucket. `staged` names the release whose stage step ended well: the keys it announced are
 * what they should be. To publish what is already served means that somebody changed the page by hand: then no content
 * is believed, only the ETags.
 */
export function believed(
  marker: Marker | undefined,
  release: Release,
  staged: { readonly release: string; readonly etags: Etags } | undefined,
): Known {
  if (marker === undefined) return { inventory: new Map(), complete: false };
  const repairs = marker.state === "served" && marker.digest === release.digest;
  const { staging } = marker;
  const done = staged !== undefined && staging?.release === staged.release && staging.digest === release.digest;
  const sources = new Map(release.files.map((file) => [file.key, file]));
  const inventory = new Map<string, Held>();
  for (const [key, held] of marker.files) {
    const { is, ...rest } = held;
    const file = sources.get(key);
    if (done && file !== undefined && is === undefined && held.last === marker.serial + 1) {
      const etag = staged.etags.get(key);
      inventory.set(key, { ...rest, ...(etag === undefined ? {} : { etag }), is: signature(file) });
    } else inventory.set(key, repairs ? rest : held);
  }
  return { inventory, complete: marker.state === "served" || marker.published.length > 1 };
}

/** The marker before assets are staged. */
export function announced(
  marker: Marker | undefined,
  release: Release,
  assets: readonly ReleaseFile[],
  by: { readonly id: string; readonly journal: string },
): Unsigned {
  const serial = marker?.serial ?? 0;
  const files = new Map(marker?.files);
  for (const file of assets) files.set(file.key, { last: serial + 1, fixed: isFixed(file) });
  return {
    state: "none",
    published: [],
    ...marker,
    journal: by.journal,
    serial,
    stale: staleWith(marker, mutable(assets)),
    staging: { release: by.id, digest: release.digest },
    files,
  };
}

/** The marker while copies are under way: what is about to change is unknown, all else is what it was. */
export function begun(
  marker: Marker | undefined,
  release: Release,
  work: Copies,
  { inventory }: Known,
  identity: { readonly publication: PublicationId; readonly journal: string; readonly at: Instant },
): Unsigned {
  const { publication, journal, at } = identity;
  const serial = (marker?.serial ?? 0) + 1;
  const deleted = work.deletions;
  const copied = [...work.stage, ...work.publish.flat()];
  const files = new Map(inventory);
  for (const file of release.files) {
    files.set(file.key, { ...inventory.get(file.key), last: serial, fixed: isFixed(file) });
  }
  for (const file of copied) files.set(file.key, { last: serial, fixed: isFixed(file) });
  for (const key of deleted) files.set(key, { last: inventory.get(key)?.last ?? serial, fixed: false });
  const changed = [...mutable(work.stage), ...work.publish.flat().map(({ key }) => key), ...deleted];
  return {
    journal,
    state: "publishing",
    publication,
    digest: release.digest,
    ...(marker?.invalidated === undefined ? {} : { invalidated: marker.invalidated }),
    serial,
    published: [
      ...(marker?.published ?? []).filter((one) => one.digest !== release.digest),
      { serial, digest: release.digest, at },
    ],
    stale: staleWith(marker, changed),
    files,
  };
}

/** The marker when everything is where it should be. */
export function finished(marker: Marker, release: Release, work: Copies, written: Etags): Unsigned {
  const files = new Map(marker.files);
  for (const key of work.deletions) files.delete(key);
  for (const file of release.files) {
    const fixed = isFixed(file);
    const etag = fixed ? undefined : (written.get(file.key) ?? marker.files.get(file.key)?.etag);
    const known = etag === undefined ? {} : { etag };
    files.set(file.key, { last: marker.serial, fixed, is: signature(file), ...known });
  }
  return { ...marker, state: "served", files };
}

function mutable(files: readonly ReleaseFile[]): readonly string[] {
  return files.filter((file) => !isFixed(file)).map(({ key }) => key);
}

/** Nobody knows what the CDN holds of a bucket that was never published to. */
function staleWith(marker: Marker | undefined, keys: readonly string[]): Marker["stale"] {
  if (marker === undefined || marker.stale === "all") return "all";
  const all = new Set([...marker.stale, ...keys]);
  return all.size > STALE ? "all" : [...all];
}
