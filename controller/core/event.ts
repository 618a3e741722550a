// Everything that can be seen: durable events go to the journal, ephemeral ones only to whoever listens.
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
import type { Environment, EnvironmentId, GatePolicy } from "./environment.ts";
import type { FaultCode, FaultValue } from "./fault.ts";
import type { Direction, Step, StepId } from "./step.ts";

/** `journal`, `environment/shop/prod`, `repository/1f2e3d4c5b6a7988`. */
export type Stream = "journal" | `environment/${EnvironmentId}` | `repository/${string}`;
/** 1 for the first record of a stream; 0 = the stream is empty. */
export type Sequence = number;

export type ReleaseKind = "release" | "rollback" | "repair";

/** How a step ended. */
export type Outcome =
  | { readonly status: "done"; readonly note?: string }
  | { readonly status: "failed"; readonly code: FaultCode; readonly message: string }
  | { readonly status: "cancelled"; readonly by: CancelReason };
export type CancelReason = "superseded" | "shutdown" | "timeout" | "fenced" | "aborted";

/** Who asked, in the words of the command line. */
export interface Nudge {
  readonly actor: string;
  readonly reason: string;
}

/** What ran when an environment was first met. */
export interface AdoptedService {
  readonly name: ServiceName;
  readonly version: TargetVersion;
  /** The family whose newest ACTIVE revision is the template from now on. */
  readonly family: string;
  readonly image?: Digest;
}

export type ReleaseEvent =
  | {
      readonly type: "release-started";
      readonly release: number;
      /** 128 random bits, hexadecimal: what AWS sees in tags. */
      readonly releaseId: string;
      readonly kind: ReleaseKind;
      readonly direction: Direction;
      /** The whole value: what a later rollback puts back. */
      readonly desired: Environment;
      /** Commit at which this fingerprint became the present one. */
      readonly arrival: Sha;
      readonly artifacts: Readonly<Record<ComponentName, Digest>>;
      readonly steps: readonly Step[];
      /** For a rollback: the release that failed. */
      readonly undoes?: number;
      readonly why: string;
    }
  | { readonly type: "release-succeeded"; readonly release: number }
  | {
      readonly type: "release-failed";
      readonly release: number;
      readonly step: StepId;
      readonly code: FaultCode;
      readonly message: string;
      /** A rollback follows: something was written, and there is something to go back to. */
      readonly undone: boolean;
    }
  | { readonly type: "release-superseded"; readonly release: number; readonly by: Sha }
  | { readonly type: "release-rolled-back"; readonly release: number; readonly to: number }
  | { readonly type: "rollback-failed"; readonly release: number; readonly code: FaultCode; readonly message: string }
  | { readonly type: "step-started"; readonly release: number; readonly step: StepId; readonly what: Step }
  | { readonly type: "step-settled"; readonly release: number; readonly step: StepId; readonly outcome: Outcome }
  | {
      readonly type: "health-passed";
      readonly release: number;
      readonly fingerprint: Digest;
      readonly sha: Sha;
      readonly artifacts: Readonly<Record<ComponentName, Digest>>;
    };

/** Marks: what a step leaves behind so that `observe` of any later life reads it back. */
export type Mark =
  | {
      readonly type: "migration-started";
      readonly release: number;
      readonly migration: MigrationName;
      readonly key: Digest;
      /** Counts RunTask calls that may have started a task; only a refusal for capacity raises it within a release. */
      readonly attempt: number;
      readonly token: string;
      readonly taskDefinition: string;
      readonly cluster: string;
      /** AWS's own clock when the intent was written (a `Date` header), if one was seen. */
      readonly awsAt?: Instant;
    }
  | { readonly type: "migration-task"; readonly migration: MigrationName; readonly key: Digest; readonly task: string }
  | {
      readonly type: "migration-settled";
      readonly migration: MigrationName;
      readonly key: Digest;
      readonly result: "passed" | "failed" | "unknown" | "refused";
      readonly code?: FaultCode;
      readonly message: string;
      readonly exitCode?: number;
      /** The last lines of the task's log, at most 50. */
      readonly log: readonly string[];
    }
  | {
      readonly type: "deploy-intended";
      readonly release: number;
      readonly service: ServiceName;
      readonly version: TargetVersion;
      readonly key: Digest;
      readonly settings: Digest;
      /** PRIMARY deployment before the write, and the fields it sets as they were. */
      readonly before: {
        readonly version: TargetVersion;
        readonly deployment?: string;
        readonly count?: number;
        readonly configuration?: Readonly<Record<string, unknown>>;
      };
    }
  | {
      readonly type: "deploy-accepted";
      readonly release: number;
      readonly service: ServiceName;
      readonly version: TargetVersion;
      /** Id of the PRIMARY deployment the write made; undefined when it made none (count or settings only). */
      readonly deployment?: string;
    }
  | {
      readonly type: "publication-started";
      readonly release: number;
      readonly web: WebName;
      readonly publication: PublicationId;
      readonly digest: Digest;
    }
  | {
      readonly type: "publication-settled";
      readonly web: WebName;
      readonly publication: PublicationId;
      readonly digest: Digest;
      readonly written: number;
      readonly deleted: number;
    }
  | {
      readonly type: "invalidated";
      readonly web: WebName;
      readonly publication: PublicationId;
      readonly invalidation: string;
    };

