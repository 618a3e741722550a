// How tasks are reached: which port a container gets, and how a request comes to it.

import { request as send } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import type { SandboxRequest, SandboxResponse } from "../api.ts";

export interface Network {
  /** A port nothing else listens on. A promise when the system has to be asked. */
  pickPort(): number | Promise<number>;
  /** Passes a request to what listens on the port. Fault: the connection's own error. */
  forward(port: number, request: SandboxRequest): Promise<SandboxResponse>;
}

const HOST = "127.0.0.1";
const FORWARD_TIMEOUT_MS = 30_000;
/** Headers of one connection, which a proxy does not pass on. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"]);

/** Real sockets on this machine. */
export function createLoopback(): Network {
  const handedOut = new Set<number>();

  async function pickPort(): Promise<number> {
    const port = await freePort();
    // The system may offer a port again that a container has not opened yet.
    if (handedOut.has(port)) return pickPort();
    handedOut.add(port);
    if (handedOut.size > 1000) handedOut.delete([...handedOut][0] ?? port);
    return port;
  }

  return { pickPort, forward };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function forward(port: number, request: SandboxRequest): Promise<SandboxResponse> {
  const query = request.query.toString();
  return new Promise((resolve, reject) => {
    const outgoing = send(
      {
        host: HOST,
        port,
        method: request.method,
        path: query === "" ? request.path : `${request.path}?${query}`,
        headers: passedOn(request.headers),
        agent: false,
        timeout: FORWARD_TIMEOUT_MS,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () => {
          const headers = Object.fromEntries(
            Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
          );
          resolve({ status: incoming.statusCode ?? 502, headers: passedOn(headers), body: Buffer.concat(chunks) });
        });
      },
    );
    outgoing.once("error", reject);
    outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer within ${FORWARD_TIMEOUT_MS} ms`)));
    outgoing.end(request.body);
  });
}

function passedOn(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
