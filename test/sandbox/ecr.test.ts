import { createHash } from "node:crypto";
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  ListImagesCommand,
  paginateDescribeImages,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  StartImageScanCommand,
  UpdateImageStorageClassCommand,
} from "@aws-sdk/client-ecr";
import { describe, expect, test } from "vitest";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { createEcr } from "../../sandbox/ecr/service.ts";
import { manifestOf, openAccount, openHttpAccount, type TestAccount } from "./account.ts";

const repositoryName = "shop/api";
const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

async function registry(account: TestAccount = openAccount(), settings: object = {}): Promise<ECRClient> {
  const ecr = new ECRClient(account.config);
  await ecr.send(new CreateRepositoryCommand({ repositoryName, ...settings }));
  return ecr;
}

const put = (ecr: ECRClient, name: string, imageTag?: string): Promise<unknown> =>
  ecr.send(new PutImageCommand({ repositoryName, imageManifest: manifestOf(name), imageTag }));

const tagsByDigest = async (ecr: ECRClient): Promise<Record<string, readonly string[]>> => {
  const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName }));
  return Object.fromEntries(imageDetails.map(({ imageDigest = "", imageTags = [] }) => [imageDigest, imageTags]));
};

describe("what cannot be", () => {
  test("a repository that does not exist is named with its registry", async () => {
    const ecr = new ECRClient(openAccount().config);
    await expect(ecr.send(new DescribeImagesCommand({ repositoryName: "absent" }))).rejects.toMatchObject({
      name: "RepositoryNotFoundException",
      message: "The repository with name 'absent' does not exist in the registry with id '111122223333'",
    });
  });

  test("a repository cannot be made twice, nor under a name ECR refuses", async () => {
    const ecr = await registry();
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: "RepositoryAlreadyExistsException",
    });
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName: "Shop" }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  test("one unknown tag fails the whole of DescribeImages", async () => {
    const ecr = await registry();
    await put(ecr, "one", "v1");
    const imageIds = [{ imageTag: "v1" }, { imageTag: "v2" }];
    await expect(ecr.send(new DescribeImagesCommand({ repositoryName, imageIds }))).rejects.toMatchObject({
      name: "ImageNotFoundException",
      message: expect.stringContaining(
        "{imageDigest:'null', imageTag:'v2'} does not exist within the repository with name 'shop/api'",
      ),
    });
  });

  test("the same manifest under the same tag already exists, as does an untagged repeat", async () => {
    const ecr = await registry();
    await put(ecr, "one", "v1");
    await expect(put(ecr, "one", "v1")).rejects.toMatchObject({ name: "ImageAlreadyExistsException" });
    await expect(put(ecr, "one")).rejects.toMatchObject({ name: "ImageAlreadyExistsException" });
  });

  test("a digest that is not the manifest's, and an index whose members are not there, are refused", async () => {
    const ecr = await registry();
    const imageManifest = manifestOf("one");
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ digest: sha256(imageManifest) }],
    });
    await expect(
      ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageDigest: sha256("else") })),
    ).rejects.toMatchObject({ name: "ImageDigestDoesNotMatchException" });
    await expect(ecr.send(new PutImageCommand({ repositoryName, imageManifest: index }))).rejects.toMatchObject({
      name: "ReferencedImagesNotFoundException",
    });
    await expect(ecr.send(new PutImageCommand({ repositoryName, imageManifest: "no manifest" }))).rejects.toMatchObject(
      { name: "InvalidParameterException" },
    );
  });

  test.each([
    ["ImageNotFound", { imageTag: "absent" }],
    ["InvalidImageDigest", { imageDigest: "not a digest" }],
    ["InvalidImageTag", { imageTag: "not a tag" }],
    ["MissingDigestAndTag", {}],
    ["ImageTagDoesNotMatchDigest", { imageTag: "v1", imageDigest: sha256("else") }],
  ])("BatchGetImage answers 200 with the failure %s beside what it found", async (failureCode, imageId) => {
    const ecr = await registry();
    await put(ecr, "one", "v1");
    const { images = [], failures } = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "v1" }, imageId] }),
    );
    expect(images).toHaveLength(1);
    expect(failures).toMatchObject([{ imageId, failureCode }]);
  });

  test("more than a hundred ids at once are refused", async () => {
    const ecr = await registry();
    const imageIds = Array.from({ length: 101 }, (_, at) => ({ imageTag: `v${at}` }));
    await expect(ecr.send(new BatchGetImageCommand({ repositoryName, imageIds }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  test("an image without a scan says so", async () => {
    const ecr = await registry();
    await put(ecr, "one", "v1");
    await expect(
      ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageTag: "v1" } })),
    ).rejects.toMatchObject({ name: "ScanNotFoundException" });
  });

  test("a repository with images is only deleted by force", async () => {
    const ecr = await registry();
    await put(ecr, "one", "v1");
    await expect(ecr.send(new DeleteRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: "RepositoryNotEmptyException",
    });
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({}));
    expect(repositories).toEqual([]);
  });
});

