import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRedactor } from "../../controller/core/redact.ts";
import { createApp } from "../../controller/server/app.tsx";
import { BODY_BYTES } from "../../controller/server/guard.ts";
import { COMMIT, document, failed, healthy, SHOP } from "../cli/shop.ts";
import type { Theatre } from "./board.ts";
import { createStage, open } from "./board.ts";

let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(SHOP, { hosts: ["lockstep.example"], webhookSecrets: ["0123456789abcdef"] });
});
afterAll(() => theatre.server.close());

const { routes } = createApp({
  ...createStage(SHOP),
  redact: createRedactor([]),
  version: "0.1.0",
  host: "127.0.0.1",
  hosts: [],
  webhookSecrets: ["0123456789abcdef"],
  life: "life",
  onError: () => undefined,
});
const READ = routes.filter(({ access }) => access === "read");
const NUDGES = routes.filter(({ access }) => access === "nudge");

function concrete(path: string): string {
  return path
    .replace(":application", "shop")
    .replace(":environment", "prod")
    .replace(":number", "12")
    .replace(":step", "migrate");
}

const HEADERS = { "content-type": "application/json", "lockstep-request": "1", "lockstep-actor": "mia" };

async function post(path: string, headers: Readonly<Record<string, string>>, body = "{}"): Promise<[number, string]> {
  const response = await fetch(`${theatre.server.address}${path}`, { method: "POST", headers, body });
  const { error } = (await response.json()) as { readonly error?: { readonly code: string } };
  return [response.status, error?.code ?? ""];
}

/** `fetch` chooses the Host header itself; this asks with any. */
function statusFor(host: string | undefined, path = "/api/v1/status"): Promise<number> {
  const { hostname, port } = new URL(theatre.server.address);
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const asking = request({ hostname, port, path, headers, setHost: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on("error", reject).end();
  });
}

test("the table holds every route there is, and each is either read, a nudge or signed", () => {
  expect(routes.map(({ method, path, access }) => `${access.padEnd(6)} ${method.padEnd(4)} ${path}`).join("\n"))
    .toMatchInlineSnapshot(`
    "read   GET  /
    read   GET  /env/:application/:environment
    read   GET  /env/:application/:environment/release/:number
    read   GET  /style.css
    read   GET  /healthz
    read   GET  /readyz
    read   GET  /api/v1/status
    read   GET  /api/v1/environments/:application/:environment
    read   GET  /api/v1/releases/:application/:environment
    read   GET  /api/v1/releases/:application/:environment/:number
    read   GET  /api/v1/logs/:application/:environment
    read   GET  /api/v1/logs/:application/:environment/:step
    read   GET  /api/v1/events
    nudge  POST /api/v1/environments/:application/:environment/retry
    nudge  POST /api/v1/environments/:application/:environment/resolve
    nudge  POST /api/v1/environments/:application/:environment/repair
    nudge  POST /api/v1/environments/:application/:environment/adopt
    nudge  POST /api/v1/environments/:application/:environment/abort
    nudge  POST /api/v1/refresh
    nudge  POST /api/v1/accept
    signed POST /webhook"
  `);
});

