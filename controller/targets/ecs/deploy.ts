// The deploy step: one UpdateService between two records, found again by reads after a restart, waited for to its end.
import type { DeploymentConfiguration, Service as EcsService, UpdateServiceCommandInput } from "@aws-sdk/client-ecs";
import { assert } from "../../core/assert.ts";
import { TargetVersion } from "../../core/brand.ts";
import type { Instant } from "../../core/brand.ts";
import { cancelReason } from "../../core/cancel.ts";
import type { Service } from "../../core/environment.ts";
import type { Outcome } from "../../core/event.ts";
import type { DeployIntent } from "../../core/history.ts";
import type { StepOf } from "../../core/step.ts";
import type { Context, Runner, Turn } from "../../ports.ts";
import type { Aws, AwsPlace } from "../aws.ts";
import { sessionOf } from "../aws.ts";
import type { ServiceDeployments } from "./deployments.ts";
import { isOf } from "./deployments.ts";
import type { ServiceReader } from "./describe.ts";
import { missing, refusal } from "./describe.ts";
import { revisionOf, serviceFamily, tagsOf } from "./family.ts";
import type { Revisions } from "./revisions.ts";
import { primaryOf } from "./rollout.ts";
import { render } from "./task-definition.ts";
import { readTemplate } from "./template.ts";
import type { Wait } from "./wait.ts";
import { sinceOf } from "./wait.ts";

export interface DeployParts {
  readonly aws: Aws;
  readonly reader: ServiceReader;
  readonly revisions: Revisions;
  readonly deployments: ServiceDeployments;
  readonly wait: Wait;
}

type Deploy = StepOf<"deploy">;

interface Work {
  readonly step: Deploy;
  readonly turn: Turn;
  readonly context: Context;
  readonly service: Service;
  readonly live: EcsService;
}

/** A write that was made, now or by an earlier life. */
interface Made {
  readonly version: TargetVersion;
  readonly deployment: string;
  readonly intendedAt: Instant;
}

export function createDeploy(parts: DeployParts): Runner<"deploy"> {
  return async (step, turn, context) => {
    try {
      return await deploy(parts, step, turn, context);
    } catch (thrown) {
      if (context.signal.aborted) return { status: "cancelled", by: cancelReason(context.signal) };
      throw thrown;
    }
  };
}

async function deploy(parts: DeployParts, step: Deploy, turn: Turn, context: Context): Promise<Outcome> {
  const { place } = turn.environment;
  const service = turn.environment.services.find(({ name }) => name === step.service);
  assert(service !== undefined, `the plan deploys ${step.service}, which the environment has not`);
  const live = await parts.reader.find(place, service.name, context.signal);
  if (live === undefined) throw missing(service.name, place.cluster);
  const unfit = refusal(live, place.cluster);
  if (unfit !== undefined) throw unfit;
  const work: Work = { step, turn, context, service, live };
  const made = (await resumed(parts, work)) ?? (await send(parts, work));
  const count = countOf(service);
  const { version, deployment, intendedAt } = made;
  const aim = { version, deployment, ...(count === undefined || isDaemon(live) ? {} : { count }) };
  const outcome = await parts.wait(
    { place, service: service.name, aim, intendedAt, timeoutMs: service.timeoutMs },
    context,
  );
  const superseded = outcome.status === "failed" && outcome.code === "deployment-replaced" && context.signal.aborted;
  return superseded ? { status: "cancelled", by: cancelReason(context.signal) } : outcome;
}

/** The intent of this release, if an earlier life or attempt left one and its write is seen to have arrived. */
async function resumed(parts: DeployParts, work: Work): Promise<Made | undefined> {
  const { step, turn, live, context } = work;
  const intent = turn.memory.intents.get(step.service);
  if (!isSame(intent, step, turn)) return undefined;
  const { version, intendedAt } = intent;
  if (intent.accepted && intent.deployment === undefined) {
    // It changed only numbers; what is PRIMARY now carries them.
    const primary = primaryOf(live);
    if (primary?.id === undefined || primary.taskDefinition !== version) return undefined;
    return { version, deployment: primary.id, intendedAt };
  }
  const found = intent.deployment ?? (await trace(parts, work, intent));
  if (found === undefined) return undefined;
  if (!intent.accepted) await accepted(work, version, found, intent.before.deployment);
  context.note(`${step.service}: goes on waiting for ${revisionOf(version)}`);
  return { version, deployment: found, intendedAt };
}

function isSame(intent: DeployIntent | undefined, step: Deploy, turn: Turn): intent is DeployIntent {
  return (
    intent !== undefined &&
    intent.release === turn.release.number &&
    intent.key === step.key &&
    intent.settings === step.settings
  );
}

/** The deployment an unanswered write made: PRIMARY now, or in the records since the intent. */
async function trace(parts: DeployParts, work: Work, intent: DeployIntent): Promise<string | undefined> {
  const { live, service, turn, context } = work;
  const { place } = turn.environment;
  const { version, before } = intent;
  const primary = primaryOf(live);
  if (primary?.id !== undefined && primary.id !== before.deployment && primary.taskDefinition === version)
    return primary.id;
  const since = sinceOf(intent.intendedAt, parts.aws, context.clock);
  const recent = await parts.deployments.list({ place, service: service.name, since, limit: 100 }, context.signal);
  const fresh = recent.filter((one) => before.deployment === undefined || !isOf(one, before.deployment));
  const arns = fresh.map(({ revision }) => revision);
  const contents = await parts.deployments.revisions(place, arns, context.signal);
  const own = fresh.find(({ revision }) => contents.get(revision)?.taskDefinition === version);
  return own === undefined ? undefined : `ecs-svc/${own.revision.slice(own.revision.lastIndexOf("/") + 1)}`;
}

