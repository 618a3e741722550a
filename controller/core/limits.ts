// Every limit of the controller by name; what has no limit here has none anywhere.

export const LIMITS = {
  /** Releases kept in memory per environment; the journal keeps all. */
  releasesRemembered: 50,
  /** Repairs of drift an environment may start by itself within an hour. */
  repairsPerHour: 3,
  /** How long a lease holds without an append (architecture.md, "Fencing"). */
  leaseTtlMs: 60_000,
  /** While acting, something is appended at least this often. */
  leaseRenewMs: 20_000,
  /** RunTask attempts refused for capacity before a migration fails. */
  capacityAttempts: 5,
  /** A RunTask token may be replayed only this long after its intent. */
  tokenReplayMs: 45 * 60_000,
  /** Lines of a task's log kept in the journal and shown. */
  logLines: 50,
  /** Lines of progress kept per step of the last release. */
  progressLines: 500,
  /** Characters kept of one log line. */
  logLineLength: 2_000,
  /** How long the last log lines of a stopped task are waited for. */
  logFlushMs: 10_000,
  /** Longest time a migration may take. */
  migrationTimeoutMs: 12 * 3_600_000,
  /** A manifest file. */
  manifestBytes: 256 * 1024,
  /** Problems shown for one folder. */
  problems: 100,
  /** First-parent commits read to find where a fingerprint arrived. */
  arrivals: 200,
  /** Files of a web release. */
  releaseFiles: 20_000,
  /** `lockstep.json` of a web release. */
  releaseManifestBytes: 16 * 1024 * 1024,
  /** S3 requests in flight for one web release. */
  copies: 32,
  /** Body of a health answer that is read. */
  healthBytes: 64 * 1024,
  healthRequestMs: 5_000,
  healthRedirects: 3,
  /** How long faults of the world are retried in a step without a time-out of its own. */
  stepMs: 15 * 60_000,
  retryMinMs: 1_000,
  retryMaxMs: 30_000,
  /** One AWS call, start to end. */
  callMs: 30_000,
  /** Passes after which web markers are read although nothing moves. */
  webPasses: 10,
  /** Environments observed at once. */
  lanes: 64,
} as const;
