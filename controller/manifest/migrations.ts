// Migrations of an environment, in the order written: whose image and template, which command, how long.
import { MigrationName, NAME, NO_SHA, ServiceName, type Sha } from "../core/brand.ts";
import type { Migration, Service } from "../core/environment.ts";
import { duration, refuse, type Draft } from "./draft.ts";
import { imageOrigin, imageReference, serviceIsThere, serviceSha, type ImageOrigin } from "./images.ts";
import type { MigrationManifest } from "./manifest.generated.ts";

interface MigrationContext {
  readonly sha: Sha | undefined;
  readonly pins: ReadonlyMap<string, Sha>;
  readonly services: readonly Service[];
}

/** Migrations in the order written; what is wrong is said in the draft. */
export function migrationsOf(draft: Draft, context: MigrationContext): readonly Migration[] {
  return Object.entries(draft.manifest.migrations ?? {}).flatMap(
    ([name, part]) => migration(draft, name, part, context) ?? [],
  );
}

function migration(
  draft: Draft,
  name: string,
  part: MigrationManifest,
  context: MigrationContext,
): Migration | undefined {
  const path = ["migrations", name];
  const timeoutMs = duration(draft, [...path, "timeout"], part.timeout, "20m");
  if (part.command === undefined) refuse(draft, path, " has no command", "such as [node, dist/migrate.js]");
  if (part.service === undefined) {
    return refuse(draft, path, " has no service", "name the service whose network, roles and template it uses");
  }
  if (!serviceIsThere(draft, [...path, "service"], part.service)) return undefined;
  const origin = originOf(draft, name, part.image, part.service);
  if (origin === undefined) return undefined;
  // A template of its own is no service's image: a pin of the service does not move it.
  const sha = origin.chain.length === 0 ? (context.sha ?? NO_SHA) : serviceSha(origin.chain, context.pins, context.sha);
  const image = imageReference(draft, origin, sha);
  if (image === undefined || part.command === undefined) return undefined;
  const container = part.container ?? context.services.find((service) => service.name === part.service)?.container;
  return {
    name: MigrationName.parse(name),
    service: ServiceName.parse(part.service),
    sha,
    image,
    ...(container === undefined ? {} : { container }),
    command: part.command,
    timeoutMs,
  };
}

function originOf(draft: Draft, name: string, image: string | undefined, service: string): ImageOrigin | undefined {
  const path = ["migrations", name, "image"];
  if (image === undefined) return imageOrigin(draft, service);
  if (!NAME.test(image)) return { template: image, path, service, chain: [] };
  return serviceIsThere(draft, path, image) ? imageOrigin(draft, image) : undefined;
}
