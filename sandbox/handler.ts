// Puts the sandbox under the real AWS SDK clients without a socket: the `requestHandler` of a client.

import { Readable } from "node:stream";
import { ConnectionLost, type SandboxRequest, type SandboxResponse } from "./api.ts";

/** The part of smithy's HttpRequest that reaches a handler. */
interface HandlerRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface HandlerResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

export interface RequestHandler {
  readonly metadata: { readonly handlerProtocol: string };
  handle(request: HandlerRequest, options?: { readonly abortSignal?: unknown }): Promise<{ response: HandlerResponse }>;
  destroy(): void;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
}

/** Pass the result as `requestHandler` to an SDK client, with any endpoint; S3 wants `forcePathStyle: true`. */
export function createRequestHandler(handle: (request: SandboxRequest) => Promise<SandboxResponse>): RequestHandler {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request, options = {}) {
      const signal = options.abortSignal instanceof AbortSignal ? options.abortSignal : undefined;
      if (signal?.aborted === true) throw aborted();
      const answering = toSandbox(request).then(handle);
      const answer = await (signal === undefined ? answering : abortable(answering, signal));
      return { response: fromSandbox(request.method, answer) };
    },
    destroy: () => undefined,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

async function toSandbox(request: HandlerRequest): Promise<SandboxRequest> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const item of Array.isArray(value) ? (value as readonly string[]) : [value])
      query.append(name, String(item ?? ""));
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { method: request.method, path: request.path, query, headers, body: await bytes(request.body) };
}

async function bytes(body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body === "string") return Buffer.from(body, "utf8");
  // A view, because the SDK's own body warns when it is taken for a string.
  if (body instanceof Uint8Array) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof Readable) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk as Uint8Array | string));
    return Buffer.concat(chunks);
  }
  throw new TypeError(`a request body of type ${Object.prototype.toString.call(body)} cannot be read`);
}

function fromSandbox(method: string, answer: SandboxResponse): HandlerResponse {
  const body = typeof answer.body === "string" ? Buffer.from(answer.body, "utf8") : Buffer.from(answer.body);
  const headers = { ...answer.headers };
  if (method !== "HEAD") headers["content-length"] = String(body.length);
  return {
    statusCode: answer.status,
    headers,
    body: Readable.from(body.length > 0 ? [body] : [], { objectMode: false }),
  };
}

/** An aborted caller stops waiting; the request is under way and may still take effect, as on a real wire. */
async function abortable<T>(answering: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const gone = new Promise<never>((_, reject) => {
    stop = () => reject(aborted());
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([answering, gone]);
  } catch (error) {
    if (signal.aborted) answering.catch((late: unknown) => rethrowBugs(late));
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function rethrowBugs(late: unknown): void {
  if (!(late instanceof ConnectionLost)) throw late;
}

function aborted(): Error {
  const error = new Error("Request aborted");
  error.name = "AbortError";
  return error;
}