describe("reading", () => {
  test.each(READ.filter(({ path }) => path !== "/api/v1/events").map(({ path }) => [concrete(path)] as const))(
    "%s answers whoever reaches it, with strict headers",
    async (path) => {
      theatre.log = { release: 12, step: "migrate/migrate", running: false, first: 0, lines: [] };
      const response = await fetch(`${theatre.server.address}${path}`);
      await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'self'/);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  test.each(READ.map(({ path }) => [concrete(path)] as const))("%s changes nothing by another method", async (path) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await fetch(`${theatre.server.address}${path}`, { method, headers: HEADERS });
      await response.text();
      expect(response.status, `${method} ${path}`).toBe(404);
    }
    expect(theatre.asked).toEqual([]);
  });

  test.each([
    "/admin",
    "/api/v1",
    "/api/v2/status",
    "/env",
    "/env/shop",
    "/.git/config",
    "/style.css/x",
    "//",
    "/api/v1/status/",
  ])("%s is not there, and says so as JSON", async (path) => {
    const response = await fetch(`${theatre.server.address}${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ schema: "lockstep/v1", error: { code: "not-found" } });
  });

  test.each([
    "/api/v1/environments/shop/nowhere",
    "/api/v1/environments/shop/..%2f..%2fetc",
    "/api/v1/environments/SHOP/prod",
    "/api/v1/releases/shop/nowhere",
    "/api/v1/logs/shop/nowhere",
  ])("%s names no environment", async (path) => {
    const response = await fetch(`${theatre.server.address}${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "environment-missing" } });
  });

  test("a release or a log that is not kept is 404 with its own code", async () => {
    theatre.log = undefined;
    const codes = await Promise.all(
      ["releases/shop/prod/99", "releases/shop/prod/x", "logs/shop/prod/migrate"].map(async (path) => {
        const response = await fetch(`${theatre.server.address}/api/v1/${path}`);
        return (await response.json()) as { readonly error: { readonly code: string } };
      }),
    );
    expect(codes.map(({ error }) => error.code)).toEqual(["release-missing", "release-missing", "log-missing"]);
  });

  test("the documents are those of the command line", async () => {
    const get = async (path: string): Promise<unknown> =>
      (await fetch(`${theatre.server.address}/api/v1/${path}`)).json();
    expect(await get("status")).toEqual(JSON.parse(JSON.stringify(SHOP)));
    expect(await get("environments/shop/prod")).toMatchObject({
      schema: "lockstep/v1",
      environment: { id: "shop/prod" },
    });
    expect(await get("releases/shop/prod")).toMatchObject({ environment: "shop/prod", releases: [{ number: 12 }] });
    expect(await get("releases/shop/prod/12")).toMatchObject({ release: { number: 12 } });
  });
});

