// A task definition from its template: one container's image replaced by digest, and a hash by which it is known again.
// Pure; the traps it avoids are those of every deployer that compared what AWS echoes.
import type { ContainerDefinition, KeyValuePair, RegisterTaskDefinitionCommandInput, Tag } from "@aws-sdk/client-ecs";
import { Digest } from "../../core/brand.ts";
import type { ImageReference } from "../../core/environment.ts";
import { Fault } from "../../core/fault.ts";
import { canonical, digestOf } from "../../core/fingerprint.ts";

/** A template as it came: from a file, or from DescribeTaskDefinition with everything AWS adds. */
export interface Template {
  readonly definition: Readonly<Record<string, unknown>>;
  /** Tags of the template's family that are nobody's but the owner's. */
  readonly tags: readonly Tag[];
  /** `file:ecs/api.task.json` or `family:shop-api`: kept in the tag `lockstep:template`. */
  readonly origin: string;
}

export type Registration = Omit<RegisterTaskDefinitionCommandInput, "tags">;

/** What AWS adds to a task definition; refused or meaningless in RegisterTaskDefinition. */
const SERVER_SET: ReadonlySet<string> = new Set([
  "taskDefinitionArn",
  "revision",
  "status",
  "requiresAttributes",
  "compatibilities",
  "registeredAt",
  "registeredBy",
  "deregisteredAt",
  "deleteRequestedAt",
  "family",
  "tags",
]);

export interface Wanted {
  readonly family: string;
  /** The component, for messages: `service api`. */
  readonly subject: string;
  /** Name a container may carry to be the one meant. */
  readonly name: string;
  /** `container:` of the manifest. */
  readonly container?: string;
  readonly image: ImageReference;
  readonly digest: Digest;
  /** For a migration: what the container runs, once. */
  readonly command?: readonly string[];
}

export interface Rendered {
  readonly registration: Registration;
  /** Name of the container whose image was replaced. */
  readonly container: string;
  /** Hash of what is registered, in canonical form. */
  readonly content: Digest;
}

/** Fault: task-template-invalid. */
export function render(template: Template, wanted: Wanted): Rendered {
  const container = chooseContainer(containersOf(template, wanted.subject), wanted);
  const members = Object.entries(template.definition).filter(([key]) => !SERVER_SET.has(key));
  const definition = { ...Object.fromEntries(members), family: wanted.family };
  const containerDefinitions = containersOf(template, wanted.subject).map((one) =>
    one.name === container ? replaced(one, wanted, template.definition["networkMode"]) : one,
  );
  const registration: Registration = { ...definition, containerDefinitions };
  return { registration, container, content: contentOf(registration) };
}

function replaced(container: ContainerDefinition, wanted: Wanted, networkMode: unknown): ContainerDefinition {
  const image = imageByDigest(wanted.image, wanted.digest);
  if (wanted.command === undefined) return { ...container, image };
  // A task beside the service must not claim the service's ports on the same host; and its end is the task's end.
  const { portMappings, ...rest } = container;
  const ports = networkMode === "awsvpc" && portMappings !== undefined ? { portMappings } : {};
  return { ...rest, ...ports, image, essential: true, command: [...wanted.command] };
}

export function imageByDigest({ registry, repository }: ImageReference, digest: Digest): string {
  return `${registry}/${repository}@${digest}`;
}

function containersOf({ definition, origin }: Template, subject: string): readonly ContainerDefinition[] {
  const containers = definition["containerDefinitions"];
  if (!Array.isArray(containers) || containers.length === 0)
    throw new Fault("task-template-invalid", `${subject}: ${origin} has no containerDefinitions`);
  const named = containers.filter((one: unknown) => typeof one === "object" && one !== null && "name" in one);
  if (named.length !== containers.length)
    throw new Fault("task-template-invalid", `${subject}: ${origin} has a container without a name`);
  return containers as readonly ContainerDefinition[];
}

