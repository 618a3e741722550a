// One small shop for the tests of the core: values of environments, of what runs, and of what the journal remembers.
import type { Digest, TargetVersion } from "../../controller/core/brand.ts";
import {
  ApplicationName,
  EnvironmentName,
  Instant,
  MigrationName,
  PublicationId,
  ServiceName,
  Sha,
  TargetVersion as Version,
  WebName,
} from "../../controller/core/brand.ts";
import type { Environment, Migration, Service, Web } from "../../controller/core/environment.ts";
import type { Durable, Recorded } from "../../controller/core/event.ts";
import { digestOf, fingerprint, migrationKey, serviceKey, settingsKey } from "../../controller/core/fingerprint.ts";
import type { Memory } from "../../controller/core/history.ts";
import { fold, NOTHING } from "../../controller/core/history.ts";
import type { LiveState } from "../../controller/core/live.ts";
import type { Step } from "../../controller/core/step.ts";

export const API = ServiceName.parse("api");
export const WORKER = ServiceName.parse("worker");
export const SCHEMA = MigrationName.parse("schema");
export const SITE = WebName.parse("site");
export const NOW = Instant.of(1_700_000_000_000);

/** The commits of the shop in their order: A, B, C. */
export const [A, B, C] = [Sha.parse("a".repeat(40)), Sha.parse("b".repeat(40)), Sha.parse("c".repeat(40))];

export function service(sha: Sha, name = API, more: Partial<Service> = {}): Service {
  return {
    name,
    sha,
    image: { registry: "registry", repository: `shop/${name}`, tag: `sha-${sha}` },
    task: { kind: "adopted" },
    after: [],
    timeoutMs: 600_000,
    strategy: { kind: "rolling" },
    paths: [],
    ...more,
  };
}

export function migration(sha: Sha, more: Partial<Migration> = {}): Migration {
  const image = { registry: "registry", repository: "shop/api", tag: `sha-${sha}` };
  return { name: SCHEMA, service: API, sha, image, command: ["migrate"], timeoutMs: 600_000, ...more };
}

export function web(sha: Sha, more: Partial<Web> = {}): Web {
  const artifact = `s3://artifacts/site/${sha}/`;
  return { name: SITE, sha, artifact, bucket: "shop-prod-site", prefix: "", domain: "shop.example", keep: 3, ...more };
}

/** shop/prod on one commit, with one of everything, signed with its fingerprint. */
export function environment(sha: Sha, more: Partial<Environment> = {}): Environment {
  const unsigned = {
    application: ApplicationName.parse("shop"),
    name: EnvironmentName.parse("prod"),
    revision: { repository: "5eed5eed5eed5eed", commit: sha, folder: "" },
    sha,
    place: { region: "eu-west-1", cluster: "prod" },
    parallel: 4,
    services: [service(sha), service(sha, WORKER, { after: [API] })],
    migrations: [migration(sha)],
    webs: [web(sha)],
    gates: { promotedFrom: [] },
    drift: "report",
    onFailure: "rollback",
    ...more,
  } as const;
  return { ...unsigned, fingerprint: fingerprint(unsigned) };
}

export function digest(component: string, sha: Sha): Digest {
  return digestOf(`${component}@${sha}`);
}

export function version(name: string, sha: Sha): TargetVersion {
  return Version.parse(`arn:task-definition/lockstep-shop-prod-${name}:${sha.slice(0, 4)}`);
}

export const PUBLICATION = PublicationId.parse("0123456789abcdef");

/** What a finished release of an environment leaves: everything runs, is served, and has passed. */
export function settled(desired: Environment): LiveState {
  return {
    observedAt: NOW,
    depth: "full",
    services: new Map(
      desired.services.map(({ name, sha }) => [
        name,
        {
          state: "present",
          version: version(name, sha),
          image: digest(`service/${name}`, sha),
          replicas: { desired: 2, running: 2, pending: 0 },
          rollout: { state: "steady" },
        },
      ]),
    ),
    artifacts: artifactsOf(desired),
    webs: new Map(
      desired.webs.map(({ name, sha }) => [
        name,
        {
          state: "served",
          publication: PUBLICATION,
          invalidated: PUBLICATION,
          digest: digest(`web/${name}`, sha),
        },
      ]),
    ),
    migrations: new Map(desired.migrations.map(({ name }) => [name, { state: "passed" }])),
    deployed: new Map(
      desired.services.map((one) => [
        one.name,
        {
          version: version(one.name, one.sha),
          key: serviceKey(one, digest(`service/${one.name}`, one.sha)),
          settings: settingsKey(one),
        },
      ]),
    ),
    served: new Map(desired.webs.map(({ name, sha }) => [name, digest(`web/${name}`, sha)])),
    passed: desired.fingerprint,
    returning: false,
  };
}

