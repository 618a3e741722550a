// What the journal has said so far, told apart from the product's own fold: the second opinion behind the invariants.
import type { Digest } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import type { EnvironmentEvent, Recorded, ReleaseKind } from "../../controller/core/event.ts";

export interface OpenRelease {
  readonly number: number;
  readonly kind: ReleaseKind;
  readonly desired: Environment;
  readonly artifacts: Readonly<Record<string, Digest>>;
  readonly startedMs: number;
  /** Health passed, and nothing was written since. */
  proven: boolean;
}

/** One environment's stream. */
export interface Chronicle {
  sequence: number;
  holder?: string;
  open?: OpenRelease;
  /** Sequence of the last failure of a fingerprint. */
  readonly failures: Map<Digest, number>;
  /** Sequence of the last event that lets a failed fingerprint be tried again. */
  allowed: number;
  /** A person or an equality allowed the first release. */
  adopted: boolean;
  releases: number;
  /** SHA and fingerprint whose health passed, with no write since. */
  passed?: { readonly sha: string; readonly fingerprint: Digest };
  readonly healthy: Set<string>;
  /** When each SHA was last the proven one, in milliseconds of true time. */
  readonly provenMs: Map<string, number>;
  readonly migrations: Map<
    Digest,
    { state: "started" | "passed" | "failed" | "unknown" | "refused"; sequence: number }
  >;
}

export function createChronicle(): Chronicle {
  return {
    sequence: 0,
    failures: new Map(),
    allowed: 0,
    adopted: false,
    releases: 0,
    healthy: new Set(),
    provenMs: new Map(),
    migrations: new Map(),
  };
}

const WRITING: ReadonlySet<string> = new Set(["migration-started", "deploy-intended", "publication-started"]);

/** Takes one more record; `nowMs` is the true time. */
export function chronicle(of: Chronicle, { event, writer, sequence }: Recorded, nowMs: number): void {
  const said = event as EnvironmentEvent;
  of.sequence = sequence;
  if (WRITING.has(said.type)) {
    leave(of, nowMs);
    if (of.open !== undefined) of.open.proven = false;
  }
  switch (said.type) {
    case "arrived":
    case "retry-requested":
      of.allowed = sequence;
      return;
    case "resolved":
      of.allowed = sequence;
      if (of.migrations.get(said.key)?.state !== "passed")
        of.migrations.set(said.key, { state: said.outcome === "applied" ? "passed" : "refused", sequence });
      return;
    case "release-requested":
      of.adopted = true;
      return;
    case "adopted":
      of.adopted ||= said.matches;
      for (const key of said.applied) of.migrations.set(key, { state: "passed", sequence });
      return;
    case "release-adopted":
      of.holder = writer;
      return;
    case "release-started":
      of.holder = writer;
      of.releases = said.release;
      of.open = {
        number: said.release,
        kind: said.kind,
        desired: said.desired,
        artifacts: said.artifacts,
        startedMs: nowMs,
        proven: of.passed?.fingerprint === said.desired.fingerprint,
      };
      return;
    case "health-passed":
      leave(of, nowMs);
      of.passed = { sha: said.sha, fingerprint: said.fingerprint };
      of.healthy.add(said.sha);
      of.provenMs.set(said.sha, nowMs);
      if (of.open !== undefined) of.open.proven = true;
      return;
    case "release-failed":
      if (of.open !== undefined && of.open.kind !== "rollback") {
        of.failures.set(of.open.desired.fingerprint, sequence);
      }
      delete of.open;
      return;
    case "release-succeeded":
    case "release-superseded":
      delete of.open;
      return;
    case "migration-started":
      of.migrations.set(said.key, { state: "started", sequence });
      return;
    case "migration-settled":
      of.migrations.set(said.key, { state: said.result, sequence });
      return;
    default:
      return;
  }
}

function leave(of: Chronicle, nowMs: number): void {
  if (of.passed !== undefined) of.provenMs.set(of.passed.sha, nowMs);
  delete of.passed;
}
