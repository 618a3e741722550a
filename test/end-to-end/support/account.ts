// An AWS account for end-to-end tests: the sandbox as a process of its own, seen through the real SDK clients.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudFrontClient } from "@aws-sdk/client-cloudfront";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { FaultOrder } from "../../../sandbox/fault-order.ts";
import type { EndpointUrls } from "../../../sandbox/http.ts";
import { SANDBOX_CREDENTIALS } from "../../../sandbox/identities.ts";
import { type Call, about, isOurs } from "./calls.ts";
import { type Child, plainEnvironment, startProgram, type Variables } from "./child.ts";
import { until } from "./until.ts";

export const REGION = "eu-west-1";
/** The bucket of web releases. */
export const ARTIFACTS = "acme-artifacts";
const SPEED = "20";

/** A call that the sandbox holds before or after its effect. */
export interface Held {
  /** Resolves as soon as the call is held. */
  reached(): Promise<void>;
  release(): Promise<void>;
}

export interface Account {
  readonly id: string;
  readonly ecs: ECSClient;
  readonly ecr: ECRClient;
  readonly s3: S3Client;
  readonly cloudfront: CloudFrontClient;
  readonly logs: CloudWatchLogsClient;
  /** A folder for repositories and journals, gone when the account is closed. */
  readonly folder: string;
  /** Endpoint, region, credentials and an empty home for a child. */
  readonly variables: Variables;
  /** Orders a fault, answers its id. */
  fault(order: FaultOrder): Promise<string>;
  hold(order: Omit<FaultOrder, "kind">, at: "before" | "after"): Promise<Held>;
  /** Takes every order back. */
  heal(): Promise<void>;
  /** Every call of the controller and its command line so far that mentions the text. */
  calls(text?: string): Promise<readonly Call[]>;
  /** Number of the last call so far: what came later has a higher sequence. */
  now(): Promise<number>;
  endpoints(): Promise<EndpointUrls>;
  /** Children started through it end with it. */
  start(program: string, args: readonly string[], env: Variables, cwd?: string): Child;
  close(): Promise<void>;
}

export async function openAccount(): Promise<Account> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-e2e-"));
  const children: Child[] = [];
  const start: Account["start"] = (program, args, env, cwd) => {
    const child = startProgram(program, args, env, cwd);
    children.push(child);
    return child;
  };
  const sandbox = start(
    "sandbox/main.ts",
    ["--port", "0", "--no-seed", "--speed", SPEED, "--region", REGION],
    plainEnvironment(folder),
  );
  const [line] = await sandbox.says(/^\{.*\}$/m);
  const { url, control, account: id } = JSON.parse(line) as { url: string; control: string; account: string };
  const config = { region: REGION, endpoint: url, credentials: SANDBOX_CREDENTIALS };
  const { accessKeyId, secretAccessKey } = SANDBOX_CREDENTIALS;
  const seen: Call[] = [];

  async function ask<Answer>(path: string, method = "GET", body?: unknown): Promise<Answer> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${control}${path}`, { method, ...content });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer as Answer;
  }

  async function catchUp(): Promise<readonly Call[]> {
    const { calls } = await ask<{ calls: Call[] }>(`/log?since=${seen.at(-1)?.sequence ?? 0}`);
    // Two callers at once ask for the same calls; each is kept once.
    for (const call of calls) if (call.sequence > (seen.at(-1)?.sequence ?? 0)) seen.push(call);
    return seen;
  }

  const fault = async (order: FaultOrder): Promise<string> => (await ask<{ id: string }>("/faults", "POST", order)).id;

  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const place = { CreateBucketConfiguration: { LocationConstraint: REGION } } as const;
  await s3.send(new CreateBucketCommand({ Bucket: ARTIFACTS, ...place }));

  return {
    id,
    folder,
    ecs: new ECSClient(config),
    ecr: new ECRClient(config),
    s3,
    cloudfront: new CloudFrontClient(config),
    logs: new CloudWatchLogsClient(config),
    variables: {
      ...plainEnvironment(folder),
      AWS_ENDPOINT_URL: url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    fault,
    async hold(order, at) {
      const held = await fault({ ...order, kind: at === "before" ? "pause-before" : "pause-after" });
      const isHeld = async (): Promise<true | undefined> => {
        const status = await ask<{ held: readonly { id: string }[] }>("/faults");
        return status.held.some((one) => one.id === held) ? true : undefined;
      };
      return {
        reached: async () => void (await until(`a held ${order.operation} ${JSON.stringify(order.match)}`, isHeld)),
        release: async () => void (await ask("/faults/release", "POST", { id: held })),
      };
    },
    heal: async () => void (await ask("/faults", "DELETE")),
    async calls(text = "") {
      return about((await catchUp()).filter(isOurs), text);
    },
    async now() {
      return (await catchUp()).at(-1)?.sequence ?? 0;
    },
    endpoints: () => ask<EndpointUrls>("/endpoints"),
    start,
    async close() {
      // Controllers first: what they still do needs the account.
      for (const child of children.toReversed()) {
        if (child.isRunning()) child.kill(child === sandbox ? "SIGTERM" : "SIGKILL");
        await child.ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
