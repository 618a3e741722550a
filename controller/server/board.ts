// What the server shows: a read-only view of the engine, in terms of core.
import type { EnvironmentId } from "../core/environment.ts";
import type { Event } from "../core/event.ts";
import type { ReleaseRecord } from "../core/history.ts";
import type { Instant } from "../core/brand.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import type { StepId } from "../core/step.ts";

export interface Board {
  status(): StatusDocument;
  environment(id: EnvironmentId): EnvironmentStatus | undefined;
  /** Newest first, at most LIMITS.releasesRemembered; undefined = no such environment. */
  releases(id: EnvironmentId): readonly ReleaseRecord[] | undefined;
  /** Log of a step of the running or last release; without a step that of the failed or running one. Undefined = none. */
  logs(id: EnvironmentId, step: StepId | undefined, signal: AbortSignal): Promise<StepLog | undefined>;
  /** Hears of every event, in order, until the returned function is called. Must not block. */
  subscribe(listener: (event: Event) => void): () => void;
  /** Whether the controller can do its work now; `why` names what is missing. */
  readiness(): { readonly ready: boolean; readonly why?: string };
}

/** Lines that a step wrote. */
export interface StepLog {
  readonly release: number;
  readonly step: StepId;
  /** More lines may come. */
  readonly running: boolean;
  /** Number of the first line kept, from 0: older ones were dropped. */
  readonly first: number;
  readonly lines: readonly { readonly at?: Instant; readonly text: string }[];
}
