// A shop as values: what a board shows of it healthy, under way, failed, drifted, waiting and blocked.
import {
  Digest,
  EnvironmentName,
  Instant,
  MigrationName,
  ServiceName,
  Sha,
  TargetVersion,
  WebName,
} from "../../controller/core/brand.ts";
import { ApplicationName } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import type { Outcome } from "../../controller/core/event.ts";
import type { ReleaseRecord, StepRecord } from "../../controller/core/history.ts";
import type { EnvironmentStatus, ServiceStatus, StatusDocument } from "../../controller/core/status.ts";
import type { Step } from "../../controller/core/step.ts";

export const OLD = Sha.parse("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
export const NEW = Sha.parse("9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01");
export const COMMIT = Sha.parse("c0ffee1000000000000000000000000000000000");
export const NOW = Instant.of(Date.UTC(2026, 9, 30, 14, 20, 10));

export function before(ms: number): Instant {
  return Instant.plus(NOW, -ms);
}

function digest(letter: string): Digest {
  return Digest.parse(`sha256:${letter.repeat(64)}`);
}

const api = ServiceName.parse("api");
const worker = ServiceName.parse("worker");
const site = WebName.parse("site");
const migrate = MigrationName.parse("migrate");

export function version(service: string, revision: number): TargetVersion {
  return TargetVersion.parse(`arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-${service}:${revision}`);
}

export const STEPS: readonly Step[] = [
  {
    kind: "verify",
    artifacts: [
      { component: "service/api", digest: digest("a") },
      { component: "web/site", digest: digest("c") },
    ],
    why: "what was planned must still be what the tags say",
  },
  {
    kind: "migrate",
    migration: migrate,
    key: digest("d"),
    image: digest("a"),
    why: "9f2c1ab has not been applied here",
  },
  { kind: "stage", web: site, digest: digest("c"), why: "9f2c1ab is not what acme-shop-web serves" },
  {
    kind: "deploy",
    service: api,
    from: version("api", 7),
    image: digest("a"),
    key: digest("e"),
    settings: digest("f"),
    changes: ["version"],
    why: "version shop-api:7 → shop/api@sha256:aaaaaaaaaaaa",
  },
  { kind: "publish", web: site, digest: digest("c"), why: "9f2c1ab is not what acme-shop-web serves" },
  { kind: "invalidate", web: site, why: "the page changes" },
  { kind: "health", fingerprint: digest("b"), why: "a release that writes ends with a proof" },
];

export const DONE: Outcome = { status: "done" };
export const EXIT_ONE: Outcome = { status: "failed", code: "migration-failed", message: "migrate exited 1 after 38s" };

/** The first steps have these outcomes, the next one runs (or not), the rest have not begun. */
export function steps(outcomes: readonly Outcome[], running = true): readonly StepRecord[] {
  return STEPS.map((step, index) => {
    const outcome = outcomes[index];
    const startedAt = before(400_000 - index * 40_000);
    if (outcome !== undefined) return { step, startedAt, settledAt: Instant.plus(startedAt, 38_000), outcome };
    return index === outcomes.length && running ? { step, startedAt } : { step };
  });
}

export function release(also: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return {
    number: 12,
    id: "0123456789abcdef0123456789abcdef",
    kind: "release",
    direction: "forward",
    sha: NEW,
    from: OLD,
    fingerprint: digest("b"),
    arrival: COMMIT,
    artifacts: {},
    why: "4b825dc → 9f2c1ab",
    startedAt: before(400_000),
    state: "running",
    steps: steps([DONE, DONE, DONE]),
    ...also,
  };
}

function service(name: ServiceName, running: number, desired: number, sha = NEW): ServiceStatus {
  return {
    name,
    state: "present",
    version: version(name, 7),
    sha,
    replicas: { desired, running, pending: 0 },
    rollout: { state: "steady" },
  };
}

export function healthy(name: string, also: Partial<EnvironmentStatus> = {}): EnvironmentStatus {
  return {
    id: `shop/${name}`,
    application: "shop",
    environment: name,
    state: "healthy",
    why: "healthy on 9f2c1ab",
    since: before(240_000),
    git: { sha: NEW, commit: COMMIT },
    healthy: { sha: NEW, release: 12, at: before(240_000) },
    services: [service(api, 2, 2), service(worker, 1, 1)],
    webs: [{ name: site, digest: digest("c"), sha: NEW }],
    differences: [],
    problems: [],
    release: release({ state: "succeeded", endedAt: before(240_000), steps: steps(STEPS.map(() => DONE)) }),
    url: `https://${name}.acme.dev`,
    observedAt: before(2000),
    ...also,
  };
}

export function converging(name: string, also: Partial<EnvironmentStatus> = {}): EnvironmentStatus {
  return healthy(name, {
    state: "converging",
    why: "releasing (#12): 4b825dc → 9f2c1ab",
    since: before(400_000),
    healthy: { sha: OLD, release: 11, at: before(86_400_000) },
    services: [service(api, 2, 2, OLD), service(worker, 1, 1, OLD)],
    webs: [{ name: site, digest: digest("9"), sha: OLD }],
    differences: [
      { kind: "service", service: api, field: "version", live: "shop-api:7", desired: "shop/api@sha256:aaaaaaaaaaaa" },
    ],
    release: release(),
    progress: "1 of 2 tasks healthy",
    ...also,
  });
}

export const FAILURE = {
  step: "migrate/migrate",
  code: "migration-failed",
  message: "migrate exited 1 after 38s",
} as const;

export function failed(name: string, also: Partial<EnvironmentStatus> = {}): EnvironmentStatus {
  const { progress: _, ...rest } = converging(name);
  return {
    ...rest,
    state: "failed",
    why: "release #12 of 9f2c1ab failed at migrate/migrate: migrate exited 1 after 38s. Git still says 9f2c1ab",
    code: "migration-failed",
    since: before(10_000),
    next: `revert or fix it in Git, or \`lockstep retry shop/${name}\` once the cause is gone`,
    release: release({
      state: "failed",
      endedAt: before(10_000),
      steps: steps([DONE, EXIT_ONE], false),
      failure: FAILURE,
    }),
    log: ["applying 20261027_coupons", 'ERROR: relation "coupons" already exists'],
    ...also,
  };
}

export function drifted(name: string): EnvironmentStatus {
  return healthy(name, {
    state: "drift",
    why: "drift: api count 1 → 2",
    services: [service(api, 1, 1), service(worker, 1, 1)],
    differences: [{ kind: "service", service: api, field: "count", live: "1", desired: "2" }],
  });
}

export function waiting(name: string): EnvironmentStatus {
  return healthy(name, {
    state: "waiting",
    why: "9f2c1ab waits: 9f2c1ab has not been healthy in staging (staging is at 4b825dc)",
    until: Instant.plus(NOW, 48 * 60_000),
    healthy: { sha: OLD, release: 11, at: before(86_400_000) },
  });
}

export function blocked(name: string, also: Partial<EnvironmentStatus> = {}): EnvironmentStatus {
  return healthy(name, {
    state: "blocked",
    why: "outcome of the migration of 9f2c1ab is unknown",
    code: "migration-unknown",
    next: `check the database, then \`lockstep resolve shop/${name} --migration applied|not-applied\``,
    ...also,
  });
}

export function document(...environments: readonly EnvironmentStatus[]): StatusDocument {
  return {
    schema: "lockstep/v1",
    at: NOW,
    repositories: [
      { address: "https://git.example.com/acme/ops.git", branch: "main", head: COMMIT, readAt: before(8000) },
    ],
    environments,
  };
}

export const SHOP: StatusDocument = document(healthy("dev"), drifted("staging"), failed("prod"));

/** What Git says for one environment, as far as a plan shows it. */
export function environment(name: string, sha: Sha = NEW): Environment {
  return {
    application: ApplicationName.parse("shop"),
    name: EnvironmentName.parse(name),
    revision: { repository: "1f2e3d4c5b6a7988", commit: COMMIT, folder: "" },
    sha,
    fingerprint: digest("b"),
    place: { region: "eu-west-1", cluster: name },
    parallel: 4,
    services: [],
    migrations: [],
    webs: [],
    gates: { promotedFrom: [] },
    drift: "report",
    onFailure: "rollback",
  };
}
