// What runs, service by service: present, absent or unknown with its fault. Never writes.
import type { Service as EcsService } from "@aws-sdk/client-ecs";
import type { Digest, ServiceName } from "../../core/brand.ts";
import { Digest as DigestWord, TargetVersion } from "../../core/brand.ts";
import type { Environment, Service } from "../../core/environment.ts";
import { Fault, faultOf, faultValue } from "../../core/fault.ts";
import type { Memory } from "../../core/history.ts";
import type { Depth, LiveService, Rollout } from "../../core/live.ts";
import type { Aws } from "../aws.ts";
import { awsErrorName } from "../aws/faults.ts";
import type { ServiceDeployments } from "./deployments.ts";
import type { ServiceReader } from "./describe.ts";
import { missing, refusal } from "./describe.ts";
import { releaseTag } from "./family.ts";
import type { Revision, Revisions } from "./revisions.ts";
import { isSettled, rolloutOf } from "./rollout.ts";
import { changedKeys, chooseContainer, imageDigest } from "./task-definition.ts";
import { readTemplate } from "./template.ts";

export interface ObserveParts {
  readonly aws: Aws;
  readonly reader: ServiceReader;
  readonly revisions: Revisions;
  readonly deployments: ServiceDeployments;
}

export type Observe = (
  environment: Environment,
  memory: Memory,
  depth: Depth,
  signal: AbortSignal,
) => Promise<ReadonlyMap<ServiceName, LiveService>>;

type Present = Extract<LiveService, { readonly state: "present" }>;

/** So many records are enough to see how the last deployment ended. */
const RECORDS = 5;

export function createObserve(parts: ObserveParts): Observe {
  return async (environment, memory, depth, signal) => {
    const scaled = depth === "full" ? scaledOf(parts.aws, environment, signal) : Promise.resolve(undefined);
    // Heard by the services that give a count; with none of those left to ask, nobody.
    scaled.catch(() => undefined);
    const found = environment.services.map(async (service): Promise<[ServiceName, LiveService]> => {
      try {
        return [service.name, await observeOne(parts, { environment, service, memory, depth, scaled }, signal)];
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof Fault)) throw thrown;
        return [service.name, { state: "unknown", why: faultValue(thrown) }];
      }
    });
    return new Map(await Promise.all(found));
  };
}

interface Subject {
  readonly environment: Environment;
  readonly service: Service;
  readonly memory: Memory;
  readonly depth: Depth;
  /** Names of services whose count an autoscaler owns; undefined when it was not asked or nobody may tell. */
  readonly scaled: Promise<ReadonlySet<string> | undefined>;
}

async function observeOne(parts: ObserveParts, subject: Subject, signal: AbortSignal): Promise<LiveService> {
  const { environment, service, memory, depth } = subject;
  const { place } = environment;
  const live = await parts.reader.find(place, service.name, signal);
  if (live === undefined) return { state: "absent", why: faultValue(missing(service.name, place.cluster)) };
  const unfit = refusal(live, place.cluster);
  if (unfit !== undefined)
    return { state: unfit.code === "service-missing" ? "absent" : "unknown", why: faultValue(unfit) };
  const present: Present = {
    state: "present",
    version: TargetVersion.parse(live.taskDefinition ?? "unknown"),
    replicas: { desired: live.desiredCount ?? 0, running: live.runningCount ?? 0, pending: live.pendingCount ?? 0 },
    rollout: await rolloutNow(parts, subject, live, signal),
  };
  if (depth !== "full") return present;
  const names = service.count === undefined ? undefined : await subject.scaled;
  const scaled = names === undefined ? {} : { scaled: names.has(service.name) };
  return { ...present, ...scaled, ...(await contentOf(parts, { environment, service, memory }, live, signal)) };
}

async function rolloutNow(
  { deployments }: ObserveParts,
  { environment, service, memory }: Subject,
  live: EcsService,
  signal: AbortSignal,
): Promise<Rollout> {
  if (isSettled(live, memory.deployed.get(service.name)?.version)) return { state: "steady" };
  const question = { place: environment.place, service: service.name, limit: RECORDS };
  const [newest] = await deployments.list(question, signal);
  return rolloutOf(live, newest);
}

