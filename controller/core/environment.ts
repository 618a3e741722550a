// What should be: one application in one environment, as its manifests say at one commit.
import type {
  ApplicationName,
  Digest,
  EnvironmentName,
  MigrationName,
  ServiceName,
  Sha,
  TargetVersion,
  WebName,
} from "./brand.ts";

/** `shop/prod`: the unit of a lane, a journal stream, a release. */
export type EnvironmentId = `${string}/${string}`;

/** The commit of the configuration repository at which a manifest was read. */
export interface Revision {
  /** sha256 of the repository's address, shortened: the name of its journal stream. */
  readonly repository: string;
  readonly commit: Sha;
  /** The folder that holds `environments/`, relative to the root: "" or `shop`. */
  readonly folder: string;
}

/** Where it runs. Account and role are bound by the operator, never by a manifest. */
export interface Place {
  readonly region: string;
  readonly cluster: string;
  readonly account?: string;
  readonly role?: string;
  readonly externalId?: string;
}

/** A template of an image, expanded but for the wildcard: `111….dkr.ecr.eu-west-1.amazonaws.com/shop/api` + `sha-9f2c1ab-*`. */
export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  /** A tag, where `*` stands for anything. */
  readonly tag: string;
}

/** Where the task definition of a service comes from (release.md, "who owns what"). */
export type TaskTemplate =
  | { readonly kind: "file"; readonly path: string; readonly definition: Readonly<Record<string, unknown>> }
  | { readonly kind: "family"; readonly family: string }
  | { readonly kind: "adopted" };

export interface HealthCheck {
  readonly url: string;
  /** Status codes that count as green; undefined = 200 to 299. */
  readonly status?: readonly number[];
  /** A JSON path (`$.a.b`) whose value must equal the component's SHA or a prefix of at least 7 digits. */
  readonly version?: string;
  /** How long every sample must be green, in milliseconds. */
  readonly forMs: number;
  /** How long the check may take to become green, in milliseconds. */
  readonly timeoutMs: number;
}

export type Strategy = { readonly kind: "rolling" };

export interface Service {
  readonly name: ServiceName;
  readonly sha: Sha;
  readonly image: ImageReference;
  readonly task: TaskTemplate;
  /** The container whose image is replaced; undefined = found by the rules of release.md. */
  readonly container?: string;
  readonly after: readonly ServiceName[];
  readonly timeoutMs: number;
  /** Desired count, when the manifest owns it. */
  readonly count?: number;
  readonly strategy: Strategy;
  readonly health?: HealthCheck;
  readonly paths: readonly string[];
  /** Set only in the recorded value of a past release: deploy exactly this and render nothing. */
  readonly recorded?: RecordedService;
}

export interface RecordedService {
  readonly version: TargetVersion;
  /** Content key under which the version was registered; undefined for what ran before Lockstep came. */
  readonly content?: Digest;
  /** Fields a failed release had set and the last good one did not own, put back as they were before. */
  readonly restore?: { readonly count?: number; readonly deployment?: Readonly<Record<string, unknown>> };
}

export interface Migration {
  readonly name: MigrationName;
  /** The service whose network, roles and template the task uses. */
  readonly service: ServiceName;
  readonly sha: Sha;
  readonly image: ImageReference;
  readonly container?: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export interface Web {
  readonly name: WebName;
  readonly sha: Sha;
  /** `s3://bucket/prefix/` of the release, ending in a slash. */
  readonly artifact: string;
  readonly bucket: string;
  /** Prefix inside the bucket, "" or ending in a slash. */
  readonly prefix: string;
  /** Alias by which the CloudFront distribution is found. */
  readonly domain?: string;
  /** Id of the CloudFront distribution. */
  readonly distribution?: string;
  /** Paths to invalidate; undefined = computed from what changed. */
  readonly invalidate?: readonly string[];
  /** Releases whose assets stay available. */
  readonly keep: number;
  readonly health?: HealthCheck;
}

export interface Hold {
  readonly reason: string;
  /** Milliseconds since the epoch; undefined = until it is removed. */
  readonly until?: number;
}

/** Policy. Only `promotedFrom` acts so far; every other gate is refused when the manifest is read. */
export interface GatePolicy {
  /** Environments of the previous rank of `pipeline`, each of which must be healthy on this SHA or a descendant. */
  readonly promotedFrom: readonly EnvironmentName[];
}

export interface Environment {
  readonly application: ApplicationName;
  readonly name: EnvironmentName;
  readonly revision: Revision;
  readonly sha: Sha;
  /** What counts as the same release (fingerprint.ts). */
  readonly fingerprint: Digest;
  readonly place: Place;
  /** Services in motion at once. */
  readonly parallel: number;
  readonly services: readonly Service[];
  readonly migrations: readonly Migration[];
  readonly webs: readonly Web[];
  readonly gates: GatePolicy;
  readonly hold?: Hold;
  readonly drift: "report" | "repair" | "ignore";
  readonly onFailure: "rollback" | "stop";
  readonly url?: string;
  /** Where `sha` points: URL, path, or owner/name; undefined = the configuration repository itself. */
  readonly source?: string;
  /** Digest of what `application.yaml` alone releases: what an earlier environment must have passed as well. */
  readonly shared?: Digest;
}

export function environmentId(environment: { readonly application: string; readonly name: string }): EnvironmentId {
  return `${environment.application}/${environment.name}`;
}
