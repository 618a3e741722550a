// The web target: pages in S3 behind CloudFront, observed by their markers and released by copying.
import type { ComponentName, Digest, WebName } from "../../core/brand.ts";
import type { Environment, Web } from "../../core/environment.ts";
import { Fault, faultValue } from "../../core/fault.ts";
import type { Memory } from "../../core/history.ts";
import type { Artifact, Depth, LiveWeb } from "../../core/live.ts";
import type { Runners } from "../../ports.ts";
import type { Aws, AwsPlace } from "../aws.ts";
import { createBuckets } from "./bucket.ts";
import { createInvalidate } from "./cdn.ts";
import { createDistributions } from "./distributions.ts";
import { bucketOf, createMarkers } from "./marker.ts";
import { createPrune } from "./prune.ts";
import { createPublishing } from "./publish.ts";
import { createReleases } from "./release.ts";

export interface WebTarget {
  /** What each web's marker says; an empty map at a glance. Reads only. */
  observe(
    environment: Environment,
    memory: Memory,
    depth: Depth,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<WebName, LiveWeb>>;
  /** Resolves web releases; `pins` are digests fixed by earlier environments: `web/<name>@<sha>`. */
  artifacts(
    environment: Environment,
    pins: ReadonlyMap<string, Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<ComponentName, Artifact>>;
  readonly runners: Pick<Runners, "stage" | "publish" | "invalidate" | "prune">;
}

const ENTRY = "index.html";

export function createWeb({ aws }: { readonly aws: Aws }): WebTarget {
  const buckets = createBuckets(aws);
  const markers = createMarkers(buckets);
  const releases = createReleases(buckets);
  const distributions = createDistributions(aws);

  /** A page that nobody could invalidate must not be published, so its distribution is found before anything is. */
  async function fronted(web: Web, place: AwsPlace, signal: AbortSignal): Promise<void> {
    if (web.domain !== undefined || web.distribution !== undefined) await distributions.find(web, place, signal);
  }

  async function look(web: Web, place: AwsPlace, resting: boolean, signal: AbortSignal): Promise<LiveWeb> {
    const { marker } = await markers.read(web, place, signal);
    if (marker === undefined) return { state: "none" };
    const { state, publication, digest, invalidated, journal } = marker;
    const entry = marker.files.get(ENTRY);
    // Only between releases: during one the page is about to change, and copies carry their own conditions.
    const compares = resting && state === "served" && entry?.etag !== undefined;
    const changed = compares && (await buckets.head(bucketOf(web, place), web.prefix + ENTRY, signal)) !== entry.etag;
    return {
      state,
      journal,
      ...(publication === undefined ? {} : { publication }),
      // A page that somebody changed by hand is of no release at all.
      ...(digest === undefined || changed ? {} : { digest }),
      ...(invalidated === undefined ? {} : { invalidated }),
    };
  }

  return {
    async observe(environment, memory, depth, signal) {
      if (depth === "glance") return new Map();
      const resting = memory.open === undefined && memory.passed === environment.fingerprint;
      const seen = await Promise.all(
        environment.webs.map(async (web): Promise<readonly [WebName, LiveWeb]> => {
          try {
            if (depth === "full") await fronted(web, environment.place, signal);
            return [web.name, await look(web, environment.place, resting, signal)];
          } catch (error) {
            signal.throwIfAborted();
            if (!(error instanceof Fault)) throw error;
            return [web.name, { state: "unknown", why: faultValue(error) }];
          }
        }),
      );
      return new Map(seen);
    },
    artifacts: (environment, pins, signal) => releases.artifacts(environment, pins, signal),
    runners: {
      ...createPublishing({ buckets, markers, releases }),
      invalidate: createInvalidate({ aws, markers, distributions }),
      prune: createPrune({ buckets, markers }),
    },
  };
}
