// What IAM asks of a call in the sandbox's log: its own permission, and those that come with it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/
import type { Call } from "../../sandbox/calls.ts";
import { permission } from "../../sandbox/permission.ts";
import type { Asked } from "./policy.ts";

/** Actions that the service authorization reference gives no resource: policies can only say `*`. */
const WITHOUT_RESOURCE: ReadonlySet<string> = new Set([
  "ecs:DescribeTaskDefinition",
  "ecs:ListTasks",
  "application-autoscaling:DescribeScalableTargets",
  "cloudfront:ListDistributions",
]);

export function askedOf(call: Call): readonly Asked[] {
  const { service, operation, input, region = "", account = "", arn = "", userAgent } = call;
  const path = textOf(input["path"]);
  const request = { method: "POST", path, query: new URLSearchParams(), headers: {}, body: new Uint8Array() };
  const caller = { account, region, arn, userAgent };
  const own = permission(service as Parameters<typeof permission>[0], operation, request, input, caller);
  const resource = WITHOUT_RESOURCE.has(own.action) ? undefined : own.resource;
  const context = contextOf(call);
  return [...resourcesOf(call, resource).map((one) => ({ action: own.action, resource: one, context })), ...more(call)];
}

/** The log names one resource; some calls have several, or one that only their members tell. */
function resourcesOf({ operation, input }: Call, resource: string | undefined): readonly (string | undefined)[] {
  if (operation === "DescribeServiceRevisions") return texts(input["serviceRevisionArns"]);
  if (operation === "DescribeTasks") return texts(input["tasks"]);
  if (operation === "DeleteObjects") {
    const keys = [...textOf(input["body"]).matchAll(/<Key>([^<]*)</g)].map(([, key]) => key);
    return keys.map((key) => `${resource}/${key}`);
  }
  return [resource];
}

function contextOf({ input, region, account }: Call): Readonly<Record<string, string>> {
  const cluster = textOf(input["cluster"]);
  const name = cluster.slice(cluster.lastIndexOf("/") + 1);
  return {
    ...(cluster === "" ? {} : { "ecs:cluster": `arn:aws:ecs:${region}:${account}:cluster/${name}` }),
    ...(input["if-none-match"] === undefined ? {} : { "s3:if-none-match": textOf(input["if-none-match"]) }),
  };
}

/** Permissions that AWS asks for beside the call's own. */
function more({ operation, input, region, account, status }: Call): readonly Asked[] {
  if ((operation === "GetObject" || operation === "HeadObject") && status === 404) {
    // Without it S3 answers 403, and what is missing could not be told from what is forbidden (API_GetObject).
    const [bucket = ""] = textOf(input["path"]).replace(/^\//, "").split("/");
    return [{ action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}`, context: {} }];
  }
  if (operation === "CopyObject") {
    const source = decodeURIComponent(textOf(input["x-amz-copy-source"]));
    return [{ action: "s3:GetObject", resource: `arn:aws:s3:::${source}`, context: {} }];
  }
  if (operation !== "RegisterTaskDefinition") return [];
  const roles = [input["executionRoleArn"], input["taskRoleArn"]].map(textOf).filter((role) => role !== "");
  const passed = { "iam:PassedToService": "ecs-tasks.amazonaws.com" };
  const family = `arn:aws:ecs:${region}:${account}:task-definition/${textOf(input["family"])}:*`;
  const created = { "ecs:CreateAction": "RegisterTaskDefinition" };
  return [
    ...roles.map((resource) => ({ action: "iam:PassRole", resource, context: passed })),
    ...(input["tags"] === undefined ? [] : [{ action: "ecs:TagResource", resource: family, context: created }]),
  ];
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
