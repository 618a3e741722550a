import { expect, test } from "vitest";
import type { Caller, SandboxRequest, Service } from "../../sandbox/api.ts";
import { permission } from "../../sandbox/permission.ts";

const caller: Caller = {
  account: "111122223333",
  region: "eu-west-1",
  arn: "arn:aws:iam::111122223333:user/sandbox",
  userAgent: "",
};
const at = "eu-west-1:111122223333";
const cluster = `arn:aws:ecs:${at}:cluster/dev`;

const requestTo = (path: string): SandboxRequest => ({
  method: "GET",
  path,
  query: new URLSearchParams(),
  headers: {},
  body: new Uint8Array(),
});

test.each<[Service["name"], string, Record<string, unknown>, string, string]>([
  [
    "ecs",
    "UpdateService",
    { cluster: "dev", service: "api" },
    "ecs:UpdateService",
    `arn:aws:ecs:${at}:service/dev/api`,
  ],
  [
    "ecs",
    "UpdateService",
    { cluster, service: `arn:aws:ecs:${at}:service/dev/api` },
    "ecs:UpdateService",
    `arn:aws:ecs:${at}:service/dev/api`,
  ],
  ["ecs", "DescribeServices", { services: ["api"] }, "ecs:DescribeServices", `arn:aws:ecs:${at}:service/default/api`],
  [
    "ecs",
    "RunTask",
    { cluster: "dev", taskDefinition: "shop-api:3" },
    "ecs:RunTask",
    `arn:aws:ecs:${at}:task-definition/shop-api:3`,
  ],
  [
    "ecs",
    "RegisterTaskDefinition",
    { family: "shop-api" },
    "ecs:RegisterTaskDefinition",
    `arn:aws:ecs:${at}:task-definition/shop-api:*`,
  ],
  ["ecs", "DescribeTasks", { cluster: "dev", tasks: ["abc"] }, "ecs:DescribeTasks", `arn:aws:ecs:${at}:task/dev/abc`],
  ["ecs", "ListServices", { cluster: "dev" }, "ecs:ListServices", cluster],
  ["ecs", "DescribeTaskDefinition", {}, "ecs:DescribeTaskDefinition", "*"],
  [
    "ecr",
    "DescribeImages",
    { repositoryName: "shop/api" },
    "ecr:DescribeImages",
    `arn:aws:ecr:${at}:repository/shop/api`,
  ],
  ["sts", "AssumeRole", { RoleArn: "arn:aws:iam::1:role/deploy" }, "sts:AssumeRole", "arn:aws:iam::1:role/deploy"],
])("%s %s %j needs %s on %s", (service, operation, input, action, resource) => {
  expect(permission(service, operation, requestTo("/"), input, caller)).toEqual({ action, resource });
});

test.each<[Service["name"], string, string, string, string]>([
  ["s3", "HeadObject", "/web/a%20b.html", "s3:GetObject", "arn:aws:s3:::web/a b.html"],
  ["s3", "CopyObject", "/web/index.html", "s3:PutObject", "arn:aws:s3:::web/index.html"],
  ["s3", "ListObjectsV2", "/web", "s3:ListBucket", "arn:aws:s3:::web"],
  ["s3", "GetObject", "/web/100%", "s3:GetObject", "arn:aws:s3:::web/100%"],
  ["s3", "ListBuckets", "/", "s3:ListAllMyBuckets", "*"],
  [
    "cloudfront",
    "CreateInvalidation",
    "/2020-05-31/distribution/E1/invalidation",
    "cloudfront:CreateInvalidation",
    "arn:aws:cloudfront::111122223333:distribution/E1",
  ],
  ["cloudfront", "ListDistributions", "/2020-05-31/distribution", "cloudfront:ListDistributions", "*"],
])("%s %s at %s needs %s on %s", (service, operation, path, action, resource) => {
  expect(permission(service, operation, requestTo(path), {}, caller)).toEqual({ action, resource });
});
