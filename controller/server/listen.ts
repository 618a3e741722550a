// Opens the HTTP listener and closes it in order: streams first, then idle connections, then the rest.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { AppOptions } from "./app.tsx";
import { createApp } from "./app.tsx";

export interface ListenOptions extends AppOptions {
  /** 0 lets the system pick one. */
  readonly port: number;
}

export interface Listening {
  /** `http://127.0.0.1:4600`. */
  readonly address: string;
  close(): Promise<void>;
}

/** A client that sends nothing for so long is let go. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const CONNECTIONS = 256;

/** Rejects with the system's error (EADDRINUSE, EACCES) when the address cannot be had. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const app = createApp(options);
  const server = createAdaptorServer({
    fetch: (request) => app.fetch(request),
    // Without a Host header there is nothing to check, and the adapter needs a name to build a URL.
    hostname: "invalid",
    serverOptions: { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, maxHeaderSize: 16 * 1024 },
  }) as Server;
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", options.onError);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    address: `http://${host}:${port}`,
    async close() {
      app.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), 1000);
      await closed;
      clearTimeout(timer);
    },
  };
}
