// One environment's services as a model: versions, deployments that take time, and the circuit breaker.
import type { Digest, ServiceName } from "../../controller/core/brand.ts";
import { TargetVersion } from "../../controller/core/brand.ts";
import type { ReleaseTag } from "../../controller/core/live.ts";
import type { Builds, SourceCommit } from "./builds.ts";
import type { Chance } from "./chance.ts";
import type { Timeline } from "./timeline.ts";

export interface Version {
  readonly arn: TargetVersion;
  readonly service: ServiceName;
  readonly digest: Digest;
  readonly commit?: SourceCommit;
  /** Content key; undefined for what people registered. */
  readonly key?: Digest;
  readonly tag?: ReleaseTag;
}

export interface Deployment {
  readonly id: string;
  readonly version: TargetVersion;
  readonly startedMs: number;
  state: "IN_PROGRESS" | "SUCCESSFUL" | "ROLLBACK_SUCCESSFUL" | "STOPPED";
}

/** What DescribeServices would tell. */
export interface ServiceView {
  readonly primary: Deployment;
  readonly count: number;
  /** Newest first. */
  readonly deployments: readonly Deployment[];
}

interface ServiceModel {
  deployments: Deployment[];
  /** The version that last became steady: it serves until the next one does. */
  active: TargetVersion;
  count: number;
  /** The view before the last change, for reads that are stale. */
  before?: { readonly view: ServiceView; readonly untilMs: number };
}

export interface Cluster {
  version(arn: string): Version | undefined;
  view(service: ServiceName): ServiceView;
  stale(service: ServiceName): ServiceView | undefined;
  /** Every version that answers requests now. */
  serving(service: ServiceName): readonly Version[];
  register(service: ServiceName, content: { readonly key: Digest; readonly digest: Digest }, tag: ReleaseTag): Version;
  /** A revision of the owner's own family, made by people or infrastructure code. */
  registerByHand(service: ServiceName, digest: Digest): Version;
  /** Answers the id of the PRIMARY deployment. */
  update(service: ServiceName, set: { readonly version?: TargetVersion; readonly count?: number }): string;
  /** Nothing is in motion. */
  isSteady(): boolean;
}

export interface ClusterParts {
  readonly name: string;
  readonly services: readonly ServiceName[];
  readonly builds: Builds;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly onUpdate: (version: Version | undefined) => void;
  readonly onChange: () => void;
}

const STALE_MS = 10_000;

export function createCluster({ name, services, builds, chance, timeline, onUpdate, onChange }: ClusterParts): Cluster {
  const versions = new Map<string, Version>();
  const models = new Map<ServiceName, ServiceModel>();
  let ids = 0;

  function add(version: Omit<Version, "arn">, family: string): Version {
    ids += 1;
    const commit = builds.builtOf(version.digest);
    const arn = TargetVersion.parse(`arn:task-definition/${family}:${ids}`);
    const added: Version = { ...version, arn, ...(commit === undefined ? {} : { commit }) };
    versions.set(arn, added);
    return added;
  }

  function model(service: ServiceName): ServiceModel {
    const found = models.get(service);
    if (found === undefined) throw new Error(`no service ${service}`);
    return found;
  }

  function viewOf({ deployments, count }: ServiceModel): ServiceView {
    const primary = deployments[0];
    if (primary === undefined) throw new Error("a service has a deployment");
    return { primary: { ...primary }, count, deployments: deployments.map((one) => ({ ...one })) };
  }

  function deploy(service: ServiceName, version: TargetVersion, state: Deployment["state"]): Deployment {
    const one = model(service);
    ids += 1;
    const deployment: Deployment = { id: `ecs-svc/${ids}`, version, startedMs: timeline.nowMs(), state };
    one.deployments = [deployment, ...one.deployments].slice(0, 20);
    return deployment;
  }

  function settle(service: ServiceName, deployment: Deployment): void {
    if (deployment.state !== "IN_PROGRESS") return;
    const one = model(service);
    if (versions.get(deployment.version)?.commit?.rollout === "breaks") {
      deployment.state = "ROLLBACK_SUCCESSFUL";
      deploy(service, one.active, "SUCCESSFUL");
    } else {
      deployment.state = "SUCCESSFUL";
      one.active = deployment.version;
    }
    onChange();
  }

  for (const service of services) {
    const digest = builds.resolve(`service/${service}`, builds.commits[0]?.sha ?? ("" as never), undefined);
    if (digest.state !== "resolved") throw new Error("the first commit is built");
    const first = add({ service, digest: digest.digest }, `shop-${name}-${service}`);
    models.set(service, { deployments: [], active: first.arn, count: 2 });
    deploy(service, first.arn, "SUCCESSFUL");
  }

  return {
    version: (arn) => versions.get(arn),
    view: (service) => viewOf(model(service)),
    stale(service) {
      const { before } = model(service);
      return before !== undefined && before.untilMs > timeline.nowMs() ? before.view : undefined;
    },
    serving(service) {
      const one = model(service);
      const moving = one.deployments.filter(({ state }) => state === "IN_PROGRESS").map(({ version }) => version);
      return [...new Set([one.active, ...moving])].flatMap((arn) => versions.get(arn) ?? []);
    },
    register(service, { key, digest }, tag) {
      const known = [...versions.values()].find((one) => one.service === service && one.key === key);
      return known ?? add({ service, key, digest, tag }, `lockstep-shop-${name}-${service}`);
    },
    registerByHand: (service, digest) => add({ service, digest }, `shop-${name}-${service}`),
    update(service, { version, count }) {
      const one = model(service);
      one.before = { view: viewOf(one), untilMs: timeline.nowMs() + STALE_MS };
      if (count !== undefined) one.count = count;
      onUpdate(version === undefined ? undefined : versions.get(version));
      const primary = one.deployments[0];
      if (version !== undefined && primary?.version !== version) {
        for (const old of one.deployments) if (old.state === "IN_PROGRESS") old.state = "STOPPED";
        const deployment = deploy(service, version, "IN_PROGRESS");
        timeline.after(chance.between(5_000, 60_000), () => settle(service, deployment));
      }
      onChange();
      return model(service).deployments[0]?.id ?? "";
    },
    isSteady: () => [...models.values()].every(({ deployments }) => deployments[0]?.state !== "IN_PROGRESS"),
  };
}
