// The published token buckets per account, region and class of action.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html (PutImage, BatchGetImage)

import type { Caller, SandboxClock, Service } from "./api.ts";
import { throttled } from "./failures.ts";

interface Bucket {
  readonly name: string;
  readonly burst: number;
  readonly perSecond: number;
  readonly operations: readonly string[];
}

/** Services and actions that publish no bucket (S3, CloudFront, most of ECR) are never throttled here. */
const BUCKETS: Readonly<Partial<Record<Service["name"], readonly Bucket[]>>> = {
  ecs: [
    {
      name: "task-definition-modify",
      burst: 20,
      perSecond: 1,
      operations: ["RegisterTaskDefinition", "DeregisterTaskDefinition"],
    },
    {
      name: "task-definition-read",
      burst: 50,
      perSecond: 20,
      operations: ["DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"],
    },
    { name: "task-definition-delete", burst: 5, perSecond: 1, operations: ["DeleteTaskDefinitions"] },
    {
      name: "cluster-resource-modify",
      burst: 100,
      perSecond: 40,
      operations: ["RunTask", "StopTask", "StartTask", "ExecuteCommand"],
    },
    { name: "cluster-resource-read", burst: 100, perSecond: 20, operations: ["DescribeTasks", "ListTasks"] },
    {
      name: "service-modify",
      burst: 50,
      perSecond: 5,
      operations: ["CreateService", "UpdateService", "DeleteService"],
    },
    { name: "service-read", burst: 100, perSecond: 20, operations: ["DescribeServices", "ListServices"] },
    {
      name: "service-deployment",
      burst: 50,
      perSecond: 20,
      operations: ["DescribeServiceDeployments", "ListServiceDeployments"],
    },
    { name: "service-revision", burst: 50, perSecond: 20, operations: ["DescribeServiceRevisions"] },
    { name: "tag-modify", burst: 20, perSecond: 10, operations: ["TagResource", "UntagResource"] },
    { name: "tag-read", burst: 50, perSecond: 20, operations: ["ListTagsForResource"] },
    { name: "cluster-read", burst: 50, perSecond: 20, operations: ["DescribeClusters", "ListClusters"] },
    {
      name: "cluster-modify",
      burst: 20,
      perSecond: 1,
      operations: ["CreateCluster", "DeleteCluster", "UpdateCluster"],
    },
  ],
  ecr: [
    { name: "put-image", burst: 10, perSecond: 10, operations: ["PutImage"] },
    { name: "batch-get-image", burst: 2000, perSecond: 2000, operations: ["BatchGetImage"] },
  ],
};

export interface Throttling {
  /** Takes a token. Fault: the service's own throttling error when the bucket is empty. */
  take(service: Service["name"], operation: string, caller: Caller): void;
}

export function createThrottling(clock: SandboxClock): Throttling {
  const levels = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(service, operation, caller) {
      const bucket = BUCKETS[service]?.find((candidate) => candidate.operations.includes(operation));
      if (bucket === undefined) return;
      const key = `${caller.account}/${caller.region}/${service}/${bucket.name}`;
      const nowMs = clock.now();
      const level = levels.get(key) ?? { tokens: bucket.burst, atMs: nowMs };
      level.tokens = Math.min(bucket.burst, level.tokens + ((nowMs - level.atMs) / 1000) * bucket.perSecond);
      level.atMs = nowMs;
      levels.set(key, level);
      if (level.tokens < 1) throw throttled(service);
      level.tokens -= 1;
    },
  };
}
