// A sandbox for a test, reached by the real AWS SDK clients: in process, or over real HTTP.

import { onTestFinished } from "vitest";
import type { SandboxClock, Service, TaskRunner } from "../../sandbox/api.ts";
import { createChance } from "../../sandbox/chance.ts";
import { createRealClock } from "../../sandbox/clock.ts";
import { createRequestHandler, type RequestHandler } from "../../sandbox/handler.ts";
import { type Edge, serve } from "../../sandbox/http.ts";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";
import { createSandbox, type Sandbox } from "../../sandbox/sandbox.ts";

/** For accounts in which no task runs. */
export const noTasks: TaskRunner = {
  start: () => {
    throw new Error("this account runs no tasks");
  },
  close: () => Promise.resolve(),
};

export interface ClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly maxAttempts: number;
  readonly requestHandler?: RequestHandler;
}

export interface TestAccount {
  readonly sandbox: Sandbox;
  /** For any SDK client; S3 also wants `forcePathStyle`. Retries are off, so that one command is one call. */
  readonly config: ClientConfig;
}

interface Options {
  readonly clock?: SandboxClock;
  readonly throttling?: boolean;
  readonly services?: readonly Service[];
  readonly logIngestDelayMs?: number;
}

export function openAccount(options: Options = {}): TestAccount {
  const base = { clock: createRealClock(), chance: createChance(1), runner: noTasks, region: "eu-central-1" };
  const sandbox = createSandbox({ ...base, ...options });
  onTestFinished(() => sandbox.close());
  return {
    sandbox,
    config: {
      region: "eu-central-1",
      endpoint: "http://127.0.0.1",
      credentials: SANDBOX_CREDENTIALS,
      maxAttempts: 1,
      requestHandler: createRequestHandler(sandbox.handle),
    },
  };
}

export async function openHttpAccount(options: Options = {}): Promise<TestAccount & { readonly edge: Edge }> {
  const { sandbox } = openAccount(options);
  const edge = await serve(sandbox);
  onTestFinished(() => edge.close());
  const config = { region: "eu-central-1", endpoint: edge.url, credentials: SANDBOX_CREDENTIALS, maxAttempts: 1 };
  return { sandbox, config, edge };
}

/** A small OCI manifest, different for every name. */
export function manifestOf(name: string): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"0".repeat(64)}`, size: 100 },
    layers: [
      { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: `sha256:${"1".repeat(64)}`, size: 2000 },
    ],
    annotations: { "sandbox.folder": `/images/${name}`, "sandbox.entrypoint": '["node","server.mjs"]' },
  });
}
