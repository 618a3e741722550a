import {
  CreateDistributionCommand,
  CreateDistributionWithTagsCommand,
  GetDistributionCommand,
} from "@aws-sdk/client-cloudfront";
import {
  GetDistributionConfigCommand,
  ListDistributionsCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-cloudfront";
import { ListFunctionsCommand, UpdateDistributionCommand, type DistributionConfig } from "@aws-sdk/client-cloudfront";
import { describe, expect, it } from "vitest";
import { failure } from "../s3/support.ts";
import { createSite, distributionConfig, start, type Site } from "./support.ts";

const create = (site: Site, changes: Partial<DistributionConfig>) =>
  site.cloudfront.send(new CreateDistributionCommand({ DistributionConfig: distributionConfig(changes) }));

describe("distributions", () => {
  it.each<[string, Partial<DistributionConfig>, string]>([
    ["a caller reference used before", {}, "409 DistributionAlreadyExists"],
    [
      "a quantity that is not the number of items",
      { Aliases: { Quantity: 2, Items: ["a"] } },
      "400 InconsistentQuantities",
    ],
    [
      "a behaviour of an unknown origin",
      { DefaultCacheBehavior: { TargetOriginId: "none", ViewerProtocolPolicy: "allow-all" } },
      "404 NoSuchOrigin",
    ],
    [
      "an unknown cache policy",
      { DefaultCacheBehavior: { TargetOriginId: "bucket", ViewerProtocolPolicy: "allow-all", CachePolicyId: "x" } },
      "404 NoSuchCachePolicy",
    ],
    ["a root object with a slash", { CallerReference: "new", DefaultRootObject: "/x" }, "400 InvalidArgument"],
    [
      "an alias another distribution has",
      { CallerReference: "new", Aliases: { Quantity: 1, Items: ["shop.example"] } },
      "409 CNAMEAlreadyExists",
    ],
  ])("refuses %s", async (_, changes, expected) => {
    const site = await createSite({ Aliases: { Quantity: 1, Items: ["shop.example"] } });
    expect(await failure(create(site, changes))).toBe(expected);
  });

  it("hides the distributions of other accounts", async () => {
    const site = await createSite();
    const stranger = site.client({ account: "222222222222" });
    expect(await failure(stranger.send(new GetDistributionCommand({ Id: site.id })))).toBe("404 NoSuchDistribution");
    expect((await stranger.send(new ListDistributionsCommand({}))).DistributionList?.Quantity).toBe(0);
  });

  it("says so when an operation is not imitated", async () => {
    const site = await createSite();
    expect(await failure(site.cloudfront.send(new ListFunctionsCommand({})))).toBe("501 NotImplemented");
  });

  it("is InProgress until it is deployed", async () => {
    const site = await createSite({}, { deploymentDelayMs: 30_000 });
    const status = async () => {
      const { Distribution } = await site.cloudfront.send(new GetDistributionCommand({ Id: site.id }));
      return Distribution?.Status;
    };
    expect(await status()).toBe("InProgress");
    site.pass(30);
    expect(await status()).toBe("Deployed");
  });

  it("gives back the configuration with CloudFront's defaults", async () => {
    const responses = [
      { ErrorCode: 404, ResponsePagePath: "/index.html", ResponseCode: "200", ErrorCachingMinTTL: 5 },
      { ErrorCode: 403 },
    ];
    const site = await createSite({
      Comment: "shop <&> über",
      Aliases: { Quantity: 1, Items: ["shop.example"] },
      CustomErrorResponses: { Quantity: 2, Items: responses },
    });
    const { Distribution, ETag } = await site.cloudfront.send(new GetDistributionCommand({ Id: site.id }));
    expect(ETag).toMatch(/^E[A-Z0-9]{13}$/);
    expect(Distribution).toMatchObject({
      Id: site.id,
      ARN: `arn:aws:cloudfront::111111111111:distribution/${site.id}`,
      LastModifiedTime: new Date(start),
      InProgressInvalidationBatches: 0,
      DistributionConfig: {
        Comment: "shop <&> über",
        Aliases: { Quantity: 1, Items: ["shop.example"] },
        HttpVersion: "http2",
        IsIPV6Enabled: true,
        CustomErrorResponses: { Quantity: 2, Items: [{ ErrorCode: 403 }, responses[0]] },
        Origins: { Quantity: 1, Items: [{ Id: "bucket", OriginPath: "", ConnectionAttempts: 3 }] },
        DefaultCacheBehavior: { DefaultTTL: 86_400, AllowedMethods: { Quantity: 2, Items: ["HEAD", "GET"] } },
      },
    });
  });

  it("survives reading, changing and writing the whole configuration", async () => {
    const site = await createSite();
    const before = await site.cloudfront.send(new GetDistributionConfigCommand({ Id: site.id }));
    const config: DistributionConfig = { ...distributionConfig(), ...before.DistributionConfig, Comment: "changed" };
    const input = { Id: site.id, IfMatch: before.ETag, DistributionConfig: config };
    const updated = await site.cloudfront.send(new UpdateDistributionCommand(input));
    expect(updated.ETag).not.toBe(before.ETag);
    const after = await site.cloudfront.send(new GetDistributionConfigCommand({ Id: site.id }));
    expect(after.ETag).toBe(updated.ETag);
    expect(after.DistributionConfig).toEqual({ ...before.DistributionConfig, Comment: "changed" });
  });

  it("refuses an update without, or with a stale, ETag, and a changed caller reference", async () => {
    const site = await createSite();
    const update = (IfMatch: string | undefined, changes: Partial<DistributionConfig> = {}) =>
      site.cloudfront.send(
        new UpdateDistributionCommand({ Id: site.id, IfMatch, DistributionConfig: distributionConfig(changes) }),
      );
    const { ETag } = await site.cloudfront.send(new GetDistributionConfigCommand({ Id: site.id }));
    expect(await failure(update(undefined))).toBe("400 InvalidIfMatchVersion");
    expect(await failure(update("E0000000000000"))).toBe("412 PreconditionFailed");
    expect(await failure(update(ETag, { CallerReference: "other" }))).toBe("400 IllegalUpdate");
    expect(await failure(update(ETag))).toBe("no error");
    expect(await failure(update(ETag))).toBe("412 PreconditionFailed");
  });

  it("lists distributions page by page, with aliases and origins", async () => {
    const site = await createSite({ Aliases: { Quantity: 1, Items: ["one.example"] } });
    await create(site, { CallerReference: "two" });
    await create(site, { CallerReference: "three" });
    const ids: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const { DistributionList } = await site.cloudfront.send(new ListDistributionsCommand({ Marker, MaxItems: 2 }));
      ids.push(...(DistributionList?.Items ?? []).map(({ Id }) => Id));
      expect(DistributionList?.IsTruncated).toBe(DistributionList?.NextMarker !== undefined);
      Marker = DistributionList?.NextMarker;
    } while (Marker !== undefined);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
    const { DistributionList } = await site.cloudfront.send(new ListDistributionsCommand({}));
    expect(DistributionList?.Items?.[0]).toMatchObject({
      Aliases: { Items: ["one.example"] },
      Origins: { Items: [{ DomainName: "web.s3.us-east-1.amazonaws.com" }] },
      Status: "InProgress",
    });
    const unknown = site.cloudfront.send(new ListDistributionsCommand({ Marker: "E0" }));
    expect(await failure(unknown)).toBe("400 InvalidArgument");
  });

  it("keeps the tags it was created with, and shows aliases at its endpoint", async () => {
    const site = await createSite();
    const Tags = { Items: [{ Key: "team", Value: "web" }] };
    const config = distributionConfig({ CallerReference: "tagged", Aliases: { Quantity: 1, Items: ["a.example"] } });
    const command = new CreateDistributionWithTagsCommand({
      DistributionConfigWithTags: { DistributionConfig: config, Tags },
    });
    const { Distribution } = await site.cloudfront.send(command);
    const tags = await site.cloudfront.send(new ListTagsForResourceCommand({ Resource: Distribution?.ARN }));
    expect(tags.Tags).toEqual(Tags);
    const endpoint = site.service.publicEndpoints().find(({ name }) => name === Distribution?.Id);
    expect(endpoint).toMatchObject({ kind: "distribution", aliases: ["a.example"] });
  });
});
