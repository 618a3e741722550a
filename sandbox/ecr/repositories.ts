// ECR operations on repositories.

import { AwsError, type Caller } from "../api.ts";
import {
  type Input,
  invalidParameter,
  page,
  record,
  records,
  requiredText,
  text,
  texts,
  wholeNumber,
} from "../members.ts";
import { seconds } from "../wire.ts";
import { type Mutability, type Registry, type Repository, repositoryOf, within } from "./registry.ts";

const NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const MUTABILITIES: readonly Mutability[] = [
  "MUTABLE",
  "IMMUTABLE",
  "MUTABLE_WITH_EXCLUSION",
  "IMMUTABLE_WITH_EXCLUSION",
];
const EXCLUSION_LIMIT = 5;

export function createRepository(registry: Registry, input: Input, caller: Caller): unknown {
  const name = requiredText(input, "repositoryName");
  if (name.length < 2 || name.length > 256 || !NAME.test(name)) {
    throw invalidParameter("repositoryName", `must satisfy regular expression '${NAME.source.slice(1, -1)}'`);
  }
  const registryId = text(input, "registryId") ?? caller.account;
  if (registry.find(registryId, caller.region, name) !== undefined) {
    const message = `The repository with name '${name}' already exists in the registry with id '${registryId}'`;
    throw new AwsError("RepositoryAlreadyExistsException", message);
  }
  const repository: Repository = {
    registryId,
    region: caller.region,
    name,
    createdAtMs: registry.clock.now(),
    scanOnPush: record(input, "imageScanningConfiguration")?.["scanOnPush"] === true,
    ...mutabilityOf(input),
    images: new Map(),
    tags: new Map(),
  };
  registry.add(repository);
  return { repository: described(repository) };
}

export function describeRepositories(registry: Registry, input: Input, caller: Caller): unknown {
  const names = texts(input, "repositoryNames");
  if (names !== undefined) {
    const found = names.map((name) => repositoryOf(registry, { ...input, repositoryName: name }, caller));
    return { repositories: found.map(described) };
  }
  const all = registry.list(text(input, "registryId") ?? caller.account, caller.region);
  const size = wholeNumber(input, "maxResults", { least: 1, most: 1000, otherwise: 100 });
  const { items, nextToken } = page(all, text(input, "nextToken"), size);
  return { repositories: items.map(described), nextToken };
}

export function deleteRepository(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  if (repository.images.size > 0 && input["force"] !== true) {
    throw new AwsError(
      "RepositoryNotEmptyException",
      `The ${within(repository)} cannot be deleted because it still contains images`,
    );
  }
  registry.remove(repository);
  return { repository: described(repository) };
}

export function putImageTagMutability(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  Object.assign(repository, mutabilityOf(input));
  return {
    registryId: repository.registryId,
    repositoryName: repository.name,
    imageTagMutability: repository.mutability,
    ...exclusionFilters(repository),
  };
}

/** Whether a tag that exists may not be moved: the mode, turned around for the tags its filters exclude. */
export function isImmutable(repository: Repository, tag: string): boolean {
  const excluded = repository.exclusions.some((filter) => matchesWildcard(filter, tag));
  const immutable = repository.mutability === "IMMUTABLE" || repository.mutability === "IMMUTABLE_WITH_EXCLUSION";
  return excluded ? !immutable : immutable;
}

function matchesWildcard(filter: string, tag: string): boolean {
  const source = filter.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${source}$`).test(tag);
}

function mutabilityOf(input: Input): { mutability: Mutability; exclusions: readonly string[] } {
  const wanted = text(input, "imageTagMutability") ?? "MUTABLE";
  const mutability = MUTABILITIES.find((known) => known === wanted);
  if (mutability === undefined)
    throw invalidParameter("imageTagMutability", `Member must satisfy enum value set: [${MUTABILITIES.join(", ")}]`);
  const filters = records(input, "imageTagMutabilityExclusionFilters") ?? [];
  const excludes = mutability.endsWith("_WITH_EXCLUSION");
  if (filters.length > EXCLUSION_LIMIT)
    throw invalidParameter("imageTagMutabilityExclusionFilters", "Member must have length less than or equal to 5");
  if (excludes !== filters.length > 0) {
    throw invalidParameter(
      "imageTagMutabilityExclusionFilters",
      "filters belong to a mutability with exclusion, and only to it",
    );
  }
  return { mutability, exclusions: filters.map((filter) => requiredText(filter, "filter")) };
}

function described(repository: Repository): object {
  const { registryId, region, name } = repository;
  return {
    repositoryArn: `arn:aws:ecr:${region}:${registryId}:repository/${name}`,
    registryId,
    repositoryName: name,
    repositoryUri: `${registryId}.dkr.ecr.${region}.amazonaws.com/${name}`,
    createdAt: seconds(repository.createdAtMs),
    imageTagMutability: repository.mutability,
    ...exclusionFilters(repository),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: { encryptionType: "AES256" },
  };
}

function exclusionFilters({ exclusions }: Repository): object {
  if (exclusions.length === 0) return {};
  return { imageTagMutabilityExclusionFilters: exclusions.map((filter) => ({ filterType: "WILDCARD", filter })) };
}
