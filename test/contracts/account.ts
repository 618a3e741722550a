// One AWS account under contract: the real SDK clients on one endpoint, and names that no other row uses.
import { CloudFrontClient } from "@aws-sdk/client-cloudfront";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ECRClient } from "@aws-sdk/client-ecr";
import { type AwsVpcConfiguration, ECSClient } from "@aws-sdk/client-ecs";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";

export const REGION = "eu-west-1";

export interface Account {
  readonly s3: S3Client;
  readonly ecr: ECRClient;
  readonly ecs: ECSClient;
  readonly cloudfront: CloudFrontClient;
  readonly logs: CloudWatchLogsClient;
  readonly sts: STSClient;
  /** An STS client with other credentials, such as those of an assumed role. */
  stsAs(credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    sessionToken: string;
  }): STSClient;
  /** Where a task on Fargate may run. */
  network(): Promise<AwsVpcConfiguration>;
  /** `bucket-7`: another name on each call. */
  readonly fresh: (kind: string) => string;
}

/** `subnet` as the sandbox takes any; a first one of the account's own as moto wants it. */
export type Subnet = (endpoint: string) => Promise<string>;

/** One attempt per call, so that one command is one request. */
export function openClients(endpoint: string, subnet: Subnet): Account {
  const config = { region: REGION, endpoint, credentials: SANDBOX_CREDENTIALS, maxAttempts: 1 };
  let names = 0;
  return {
    s3: new S3Client({ ...config, forcePathStyle: true }),
    ecr: new ECRClient(config),
    ecs: new ECSClient(config),
    cloudfront: new CloudFrontClient(config),
    logs: new CloudWatchLogsClient(config),
    sts: new STSClient(config),
    stsAs: (credentials) => new STSClient({ ...config, credentials }),
    async network() {
      return { subnets: [await subnet(endpoint)], securityGroups: ["sg-0a1b2c3d"] };
    },
    fresh(kind) {
      names += 1;
      return `${kind}-${names}`;
    },
  };
}

/** `412 PreconditionFailed`: status and code of the error a call ends with, or "no error". */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return `${$metadata?.httpStatusCode ?? "-"} ${name}`;
  }
  return "no error";
}

/** What a row relies on being there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the answer lacks what the contract needs");
  return value;
}
