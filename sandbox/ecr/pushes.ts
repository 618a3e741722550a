// ECR operations that change images.

import { AwsError, type Caller } from "../api.ts";
import { type Input, invalidParameter, record, requiredText, text } from "../members.ts";
import { checkImageId, type Failure, imageIds, TAG, withManifest } from "./images.ts";
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