/** Full depth: who released it, which image it is, and what its template would change. */
async function contentOf(
  parts: ObserveParts,
  { environment, service, memory }: Omit<Subject, "depth" | "scaled">,
  live: EcsService,
  signal: AbortSignal,
): Promise<Pick<Present, "tag" | "image" | "templateChanges">> {
  const running = await parts.revisions.read(environment.place, live.taskDefinition ?? "", signal);
  if (running === undefined) return {};
  const tag = releaseTag(running.tags);
  const image = await imageOf(parts, { environment, service }, running, live, signal);
  const known = { ...(tag === undefined ? {} : { tag }), ...(image === undefined ? {} : { image }) };
  if (service.recorded !== undefined) return known;
  const template = await readTemplate({ environment, service, live, memory }, parts.revisions, signal);
  const definition = template.definition["containerDefinitions"];
  const container = chooseContainer(Array.isArray(definition) ? definition : [], wantedOf(service));
  const changes = changedKeys({ ...running.definition }, template.definition, container);
  return changes.length === 0 ? known : { ...known, templateChanges: changes };
}

function wantedOf(service: Service): Parameters<typeof chooseContainer>[1] {
  const { name, image, container } = service;
  return { subject: `service ${name}`, name, image, ...(container === undefined ? {} : { container }) };
}

/**
 * The digest of the container's image: as the version names it; for a version that names a tag, as ECS resolved it for
 * the tasks that run (the service revision), so that what ran before Lockstep came can be compared with Git.
 */
async function imageOf(
  { deployments }: ObserveParts,
  { environment, service }: Pick<Subject, "environment" | "service">,
  running: Revision,
  live: EcsService,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  const containers = running.definition.containerDefinitions ?? [];
  let name: string;
  try {
    name = chooseContainer(containers, wantedOf(service));
  } catch {
    // What runs need not follow the rules that its successor must: then nothing is known of its image.
    return undefined;
  }
  const named = imageDigest(containers.find((one) => one.name === name)?.image);
  const revisions = (live.currentServiceRevisions ?? []).flatMap(({ arn }) => (arn === undefined ? [] : [arn]));
  if (named !== undefined || revisions.length !== 1) return named;
  const resolved = await deployments.revisions(environment.place, revisions, signal);
  const digest = resolved.get(revisions[0] ?? "")?.digests.get(name);
  return digest !== undefined && DigestWord.is(digest) ? digest : undefined;
}

/**
 * Services with a scalable target, asked only where a manifest gives `count`. Undefined where the role may not ask, or
 * the endpoint knows no such service. Any other fault belongs to the services it leaves unknown.
 */
async function scaledOf(
  aws: Aws,
  environment: Environment,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const { place } = environment;
  const counted = environment.services.filter(({ count }) => count !== undefined);
  if (counted.length === 0) return undefined;
  const cluster = place.cluster.slice(place.cluster.lastIndexOf("/") + 1);
  const ids = counted.map(({ name }) => `service/${cluster}/${name}`);
  const resource = `scalable targets of cluster ${cluster}`;
  const call = { place, service: "autoscaling", operation: "DescribeScalableTargets", resource, signal } as const;
  const input = {
    ServiceNamespace: "ecs",
    ResourceIds: ids.slice(0, 50),
    ScalableDimension: "ecs:service:DesiredCount",
  } as const;
  try {
    const answer = await aws.read(call, (client, http) => client.describeScalableTargets(input, http));
    return new Set((answer.ScalableTargets ?? []).map(({ ResourceId = "" }) => ResourceId.split("/").at(-1) ?? ""));
  } catch (thrown) {
    signal.throwIfAborted();
    const fault = faultOf(thrown);
    if (fault.code === "denied" || awsErrorName(fault) === "UnknownOperationException") return undefined;
    throw fault;
  }
}