/** The rules of release.md: named, named like the service, the only one, the one of that image repository. */
export function chooseContainer(
  containers: readonly ContainerDefinition[],
  wanted: Pick<Wanted, "subject" | "name" | "container" | "image">,
): string {
  const names = containers.map(({ name }) => name ?? "");
  if (wanted.container !== undefined) {
    if (names.includes(wanted.container)) return wanted.container;
    throw new Fault(
      "task-template-invalid",
      `${wanted.subject}: the task definition has no container ${wanted.container}; it has ${names.join(", ")}`,
    );
  }
  if (names.includes(wanted.name)) return wanted.name;
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  const repository = `${wanted.image.registry}/${wanted.image.repository}`;
  const same = containers.filter(({ image }) => image !== undefined && repositoryOf(image) === repository);
  const [one] = same;
  if (same.length === 1 && one?.name !== undefined) return one.name;
  throw new Fault(
    "task-template-invalid",
    `${wanted.subject}: which container runs ${repository} cannot be told; name it with \`container:\`, one of ${names.join(", ")}`,
  );
}

/** `registry/repository` of an image, without tag and digest. */
function repositoryOf(image: string): string {
  const [name = ""] = image.split("@");
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  return colon < 0 ? name : name.slice(0, colon);
}

/** The digest by which a task definition names a container's image; undefined when it names a tag. */
export function imageDigest(image: string | undefined): Digest | undefined {
  const digest = image?.split("@")[1];
  return digest !== undefined && Digest.is(digest) ? digest : undefined;
}

export function contentOf(registration: Readonly<Record<string, unknown>>): Digest {
  return digestOf(canonicalForm(registration));
}

/** Lists in which AWS keeps no order. Everything else (command, dependsOn, ulimits) keeps the order it was given. */
const SETS: ReadonlySet<string> = new Set([
  "containerDefinitions",
  "environment",
  "environmentFiles",
  "links",
  "mountPoints",
  "portMappings",
  "requiresCompatibilities",
  "resourceRequirements",
  "secrets",
  "secretOptions",
  "volumes",
  "volumesFrom",
]);

/** Without what says nothing (empty lists, empty objects, null), sets in one order; an empty string is a value. */
export function canonicalForm(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const members = value.map((one) => canonicalForm(one));
    if (!SETS.has(key)) return members;
    return members
      .map((one) => ({ one, text: canonical(one) }))
      .sort(byText)
      .map(({ one }) => one);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, member]): [string, unknown] => [name, canonicalForm(member, name)])
    .filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(entries);
}

function byText(a: { readonly text: string }, b: { readonly text: string }): number {
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Members AWS fills in when they are absent, as they come back. */
const DEFAULTS: Readonly<Record<string, unknown>> = { cpu: 0, essential: true, versionConsistency: "enabled" };

/**
 * Keys by which a template differs from what runs, the replaced container's image aside: `cpu`,
 * `app.environment.LOG_LEVEL`. Names, never values.
 */
export function changedKeys(
  running: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  container: string,
): readonly string[] {
  const [before, after] = [comparable(running, container), comparable(wanted, container)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.filter((key) => before.get(key) !== after.get(key)).sort();
}

/** Every member by a name that shows no value. */
function comparable(definition: Readonly<Record<string, unknown>>, container: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, member] of Object.entries(definition)) {
    if (SERVER_SET.has(key) || key === "containerDefinitions") continue;
    put(found, key, member);
  }
  const containers = definition["containerDefinitions"];
  for (const one of Array.isArray(containers) ? (containers as readonly ContainerDefinition[]) : []) {
    const name = one.name ?? "";
    for (const [key, member] of Object.entries(one)) {
      if (key === "name" || (key === "image" && name === container) || DEFAULTS[key] === member) continue;
      if (key === "environment" || key === "secrets") {
        for (const pair of member as readonly KeyValuePair[]) put(found, `${name}.${key}.${pair.name ?? ""}`, pair);
      } else put(found, `${name}.${key}`, filledIn(key, member));
    }
  }
  return found;
}

function put(found: Map<string, string>, key: string, member: unknown): void {
  const form = canonicalForm({ [key.slice(key.lastIndexOf(".") + 1)]: member });
  if (!isEmpty(form)) found.set(key, canonical(form));
}

/** Port mappings with what AWS fills in, so that an echo is no change. */
function filledIn(key: string, member: unknown): unknown {
  if (key !== "portMappings" || !Array.isArray(member)) return member;
  return member.map((mapping: Readonly<Record<string, unknown>>) => {
    const { hostPort, protocol = "tcp", ...rest } = mapping;
    const own = hostPort !== undefined && hostPort !== 0 && hostPort !== rest["containerPort"] ? { hostPort } : {};
    return { ...rest, ...own, protocol };
  });
}
