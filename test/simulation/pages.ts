// One web of one environment as a model: bucket, marker, and a CDN that keeps what it has for as long as it may.
import type { Digest, PublicationId } from "../../controller/core/brand.ts";
import type { Chance } from "./chance.ts";
import type { Timeline } from "./timeline.ts";

export interface Marker {
  readonly nonce: string;
  readonly journal: string;
  readonly state: "publishing" | "served";
  readonly publication: PublicationId;
  readonly digest: Digest;
  readonly invalidated?: PublicationId;
  readonly published: readonly { readonly digest: Digest; readonly atMs: number }[];
}

export interface Pages {
  readonly hasCdn: boolean;
  marker(): Marker | undefined;
  /** The marker before the last write, for reads that are stale. */
  staleMarker(): Marker | undefined;
  /** False when the marker is no longer the one with this nonce. */
  writeMarker(marker: Marker, expected: string | undefined): boolean;
  /** The release whose index.html lies in the bucket. */
  page(): Digest | undefined;
  putPage(digest: Digest): void;
  assets(): ReadonlySet<Digest>;
  putAssets(digest: Digest): void;
  deleteAssets(digests: readonly Digest[]): void;
  /** What readers get: with a CDN whatever it has cached. */
  shown(): Digest | undefined;
  /** Answers the id; the same reference is the same invalidation. */
  invalidate(reference: string): string;
  isInvalidated(id: string): boolean;
}

export interface PagesParts {
  readonly hasCdn: boolean;
  readonly first: Digest;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly onPage: (digest: Digest) => void;
  readonly onChange: () => void;
}

const STALE_MS = 10_000;

export function createPages({ hasCdn, first, chance, timeline, onPage, onChange }: PagesParts): Pages {
  let marker: Marker | undefined;
  let before: { readonly marker: Marker | undefined; readonly untilMs: number } | undefined;
  let page: Digest | undefined = first;
  let cached: Digest | undefined = first;
  const assets = new Set<Digest>([first]);
  const invalidations = new Map<string, { readonly id: string; done: boolean }>();

  return {
    hasCdn,
    marker: () => marker,
    staleMarker: () => (before !== undefined && before.untilMs > timeline.nowMs() ? before.marker : undefined),
    writeMarker(next, expected) {
      if (marker?.nonce !== expected) return false;
      before = { marker, untilMs: timeline.nowMs() + STALE_MS };
      marker = next;
      return true;
    },
    page: () => page,
    putPage(digest) {
      page = digest;
      onPage(digest);
      onChange();
    },
    assets: () => assets,
    putAssets(digest) {
      assets.add(digest);
      onChange();
    },
    deleteAssets(digests) {
      for (const digest of digests) assets.delete(digest);
      onChange();
    },
    shown: () => (hasCdn ? cached : page),
    invalidate(reference) {
      const known = invalidations.get(reference);
      if (known !== undefined) return known.id;
      const made = { id: `I${invalidations.size}`, done: false };
      invalidations.set(reference, made);
      // The worst that CloudFront allows: a reader fetched the page right after the request, and keeps it.
      const then = page;
      timeline.after(chance.between(5_000, 40_000), () => {
        made.done = true;
        cached = then;
        onChange();
      });
      return made.id;
    },
    isInvalidated: (id) => [...invalidations.values()].some((one) => one.id === id && one.done),
  };
}
