// CloudFront: invalidations by reference, and distributions by ETag.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
import {
  CreateDistributionCommand,
  CreateInvalidationCommand,
  type DistributionConfig,
  GetDistributionConfigCommand,
  GetDistributionCommand,
  GetInvalidationCommand,
  ListDistributionsCommand,
  UpdateDistributionCommand,
} from "@aws-sdk/client-cloudfront";
import { distributionConfig } from "../../sandbox/cloudfront/support.ts";
import { type Account, failure, present } from "../account.ts";
import type { Contract } from "../contract.ts";

async function distribution(account: Account, more: Partial<DistributionConfig> = {}): Promise<string> {
  const config = distributionConfig({ CallerReference: account.fresh("distribution"), ...more });
  const { Distribution } = await account.cloudfront.send(new CreateDistributionCommand({ DistributionConfig: config }));
  return present(Distribution?.Id);
}

async function invalidate(account: Account, id: string, reference: string, ...paths: readonly string[]) {
  const Paths = { Quantity: paths.length, Items: [...paths] };
  const InvalidationBatch = { CallerReference: reference, Paths };
  const command = new CreateInvalidationCommand({ DistributionId: id, InvalidationBatch });
  return present((await account.cloudfront.send(command)).Invalidation);
}

export const CLOUDFRONT: readonly Contract[] = [
  {
    name: "CreateInvalidation with the same reference and paths answers the one there is",
    async observe(account) {
      const id = await distribution(account);
      const first = await invalidate(account, id, "release-1", "/index.html");
      return (await invalidate(account, id, "release-1", "/index.html")).Id === present(first.Id);
    },
    promised: true,
    moto: {
      says: false,
      evidence:
        '"If the CallerReference is a value that you already sent … CloudFront doesn’t create a new invalidation request" (API_InvalidationBatch); moto never reads it.',
    },
  },
  {
    name: "CreateInvalidation with the same reference and other paths is refused",
    async observe(account) {
      const id = await distribution(account);
      await invalidate(account, id, "release-1", "/index.html");
      return failure(invalidate(account, id, "release-1", "/other.html"));
    },
    promised: "400 InvalidationBatchAlreadyExists",
    moto: {
      says: "no error",
      evidence: "InvalidationBatchAlreadyExists (API_InvalidationBatch); moto never reads CallerReference.",
    },
  },
  {
    name: "another reference is another invalidation",
    async observe(account) {
      const id = await distribution(account);
      const first = await invalidate(account, id, "release-1", "/index.html");
      return (await invalidate(account, id, "release-2", "/index.html")).Id === present(first.Id);
    },
    promised: false,
  },
  {
    name: "an invalidation is InProgress when it was just created",
    async observe(account) {
      return (await invalidate(account, await distribution(account), "release-1", "/*")).Status;
    },
    promised: "InProgress",
    moto: {
      says: "COMPLETED",
      evidence:
        "Status is InProgress, then Completed (API_Invalidation); moto says COMPLETED at once and in capitals, which no waiter takes.",
    },
  },
  {
    name: "an invalidation keeps its reference and its paths",
    async observe(account) {
      const DistributionId = await distribution(account);
      const { Id } = await invalidate(account, DistributionId, "release-1", "/a", "/b/*");
      const { Invalidation } = await account.cloudfront.send(
        new GetInvalidationCommand({ DistributionId, Id: present(Id) }),
      );
      const { CallerReference, Paths } = present(Invalidation?.InvalidationBatch);
      return [CallerReference, Paths?.Items?.toSorted()];
    },
    promised: ["release-1", ["/a", "/b/*"]],
  },
  {
    name: "a missing distribution is NoSuchDistribution, a missing invalidation NoSuchInvalidation",
    async observe(account) {
      const DistributionId = await distribution(account);
      return [
        await failure(account.cloudfront.send(new GetDistributionCommand({ Id: "E00000000000AA" }))),
        await failure(invalidate(account, "E00000000000AA", "release-1", "/*")),
        await failure(account.cloudfront.send(new GetInvalidationCommand({ DistributionId, Id: "I00000000000AA" }))),
      ];
    },
    promised: ["404 NoSuchDistribution", "404 NoSuchDistribution", "404 NoSuchInvalidation"],
  },
  {
    name: "a distribution is found by its alias in the list",
    async observe(account) {
      const alias = `${account.fresh("alias")}.acme.dev`;
      const id = await distribution(account, { Aliases: { Quantity: 1, Items: [alias] } });
      const { DistributionList } = await account.cloudfront.send(new ListDistributionsCommand({}));
      const found = DistributionList?.Items?.filter(({ Aliases }) => Aliases?.Items?.includes(alias) === true);
      return found?.length === 1 && found[0]?.Id === id;
    },
    promised: true,
  },
  {
    name: "a used reference of another distribution is DistributionAlreadyExists",
    async observe(account) {
      const CallerReference = account.fresh("distribution");
      await distribution(account, { CallerReference });
      return failure(distribution(account, { CallerReference, Comment: "another" }));
    },
    promised: "409 DistributionAlreadyExists",
  },
  {
    name: "UpdateDistribution with an ETag that is not the present one is refused with 412",
    async observe(account) {
      const Id = await distribution(account);
      const { DistributionConfig } = await account.cloudfront.send(new GetDistributionConfigCommand({ Id }));
      const changed = { ...present(DistributionConfig), Comment: "changed" };
      const update = new UpdateDistributionCommand({ Id, IfMatch: "E00000000000AA", DistributionConfig: changed });
      return failure(account.cloudfront.send(update));
    },
    promised: "412 PreconditionFailed",
    moto: {
      says: "no error",
      evidence: "PreconditionFailed (API_UpdateDistribution); moto takes any If-Match (moto/cloudfront/models.py).",
    },
  },
];
