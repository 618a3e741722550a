// Names and tags of what Lockstep registers: families of its own, and who released which revision.
import type { Tag } from "@aws-sdk/client-ecs";
import type { Digest } from "../../core/brand.ts";
import { Sha } from "../../core/brand.ts";
import type { Environment } from "../../core/environment.ts";
import type { ReleaseTag } from "../../core/live.ts";
import type { Turn } from "../../ports.ts";

const PREFIX = "lockstep:";

type Named = Pick<Environment, "application" | "name">;

export function serviceFamily({ application, name }: Named, service: string): string {
  return `lockstep-${application}-${name}-${service}`;
}

export function migrationFamily({ application, name }: Named, migration: string): string {
  return `lockstep-${application}-${name}-migrate-${migration}`;
}

/** The family of a task-definition ARN or `family:revision`. */
export function familyOf(version: string): string {
  const name = version.slice(version.lastIndexOf("/") + 1);
  const colon = name.lastIndexOf(":");
  return colon < 0 ? name : name.slice(0, colon);
}

/** `shop-api:7` of a task-definition ARN. */
export function revisionOf(version: string): string {
  return version.slice(version.lastIndexOf("/") + 1);
}

export interface Tagging {
  readonly turn: Pick<Turn, "environment" | "release">;
  readonly sha: string;
  readonly content: Digest;
  /** Where the template came from: `file:…` or `family:…`. */
  readonly origin: string;
  readonly own: readonly Tag[];
}

/** Tags per task definition AWS allows. */
const TAGS_MAX = 50;

export function tagsOf({ turn, sha, content, origin, own }: Tagging): Tag[] {
  const { environment, release } = turn;
  const ours: readonly (readonly [string, string])[] = [
    ["journal", release.journal],
    ["release", release.id],
    ["sha", sha],
    ["template", origin.replaceAll(/[^\p{L}\p{N} +\-=._:/@]/gu, "_").slice(0, 256)],
    ["content", content],
    ["application", environment.application],
    ["environment", environment.name],
  ];
  const mine = ours.map(([key, value]) => ({ key: `${PREFIX}${key}`, value }));
  return [...mine, ...ownTags(own).slice(0, TAGS_MAX - mine.length)];
}

/** What a template's owner tagged it with: neither AWS's nor ours. */
export function ownTags(tags: readonly Tag[] | undefined): readonly Tag[] {
  return (tags ?? []).filter(({ key = "" }) => key !== "" && !/^(aws|lockstep):/i.test(key));
}

/** The value of one of our tags; undefined when the revision does not carry it. */
export function lockstepTag(
  tags: readonly Tag[] | undefined,
  key: "journal" | "release" | "sha" | "template" | "content",
): string | undefined {
  return tags?.find((tag) => tag.key === `${PREFIX}${key}`)?.value;
}

export function releaseTag(tags: readonly Tag[] | undefined): ReleaseTag | undefined {
  const journal = lockstepTag(tags, "journal");
  const release = lockstepTag(tags, "release");
  if (journal === undefined || release === undefined) return undefined;
  const sha = lockstepTag(tags, "sha");
  return { journal, release, ...(sha !== undefined && Sha.is(sha) ? { sha } : {}) };
}
