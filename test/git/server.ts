// A smart HTTP server of Git on the loopback: node's server in front of the real `git http-backend`.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export interface GitServer {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  readonly requests: string[];
  /** Values of the `Authorization` header that came. */
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => "handled" | "git";

/**
 * Serves the repositories below `root`. `before` may answer instead of Git: refuse, redirect, stall. An answer longer
 * than `holdAfterBytes` stops there and never ends.
 */
export async function serveGit(
  root: string,
  before: Answer = () => "git",
  holdAfterBytes = Number.POSITIVE_INFINITY,
): Promise<GitServer> {
  const backend = join(execFileSync("git", ["--exec-path"]).toString().trim(), "git-http-backend");
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers.authorization);
    if (before(request, response) === "git") answer(backend, root, request, response, holdAfterBytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    authorizations,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answer(
  backend: string,
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  holdAfterBytes: number,
): void {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const child = spawn(backend, [], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      ...(request.headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: request.headers["content-length"] }),
    },
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf("\r\n\r\n");
    let status = 200;
    for (const line of output.subarray(0, end).toString("latin1").split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") status = Number(value.slice(0, 3));
      else response.setHeader(name, value);
    }
    const body = output.subarray(end + 4);
    response.writeHead(status);
    if (body.length > holdAfterBytes) response.write(body.subarray(0, holdAfterBytes));
    else response.end(body);
  });
}
