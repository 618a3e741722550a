// A small service: listens on PORT and says which SHA it is. CRASH_AFTER_MS makes it die, READY_AFTER_MS late.

import { createServer } from "node:http";

const { PORT = "8080", GIT_SHA = "unknown", SERVICE = "api", CRASH_AFTER_MS, READY_AFTER_MS = "0" } = process.env;
const startedAt = Date.now();

function say(line) {
  process.stdout.write(`${new Date().toISOString()} ${SERVICE} ${GIT_SHA.slice(0, 7)} ${line}\n`);
}

function answer(path) {
  if (path === "/api/ready")
    return Date.now() - startedAt >= Number(READY_AFTER_MS) ? [200, { ready: true }] : [503, { ready: false }];
  if (path === "/version")
    return [200, { sha: GIT_SHA, service: SERVICE, startedAt: new Date(startedAt).toISOString() }];
  if (path === "/") return [200, { service: SERVICE, sha: GIT_SHA }];
  return [404, { error: "not found" }];
}

const server = createServer((request, response) => {
  const [status, body] = answer(new URL(request.url ?? "/", "http://service").pathname);
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
});

server.listen(Number(PORT), "127.0.0.1", () => say(`listening on ${PORT}`));

process.once("SIGTERM", () => {
  say("stopping");
  server.close(() => process.exit(0));
  server.closeAllConnections();
});

if (CRASH_AFTER_MS !== undefined) {
  setTimeout(() => {
    process.stderr.write(`Error: cannot reach the database at ${process.env.DATABASE_HOST ?? "db.internal"}:5432\n`);
    process.exit(1);
  }, Number(CRASH_AFTER_MS));
}
