// What is: one environment as AWS and the journal show it, every unreadable part said to be unknown.
import type {
  ComponentName,
  Digest,
  Instant,
  MigrationName,
  PublicationId,
  ServiceName,
  TargetVersion,
  WebName,
} from "./brand.ts";
import type { FaultValue } from "./fault.ts";

/** How an artifact template resolved. The code of `why` tells missing, ambiguous, rebuilt and incomplete apart. */
export type Artifact =
  | {
      readonly state: "resolved";
      readonly digest: Digest;
      /** The tag or prefix it was found under, for people. */
      readonly from: string;
      readonly note?: string;
    }
  | { readonly state: "unresolved"; readonly why: FaultValue };

export type Rollout =
  | { readonly state: "steady" }
  | { readonly state: "moving"; readonly since: Instant; readonly failedTasks: number; readonly to: TargetVersion }
  | { readonly state: "failed" | "rolled-back"; readonly why: string };

export interface Replicas {
  readonly desired: number;
  readonly running: number;
  readonly pending: number;
}

/** Who released what runs, read from the tags of its version; absent on what infrastructure code registered. */
export interface ReleaseTag {
  readonly journal: string;
  readonly release: string;
  readonly sha?: string;
}

export type LiveService =
  | { readonly state: "absent"; readonly why: FaultValue }
  | { readonly state: "unknown"; readonly why: FaultValue }
  | {
      readonly state: "present";
      readonly version: TargetVersion;
      /** Only at full depth, and only where the version carries our tags. */
      readonly tag?: ReleaseTag;
      /** Digest of the container's image as the version names it, when it names one by digest (full depth only). */
      readonly image?: Digest;
      readonly replicas: Replicas;
      readonly rollout: Rollout;
      /** Full depth only: an autoscaling target owns the desired count. */
      readonly scaled?: boolean;
      /** Full depth only: keys by which the template differs from what runs; names, never values. */
      readonly templateChanges?: readonly string[];
    };

/** What the journal knows of the migration's key; `absent` = never started for this key. */
export type LiveMigration =
  | { readonly state: "absent" | "started" | "passed" }
  | { readonly state: "failed" | "unknown"; readonly why: string };

export type LiveWeb =
  | {
      readonly state: "none" | "publishing" | "served";
      readonly publication?: PublicationId;
      readonly digest?: Digest;
      readonly invalidated?: PublicationId;
      /** Journal that wrote the marker. */
      readonly journal?: string;
    }
  | { readonly state: "unknown"; readonly why: FaultValue };

/** How far an observation goes: a glance looks at services only, `pages` at web markers too, `full` at all there is. */
export type Depth = "glance" | "pages" | "full";

/** What the targets saw of one environment. Maps hold only what was looked at. */
export interface Observation {
  readonly observedAt: Instant;
  readonly depth: Depth;
  readonly services: ReadonlyMap<ServiceName, LiveService>;
  readonly artifacts: ReadonlyMap<ComponentName, Artifact>;
  readonly webs: ReadonlyMap<WebName, LiveWeb>;
}

/** What was deployed under a version, as the journal recorded it. */
export interface Deployed {
  readonly key: Digest;
  readonly settings: Digest;
}

/** An observation together with the marks that AWS cannot keep. */
export interface LiveState extends Observation {
  readonly migrations: ReadonlyMap<MigrationName, LiveMigration>;
  /** What each service was last deployed with: version and keys. */
  readonly deployed: ReadonlyMap<ServiceName, Deployed & { readonly version: TargetVersion }>;
  /** Services with a deployment that was begun and whose acceptance the journal does not know: their step must run. */
  readonly begun?: ReadonlySet<ServiceName>;
  /** Fingerprint of the last `health-passed` with no later write. */
  readonly passed?: Digest;
  /** Web releases as the journal last saw them served, by web. */
  readonly served: ReadonlyMap<WebName, Digest>;
  /** Target SHA was healthy here and was first released before the one released last: pages move before services. */
  readonly returning: boolean;
}
