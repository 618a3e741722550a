// Calls the account's own operations without an SDK, which would take longer to load than the sandbox takes to start.

import type { SandboxRequest, SandboxResponse } from "./api.ts";
import { SANDBOX_CREDENTIALS } from "./identities.ts";

export interface Operations {
  /** Such as `("ecs", "CreateCluster", { clusterName: "dev" })`. */
  json(service: keyof typeof TARGETS, operation: string, input: object): Promise<Readonly<Record<string, unknown>>>;
  /** S3 and CloudFront; the path is percent-encoded. */
  rest(
    method: string,
    path: string,
    body: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<string>;
}

const TARGETS = {
  ecs: "AmazonEC2ContainerServiceV20141113",
  ecr: "AmazonEC2ContainerRegistry_V20150921",
  logs: "Logs_20140328",
  autoscaling: "AnyScaleFrontendService",
} as const;

/** Fault: an Error that names the operation and what the account answered. */
export function createOperations(
  handle: (request: SandboxRequest) => Promise<SandboxResponse>,
  region: string,
): Operations {
  const authorization = `AWS4-HMAC-SHA256 Credential=${SANDBOX_CREDENTIALS.accessKeyId}/20260101/${region}/sandbox/aws4_request, SignedHeaders=host, Signature=none`;

  async function send(
    name: string,
    request: Pick<SandboxRequest, "method" | "path" | "headers"> & { readonly body: string | Uint8Array },
  ): Promise<string> {
    const [path = "/", query = ""] = request.path.split("?");
    const body = typeof request.body === "string" ? Buffer.from(request.body, "utf8") : request.body;
    const headers = {
      "user-agent": "sandbox/seed",
      authorization,
      "content-length": String(body.length),
      ...request.headers,
    };
    const answer = await handle({ method: request.method, path, query: new URLSearchParams(query), headers, body });
    const text = typeof answer.body === "string" ? answer.body : Buffer.from(answer.body).toString("utf8");
    if (answer.status >= 300) throw new Error(`${name}: ${answer.status} ${text}`);
    return text;
  }

  return {
    async json(service, operation, input) {
      const headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `${TARGETS[service]}.${operation}`,
      };
      const text = await send(`${service}:${operation}`, {
        method: "POST",
        path: "/",
        headers,
        body: JSON.stringify(input),
      });
      return JSON.parse(text) as Readonly<Record<string, unknown>>;
    },
    rest: (method, path, body, headers = {}) => send(`${method} ${path}`, { method, path, headers, body }),
  };
}
