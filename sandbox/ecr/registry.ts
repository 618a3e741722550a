// What the registries hold: repositories per account and region, images by digest, tags on them.

import { AwsError, type Caller, type SandboxClock } from "../api.ts";
import { type Input, requiredText, text } from "../members.ts";
import type { Manifest } from "./manifest.ts";
import type { Scan } from "./scans.ts";

export type Mutability = "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION";

export interface Image {
  readonly digest: string;
  /** The manifest's bytes as they were put: the digest is their sha256. */
  readonly text: string;
  readonly manifest: Manifest;
  readonly mediaType: string;
  readonly pushedAtMs: number;
  status: "ACTIVE" | "ARCHIVED" | "ACTIVATING";
  archivedAtMs: number | undefined;
  activatedAtMs: number | undefined;
  scan: Scan | undefined;
}

export interface Repository {
  readonly registryId: string;
  readonly region: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly scanOnPush: boolean;
  mutability: Mutability;
  /** Wildcard filters of the tags to which the opposite of `mutability` applies. */
  exclusions: readonly string[];
  readonly images: Map<string, Image>;
  /** Tag to digest. */
  readonly tags: Map<string, string>;
}

/** What an operation works with. */
export interface Registry {
  readonly clock: SandboxClock;
  find(registryId: string, region: string, name: string): Repository | undefined;
  list(registryId: string, region: string): readonly Repository[];
  add(repository: Repository): void;
  remove(repository: Repository): void;
}

export function createRegistry(clock: SandboxClock): Registry {
  const repositories = new Map<string, Repository>();
  const key = (registryId: string, region: string, name: string): string => `${registryId}/${region}/${name}`;
  return {
    clock,
    find: (registryId, region, name) => repositories.get(key(registryId, region, name)),
    list: (registryId, region) =>
      [...repositories.values()].filter((one) => one.registryId === registryId && one.region === region),
    add: (repository) =>
      void repositories.set(key(repository.registryId, repository.region, repository.name), repository),
    remove: (repository) => void repositories.delete(key(repository.registryId, repository.region, repository.name)),
  };
}

/** The repository an input names. Fault: RepositoryNotFoundException. */
export function repositoryOf(registry: Registry, input: Input, caller: Caller): Repository {
  const name = requiredText(input, "repositoryName");
  const registryId = text(input, "registryId") ?? caller.account;
  const repository = registry.find(registryId, caller.region, name);
  if (repository !== undefined) return repository;
  const message = `The repository with name '${name}' does not exist in the registry with id '${registryId}'`;
  throw new AwsError("RepositoryNotFoundException", message);
}

export function tagsOf(repository: Repository, digest: string): readonly string[] {
  return [...repository.tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag);
}

export interface ImageId {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

export function imageIdOf(input: Input): ImageId {
  const imageDigest = text(input, "imageDigest");
  const imageTag = text(input, "imageTag");
  return { ...(imageDigest === undefined ? {} : { imageDigest }), ...(imageTag === undefined ? {} : { imageTag }) };
}

/** The image a tag, a digest or both name; both must agree. */
export function lookUp(repository: Repository, { imageDigest, imageTag }: ImageId): Image | undefined {
  const tagged = imageTag === undefined ? undefined : repository.tags.get(imageTag);
  if (imageTag !== undefined && tagged === undefined) return undefined;
  if (tagged !== undefined && imageDigest !== undefined && tagged !== imageDigest) return undefined;
  const digest = tagged ?? imageDigest;
  return digest === undefined ? undefined : repository.images.get(digest);
}

/** Fault: ImageNotFoundException, worded as ECR does, `null` for the half that was not given. */
export function imageOf(repository: Repository, id: ImageId): Image {
  const image = lookUp(repository, id);
  if (image !== undefined) return image;
  throw new AwsError(
    "ImageNotFoundException",
    `The image with imageId ${shown(id)} does not exist within the ${within(repository)}`,
  );
}

export function shown({ imageDigest, imageTag }: ImageId): string {
  return `{imageDigest:'${imageDigest ?? "null"}', imageTag:'${imageTag ?? "null"}'}`;
}

export function within(repository: Repository): string {
  return `repository with name '${repository.name}' in the registry with id '${repository.registryId}'`;
}
