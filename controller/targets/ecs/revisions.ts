// Task-definition revisions: read once, for they never change, and registered only when their content is new.
import type { Tag, TaskDefinition } from "@aws-sdk/client-ecs";
import type { Digest } from "../../core/brand.ts";
import { TargetVersion } from "../../core/brand.ts";
import { Fault } from "../../core/fault.ts";
import type { Clock, Context } from "../../ports.ts";
import type { Aws, AwsPlace } from "../aws.ts";
import { awsErrorMessage } from "../aws/faults.ts";
import { lockstepTag } from "./family.ts";
import type { Registration } from "./task-definition.ts";

export interface Revision {
  readonly definition: TaskDefinition;
  readonly tags: readonly Tag[];
}

export interface Registering {
  /** With the session of the release, so that CloudTrail names it. */
  readonly place: AwsPlace;
  readonly registration: Registration;
  readonly content: Digest;
  readonly journal: string;
  readonly tags: readonly Tag[];
}

export interface Revisions {
  /** A revision by ARN, remembered; a family's newest ACTIVE one, at most a moment old. Undefined when there is none. */
  read(place: AwsPlace, reference: string, signal: AbortSignal): Promise<Revision | undefined>;
  /** The version with this content: the family's newest if it is that already, else a new one. */
  register(wanted: Registering, context: Context): Promise<TargetVersion>;
}

const REMEMBERED = 2_000;
/** The plan and its first step ask for the same template one after the other. */
const MOMENT_MS = 2_000;
const ATTEMPTS = 6;
const CONCURRENT_PAUSE_MS = 1_000;

export function createRevisions(aws: Aws, clock: Pick<Clock, "monotonicMs">): Revisions {
  const known = new Map<string, Revision>();
  const recent = new Map<string, { readonly revision: Revision; readonly atMs: number }>();

  async function recall(place: AwsPlace, reference: string, signal: AbortSignal): Promise<Revision | undefined> {
    if (isArn(reference)) return read(place, reference, signal);
    const key = [place.account, place.role, place.externalId, place.region, reference].join(" ");
    const last = recent.get(key);
    if (last !== undefined && clock.monotonicMs() - last.atMs < MOMENT_MS) return last.revision;
    const revision = await read(place, reference, signal);
    if (revision !== undefined) keep(recent, key, { revision, atMs: clock.monotonicMs() });
    return revision;
  }

  async function read(place: AwsPlace, reference: string, signal: AbortSignal): Promise<Revision | undefined> {
    const remembered = known.get(reference);
    if (remembered !== undefined) return remembered;
    const resource = `task definition ${reference}`;
    const call = { place, service: "ecs", operation: "DescribeTaskDefinition", resource, signal } as const;
    try {
      const answer = await aws.read(call, (ecs, http) =>
        ecs.describeTaskDefinition({ taskDefinition: reference, include: ["TAGS"] }, http),
      );
      if (answer.taskDefinition === undefined) return undefined;
      const revision: Revision = { definition: answer.taskDefinition, tags: answer.tags ?? [] };
      if (isArn(reference)) keep(known, reference, revision);
      return revision;
    } catch (thrown) {
      // Neither the family nor the revision: AWS has no error of its own for it.
      if (thrown instanceof Fault && /unable to describe task definition/i.test(awsErrorMessage(thrown)))
        return undefined;
      throw thrown;
    }
  }

  async function present(wanted: Registering, signal: AbortSignal): Promise<TargetVersion | undefined> {
    const { session: _, ...reader } = wanted.place;
    const newest = await read(reader, wanted.registration.family ?? "", signal);
    if (newest === undefined || newest.definition.status === "INACTIVE") return undefined;
    const same =
      lockstepTag(newest.tags, "content") === wanted.content && lockstepTag(newest.tags, "journal") === wanted.journal;
    return same ? versionOf(newest.definition) : undefined;
  }

  async function send({ place, registration, tags }: Registering, context: Context): Promise<TargetVersion> {
    const resource = `family ${registration.family}`;
    const { signal } = context;
    const guard = (): void => context.guard();
    const call = { place, service: "ecs", operation: "RegisterTaskDefinition", resource, signal, guard } as const;
    const answer = await aws.write(call, (ecs, http) =>
      ecs.registerTaskDefinition({ ...registration, tags: [...tags] }, http),
    );
    const version = versionOf(answer.taskDefinition);
    if (answer.taskDefinition !== undefined)
      keep(known, version, { definition: answer.taskDefinition, tags: answer.tags ?? tags });
    return version;
  }

  return {
    read: recall,
    async register(wanted, context) {
      for (let attempt = 1; ; attempt += 1) {
        const version = await present(wanted, context.signal);
        if (version !== undefined) return version;
        try {
          return await send(wanted, context);
        } catch (thrown) {
          // A lost answer is looked for by its content; a busy family (Terraform registers as well) is asked again.
          if (!(thrown instanceof Fault) || attempt === ATTEMPTS || !mayRepeat(thrown)) throw thrown;
          await context.clock.sleep(CONCURRENT_PAUSE_MS * attempt, context.signal);
        }
      }
    },
  };
}

function isArn(reference: string): boolean {
  return /:task-definition\/[^/]+:\d+$/.test(reference);
}

/** The oldest goes first. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > REMEMBERED && oldest.done !== true) map.delete(oldest.value);
}

function mayRepeat(fault: Fault): boolean {
  return fault.consequence === "retry" || /too many concurrent attempts/i.test(fault.message);
}

function versionOf(definition: TaskDefinition | undefined): TargetVersion {
  const arn = definition?.taskDefinitionArn;
  if (arn === undefined) throw new Fault("unavailable", "AWS answered with a task definition that has no ARN");
  return TargetVersion.parse(arn);
}
