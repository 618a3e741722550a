// A mirror over real smart HTTP: tokens stay where they belong, refusals and outages are told apart, limits hold.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { drain, faultIn, folder, mirror, removeFolders, repository, seen, signal } from "./repository.ts";
import type { Answer, GitServer } from "./server.ts";
import { serveGit } from "./server.ts";

const TOKEN = "canary-0123456789-token";
const BASIC = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString("base64")}`;
const servers: GitServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  removeFolders();
});

async function serve(before?: Answer, holdAfterBytes?: number) {
  const made = repository();
  made.write("environments/application.yaml", "application: shop\n");
  const head = made.commit("first");
  const server = await serveGit(dirname(made.path), before, holdAfterBytes);
  servers.push(server);
  return { made, head, server, url: `${server.url}/${basename(made.path)}/.git` };
}

const withToken: Answer = (request, response) => {
  if (request.headers.authorization === BASIC) return "git";
  response.writeHead(401, { "WWW-Authenticate": 'Basic realm="x"' }).end();
  return "handled";
};

function answering(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, headers).end();
    return "handled";
  };
}

describe("Refusals and outages are told apart", () => {
  test("no token", async () => {
    const { url } = await serve(withToken);
    const fault = await faultIn(() => mirror(url).head(signal));
    expect(fault).toMatch(/^repository-denied: 127\.0\.0\.1:.*it wants a token; set LOCKSTEP_GIT_TOKEN/);
  });

  test("a token that is not taken, which no message repeats", async () => {
    const { url } = await serve(answering(401, { "WWW-Authenticate": `Basic realm="${TOKEN}"` }));
    const fault = await faultIn(() => mirror(url, { credentials: { token: TOKEN } }).head(signal));
    expect(fault).toMatch(/^repository-denied: 127\.0\.0\.1:/);
    expect(fault).not.toContain(TOKEN);
    expect(fault).not.toContain(BASIC.slice(6));
  });

  test.each([
    [403, "repository-denied", "grant read access"],
    [404, "repository-denied", "does not exist, or is hidden from these credentials"],
    [500, "repository-unreachable", "500"],
    [503, "repository-unreachable", "503"],
  ])("status %i", async (status, code, message) => {
    const { url } = await serve(answering(status));
    const fault = await faultIn(() => mirror(url, { credentials: { token: TOKEN } }).head(signal));
    expect(fault).toMatch(new RegExp(`^${code}: 127\\.0\\.0\\.1:`));
    expect(fault).toContain(message);
  });

  test("a redirect, which is not followed, so that the token does not travel", async () => {
    const other = await serve();
    const { url } = await serve(answering(301, { Location: `${other.url}/info/refs?service=git-upload-pack` }));
    const fault = await faultIn(() => mirror(url, { credentials: { token: TOKEN } }).head(signal));
    expect(fault).toMatch(/^repository-unreachable: .*redirects are not followed/);
    expect(other.server.requests).toEqual([]);
  });

  test("a server that is not there", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" ? bound?.port : undefined;
    server.close();
    await once(server, "close");
    const fault = await faultIn(() => mirror(`http://127.0.0.1:${port}/a.git`).head(signal));
    expect(fault).toMatch(/^repository-unreachable: 127\.0\.0\.1:[0-9]+ .*Failed to connect|Couldn't connect/);
  });

  test("a host that has no name", async () => {
    const fault = await faultIn(() => mirror("https://lockstep.invalid/a.git").head(signal));
    expect(fault).toMatch(/^repository-unreachable: lockstep\.invalid .*name does not resolve/);
  });
});