async function send(parts: DeployParts, work: Work): Promise<Made> {
  const { context, turn, live, service, step } = work;
  const { place } = turn.environment;
  const primary = primaryOf(live);
  const version = await versionFor(parts, work);
  const input = updateOf(work, version);
  const intendedAt = context.clock.now();
  const known = turn.memory.intents.get(step.service);
  await context.record({
    type: "deploy-intended",
    release: turn.release.number,
    service: step.service,
    version,
    key: step.key,
    settings: step.settings,
    // Sent once more: what was before the first time is what a rollback puts back.
    before: isSame(known, step, turn) ? known.before : beforeOf(live, input),
  });
  const resource = `service ${service.name} in cluster ${place.cluster}`;
  const { signal } = context;
  const guard = (): void => context.guard();
  const session: AwsPlace = { ...place, session: sessionFor(turn) };
  const call = { place: session, service: "ecs", operation: "UpdateService", resource, signal, guard } as const;
  const answer = await parts.aws.write(call, (ecs, http) => ecs.updateService(input, http));
  const now = answer.service === undefined ? undefined : primaryOf(answer.service)?.id;
  const deployment = now ?? primary?.id ?? "";
  await accepted(work, version, deployment, primary?.id);
  context.note(`${service.name}: ${revisionOf(live.taskDefinition ?? "nothing")} → ${revisionOf(version)}`);
  return { version, deployment, intendedAt };
}

function beforeOf(live: EcsService, input: UpdateServiceCommandInput): DeployIntent["before"] {
  const primary = primaryOf(live);
  return {
    version: TargetVersion.parse(live.taskDefinition ?? "unknown"),
    ...(primary?.id === undefined ? {} : { deployment: primary.id }),
    ...(input.desiredCount === undefined ? {} : { count: live.desiredCount ?? 0 }),
    ...(input.deploymentConfiguration === undefined ? {} : { configuration: { ...live.deploymentConfiguration } }),
  };
}

async function accepted(
  { step, turn, context }: Work,
  version: TargetVersion,
  deployment: string,
  before: string | undefined,
): Promise<void> {
  const made = deployment === "" || deployment === before ? {} : { deployment };
  await context.record({
    type: "deploy-accepted",
    release: turn.release.number,
    service: step.service,
    version,
    ...made,
  });
}

export function sessionFor({ environment, release }: Pick<Turn, "environment" | "release">): string {
  return sessionOf(environment.application, environment.name, release.number);
}

/** A recorded version is put back as it is; a change of numbers keeps what runs; anything else is rendered. */
async function versionFor(parts: DeployParts, work: Work): Promise<TargetVersion> {
  const { step, turn, service, live, context } = work;
  if (service.recorded !== undefined) return service.recorded.version;
  if (!step.changes.includes("version")) return TargetVersion.parse(live.taskDefinition ?? "unknown");
  assert(step.image !== undefined, `the plan deploys ${step.service} and names no image`);
  const { environment, memory, release } = turn;
  const question = { environment, service, live, memory };
  const template = await readTemplate(question, parts.revisions, context.signal);
  const rendered = render(template, {
    family: serviceFamily(environment, service.name),
    subject: `service ${service.name}`,
    name: service.name,
    image: service.image,
    digest: step.image,
    ...(service.container === undefined ? {} : { container: service.container }),
  });
  const { content, registration } = rendered;
  const tags = tagsOf({ turn, sha: service.sha, content, origin: template.origin, own: template.tags });
  const place: AwsPlace = { ...environment.place, session: sessionFor(turn) };
  return parts.revisions.register({ place, registration, content, journal: release.journal, tags }, context);
}

/** The whole structures we own, and nothing else: what is left out stays as it is. */
function updateOf({ turn, service, live, step }: Work, version: TargetVersion): UpdateServiceCommandInput {
  const count = isDaemon(live) ? undefined : countOf(service);
  const configuration = configurationOf(service, live, turn.environment.onFailure);
  const primary = primaryOf(live);
  // ECS takes the same version for no change, even where its deployment has failed.
  const stuck = primary?.taskDefinition === version && primary.rolloutState === "FAILED";
  return {
    cluster: turn.environment.place.cluster,
    service: step.service,
    taskDefinition: version,
    ...(count === undefined ? {} : { desiredCount: count }),
    ...(configuration === undefined ? {} : { deploymentConfiguration: configuration }),
    ...(stuck ? { forceNewDeployment: true } : {}),
  };
}

function countOf(service: Service): number | undefined {
  return service.count ?? service.recorded?.restore?.count;
}

function isDaemon({ schedulingStrategy }: EcsService): boolean {
  return schedulingStrategy === "DAEMON";
}

/** What is live, with the circuit breaker on. Native strategies other than rolling have no breaker: they stay alone. */
function configurationOf(
  service: Service,
  live: EcsService,
  onFailure: "rollback" | "stop",
): DeploymentConfiguration | undefined {
  const restored = service.recorded?.restore?.deployment;
  if (restored !== undefined) return restored;
  const now = live.deploymentConfiguration ?? {};
  if (now.strategy !== undefined && now.strategy !== "ROLLING") return undefined;
  const breaker = { ...now.deploymentCircuitBreaker, enable: true, rollback: onFailure === "rollback" };
  return { ...now, deploymentCircuitBreaker: breaker };
}