export function artifactsOf(desired: Environment): LiveState["artifacts"] {
  const all = [
    ...desired.services.map(({ name, sha }) => [`service/${name}`, sha] as const),
    ...desired.migrations.map(({ name, sha }) => [`migration/${name}`, sha] as const),
    ...desired.webs.map(({ name, sha }) => [`web/${name}`, sha] as const),
  ];
  return new Map(
    all.map(([name, sha]) => [name, { state: "resolved", digest: digest(name, sha), from: `sha-${sha}` } as const]),
  );
}

/** What runs is one environment's, what is wanted is another's: as after a bump, before anything was done. */
export function bumped(from: Environment, to: Environment): LiveState {
  return { ...settled(from), artifacts: artifactsOf(to), migrations: new Map() };
}

/** A journal of these events, one record a second, all written by one process unless said otherwise. */
export function records(events: readonly Durable[], writer = "one"): readonly Recorded[] {
  return events.map((event, index) => ({
    v: 1,
    sequence: index + 1,
    at: Instant.plus(NOW, index * 1_000),
    writer,
    epoch: 1,
    nonce: String(index),
    event,
  }));
}

export function remembered(...events: readonly Durable[]): Memory {
  return fold(records(events), NOTHING);
}

export function arrived(desired: Environment): Durable {
  const { fingerprint: print, sha, revision } = desired;
  return { type: "arrived", fingerprint: print, sha, commit: revision.commit, repository: revision.repository };
}

export function started(desired: Environment, release: number, more: object = {}): Durable {
  return {
    type: "release-started",
    release,
    releaseId: `id-${release}`,
    kind: "release",
    direction: "forward",
    desired,
    arrival: desired.revision.commit,
    artifacts: Object.fromEntries(
      [...artifactsOf(desired)].flatMap(([name, one]) => (one.state === "resolved" ? [[name, one.digest]] : [])),
    ),
    steps: [] as readonly Step[],
    why: "a test",
    ...more,
  };
}

export function deployed(desired: Environment, release: number): readonly Durable[] {
  return desired.services.flatMap((one): readonly Durable[] => {
    const named = { release, service: one.name, version: version(one.name, one.sha) };
    const key = serviceKey(one, digest(`service/${one.name}`, one.sha));
    const before = { version: version(one.name, A), count: 2 };
    return [
      { type: "deploy-intended", ...named, key, settings: settingsKey(one), before },
      { type: "deploy-accepted", ...named, deployment: `ecs-svc/${release}` },
    ];
  });
}

export function published(desired: Environment, release: number): readonly Durable[] {
  return desired.webs.flatMap((one): readonly Durable[] => {
    const named = { web: one.name, publication: PUBLICATION, digest: digest(`web/${one.name}`, one.sha) };
    return [
      { type: "publication-started", release, ...named },
      { type: "publication-settled", ...named, written: 1, deleted: 0 },
    ];
  });
}

export function passed(desired: Environment, release: number): Durable {
  const { fingerprint: print, sha } = desired;
  const artifacts = Object.fromEntries(
    [...artifactsOf(desired)].flatMap(([name, one]) => (one.state === "resolved" ? [[name, one.digest]] : [])),
  );
  return { type: "health-passed", release, fingerprint: print, sha, artifacts };
}

/** A whole release that went well. */
export function succeeded(desired: Environment, release: number): readonly Durable[] {
  const key = migrationKey(desired, migration(desired.sha));
  return [
    arrived(desired),
    started(desired, release),
    ...migrated(key, release, "passed"),
    ...deployed(desired, release),
    ...published(desired, release),
    passed(desired, release),
    { type: "release-succeeded", release },
  ];
}

export function migrated(
  key: Digest,
  release: number,
  result?: "passed" | "failed" | "unknown" | "refused",
): readonly Durable[] {
  const named = { migration: SCHEMA, key };
  const begun: readonly Durable[] = [
    {
      type: "migration-started",
      release,
      ...named,
      attempt: 1,
      token: "token",
      taskDefinition: "arn:migrate:1",
      cluster: "prod",
    },
    { type: "migration-task", ...named, task: "arn:task" },
  ];
  return result === undefined
    ? begun
    : [...begun, { type: "migration-settled", ...named, result, message: result, log: ["last line"] }];
}

export function failedAt(release: number, step: string, undone: boolean): Durable {
  return { type: "release-failed", release, step, code: "deployment-failed", message: "ECS gave up", undone };
}