describe("A token", () => {
  test("goes to the server in a header, and neither into argv nor onto the disk", async () => {
    const { url, head, server } = await serve(withToken);
    const cache = folder();
    const watched = seen();
    const source = mirror(url, { credentials: { token: TOKEN }, folder: cache, ...watched });
    expect(await source.head(signal)).toBe(head);
    expect(await source.folders(head, signal)).toHaveLength(1);
    expect(new Set(server.authorizations)).toEqual(new Set([BASIC]));
    expect(watched.commands.join("\n")).not.toContain(TOKEN);
    expect(watched.commands.join("\n")).not.toContain(BASIC.slice(6));
    for (const path of filesBelow(cache)) expect(readFileSync(path, "latin1")).not.toContain(BASIC.slice(6));
    expect(`${source.address} ${source.id}`).not.toContain(TOKEN);
  });

  test("reaches only the processes that speak to the server", async () => {
    const { url } = await serve(withToken);
    const watched = seen();
    await mirror(url, { credentials: { token: TOKEN }, ...watched }).head(signal);
    const holding = watched.commands.filter((_, index) =>
      Object.values(watched.environments[index] ?? {}).some((value) => value.includes(BASIC)),
    );
    expect(holding.map((line) => line.split(" ")[0])).toEqual(["ls-remote", "fetch"]);
  });

  test("may name its user", async () => {
    const { url, server } = await serve();
    await mirror(url, { credentials: { token: `oauth2:${TOKEN}` } }).head(signal);
    expect(server.authorizations[0]).toBe(`Basic ${Buffer.from(`oauth2:${TOKEN}`).toString("base64")}`);
  });
});

test("An unchanged repository costs the server one look", async () => {
  const { url, server, made } = await serve();
  const watched = seen();
  const source = mirror(url, watched);
  await source.head(signal);
  server.requests.splice(0);
  drain(watched);
  await source.head(signal);
  // Protocol 2 asks for capabilities, then for the one branch.
  expect(server.requests.map((line) => line.replace(/\/git-[^/]*/, ""))).toEqual([
    "GET /.git/info/refs?service=git-upload-pack",
    "POST /.git/git-upload-pack",
  ]);
  expect(drain(watched)).toEqual(["ls-remote"]);
  made.write("environments/dev.yaml", "sha: 1\n");
  const second = made.commit("second");
  expect(await source.head(signal)).toBe(second);
  expect((await source.folders(second, signal))[0]?.files).toHaveLength(2);
});

describe("A server that does not come to an end is left", () => {
  const stalling: Answer = () => "handled";

  test("after the time given, and its processes end", async () => {
    const { url } = await serve(stalling);
    const before = transports();
    const fault = await faultIn(() => mirror(url, { limits: { lookMs: 300, stallMs: 1_000 } }).head(signal));
    expect(fault).toMatch(/^repository-unreachable: 127\.0\.0\.1:.*took longer than 0\.3 s/);
    await expect.poll(() => transports().filter((pid) => !before.includes(pid)), { timeout: 10_000 }).toEqual([]);
  });

  test("when it trickles, in the words of curl", async () => {
    const { url } = await serve(stalling);
    const fault = await faultIn(() => mirror(url, { limits: { stallMs: 1_000 } }).head(signal));
    expect(fault).toMatch(/^repository-unreachable: 127\.0\.0\.1:.*answers too slowly/);
  });

  test("as soon as the caller does not wait any more", async () => {
    const { url, server } = await serve(stalling);
    const controller = new AbortController();
    const head = mirror(url).head(controller.signal);
    const ended = expect(head).rejects.toThrow("shutdown");
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(1);
    controller.abort(new Error("shutdown"));
    await ended;
  });

  test("when it sends more than the limit", async () => {
    const { url, made } = await serve(undefined, 3 * 1024 * 1024);
    made.write("large.bin", randomBytes(4 * 1024 * 1024));
    made.commit("large");
    const fault = await faultIn(() => mirror(url, { limits: { fetchBytes: 1024 * 1024 } }).head(signal));
    expect(fault).toMatch(
      /^repository-unreachable: 127\.0\.0\.1:.*sent more than 1 MiB at once; the transfer was ended/,
    );
  });
});

function filesBelow(path: string): readonly string[] {
  return readdirSync(path).flatMap((name) => {
    const below = join(path, name);
    return statSync(below).isDirectory() ? filesBelow(below) : [below];
  });
}

/** Ids of processes that speak HTTP for Git. */
function transports(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("git-remote-http");
      } catch {
        return false;
      }
    });
}
