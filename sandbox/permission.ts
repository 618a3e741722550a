// What IAM calls a request: its action and the ARN of the resource it touches.
// https://docs.aws.amazon.com/service-authorization/latest/reference/

import type { Caller, SandboxRequest, Service } from "./api.ts";

export interface Permission {
  readonly action: string;
  readonly resource: string;
}

type Input = Readonly<Record<string, unknown>>;

const PREFIX: Readonly<Record<Service["name"], string>> = {
  ecs: "ecs",
  ecr: "ecr",
  logs: "logs",
  sts: "sts",
  s3: "s3",
  cloudfront: "cloudfront",
  autoscaling: "application-autoscaling",
  cloudwatch: "cloudwatch",
};

/** S3 operations whose IAM action has another name. */
const S3_ACTIONS: Readonly<Record<string, string>> = {
  ListObjectsV2: "ListBucket",
  ListObjects: "ListBucket",
  HeadBucket: "ListBucket",
  HeadObject: "GetObject",
  CopyObject: "PutObject",
  CreateMultipartUpload: "PutObject",
  UploadPart: "PutObject",
  UploadPartCopy: "PutObject",
  CompleteMultipartUpload: "PutObject",
  DeleteObjects: "DeleteObject",
  ListParts: "ListMultipartUploadParts",
  ListMultipartUploads: "ListBucketMultipartUploads",
  ListBuckets: "ListAllMyBuckets",
};

export function permission(
  service: Service["name"],
  operation: string,
  request: SandboxRequest,
  input: Input,
  caller: Caller,
): Permission {
  const name = service === "s3" ? (S3_ACTIONS[operation] ?? operation) : operation;
  return { action: `${PREFIX[service]}:${name}`, resource: resource(service, request, input, caller) };
}

function resource(service: Service["name"], request: SandboxRequest, input: Input, caller: Caller): string {
  const at = `${caller.region}:${caller.account}`;
  switch (service) {
    case "ecs":
      return ecsResource(input, at);
    case "ecr":
      return `arn:aws:ecr:${at}:repository/${text(input["repositoryName"], "*")}`;
    case "logs":
      return `arn:aws:logs:${at}:log-group:${text(input["logGroupName"])}:log-stream:${text(input["logStreamName"])}`;
    case "sts":
      return text(input["RoleArn"], "*");
    case "s3":
      return s3Resource(request);
    case "cloudfront": {
      const id = /\/distribution\/([^/?]+)/.exec(request.path)?.[1];
      return id === undefined ? "*" : `arn:aws:cloudfront::${caller.account}:distribution/${id}`;
    }
    default:
      return "*";
  }
}

/** The first member that names something, in the order in which ECS actions are scoped. */
function ecsResource(input: Input, at: string): string {
  const cluster = last(text(input["cluster"], "default"));
  const [service] = [input["service"], input["serviceName"], first(input["services"])].filter(isText);
  const [task] = [input["task"], first(input["tasks"])].filter(isText);
  const [deployment] = [input["serviceDeploymentArn"], first(input["serviceDeploymentArns"])].filter(isText);
  if (isText(input["resourceArn"])) return input["resourceArn"];
  if (deployment !== undefined) return deployment;
  if (service !== undefined) return `arn:aws:ecs:${at}:service/${cluster}/${last(service)}`;
  if (task !== undefined) return `arn:aws:ecs:${at}:task/${cluster}/${last(task)}`;
  if (isText(input["taskDefinition"])) return `arn:aws:ecs:${at}:task-definition/${last(input["taskDefinition"])}`;
  if (isText(input["family"])) return `arn:aws:ecs:${at}:task-definition/${input["family"]}:*`;
  if (isText(input["cluster"]) || isText(input["clusterName"]))
    return `arn:aws:ecs:${at}:cluster/${last(text(input["cluster"] ?? input["clusterName"]))}`;
  return "*";
}

function s3Resource(request: SandboxRequest): string {
  const path = request.path.replace(/^\//, "").replace(/\/$/, "");
  try {
    return path === "" ? "*" : `arn:aws:s3:::${decodeURIComponent(path)}`;
  } catch {
    return `arn:aws:s3:::${path}`; // A path that is no valid percent-encoding is named as it came.
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function text(value: unknown, otherwise = ""): string {
  return isText(value) ? value : otherwise;
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

/** The short name behind an ARN or a path. */
function last(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
