// Real SDK clients on services of the sandbox, without a socket and without the gateway: the service alone is under test.
import { CloudFrontClient } from "@aws-sdk/client-cloudfront";
import { S3Client } from "@aws-sdk/client-s3";
import {
  AwsError,
  type Caller,
  type SandboxRequest,
  type SandboxResponse,
  type Service,
} from "../../../sandbox/api.ts";
import { createSteppedClock, type SteppedClock } from "../../../sandbox/clock.ts";
import { createRequestHandler } from "../../../sandbox/handler.ts";
import { createS3, type S3Dependencies } from "../../../sandbox/s3/service.ts";

/** 2026-03-01T12:00:00Z: a whole second, so that times read back equal times written. */
export const start = Date.UTC(2026, 2, 1, 12);

export interface ClientOptions {
  /** Used as the access key, from which the account is read. */
  readonly account?: string;
  readonly region?: string;
}

export interface S3Bench {
  readonly clock: SteppedClock;
  readonly service: ReturnType<typeof createS3>;
  readonly s3: S3Client;
  client(options: ClientOptions): S3Client;
}

/** An S3 with one bucket, `web`, in us-east-1. */
export function createS3Bench(dependencies: Partial<S3Dependencies> = {}): S3Bench {
  const clock = createSteppedClock(start);
  const service = createS3({ clock, ...dependencies });
  const client = (options: ClientOptions): S3Client => {
    return new S3Client({ ...settings(service, options), forcePathStyle: true });
  };
  const put: SandboxRequest = {
    method: "PUT",
    path: "/web",
    query: new URLSearchParams(),
    headers: {},
    body: new Uint8Array(),
  };
  void service.handle("CreateBucket", put, callerOf({}, "111111111111", "us-east-1"));
  return { clock, service, client, s3: client({}) };
}

export function createCloudFrontClient(service: Service, options: ClientOptions = {}): CloudFrontClient {
  return new CloudFrontClient(settings(service, options));
}

function settings(service: Service, { account = "111111111111", region = "us-east-1" }: ClientOptions) {
  return {
    region,
    endpoint: "http://127.0.0.1:1",
    maxAttempts: 1,
    credentials: { accessKeyId: account, secretAccessKey: "secret" },
    requestHandler: createRequestHandler((request) => answer(service, request)),
  };
}

async function answer(service: Service, request: SandboxRequest): Promise<SandboxResponse> {
  const operation = service.operation(request);
  if (operation === undefined) throw new Error(`${service.name} does not know ${request.method} ${request.path}`);
  try {
    return await service.handle(operation, request, callerOf(request.headers));
  } catch (error) {
    if (error instanceof AwsError) return service.fail(error, "request-1");
    throw error;
  }
}

function callerOf(headers: Readonly<Record<string, string>>, ...otherwise: readonly string[]): Caller {
  const scope = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(headers["authorization"] ?? "");
  const [account = "", region = ""] = scope?.slice(1) ?? otherwise;
  return { account, region, arn: `arn:aws:iam::${account}:user/test`, userAgent: "test" };
}

/** Name and status of the error an SDK call ends with. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return `${$metadata?.httpStatusCode ?? "-"} ${name}`;
  }
  return "no error";
}
