// Where the task definition of a service comes from: a file in Git, a family, or the family it ran when it was adopted.
import type { Service as EcsService } from "@aws-sdk/client-ecs";
import type { Environment, Service } from "../../core/environment.ts";
import { Fault } from "../../core/fault.ts";
import type { Memory } from "../../core/history.ts";
import { familyOf, lockstepTag, ownTags, serviceFamily } from "./family.ts";
import type { Revision, Revisions } from "./revisions.ts";
import type { Template } from "./task-definition.ts";

export interface TemplateQuestion {
  readonly environment: Environment;
  readonly service: Service;
  readonly live: EcsService;
  readonly memory: Memory;
}

/** Fault: task-template-invalid, when nothing is there to render from. */
export async function readTemplate(
  { environment, service, live, memory }: TemplateQuestion,
  revisions: Revisions,
  signal: AbortSignal,
): Promise<Template> {
  const { place } = environment;
  const read = (reference: string): Promise<Revision | undefined> => revisions.read(place, reference, signal);
  const { task } = service;
  if (task.kind === "file") return fromFile(task.path, task.definition);
  if (task.kind === "family") {
    const found = await read(task.family);
    if (found !== undefined) return fromRevision(found, task.family);
    throw none(service, `family ${task.family} has no ACTIVE revision in ${place.region}`);
  }
  const adopted = memory.adoption?.services.find(({ name }) => name === service.name);
  const family = adopted?.family ?? familyOf(live.taskDefinition ?? "");
  if (family === serviceFamily(environment, service.name)) return again(family, read, service);
  const newest = await read(family);
  if (newest !== undefined) return fromRevision(newest, family);
  // Infrastructure code took its family away; the revision that ran can still be read.
  const ran = await read(adopted?.version ?? live.taskDefinition ?? "");
  if (ran !== undefined) return fromRevision(ran, family);
  throw none(service, `family ${family}, which it ran when it was adopted, is gone; name another with \`task:\``);
}

/** What was adopted is Lockstep's own: the journal was lost. Its tags say which template it was made from. */
async function again(
  family: string,
  read: (reference: string) => Promise<Revision | undefined>,
  service: Service,
): Promise<Template> {
  const ours = await read(family);
  if (ours === undefined)
    throw none(service, `family ${family} has no ACTIVE revision; name a template with \`task:\``);
  const [kind, source = ""] = (lockstepTag(ours.tags, "template") ?? "").split(/:(.*)/s);
  const original = kind === "family" && source !== family ? await read(source) : undefined;
  return original === undefined ? fromRevision(ours, family) : fromRevision(original, source);
}

function fromFile(path: string, definition: Readonly<Record<string, unknown>>): Template {
  const tags = definition["tags"];
  return { definition, tags: ownTags(Array.isArray(tags) ? tags : []), origin: `file:${path}` };
}

function fromRevision({ definition, tags }: Revision, family: string): Template {
  return { definition: { ...definition }, tags: ownTags(tags), origin: `family:${family}` };
}

function none(service: Service, why: string): Fault {
  return new Fault("task-template-invalid", `service ${service.name}: ${why}`);
}
