// SDK clients, imported when first used: one per service, role, session and region, over one pool of connections.
import type { ApplicationAutoScaling } from "@aws-sdk/client-application-auto-scaling";
import type { CloudFront } from "@aws-sdk/client-cloudfront";
import type { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import type { ECR } from "@aws-sdk/client-ecr";
import type { ECS } from "@aws-sdk/client-ecs";
import type { S3 } from "@aws-sdk/client-s3";
import type { AwsCredentialIdentity, HttpHandlerOptions, RetryStrategyV2, StandardRetryToken } from "@smithy/types";
import type { Clock } from "../../ports.ts";

export interface Clients {
  readonly ecs: ECS;
  readonly ecr: ECR;
  readonly logs: CloudWatchLogs;
  readonly s3: S3;
  readonly cloudfront: CloudFront;
  readonly autoscaling: ApplicationAutoScaling;
}
export type ServiceId = keyof Clients;

/** What an SDK client takes as `requestHandler`: Node's, or the sandbox's in process. */
export interface RequestHandler {
  readonly metadata?: { readonly handlerProtocol: string };
  handle(request: never, options?: HttpHandlerOptions): Promise<{ response: unknown }>;
  destroy?(): void;
}

export interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly requestHandler: RequestHandler;
  readonly customUserAgent: readonly (readonly [string, string])[];
  /** Resolved anew for every call: we remember them ourselves, by our own Clock. */
  readonly credentials: () => Promise<AwsCredentialIdentity>;
}

/** Hears of the `Date` header of every answer, good or bad. */
export type HearDate = (date: string) => void;

/** Connections to one host at once; the SDK's 50 would queue a large web release. */
const SOCKETS_MAX = 200;
const CONNECT_MS = 5_000;

export async function createNodeHandler(): Promise<RequestHandler> {
  const { NodeHttpHandler } = await import("@smithy/node-http-handler");
  const agent = { keepAlive: true, maxSockets: SOCKETS_MAX };
  return new NodeHttpHandler({ connectionTimeout: CONNECT_MS, httpAgent: agent, httpsAgent: agent });
}

/** No second attempt inside the SDK: `read` retries on the Clock, a write is never sent twice without looking. */
const ONCE: RetryStrategyV2 = {
  acquireInitialRetryToken: () => Promise.resolve(token(0)),
  refreshRetryTokenForRetry: () => Promise.reject(new Error("not retried here")),
  recordSuccess: () => undefined,
};

/** For the STS client inside a credential provider, which nobody outside can retry call by call. */
export function createPatience(clock: Clock, attempts: number): RetryStrategyV2 {
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0)),
    async refreshRetryTokenForRetry(last, info) {
      const count = last.getRetryCount() + 1;
      if (count >= attempts || info.errorType === "CLIENT_ERROR") throw new Error("given up");
      await clock.sleep(200 * 2 ** count, new AbortController().signal);
      return token(count);
    },
    recordSuccess: () => undefined,
  };
}

function token(count: number): StandardRetryToken {
  return { getRetryCount: () => count, getRetryDelay: () => 0, getRetryCost: () => 0 };
}

type Config = Omit<ClientSettings, "requestHandler" | "customUserAgent"> & {
  readonly requestHandler: never;
  readonly customUserAgent: [string, string][];
  readonly retryStrategy: RetryStrategyV2;
  readonly maxAttempts: number;
};

type Create<Id extends ServiceId> = (config: Config) => Clients[Id];

const IMPORT: { readonly [Id in ServiceId]: () => Promise<Create<Id>> } = {
  async ecs() {
    const { ECS } = await import("@aws-sdk/client-ecs");
    return (config) => new ECS(config);
  },
  async ecr() {
    const { ECR } = await import("@aws-sdk/client-ecr");
    return (config) => new ECR(config);
  },
  async logs() {
    const { CloudWatchLogs } = await import("@aws-sdk/client-cloudwatch-logs");
    return (config) => new CloudWatchLogs(config);
  },
  async s3() {
    const { S3 } = await import("@aws-sdk/client-s3");
    return (config) => new S3({ ...config, forcePathStyle: config.endpoint !== undefined });
  },
  async cloudfront() {
    const { CloudFront } = await import("@aws-sdk/client-cloudfront");
    return (config) => new CloudFront(config);
  },
  async autoscaling() {
    const { ApplicationAutoScaling } = await import("@aws-sdk/client-application-auto-scaling");
    return (config) => new ApplicationAutoScaling(config);
  },
};

/** Imported once per process: a loader may take its time each time it is asked, even for what it has. */
const imported: { [Id in ServiceId]?: Promise<Create<Id>> } = {};

export async function createClient<Id extends ServiceId>(
  id: Id,
  settings: ClientSettings,
  hearDate: HearDate,
): Promise<Clients[Id]> {
  imported[id] ??= IMPORT[id]() as (typeof imported)[Id];
  const create = (await imported[id]) as Create<Id>;
  const client = create({
    ...settings,
    credentials: Object.assign(settings.credentials, { memoized: true }),
    requestHandler: settings.requestHandler as never,
    customUserAgent: settings.customUserAgent.map(([name, version]): [string, string] => [name, version]),
    retryStrategy: ONCE,
    maxAttempts: 1,
  });
  listen(client, hearDate);
  return client;
}

interface Answered {
  readonly response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Next to the wire, where errors still are answers. */
function listen(client: Clients[ServiceId], hearDate: HearDate): void {
  const stack = client.middlewareStack as unknown as {
    add(
      middleware: (next: (args: object) => Promise<Answered>) => (args: object) => Promise<Answered>,
      options: { step: "deserialize"; priority: "low"; name: string },
    ): void;
  };
  stack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const headers = answer.response?.headers ?? {};
      const date = headers["date"] ?? headers["Date"];
      if (date !== undefined) hearDate(date);
      return answer;
    },
    { step: "deserialize", priority: "low", name: "lockstepDate" },
  );
}
