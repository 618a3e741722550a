// Services of an environment: image, template of the task definition, order, time, health.
import { ServiceName, type Sha } from "../core/brand.ts";
import type { Service, TaskTemplate } from "../core/environment.ts";
import { expanded, duration, refuse, sortedEntries, type Draft, type ServicePart } from "./draft.ts";
import { healthCheck } from "./health.ts";
import { artifactValues, imageOrigin, imageReference, serviceIsThere, serviceSha } from "./images.ts";
import { quoted } from "./problem.ts";
import type { TaskFile } from "./tasks.ts";

/** What services need from outside their manifest. */
export interface ServiceContext {
  readonly sha: Sha | undefined;
  /** `services/api` → the commit it is pinned to. */
  readonly pins: ReadonlyMap<string, Sha>;
  /** The folder that holds `environments/`: "" or `shop`. */
  readonly folder: string;
  /** Task files by path from the root of the repository. */
  readonly tasks: ReadonlyMap<string, TaskFile>;
  /** Services the application has, also those this environment removes. */
  readonly known: ReadonlySet<string>;
}

/** Services by name; what is wrong is said in the draft. */
export function servicesOf(draft: Draft, context: ServiceContext): readonly Service[] {
  const entries = sortedEntries(draft.manifest.services);
  const services = entries.flatMap(([name, part]) => service(draft, name, part, context) ?? []);
  refuseCircles(draft, entries);
  return services;
}

function service(draft: Draft, name: string, part: ServicePart, context: ServiceContext): Service | undefined {
  const path = ["services", name];
  const origin = imageOrigin(draft, name);
  const sha = serviceSha(origin?.chain ?? [name], context.pins, context.sha);
  const values = artifactValues(draft, sha, name);
  const image = origin === undefined ? undefined : imageReference(draft, origin, sha);
  const task = taskTemplate(draft, name, part, context);
  const container =
    part.container === undefined ? undefined : expanded(draft, [...path, "container"], part.container, values);
  const health = part.health === undefined ? undefined : healthCheck(draft, [...path, "health"], part.health, values);
  const timeoutMs = duration(draft, [...path, "timeout"], part.timeout, "15m");
  const after = predecessors(draft, name, part, context);
  if (image === undefined || task === undefined) return undefined;
  if (task.kind === "file" && container !== undefined) containerIsThere(draft, name, container, task.path, context);
  return {
    name: ServiceName.parse(name),
    sha,
    image,
    task,
    ...(container === undefined ? {} : { container }),
    after,
    timeoutMs,
    ...(part.count === undefined ? {} : { count: part.count }),
    strategy: { kind: "rolling" },
    ...(health === undefined ? {} : { health }),
    paths: part.paths ?? [],
  };
}

function taskTemplate(
  draft: Draft,
  name: string,
  { task }: ServicePart,
  context: ServiceContext,
): TaskTemplate | undefined {
  const path = ["services", name, "task"];
  const values = { ...draft.values, service: name };
  if (task === undefined) return { kind: "adopted" };
  if (typeof task !== "string") {
    const family = expanded(draft, [...path, "family"], task.family, values);
    if (family === undefined) return undefined;
    if (/^[A-Za-z0-9_-]{1,255}$/.test(family)) return { kind: "family", family };
    return refuse(draft, [...path, "family"], `: ${quoted(family)} is not a family of task definitions`);
  }
  const file = taskPath(draft, name, task, context.folder);
  if (file === undefined) return undefined;
  const found = context.tasks.get(file);
  if (found === undefined) {
    return refuse(
      draft,
      path,
      `: ${file} is not in the repository`,
      "it is relative to the folder that holds environments/",
    );
  }
  draft.problems.push(...found.problems);
  return found.definition === undefined ? undefined : { kind: "file", path: file, definition: found.definition };
}

/** Path of a task file from the root of the repository; undefined after saying what is wrong with it. */
export function taskPath(draft: Draft, name: string, task: string, folder: string): string | undefined {
  const path = ["services", name, "task"];
  const text = expanded(draft, path, task, { ...draft.values, service: name });
  if (text === undefined) return undefined;
  const segments = text.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..") || /[\\\0]/.test(text)) {
    return refuse(draft, path, `: ${quoted(text)} is not a path below the folder that holds environments/`);
  }
  if (!text.endsWith(".json")) return refuse(draft, path, `: ${quoted(text)} is not a .json file`);
  return folder === "" ? text : `${folder}/${text}`;
}

function containerIsThere(draft: Draft, name: string, container: string, file: string, context: ServiceContext): void {
  const names = context.tasks.get(file)?.containers ?? [];
  if (names.includes(container)) return;
  const message = `: ${file} has no container ${quoted(container)}`;
  refuse(draft, ["services", name, "container"], message, `containers: ${names.join(", ")}`);
}

/** Services to wait for, without those the environment removed: there is nothing to wait for. */
function predecessors(
  draft: Draft,
  name: string,
  { after = [] }: ServicePart,
  { known }: ServiceContext,
): readonly ServiceName[] {
  const here = new Set(Object.keys(draft.manifest.services ?? {}));
  const wanted = after.filter((each, index) => {
    if (here.has(each)) return true;
    return !known.has(each) && serviceIsThere(draft, ["services", name, "after", String(index)], each);
  });
  return [...new Set(wanted)].sort().map((each) => ServiceName.parse(each));
}

function refuseCircles(draft: Draft, entries: readonly (readonly [string, ServicePart])[]): void {
  const after = new Map(entries.map(([name, part]) => [name, part.after ?? []]));
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) {
      const circle = [...trail.slice(trail.indexOf(name)), name];
      const what = circle.length === 2 ? `${name} waits for itself` : `${circle.join(" → ")} wait for each other`;
      refuse(draft, ["services", name, "after"], `: ${what}`);
    } else if (!done.has(name)) {
      for (const next of after.get(name) ?? []) visit(next, [...trail, name]);
      done.add(name);
    }
  };
  for (const [name] of entries) visit(name, []);
}
