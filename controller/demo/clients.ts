// SDK clients of the demo's own: what people, CI and the checks call, beside the controller's.
import { CloudFront } from "@aws-sdk/client-cloudfront";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { ECR } from "@aws-sdk/client-ecr";
import { ECS } from "@aws-sdk/client-ecs";
import { S3 } from "@aws-sdk/client-s3";
import { STS } from "@aws-sdk/client-sts";
import type { Account } from "./account.ts";

export interface Clients {
  readonly ecs: ECS;
  readonly ecr: ECR;
  readonly s3: S3;
  readonly cloudfront: CloudFront;
  readonly logs: CloudWatchLogs;
  readonly sts: STS;
  close(): void;
}

/** A faulty account must show at once, so nothing is tried for long. */
const ATTEMPTS_MAX = 2;

export function createClients({ endpoint, region, credentials }: Account): Clients {
  const config = { endpoint, region, credentials, maxAttempts: ATTEMPTS_MAX };
  const clients = {
    ecs: new ECS(config),
    ecr: new ECR(config),
    s3: new S3({ ...config, forcePathStyle: true }),
    cloudfront: new CloudFront(config),
    logs: new CloudWatchLogs(config),
    sts: new STS(config),
  };
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
