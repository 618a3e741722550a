// ECR: digests, what a tag names, and how a missing image is told.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html
import { createHash } from "node:crypto";
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  type ImageTagMutability,
  ListImagesCommand,
  PutImageCommand,
} from "@aws-sdk/client-ecr";
import { manifestOf } from "../../sandbox/account.ts";
import { type Account, failure, present } from "../account.ts";
import type { Contract } from "../contract.ts";

async function repository(
  { ecr, fresh }: Account,
  imageTagMutability: ImageTagMutability = "MUTABLE",
): Promise<string> {
  const repositoryName = fresh("contract/repository");
  await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability }));
  return repositoryName;
}

async function push({ ecr }: Account, repositoryName: string, imageTag: string, content: string): Promise<string> {
  const input = { repositoryName, imageTag, imageManifest: manifestOf(content) };
  return present((await ecr.send(new PutImageCommand(input))).image?.imageId?.imageDigest);
}

/** The digest of an image is the hash of its manifest, byte for byte. */
const digestOf = (content: string): string =>
  `sha256:${createHash("sha256").update(manifestOf(content)).digest("hex")}`;

/** moto's: of the digests of the layers, which manifests here have in common. */
const digestByMoto = `sha256:${createHash("sha256")
  .update(`sha256:${"1".repeat(64)}`)
  .digest("hex")}`;

export const ECR: readonly Contract[] = [
  {
    name: "the digest of an image is the sha256 of its manifest",
    async observe(account) {
      return push(account, await repository(account), "a", "one");
    },
    promised: digestOf("one"),
    moto: {
      says: digestByMoto,
      evidence:
        'The digest of an image is "the sha256 digest of the image manifest" (ECR API_ImageIdentifier); moto hashes the digests of the layers (moto/ecr/models.py, Image.get_image_digest).',
    },
  },
  {
    name: "two manifests have two digests, also with the same layers",
    async observe(account) {
      const name = await repository(account);
      return (await push(account, name, "a", "one")) === (await push(account, name, "b", "two"));
    },
    promised: false,
    moto: {
      says: true,
      evidence: "As above: what is hashed is the manifest, and moto hashes the layers’ digests.",
    },
  },
  {
    name: "BatchGetImage answers the manifest byte for byte",
    async observe(account) {
      const repositoryName = await repository(account);
      await push(account, repositoryName, "a", "one");
      const { images = [] } = await account.ecr.send(
        new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "a" }] }),
      );
      return images.map(({ imageManifest }) => imageManifest);
    },
    promised: [manifestOf("one")],
  },
  {
    name: "BatchGetImage tells a missing tag in failures of a 200",
    async observe(account) {
      const repositoryName = await repository(account);
      const imageIds = [{ imageTag: "none" }];
      const { images, failures } = await account.ecr.send(new BatchGetImageCommand({ repositoryName, imageIds }));
      return [images, failures?.map(({ failureCode, imageId }) => [failureCode, imageId?.imageTag])];
    },
    promised: [[], [["ImageNotFound", "none"]]],
  },
  {
    name: "DescribeImages fails as a whole when one tag is missing",
    async observe(account) {
      const repositoryName = await repository(account);
      await push(account, repositoryName, "a", "one");
      const imageIds = [{ imageTag: "a" }, { imageTag: "none" }];
      return failure(account.ecr.send(new DescribeImagesCommand({ repositoryName, imageIds })));
    },
    promised: "400 ImageNotFoundException",
  },
  {
    name: "DescribeImages says that an image can be pulled: its status is ACTIVE",
    async observe(account) {
      const repositoryName = await repository(account);
      await push(account, repositoryName, "a", "one");
      const { imageDetails = [] } = await account.ecr.send(new DescribeImagesCommand({ repositoryName }));
      return imageDetails.map(({ imageStatus }) => imageStatus);
    },
    promised: ["ACTIVE"],
    moto: {
      says: [undefined],
      evidence: "ImageDetail.imageStatus is ACTIVE, ARCHIVED or ACTIVATING (API_ImageDetail); moto does not know it.",
    },
  },
  {
    name: "the same manifest under the same tag is ImageAlreadyExists",
    async observe(account) {
      const name = await repository(account);
      await push(account, name, "a", "one");
      return failure(push(account, name, "a", "one"));
    },
    promised: "400 ImageAlreadyExistsException",
  },
  {
    name: "another manifest under an immutable tag is ImageTagAlreadyExists",
    async observe(account) {
      const name = await repository(account, "IMMUTABLE");
      await push(account, name, "a", "one");
      return failure(push(account, name, "a", "two"));
    },
    promised: "400 ImageTagAlreadyExistsException",
    moto: {
      says: "400 ImageAlreadyExistsException",
      evidence:
        "ImageTagAlreadyExistsException is for a tag of a repository configured for tag immutability (API_PutImage); moto says ImageAlreadyExists (moto/ecr/models.py, _resolve_image_tag_mutability).",
    },
  },
  {
    name: "a mutable tag moves, and the image it named stays, untagged",
    async observe(account) {
      const repositoryName = await repository(account);
      await push(account, repositoryName, "a", "one");
      await push(account, repositoryName, "a", "two");
      const { imageDetails = [] } = await account.ecr.send(new DescribeImagesCommand({ repositoryName }));
      return imageDetails.map(({ imageDigest, imageTags = [] }) => `${imageDigest} ${imageTags.join()}`).toSorted();
    },
    promised: [`${digestOf("one")} `, `${digestOf("two")} a`].toSorted(),
    moto: {
      says: [`${digestByMoto} a`],
      evidence:
        "An image whose tag moved stays and becomes untagged (ECR user guide, lifecycle policies); moto deletes it (moto/ecr/models.py, put_image).",
    },
  },
  {
    name: "one manifest may have several tags, and ListImages has an entry for each",
    async observe(account) {
      const repositoryName = await repository(account);
      await push(account, repositoryName, "a", "one");
      await push(account, repositoryName, "b", "one");
      const { imageIds = [] } = await account.ecr.send(new ListImagesCommand({ repositoryName }));
      return imageIds.map(({ imageTag = "" }) => imageTag).toSorted();
    },
    promised: ["a", "b"],
  },
  {
    name: "a missing repository is RepositoryNotFound to every question",
    observe: ({ ecr }) =>
      Promise.all([
        failure(ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["contract/none"] }))),
        failure(ecr.send(new ListImagesCommand({ repositoryName: "contract/none" }))),
        failure(ecr.send(new BatchGetImageCommand({ repositoryName: "contract/none", imageIds: [{ imageTag: "a" }] }))),
      ]),
    promised: Array<string>(3).fill("400 RepositoryNotFoundException"),
  },
];