describe("images", () => {
  test("a digest is the sha256 of the manifest, and the manifest comes back byte for byte, over real HTTP", async () => {
    const ecr = await registry(await openHttpAccount());
    const { image } = await ecr.send(
      new PutImageCommand({ repositoryName, imageManifest: `${manifestOf("one")}\n`, imageTag: "v1" }),
    );
    expect(image?.imageId?.imageDigest).toBe(sha256(`${manifestOf("one")}\n`));
    const { images } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }));
    expect(images?.[0]?.imageManifest).toBe(`${manifestOf("one")}\n`);
  });

  test("an image tells its tags, size, time and status", async () => {
    const clock = createSteppedClock(Date.UTC(2026, 4, 1));
    const ecr = await registry(openAccount({ clock }));
    await put(ecr, "one", "v1");
    await put(ecr, "one", "latest");
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "latest" }] }),
    );
    expect(imageDetails).toMatchObject([
      {
        imageTags: ["v1", "latest"],
        imageSizeInBytes: 2100,
        imagePushedAt: new Date(Date.UTC(2026, 4, 1)),
        imageStatus: "ACTIVE",
        imageManifestMediaType: "application/vnd.oci.image.manifest.v1+json",
      },
    ]);
  });

  test("a moved tag leaves its old image untagged", async () => {
    const ecr = await registry();
    await put(ecr, "one", "latest");
    await put(ecr, "two", "latest");
    expect(await tagsByDigest(ecr)).toEqual({
      [sha256(manifestOf("one"))]: [],
      [sha256(manifestOf("two"))]: ["latest"],
    });
  });

  test("an immutable repository keeps its tags, a filter turns the rule around", async () => {
    const ecr = await registry(openAccount(), { imageTagMutability: "IMMUTABLE" });
    await put(ecr, "one", "v1");
    await expect(put(ecr, "two", "v1")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    const imageTagMutabilityExclusionFilters = [{ filterType: "WILDCARD" as const, filter: "latest*" }];
    await ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters,
      }),
    );
    await put(ecr, "one", "latest-dev");
    await put(ecr, "two", "latest-dev");
    await expect(put(ecr, "two", "v1")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    await ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters,
      }),
    );
    await put(ecr, "two", "v1");
    await expect(put(ecr, "one", "latest-dev")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
    expect(repositories).toMatchObject([
      { imageTagMutability: "MUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters },
    ]);
  });

  test("lists are paged, filtered by tag status, and every image is seen once", async () => {
    const ecr = await registry();
    for (let at = 0; at < 7; at += 1) await put(ecr, `image ${at}`, at % 2 === 0 ? `v${at}` : undefined);
    const seen: (string | undefined)[] = [];
    for await (const { imageDetails = [] } of paginateDescribeImages(
      { client: ecr, pageSize: 3 },
      { repositoryName },
    )) {
      seen.push(...imageDetails.map(({ imageDigest }) => imageDigest));
    }
    expect(new Set(seen).size).toBe(7);
    expect(seen).toHaveLength(7);
    const { imageIds = [] } = await ecr.send(
      new ListImagesCommand({ repositoryName, filter: { tagStatus: "TAGGED" } }),
    );
    expect(new Set(imageIds.map(({ imageTag }) => imageTag))).toEqual(new Set(["v0", "v2", "v4", "v6"]));
    const untagged = await ecr.send(
      new ListImagesCommand({ repositoryName, filter: { tagStatus: "UNTAGGED" }, maxResults: 2 }),
    );
    expect(untagged.imageIds).toHaveLength(2);
    expect(untagged.nextToken).toBeDefined();
  });

  test("deleting the last tag deletes the image, deleting by digest deletes its tags", async () => {
    const ecr = await registry();
    await put(ecr, "one", "v1");
    await put(ecr, "one", "v2");
    await put(ecr, "two", "v3");
    await ecr.send(
      new BatchDeleteImageCommand({
        repositoryName,
        imageIds: [{ imageTag: "v1" }, { imageDigest: sha256(manifestOf("two")) }],
      }),
    );
    expect(await tagsByDigest(ecr)).toEqual({ [sha256(manifestOf("one"))]: ["v2"] });
    const { failures } = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "v2" }, { imageTag: "v3" }] }),
    );
    expect(await tagsByDigest(ecr)).toEqual({});
    expect(failures).toMatchObject([{ failureCode: "ImageNotFound" }]);
  });

  test("an archived image exists but cannot be pulled until it was restored", async () => {
    const clock = createSteppedClock();
    const ecr = await registry(openAccount({ clock }));
    await put(ecr, "one", "v1");
    const imageId = { imageTag: "v1" };
    await ecr.send(new UpdateImageStorageClassCommand({ repositoryName, imageId, targetStorageClass: "ARCHIVE" }));
    const archived = await ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [imageId] }));
    expect(archived.imageDetails).toMatchObject([{ imageStatus: "ARCHIVED" }]);
    expect((await ecr.send(new DescribeImagesCommand({ repositoryName }))).imageDetails).toEqual([]);
    expect((await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [imageId] }))).failures).toMatchObject([
      { failureCode: "ImageInaccessible" },
    ]);
    const { imageStatus } = await ecr.send(
      new UpdateImageStorageClassCommand({ repositoryName, imageId, targetStorageClass: "STANDARD" }),
    );
    expect(imageStatus).toBe("ACTIVATING");
    clock.advanceTo(clock.now() + 60_000);
    expect((await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [imageId] }))).images).toHaveLength(1);
  });
});

