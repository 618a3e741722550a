// Every boundary on one page: what the engine asks of time, Git, the world, the journal, triggers and listeners.
import type { Digest, Instant, Sha } from "./core/brand.ts";
import type { Environment, EnvironmentId } from "./core/environment.ts";
import type { Durable, Event, Mark, Nudge, Outcome, Recorded, Sequence, Stream } from "./core/event.ts";
import type { Memory } from "./core/history.ts";
import type { Depth, Observation } from "./core/live.ts";
import type { Signer } from "./core/signer.ts";
import type { StepKind, StepOf } from "./core/step.ts";

export interface Clock {
  now(): Instant;
  /** Never goes back and ignores changes of the wall clock. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Random bytes as hexadecimal digits; seeded in the simulation. */
export type Random = (bytes: number) => string;

/** A file of the configuration repository, read by object id; never from a work tree. */
export interface ManifestFile {
  /** Path from the root of the repository, `/` between segments. */
  readonly path: string;
  /** Octal mode as Git keeps it: only 100644 and 100755 are read, others come with `text` undefined. */
  readonly mode: string;
  /** Object id of the blob. */
  readonly id: string;
  /** Undefined for what is never read: symlinks, submodules, blobs over the limit or not UTF-8; `refused` says why. */
  readonly text?: string;
  readonly refused?: string;
}

/** One configuration repository at a distance. */
export interface Source {
  /** sha256 of the address, 16 digits: the name of its journal stream. */
  readonly id: string;
  /** The address without credentials, for people. */
  readonly address: string;
  readonly branch: string;
  /**
   * The branch's head. One `ls-remote` when nothing changed, a fetch otherwise. Faults: repository-unreachable,
   * repository-denied, branch-missing.
   */
  head(signal: AbortSignal): Promise<Sha>;
  /** Configuration folders (`…/environments/application.yaml`) and every file directly in them. */
  folders(commit: Sha, signal: AbortSignal): Promise<readonly ManifestFolder[]>;
  /** Files named by manifests (`task:`), relative to the root; missing ones are left out. */
  files(commit: Sha, paths: readonly string[], signal: AbortSignal): Promise<readonly ManifestFile[]>;
  isAncestor(older: Sha, newer: Sha, signal: AbortSignal): Promise<boolean>;
  /** First-parent commits after `older` up to `newer`, oldest first, that touch one of the paths; at most `limit`. */
  changes(
    older: Sha,
    newer: Sha,
    paths: readonly string[],
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly Sha[]>;
  /** Full SHAs that begin with `prefix` (for expanding abbreviations); at most 2. */
  expand(prefix: string, signal: AbortSignal): Promise<readonly Sha[]>;
  /**
   * Undefined when the commit carries a good signature of one of the signers, else why not: "commit 1f2e3d4 is not
   * signed". Fault repository-unreachable when it cannot be checked here.
   */
  distrust(commit: Sha, signers: readonly Signer[], signal: AbortSignal): Promise<string | undefined>;
}

export interface ManifestFolder {
  /** "" when `environments/` stands at the root, else `shop`. */
  readonly folder: string;
  readonly files: readonly ManifestFile[];
}

/** What a runner gets beside its step. */
export interface Turn {
  readonly environment: Environment;
  readonly release: { readonly number: number; readonly id: string; readonly journal: string };
  /** The journal's fold, at the moment the step starts. */
  readonly memory: Memory;
  /** Digests fixed by earlier environments, for resolving once more. */
  readonly pins: ReadonlyMap<string, Digest>;
}

export interface Context {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  /** One line of progress for people; ephemeral. */
  note(text: string): void;
  /** Appends a mark, fenced. No write call of a runner leaves before its intent was recorded. */
  record(mark: Mark): Promise<void>;
  /**
   * Asserts that this process still holds the environment; call it immediately before every write.
   * Throws Fault `fenced` when the last append is older than half the lease.
   */
  guard(): void;
}

export type Runner<Kind extends StepKind> = (step: StepOf<Kind>, turn: Turn, context: Context) => Promise<Outcome>;
export type Runners = { readonly [Kind in StepKind]: Runner<Kind> };

/** What observing needs to know from the journal. */
export interface Recall {
  readonly memory: Memory;
  /** Digests fixed by the first environment of the application in which a SHA was healthy: `service/api@<sha>`. */
  readonly pins: ReadonlyMap<string, Digest>;
}

/** What the manifests of a repository say at one commit. */
export interface Reading {
  readonly environments: readonly ManifestEntry[];
  /** Problems of whole folders, one line each: `shop/environments/application.yaml:3:1 …`. */
  readonly problems: readonly string[];
  /**
   * `verify.commits` by path of the application.yaml that lists it; `unreadable` where nobody can tell what it lists.
   * Files that ask for no signature are left out.
   */
  readonly signers?: ReadonlyMap<string, readonly Signer[] | "unreadable">;
}

export interface ManifestEntry {
  readonly id: EnvironmentId;
  /** Hash over the object ids of every file that determines it: equal = nothing about it changed. */
  readonly content: string;
  /** Undefined when it could not be parsed; `problems` says where and why. */
  readonly environment?: Environment;
  readonly problems: readonly string[];
}

/** Reads manifests at a commit; total: what is wrong comes as problems, only the repository itself can fault. */
export type ReadManifests = (source: Source, commit: Sha, signal: AbortSignal) => Promise<Reading>;

/** True when `newer` contains `older` in the environment's source repository; undefined = nobody can tell now. */
export type Contains = (
  environment: Environment,
  older: Sha,
  newer: Sha,
  signal: AbortSignal,
) => Promise<boolean | undefined>;

/** AWS as the engine sees it. Observing never writes. */
export interface World {
  observe(environment: Environment, recall: Recall, depth: Depth, signal: AbortSignal): Promise<Observation>;
  readonly runners: Runners;
  /** The family a version belongs to, for adoption. */
  family(version: string): string;
}

/** Append-only records, one stream per environment and repository; one writer wins each sequence. */
export interface Journal {
  /** `file:…` or `s3://…`, for people. */
  readonly address: string;
  /**
   * Writes the record with sequence `expected + 1`. Faults: `fenced` when another writer has that sequence,
   * `journal-unavailable` when the outcome is an error or unknown.
   */
  append(stream: Stream, entry: Entry, expected: Sequence): Promise<Recorded>;
  /** Records from sequence `from` on, in order, without gaps. Fault: journal-damaged. */
  read(stream: Stream, from: Sequence): AsyncIterable<Recorded>;
  streams(): Promise<readonly Stream[]>;
  /** True when the journal can prove that the writer's process has ended, so that nobody waits for its lease. */
  hasEnded(writer: string): boolean;
}

export interface Entry {
  readonly at: Instant;
  readonly writer: string;
  readonly epoch: number;
  readonly event: Durable;
}

/** Something that says "look now": cron, webhook, a test's hand. It carries no content. */
export interface Trigger {
  start(look: () => void): Disposable;
}

/** A listener. A sink that fails or is slow never holds a release. */
export interface Sink extends AsyncDisposable {
  readonly name: string;
  take(event: Event): void | Promise<void>;
}

/** What server and command line may ask of the engine. Every nudge is journaled with actor and reason. */
export interface Control {
  look(): void;
  retry(environment: EnvironmentId, nudge: Nudge): Promise<void>;
  resolve(environment: EnvironmentId, how: Resolution, nudge: Nudge): Promise<void>;
  repair(environment: EnvironmentId, nudge: Nudge): Promise<void>;
  adopt(environment: EnvironmentId, nudge: Nudge): Promise<void>;
  abort(environment: EnvironmentId, nudge: Nudge): Promise<void>;
  /** `head` must be the head that halted the repository. */
  accept(head: string, nudge: Nudge): Promise<void>;
}

export type Resolution =
  | { readonly kind: "migration"; readonly migration?: string; readonly outcome: "applied" | "not-applied" }
  | { readonly kind: "adopt" };
