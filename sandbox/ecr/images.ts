// ECR operations that read images.

import { AwsError, type Caller } from "../api.ts";
import { type Input, invalidParameter, page, record, records, text, wholeNumber } from "../members.ts";
import { seconds } from "../wire.ts";
import {
  type Image,
  imageIdOf,
  imageOf,
  lookUp,
  type Registry,
  type Repository,
  repositoryOf,
  tagsOf,
} from "./registry.ts";

export const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function batchGetImage(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  const found: object[] = [];
  const failures: object[] = [];
  for (const asked of imageIds(input)) {
    const imageId = imageIdOf(asked);
    const outcome = pull(repository, imageId.imageDigest, imageId.imageTag);
    if ("failureCode" in outcome) failures.push({ imageId, ...outcome });
    else found.push(withManifest(repository, outcome, imageId.imageTag));
  }
  return { images: found, failures };
}

export interface Failure {
  readonly failureCode: string;
  readonly failureReason: string;
}

function pull(repository: Repository, digest: string | undefined, tag: string | undefined): Image | Failure {
  const failure = checkImageId(repository, digest, tag);
  if (failure !== undefined) return failure;
  const image = lookUp(repository, {
    ...(digest === undefined ? {} : { imageDigest: digest }),
    ...(tag === undefined ? {} : { imageTag: tag }),
  });
  if (image === undefined) return { failureCode: "ImageNotFound", failureReason: "Requested image not found" };
  if (image.status !== "ACTIVE") {
    return {
      failureCode: "ImageInaccessible",
      failureReason: `Requested image is ${image.status} and cannot be pulled`,
    };
  }
  return image;
}

export function checkImageId(
  repository: Repository,
  digest: string | undefined,
  tag: string | undefined,
): Failure | undefined {
  if (digest === undefined && tag === undefined) {
    return {
      failureCode: "MissingDigestAndTag",
      failureReason: "Invalid request parameters: both tag and digest cannot be null",
    };
  }
  if (digest !== undefined && !/^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/.test(digest)) {
    const failureReason =
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'";
    return { failureCode: "InvalidImageDigest", failureReason };
  }
  if (tag !== undefined && !TAG.test(tag)) {
    const failureReason = "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9][a-zA-Z0-9-_.]*'";
    return { failureCode: "InvalidImageTag", failureReason };
  }
  const tagged = tag === undefined ? undefined : repository.tags.get(tag);
  if (digest !== undefined && tagged !== undefined && tagged !== digest) {
    return {
      failureCode: "ImageTagDoesNotMatchDigest",
      failureReason: "Requested image digest does not match the image's tag",
    };
  }
  return undefined;
}

export function describeImages(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  const asked = records(input, "imageIds");
  if (asked !== undefined && asked.length > 0) {
    if (input["maxResults"] !== undefined || input["nextToken"] !== undefined) {
      throw new AwsError(
        "InvalidParameterException",
        "maxResults and nextToken cannot be used when imageIds are specified",
      );
    }
    const images = new Set(imageIds(input).map((id) => imageOf(repository, imageIdOf(id))));
    return { imageDetails: [...images].map((image) => detail(repository, image)) };
  }
  const size = wholeNumber(input, "maxResults", { least: 1, most: 1000, otherwise: 100 });
  const { items, nextToken } = page(
    filtered(repository, record(input, "filter") ?? {}),
    text(input, "nextToken"),
    size,
  );
  return { imageDetails: items.map((image) => detail(repository, image)), nextToken };
}

export function listImages(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  const ids = filtered(repository, record(input, "filter") ?? {}).flatMap(({ digest }) => {
    const tags = tagsOf(repository, digest);
    return tags.length === 0 ? [{ imageDigest: digest }] : tags.map((imageTag) => ({ imageDigest: digest, imageTag }));
  });
  const size = wholeNumber(input, "maxResults", { least: 1, most: 1000, otherwise: 100 });
  const { items, nextToken } = page(ids, text(input, "nextToken"), size);
  return { imageIds: items, nextToken };
}

/** ECR promises no order; by digest, nobody can mistake it for the order of pushing. */
function filtered(repository: Repository, filter: Input): readonly Image[] {
  const tagStatus = text(filter, "tagStatus") ?? "ANY";
  const imageStatus = text(filter, "imageStatus") ?? "ACTIVE";
  return [...repository.images.values()]
    .filter(({ status }) => imageStatus === "ANY" || status === imageStatus)
    .filter(({ digest }) => tagStatus === "ANY" || (tagStatus === "TAGGED") === tagsOf(repository, digest).length > 0)
    .sort((left, right) => (left.digest < right.digest ? -1 : 1));
}

/** Both batch calls and DescribeImages take at most 100 ids. */
export function imageIds(input: Input): readonly Input[] {
  const ids = records(input, "imageIds");
  if (ids === undefined || ids.length === 0)
    throw invalidParameter("imageIds", "Member must have length greater than or equal to 1");
  if (ids.length > 100) throw invalidParameter("imageIds", "Member must have length less than or equal to 100");
  return ids;
}

export function withManifest(repository: Repository, image: Image, imageTag: string | undefined): object {
  return {
    registryId: repository.registryId,
    repositoryName: repository.name,
    imageId: { imageDigest: image.digest, imageTag },
    imageManifest: image.text,
    imageManifestMediaType: image.mediaType,
  };
}

function detail(repository: Repository, image: Image): object {
  const tags = tagsOf(repository, image.digest);
  const sizes = image.manifest.members.map((member) => repository.images.get(member)?.manifest.sizeBytes ?? 0);
  return {
    registryId: repository.registryId,
    repositoryName: repository.name,
    imageDigest: image.digest,
    imageTags: tags.length === 0 ? undefined : tags,
    imageSizeInBytes: Math.max(image.manifest.sizeBytes, ...sizes),
    imagePushedAt: seconds(image.pushedAtMs),
    imageManifestMediaType: image.mediaType,
    artifactMediaType: image.manifest.artifactType,
    subjectManifestDigest: image.manifest.subject,
    imageStatus: image.status,
    lastArchivedAt: image.archivedAtMs === undefined ? undefined : seconds(image.archivedAtMs),
    lastActivatedAt: image.activatedAtMs === undefined ? undefined : seconds(image.activatedAtMs),
  };
}