export type EnvironmentEvent =
  /** The fingerprint that Git asks for changed; `commit` is where. Failures are remembered per arrival. */
  | {
      readonly type: "arrived";
      readonly fingerprint: Digest;
      readonly sha: Sha;
      readonly commit: Sha;
      readonly repository: string;
      /** Policy in force just before, so that a commit cannot loosen the gates of its own bump. */
      readonly before?: GatePolicy;
    }
  | {
      readonly type: "adopted";
      readonly services: readonly AdoptedService[];
      /** Live equals Git by digest, so the migrations of this SHA count as applied. */
      readonly matches: boolean;
      readonly applied: readonly Digest[];
      readonly by: Nudge;
    }
  /** What runs was found to be another journal's or a person's, and is taken over as it is. */
  | { readonly type: "drift-found"; readonly differences: readonly Difference[] }
  | { readonly type: "drift-cleared" }
  | { readonly type: "hold-seen"; readonly reason: string; readonly until?: Instant }
  | { readonly type: "hold-cleared" }
  | { readonly type: "unmanaged"; readonly why: string }
  | { readonly type: "managed" }
  | ({ readonly type: "release-requested" } & Nudge)
  | ({ readonly type: "retry-requested"; readonly fingerprint: Digest } & Nudge)
  | ({ readonly type: "repair-requested" } & Nudge)
  | ({ readonly type: "abort-requested"; readonly release: number } & Nudge)
  | ({
      readonly type: "resolved";
      readonly migration: MigrationName;
      readonly key: Digest;
      readonly outcome: "applied" | "not-applied";
    } & Nudge)
  | { readonly type: "lease"; readonly ttlMs: number; readonly released?: true }
  /** Another controller goes on with the release that its predecessor left. */
  | { readonly type: "release-adopted"; readonly from: string }
  | ReleaseEvent
  | Mark;

export type RepositoryEvent =
  | { readonly type: "head-seen"; readonly commit: Sha }
  | {
      readonly type: "halted";
      readonly from: Sha;
      /** The head that is not a descendant; undefined = the branch is gone. */
      readonly to?: Sha;
      /** Environments whose files differ between the two heads. */
      readonly environments: readonly EnvironmentId[];
      readonly why: string;
    }
  | ({ readonly type: "accepted"; readonly head: Sha } & Nudge);

export type JournalEvent = { readonly type: "journal-opened"; readonly journalId: string };

export type Durable = EnvironmentEvent | RepositoryEvent | JournalEvent;

export const RECORD_VERSION = 1;

/** One line of the journal. */
export interface Recorded {
  readonly v: typeof RECORD_VERSION;
  readonly sequence: Sequence;
  readonly at: Instant;
  /** Which process wrote it: random per life. */
  readonly writer: string;
  /** Raised by each take-over. */
  readonly epoch: number;
  /** Random per append, by which a writer knows its own record again after a lost answer. */
  readonly nonce: string;
  readonly event: Durable;
}

/** What is only said, not kept: progress, decisions that changed, problems of the moment. */
export type Ephemeral =
  | { readonly type: "progress"; readonly release: number; readonly step: StepId; readonly text: string }
  | {
      readonly type: "decided";
      readonly decision: string;
      readonly why: string;
      readonly code?: FaultCode;
      readonly next?: string;
    }
  | { readonly type: "manifest-invalid"; readonly problems: readonly string[] }
  | { readonly type: "trouble"; readonly fault: FaultValue; readonly where: string }
  | { readonly type: "trouble-cleared"; readonly where: string };

/** What sinks and listeners receive. */
export type Event =
  | { readonly durable: true; readonly stream: Stream; readonly record: Recorded }
  | {
      readonly durable: false;
      readonly stream: Stream;
      readonly at: Instant;
      readonly event: Ephemeral;
    };
