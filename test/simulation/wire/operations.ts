// The AWS operations that Lockstep may send, how a request names its own, and which environment it is about.
import type { SandboxRequest } from "../../../sandbox/api.ts";
import { isRecord } from "../../../sandbox/wire.ts";
import { nameOperation } from "../../../sandbox/s3/request.ts";

export const AWS_READS = [
  "ecs:DescribeServices",
  "ecs:DescribeTaskDefinition",
  "ecs:ListServiceDeployments",
  "ecs:DescribeServiceRevisions",
  "ecs:DescribeTasks",
  "ecs:ListTasks",
  "ecr:DescribeImages",
  "ecr:ListImages",
  "logs:GetLogEvents",
  "s3:GetObject",
  "s3:HeadObject",
  "s3:ListObjectsV2",
  "cloudfront:ListDistributions",
  "cloudfront:GetInvalidation",
  "autoscaling:DescribeScalableTargets",
] as const;
export const AWS_WRITES = [
  "ecs:RegisterTaskDefinition",
  "ecs:UpdateService",
  "ecs:RunTask",
  "ecs:StopTask",
  "s3:PutObject",
  "s3:CopyObject",
  "s3:DeleteObjects",
  "cloudfront:CreateInvalidation",
] as const;
export type AwsWrite = (typeof AWS_WRITES)[number];
export type AwsOperation = AwsWrite | (typeof AWS_READS)[number];

const KNOWN: ReadonlySet<string> = new Set([...AWS_READS, ...AWS_WRITES]);
const WRITING: ReadonlySet<string> = new Set(AWS_WRITES);

export function isAwsWrite(name: string): name is AwsWrite {
  return WRITING.has(name);
}

export function isKnown(name: string): name is AwsOperation {
  return KNOWN.has(name);
}

const SERVICES: Readonly<Record<string, string>> = {
  AmazonEC2ContainerServiceV20141113: "ecs",
  AmazonEC2ContainerRegistry_V20150921: "ecr",
  Logs_20140328: "logs",
  AnyScaleFrontendService: "autoscaling",
};

/** `ecs:UpdateService`; what is not in the list above comes as it is, and is a violation. */
export function operationOf(request: SandboxRequest): string {
  const [family = "", operation = ""] = (request.headers["x-amz-target"] ?? "").split(".");
  if (family !== "") return `${SERVICES[family] ?? family}:${operation}`;
  const { method, path } = request;
  if (!path.startsWith("/2020-05-31/")) return `s3:${nameOperation(request) ?? `${method} ${path}`}`;
  const [, , , id, child, childId] = path.split("/");
  if (method === "GET" && id === undefined) return "cloudfront:ListDistributions";
  if (child !== "invalidation") return `cloudfront:${method} ${path}`;
  if (method === "POST") return "cloudfront:CreateInvalidation";
  return childId === undefined ? "cloudfront:ListInvalidations" : "cloudfront:GetInvalidation";
}

/** Members of a JSON request; none for the others. */
export function membersOf(request: SandboxRequest): Readonly<Record<string, unknown>> {
  if (request.headers["x-amz-target"] === undefined) return {};
  const value: unknown = JSON.parse(Buffer.from(request.body).toString("utf8") || "{}");
  return isRecord(value) ? value : {};
}

/** The environment that a write is about: by cluster, family, bucket or distribution. */
export function environmentOf(request: SandboxRequest, distributions: ReadonlyMap<string, string>): string | undefined {
  const { cluster, family } = membersOf(request);
  if (typeof cluster === "string") return cluster;
  if (typeof family === "string") return /^lockstep-shop-(\w+)-/.exec(family)?.[1];
  if (request.path.startsWith("/2020-05-31/")) return distributions.get(request.path.split("/")[3] ?? "");
  return /^\/shop-web-(\w+)/.exec(request.path)?.[1];
}
