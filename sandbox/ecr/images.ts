// ECR operations on images.

import { AwsError, type Caller } from "../api.ts";
import { type Input, invalidParameter, page, record, records, requiredText, text, wholeNumber } from "../members.ts";
import { seconds } from "../wire.ts";
import { digestOf, readManifest } from "./manifest.ts";
import {
  type Image,
  imageIdOf,
  imageOf,
  lookUp,
  type Registry,
  type Repository,
  repositoryOf,
  tagsOf,
  within,
} from "./registry.ts";
import { isImmutable } from "./repositories.ts";
import { startScan } from "./scans.ts";

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export function putImage(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  const manifestText = requiredText(input, "imageManifest");
  const manifest = readManifest(manifestText);
  const digest = digestOf(manifestText);
  const tag = text(input, "imageTag");
  if (tag !== undefined && !TAG.test(tag))
    throw invalidParameter("imageTag", `must satisfy regular expression '${TAG.source.slice(1, -1)}'`);
  checkPut(repository, { digest, tag, expected: text(input, "imageDigest"), members: manifest.members });
  const image = repository.images.get(digest) ?? {
    digest,
    text: manifestText,
    manifest,
    mediaType: text(input, "imageManifestMediaType") ?? manifest.mediaType ?? OCI_MANIFEST,
    pushedAtMs: registry.clock.now(),
    status: "ACTIVE",
    archivedAtMs: undefined,
    activatedAtMs: undefined,
    scan: undefined,
  };
  if (!repository.images.has(digest) && repository.scanOnPush) startScan(registry, image);
  repository.images.set(digest, image);
  if (tag !== undefined) repository.tags.set(tag, digest);
  return { image: withManifest(repository, image, tag) };
}

function checkPut(
  repository: Repository,
  put: { digest: string; tag: string | undefined; expected: string | undefined; members: readonly string[] },
): void {
  const { digest, tag, expected, members } = put;
  if (expected !== undefined && expected !== digest) {
    throw new AwsError(
      "ImageDigestDoesNotMatchException",
      `The digest '${expected}' does not match the manifest's digest '${digest}'`,
    );
  }
  const missing = members.filter((member) => !repository.images.has(member));
  if (missing.length > 0) {
    throw new AwsError(
      "ReferencedImagesNotFoundException",
      `Images with digests '${missing.join(", ")}' required for pushing image into ${within(repository)} do not exist`,
    );
  }
  const standing = tag === undefined ? undefined : repository.tags.get(tag);
  const same = tag === undefined ? repository.images.has(digest) : standing === digest;
  if (same) {
    const which = tag === undefined ? `digest '${digest}'` : `digest '${digest}' and tag '${tag}'`;
    throw new AwsError(
      "ImageAlreadyExistsException",
      `Image with ${which} already exists in the ${within(repository)}`,
    );
  }
  if (tag !== undefined && standing !== undefined && isImmutable(repository, tag)) {
    const message = `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the tag is immutable.`;
    throw new AwsError("ImageTagAlreadyExistsException", message);
  }
}

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

interface Failure {
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

function checkImageId(
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

export function batchDeleteImage(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  const deleted: object[] = [];
  const failures: object[] = [];
  for (const asked of imageIds(input)) {
    const imageId = imageIdOf(asked);
    const failure = checkImageId(repository, imageId.imageDigest, imageId.imageTag);
    const image = lookUp(repository, imageId);
    if (failure !== undefined) failures.push({ imageId, ...failure });
    else if (image === undefined)
      failures.push({ imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" });
    else {
      const gone = remove(repository, image, imageId.imageTag);
      if ("failureCode" in gone) failures.push({ imageId, ...gone });
      else deleted.push(...gone);
    }
  }
  return { imageIds: deleted, failures };
}

/** Deleting by tag takes the tag away, and the image with its last one; deleting by digest takes everything. */
function remove(repository: Repository, image: Image, tag: string | undefined): readonly object[] | Failure {
  const tags = tagsOf(repository, image.digest);
  if (tag === undefined || tags.length === 1) {
    const holders = [...repository.images.values()].filter(({ manifest }) => manifest.members.includes(image.digest));
    if (holders.length > 0) {
      const failureReason = `Requested image referenced by manifest list: [${holders.map(({ digest }) => digest).join(", ")}]`;
      return { failureCode: "ImageReferencedByManifestList", failureReason };
    }
    repository.images.delete(image.digest);
  }
  const removed = tag === undefined ? tags : [tag];
  for (const gone of removed) repository.tags.delete(gone);
  return removed.length === 0
    ? [{ imageDigest: image.digest }]
    : removed.map((imageTag) => ({ imageDigest: image.digest, imageTag }));
}

/** Restoring from the archive takes up to 20 minutes in ECR; here it takes one. */
const ACTIVATION_MS = 60_000;

export function updateImageStorageClass(registry: Registry, input: Input, caller: Caller): unknown {
  const repository = repositoryOf(registry, input, caller);
  const image = imageOf(repository, imageIdOf(record(input, "imageId") ?? {}));
  const target = requiredText(input, "targetStorageClass");
  if (target === "ARCHIVE") {
    image.status = "ARCHIVED";
    image.archivedAtMs = registry.clock.now();
  } else if (image.status === "ARCHIVED") {
    image.status = "ACTIVATING";
    registry.clock.after(ACTIVATION_MS, () => {
      if (image.status !== "ACTIVATING") return;
      image.status = "ACTIVE";
      image.activatedAtMs = registry.clock.now();
    });
  }
  const { registryId, name: repositoryName } = repository;
  return { registryId, repositoryName, imageId: { imageDigest: image.digest }, imageStatus: image.status };
}

/** Both batch calls and DescribeImages take at most 100 ids. */
function imageIds(input: Input): readonly Input[] {
  const ids = records(input, "imageIds");
  if (ids === undefined || ids.length === 0)
    throw invalidParameter("imageIds", "Member must have length greater than or equal to 1");
  if (ids.length > 100) throw invalidParameter("imageIds", "Member must have length less than or equal to 100");
  return ids;
}

function withManifest(repository: Repository, image: Image, imageTag: string | undefined): object {
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
