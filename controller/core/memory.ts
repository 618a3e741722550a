// What is remembered of one environment: the shape of the journal's fold, and what is known before its first record.
import type {
  ComponentName,
  Digest,
  Instant,
  MigrationName,
  PublicationId,
  ServiceName,
  Sha,
  TargetVersion,
  WebName,
} from "./brand.ts";
import type { Difference } from "./difference.ts";
import type { Environment } from "./environment.ts";
import type { AdoptedService, EnvironmentEvent, Mark, Outcome, ReleaseKind, Sequence } from "./event.ts";
import type { FaultCode } from "./fault.ts";
import type { Deployed } from "./live.ts";
import type { Direction, Step, StepId } from "./step.ts";

export type ReleaseState = "running" | "succeeded" | "failed" | "superseded" | "rolled-back" | "rollback-failed";

export interface StepRecord {
  readonly step: Step;
  readonly startedAt?: Instant;
  readonly settledAt?: Instant;
  readonly outcome?: Outcome;
}

export interface ReleaseRecord {
  readonly number: number;
  readonly id: string;
  readonly kind: ReleaseKind;
  readonly direction: Direction;
  readonly sha: Sha;
  /** SHA of the last good release before it. */
  readonly from?: Sha;
  readonly fingerprint: Digest;
  readonly arrival: Sha;
  readonly artifacts: Readonly<Record<ComponentName, Digest>>;
  readonly why: string;
  readonly undoes?: number;
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
  readonly state: ReleaseState;
  readonly steps: readonly StepRecord[];
  readonly failure?: { readonly step: StepId; readonly code: FaultCode; readonly message: string };
  /** The release that put an earlier value back, for a rolled-back one. */
  readonly supersededBy?: Sha;
}

/** A release whose health passed, as a value that a rollback can put back. */
export interface Good {
  readonly release: number;
  readonly at: Instant;
  readonly desired: Environment;
  readonly artifacts: Readonly<Record<ComponentName, Digest>>;
  readonly deployed: ReadonlyMap<ServiceName, Deployed & { readonly version: TargetVersion }>;
}

export interface Failure {
  readonly release: number;
  readonly kind: ReleaseKind;
  readonly fingerprint: Digest;
  readonly step: StepId;
  readonly code: FaultCode;
  readonly message: string;
  readonly at: Instant;
}

export interface MigrationMemory {
  readonly name: MigrationName;
  readonly state: "started" | "passed" | "failed" | "unknown" | "refused";
  readonly attempt: number;
  readonly token?: string;
  readonly taskDefinition?: string;
  readonly cluster?: string;
  readonly task?: string;
  readonly startedAt: Instant;
  readonly settledAt?: Instant;
  readonly awsAt?: Instant;
  readonly message?: string;
  readonly exitCode?: number;
  readonly log: readonly string[];
  /** A retry, a changed fingerprint or a later commit lets a failed one run again, under the next attempt. */
  readonly again: boolean;
}

export interface DeployIntent extends Deployed {
  readonly release: number;
  readonly version: TargetVersion;
  readonly before: Extract<Mark, { type: "deploy-intended" }>["before"];
  readonly intendedAt: Instant;
  readonly accepted: boolean;
  readonly deployment?: string;
}

export interface Publication {
  readonly release: number;
  readonly publication: PublicationId;
  readonly digest: Digest;
  readonly startedAt: Instant;
  readonly settled: boolean;
  readonly invalidated: boolean;
}

export interface Memory {
  readonly sequence: Sequence;
  readonly epoch: number;
  /** Writer that started or took over the last release: the one that may act on it. */
  readonly holder?: string;
  readonly lastAt?: Instant;
  /** The holder said that it stops, so nobody needs to wait for its lease. */
  readonly leaseReleased: boolean;
  readonly arrival?: Omit<Extract<EnvironmentEvent, { type: "arrived" }>, "type"> & { readonly at: Instant };
  readonly adoption?: { readonly services: readonly AdoptedService[]; readonly matches: boolean; readonly at: Instant };
  /** A person said that the first release after adoption may move what runs. */
  readonly released: boolean;
  readonly lastNumber: number;
  /** Newest last, at most LIMITS.releasesRemembered. */
  readonly releases: readonly ReleaseRecord[];
  readonly open?: ReleaseRecord & {
    readonly desired: Environment;
    /** What Git asked for when it started: for a rollback another fingerprint than the one it puts back. */
    readonly asked?: Digest;
  };
  readonly good?: Good;
  readonly passed?: Digest;
  readonly failure?: Failure;
  /** A failed release whose rollback has not ended yet. */
  readonly undo?: { readonly release: number };
  readonly rollbackFailed?: { readonly release: number; readonly message: string };
  readonly migrations: ReadonlyMap<Digest, MigrationMemory>;
  readonly deployed: ReadonlyMap<ServiceName, Deployed & { readonly version: TargetVersion }>;
  /** Every version this journal has put in place, with what it stands for. */
  readonly versions: ReadonlyMap<TargetVersion, Digest>;
  readonly intents: ReadonlyMap<ServiceName, DeployIntent>;
  readonly publications: ReadonlyMap<WebName, Publication>;
  readonly served: ReadonlyMap<WebName, Digest>;
  /** SHAs in the order in which they were first released here. */
  readonly order: readonly Sha[];
  readonly healthy: ReadonlyMap<Sha, Instant>;
  /** Digests under which a component of a SHA was healthy here: `service/api@<sha>`. */
  readonly pins: ReadonlyMap<string, Digest>;
  readonly drift?: { readonly since: Instant; readonly differences: readonly Difference[] };
  /** Starts of repairs, newest last, at most LIMITS.repairsPerHour + 1. */
  readonly repairs: readonly Instant[];
  readonly repairRequested: boolean;
  readonly hold?: { readonly reason: string; readonly until?: Instant; readonly since: Instant };
  readonly unmanaged?: string;
}

export const NOTHING: Memory = {
  sequence: 0,
  epoch: 0,
  leaseReleased: false,
  released: false,
  lastNumber: 0,
  releases: [],
  migrations: new Map(),
  deployed: new Map(),
  versions: new Map(),
  intents: new Map(),
  publications: new Map(),
  served: new Map(),
  order: [],
  healthy: new Map(),
  pins: new Map(),
  repairs: [],
  repairRequested: false,
};