describe("scans", () => {
  test("a scan runs to completion without findings", async () => {
    const clock = createSteppedClock();
    const ecr = await registry(openAccount({ clock }));
    await put(ecr, "one", "v1");
    const imageId = { imageTag: "v1" };
    await ecr.send(new StartImageScanCommand({ repositoryName, imageId }));
    expect(await ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId }))).toMatchObject({
      imageScanStatus: { status: "IN_PROGRESS" },
    });
    clock.advanceTo(clock.now() + 10_000);
    expect(await ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId }))).toMatchObject({
      imageScanStatus: { status: "COMPLETE" },
      imageScanFindings: { findings: [] },
    });
  });

  test("the control plane sets what a scan found, counted by severity", async () => {
    const { config, edge } = await openHttpAccount();
    const ecr = await registry({ config } as TestAccount);
    await put(ecr, "one", "v1");
    const imageId = { imageTag: "v1" };
    const findings = [
      { name: "CVE-1", severity: "CRITICAL" },
      { name: "CVE-2", severity: "LOW" },
      { name: "CVE-3", severity: "LOW" },
    ];
    await fetch(`${edge.url}/_sandbox/scans`, {
      method: "PUT",
      body: JSON.stringify({ repositoryName, imageId, scan: { findings } }),
    });
    expect(await ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId }))).toMatchObject({
      imageScanStatus: { status: "COMPLETE" },
      imageScanFindings: { findingSeverityCounts: { CRITICAL: 1, LOW: 2 }, findings },
    });
  });
});

describe("what a task pulls", () => {
  test("by tag or by digest, with or without the registry's host, through an index, but never an archived image", async () => {
    const clock = createSteppedClock();
    const service = createEcr({ clock, account: "111122223333", region: "eu-central-1" });
    const ecr = await registry(openAccount({ clock, services: [service] }));
    await put(ecr, "one", "v1");
    const digest = sha256(manifestOf("one"));
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ digest }],
    });
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest: index, imageTag: "multi" }));
    const host = "111122223333.dkr.ecr.eu-central-1.amazonaws.com";
    expect(service.resolveImage(`${host}/shop/api:v1`)).toMatchObject({
      digest,
      annotations: { "sandbox.folder": "/images/one" },
    });
    expect(service.resolveImage(`${host}/shop/api@${digest}`)?.digest).toBe(digest);
    expect(service.resolveImage(`shop/api:v1@${digest}`)?.digest).toBe(digest);
    expect(service.resolveImage("shop/api:multi")).toMatchObject({
      digest: sha256(index),
      annotations: { "sandbox.folder": "/images/one" },
    });
    expect(service.resolveImage("shop/api")).toBeUndefined();
    expect(service.resolveImage(`${host.replace("1111", "9999")}/shop/api:v1`)).toBeUndefined();
    await ecr.send(
      new UpdateImageStorageClassCommand({
        repositoryName,
        imageId: { imageTag: "v1" },
        targetStorageClass: "ARCHIVE",
      }),
    );
    expect(service.resolveImage("shop/api:v1")).toBeUndefined();
  });
});
