// What counts as the same release: canonical JSON of what is released, hashed.
import { sha256 } from "./sha256.ts";
import { Digest } from "./brand.ts";
import type { Environment, Migration, Service } from "./environment.ts";

/** JSON with sorted keys and without undefined, so that equal values have equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

export function digestOf(value: unknown): Digest {
  return Digest.parse(`sha256:${sha256(canonical(value))}`);
}

/** An environment before its fingerprint is known. */
export type Unsigned = Omit<Environment, "fingerprint">;

/**
 * The fingerprint of release.md: SHAs, artifacts, task files, counts, strategies, time-outs, order, health, migrations,
 * where pages go, region and cluster. Hold, gates, drift, onFailure, url, paths and keep act at once and are not in it.
 */
export function fingerprint(environment: Unsigned): Digest {
  return digestOf({
    sha: environment.sha,
    region: environment.place.region,
    cluster: environment.place.cluster,
    services: environment.services.map(({ paths: _, recorded: __, ...service }) => service),
    migrations: environment.migrations,
    webs: environment.webs.map(({ keep: _, ...web }) => web),
  });
}

/** What a version of a service is made of, as far as the manifest decides it: equal keys need no deployment. */
export function serviceKey(service: Service, image: Digest): Digest {
  return digestOf({ image, repository: service.image.repository, task: service.task, container: service.container });
}

/** Key of what ran before Lockstep came: nobody knows what it is made of, and no digest can collide with it. */
export const UNKEYED: Digest = Digest.parse(`sha256:${"0".repeat(64)}`);

/** What the manifest owns beside the version. */
export function settingsKey(service: Service): Digest {
  return digestOf({ count: service.count, strategy: service.strategy });
}

/** The key of the migration gate: what passed under it never runs again. */
export function migrationKey(environment: Pick<Environment, "application" | "name">, migration: Migration): Digest {
  return digestOf({
    application: environment.application,
    environment: environment.name,
    migration: migration.name,
    sha: migration.sha,
  });
}