describe("health", () => {
  test("healthz answers while the process lives; readyz says what is missing", async () => {
    expect((await fetch(`${theatre.server.address}/healthz`)).status).toBe(200);
    expect((await fetch(`${theatre.server.address}/readyz`)).status).toBe(200);
    theatre.ready = { ready: false, why: "https://git.example.com has not been read yet" };
    const response = await fetch(`${theatre.server.address}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ ready: false, why: "https://git.example.com has not been read yet" });
    theatre.ready = { ready: true };
  });
});

describe("the Host header", () => {
  test.each([
    ["127.0.0.1:4600", 200],
    ["localhost", 200],
    ["LOCALHOST:80", 200],
    ["[::1]:4600", 200],
    ["lockstep.example:8443", 200],
    ["evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["lockstep.example.evil.example", 403],
    ["10.0.0.7", 403],
    ["", 403],
  ])("%j is answered %i", async (host, status) => {
    expect(await statusFor(host)).toBe(status);
    expect(await statusFor(host, "/healthz")).toBe(status);
  });

  test("must be there", async () => {
    expect(await statusFor(undefined)).toBeGreaterThanOrEqual(400);
  });
});

describe("nudging", () => {
  test.each(NUDGES.map(({ path }) => [concrete(path)] as const))(
    "%s needs every header, each for its own reason",
    async (path) => {
      const { "content-type": type, "lockstep-request": ours } = HEADERS;
      expect(await post(path, {})).toEqual([415, "content-type"]);
      expect(await post(path, { ...HEADERS, "content-type": "text/plain" })).toEqual([415, "content-type"]);
      expect(
        await post(path, { "content-type": "application/x-www-form-urlencoded", "lockstep-request": ours }),
      ).toEqual([415, "content-type"]);
      expect(await post(path, { "content-type": type, "lockstep-actor": "mia" })).toEqual([403, "request-refused"]);
      expect(await post(path, { ...HEADERS, "lockstep-request": "yes" })).toEqual([403, "request-refused"]);
      expect(await post(path, { ...HEADERS, origin: "https://evil.example" })).toEqual([403, "request-refused"]);
      expect(await post(path, { ...HEADERS, origin: "null" })).toEqual([403, "request-refused"]);
      expect(theatre.asked).toEqual([]);
    },
  );

  test.each(NUDGES.filter(({ path }) => !path.endsWith("/refresh")).map(({ path }) => [concrete(path)] as const))(
    "%s takes only a sound actor, reason and body",
    async (path) => {
      const reason = JSON.stringify({ reason: "why not" });
      expect(await post(path, { ...HEADERS, "lockstep-actor": "" }, reason)).toEqual([400, "actor"]);
      expect(await post(path, { ...HEADERS, "lockstep-actor": "%E0%A4%A" }, reason)).toEqual([400, "actor"]);
      expect(await post(path, { ...HEADERS, "lockstep-actor": encodeURIComponent("mia\njon") }, reason)).toEqual([
        400,
        "actor",
      ]);
      expect(await post(path, { ...HEADERS, "lockstep-actor": "m".repeat(65) }, reason)).toEqual([400, "actor"]);
      expect(await post(path, HEADERS, "{")).toEqual([400, "bad-request"]);
      expect(await post(path, HEADERS, "[]")).toEqual([400, "bad-request"]);
      expect(await post(path, HEADERS, "{}")).toEqual([400, "reason"]);
      expect(await post(path, HEADERS, JSON.stringify({ reason: 7 }))).toEqual([400, "reason"]);
      expect(await post(path, HEADERS, JSON.stringify({ reason: "a\nb" }))).toEqual([400, "reason"]);
      expect(await post(path, HEADERS, JSON.stringify({ reason: "x".repeat(501) }))).toEqual([400, "reason"]);
      expect(await post(path, HEADERS, JSON.stringify({ reason: "x".repeat(BODY_BYTES) }))).toEqual([
        413,
        "body-too-large",
      ]);
      expect(theatre.asked).toEqual([]);
    },
  );

  test.each([
    {},
    { how: "applied" },
    { how: { kind: "migration" } },
    { how: { kind: "migration", outcome: "maybe" } },
    { how: { kind: "migration", outcome: "applied", migration: "../x" } },
    { how: { kind: "drop" } },
  ])("resolve refuses %j", async (body) => {
    const sent = JSON.stringify({ reason: "looked", ...body });
    expect(await post("/api/v1/environments/shop/prod/resolve", HEADERS, sent)).toEqual([400, "bad-request"]);
    expect(theatre.asked).toEqual([]);
  });

  test.each(["9f2c1ab", "HEAD", "", 7])("accept refuses the head %j", async (head) => {
    expect(await post("/api/v1/accept", HEADERS, JSON.stringify({ reason: "cleaned", head }))).toEqual([
      400,
      "bad-request",
    ]);
    expect(theatre.asked).toEqual([]);
  });

  test("an environment that is not there is nudged by nobody", async () => {
    const path = "/api/v1/environments/shop/nowhere/retry";
    expect(await post(path, HEADERS, JSON.stringify({ reason: "again" }))).toEqual([404, "environment-missing"]);
    expect(theatre.asked).toEqual([]);
  });

  test("what is sound reaches the engine as it was meant, also from a page of the same origin", async () => {
    const mia = { actor: "Mía Ørsted", reason: "looked into the database" };
    const headers = { ...HEADERS, "lockstep-actor": encodeURIComponent(mia.actor), origin: theatre.server.address };
    const body = JSON.stringify({ reason: mia.reason, head: COMMIT, how: { kind: "migration", outcome: "applied" } });
    for (const { path } of NUDGES) expect(await post(concrete(path), headers, body)).toEqual([202, ""]);
    expect(theatre.asked).toEqual([
      ["retry", "shop/prod", mia],
      ["resolve", "shop/prod", { kind: "migration", outcome: "applied" }, mia],
      ["repair", "shop/prod", mia],
      ["adopt", "shop/prod", mia],
      ["abort", "shop/prod", mia],
      ["look"],
      ["accept", COMMIT, mia],
    ]);
  });

  test("a mistake of ours is 500, tells nothing of itself, and is reported", async () => {
    theatre.refuses = new TypeError("cannot read secret of undefined");
    const path = "/api/v1/environments/shop/prod/retry";
    expect(await post(path, HEADERS, JSON.stringify({ reason: "again" }))).toEqual([500, "internal"]);
    expect(theatre.mistakes).toEqual([theatre.refuses]);
    theatre.refuses = undefined;
  });
});

test("without a webhook secret there is no webhook", async () => {
  const other = await open(document(healthy("dev"), failed("prod")));
  const response = await fetch(`${other.server.address}/webhook`, { method: "POST", body: "{}" });
  expect(response.status).toBe(404);
  await response.text();
  await other.server.close();
});
