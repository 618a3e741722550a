// The thin HTTP edge: 127.0.0.1 only, one port for AWS and the control plane, one more for each public endpoint.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConnectionLost, type PublicEndpoint, type SandboxRequest, type SandboxResponse } from "./api.ts";
import type { Sandbox } from "./sandbox.ts";

const HOST = "127.0.0.1";
/** Larger bodies are answered 413 while they stream in. */
const BODY_LIMIT_BYTES = 256 * 1024 * 1024;
/** Longer than any SDK's idle socket, so that a kept connection is never closed under a request. */
const KEEP_ALIVE_MS = 120_000;

/** Where to reach what runs in the account. */
export interface EndpointUrls {
  readonly aws: string;
  /** By `cluster/service`. */
  readonly services: Readonly<Record<string, string>>;
  /** By distribution id. */
  readonly distributions: Readonly<Record<string, { readonly aliases: readonly string[]; readonly url: string }>>;
}

export interface Edge {
  readonly url: string;
  /** Opens a listener for every public endpoint there is now, and says where they are. */
  endpoints(): Promise<EndpointUrls>;
  /** Closes every listener and connection; the sandbox itself stays open. */
  close(): Promise<void>;
}

export interface EdgeOptions {
  /** Default 0: the system picks one. */
  readonly port?: number;
  readonly bodyLimitBytes?: number;
  /** Hears of bugs in the sandbox; the caller gets a 500. */
  readonly onError?: (error: unknown) => void;
}

type Answer = (request: SandboxRequest) => Promise<SandboxResponse> | SandboxResponse;

export async function serve(sandbox: Sandbox, options: EdgeOptions = {}): Promise<Edge> {
  const { port = 0, bodyLimitBytes = BODY_LIMIT_BYTES, onError = () => undefined } = options;
  const listeners = createListeners(() => sandbox.endpoints(), listen);

  async function listen(answer: Answer, wanted = 0): Promise<{ server: Server; url: string }> {
    const server = createServer((incoming, outgoing) => {
      exchange(incoming, outgoing, answer, bodyLimitBytes).catch((error: unknown) => fail(error, outgoing));
    });
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, HOST, resolve);
    });
    return { server, url: `http://${HOST}:${(server.address() as AddressInfo).port}` };
  }

  function fail(error: unknown, outgoing: ServerResponse): void {
    if (error instanceof ConnectionLost || outgoing.headersSent || outgoing.destroyed) {
      outgoing.destroy();
      return;
    }
    onError(error);
    outgoing.writeHead(500, { "content-type": "text/plain" }).end(`The sandbox itself failed: ${String(error)}\n`);
  }

  const main = await listen(async (request) => {
    const refusal = refuse(request, main.url);
    if (refusal !== undefined) return refusal;
    if (request.path === "/_sandbox/endpoints" && request.method === "GET") {
      return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(await endpoints()) };
    }
    const response = await sandbox.handle(request);
    if (request.method !== "GET" && request.method !== "HEAD") await listeners.sync();
    return response;
  }, port);

  async function endpoints(): Promise<EndpointUrls> {
    const open = await listeners.sync();
    const services = open.filter(({ endpoint }) => endpoint.kind === "service");
    const distributions = open.filter(({ endpoint }) => endpoint.kind === "distribution");
    return {
      aws: main.url,
      services: Object.fromEntries(services.map(({ endpoint, url }) => [endpoint.name, url])),
      distributions: Object.fromEntries(
        distributions.map(({ endpoint, url }) => [endpoint.name, { aliases: endpoint.aliases, url }]),
      ),
    };
  }

  return {
    url: main.url,
    endpoints,
    close: async () => {
      await Promise.all([shut(main.server), listeners.close()]);
    },
  };
}

interface Open {
  endpoint: PublicEndpoint;
  readonly server: Server;
  readonly url: string;
}

/** One listener per public endpoint: opened when it appears, kept while it stays, closed when it goes. */
function createListeners(
  current: () => readonly PublicEndpoint[],
  listen: (answer: Answer) => Promise<{ server: Server; url: string }>,
): { sync(): Promise<readonly Open[]>; close(): Promise<void> } {
  const open = new Map<string, Open>();
  let turn: Promise<unknown> = Promise.resolve();

  async function sync(): Promise<readonly Open[]> {
    const wanted = new Map(current().map((endpoint) => [`${endpoint.kind} ${endpoint.name}`, endpoint]));
    for (const [key, endpoint] of wanted) {
      const existing = open.get(key);
      if (existing === undefined) {
        const { server, url } = await listen((request) => (open.get(key)?.endpoint ?? endpoint).answer(request));
        open.set(key, { endpoint, server, url });
      } else {
        existing.endpoint = endpoint;
      }
    }
    for (const [key, gone] of open) {
      if (wanted.has(key)) continue;
      open.delete(key);
      await shut(gone.server);
    }
    return [...open.values()];
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined); // Whoever asked hears of it; the next turn must still come.
    return result;
  }

  return {
    sync: () => inTurn(sync),
    close: () =>
      inTurn(async () => {
        await Promise.all([...open.values()].map(({ server }) => shut(server)));
        open.clear();
      }),
  };
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: Answer,
  limitBytes: number,
): Promise<void> {
  const body = await read(incoming, limitBytes);
  if (body === undefined) {
    outgoing
      .writeHead(413, { "content-type": "text/plain", connection: "close" })
      .end("The body is too large for the sandbox\n");
    return;
  }
  const [path, query] = splitOnce(incoming.url ?? "/", "?");
  const response = await answer({
    method: incoming.method ?? "GET",
    path,
    query: new URLSearchParams(query),
    headers: headersOf(incoming),
    body,
  });
  const content = typeof response.body === "string" ? Buffer.from(response.body, "utf8") : response.body;
  const headers = { ...response.headers };
  const bodiless = incoming.method === "HEAD" || response.status === 204 || response.status === 304;
  if (!bodiless) headers["content-length"] = String(content.length);
  outgoing.writeHead(response.status, headers).end(bodiless ? undefined : content);
}

/** The whole body, or undefined as soon as it passes the limit. */
async function read(incoming: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

/**
 * The sandbox starts programs for whoever may call it, so a web page must not reach it: a foreign Host header is DNS
 * rebinding, a foreign Origin is another site's script.
 */
function refuse(request: SandboxRequest, url: string): SandboxResponse | undefined {
  const host = request.headers["host"]?.replace(/:\d+$/, "");
  const origin = request.headers["origin"];
  if ((host === HOST || host === "localhost") && (origin === undefined || origin === url)) return undefined;
  return { status: 403, headers: { "content-type": "text/plain" }, body: `The sandbox only answers at ${url}\n` };
}
