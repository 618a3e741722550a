import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../controller/core/event.ts";
import { createRedactor } from "../../controller/core/redact.ts";
import type { StatusDocument } from "../../controller/core/status.ts";
import { createLogSink } from "../../controller/sinks/log.ts";
import { createTerminalSink } from "../../controller/sinks/terminal.ts";
import { document, failed, NOW, release } from "../cli/shop.ts";
import { lockstep } from "../cli/terminal.ts";
import type { Theatre } from "./board.ts";
import { open } from "./board.ts";

/** A secret in every place that text of others can reach; none may leave by any exit. */
const SECRET = "canary-0a1b2c3d4e5f";
const TEXT = `fatal: https://x:${SECRET}@git.example.com said ${SECRET}`;

const failure = { step: "migrate/migrate", code: "migration-failed", message: TEXT } as const;
const EVERYWHERE: StatusDocument = {
  ...document(
    failed("prod", {
      why: TEXT,
      next: TEXT,
      problems: [TEXT],
      log: [TEXT],
      progress: TEXT,
      url: `https://x:${SECRET}@prod.example`,
      hold: { reason: TEXT },
      release: release({ state: "failed", endedAt: NOW, failure, why: TEXT }),
    }),
  ),
  repositories: [
    { address: `https://x:${SECRET}@git.example.com/ops.git`, branch: "main", halted: TEXT, trouble: TEXT },
  ],
};
const EVENT: Event = {
  durable: false,
  stream: "environment/shop/prod",
  at: NOW,
  event: { type: "decided", decision: "blocked", why: TEXT, code: "denied", next: TEXT },
};

let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(EVERYWHERE, { secrets: [SECRET] });
  theatre.log = { release: 12, step: "migrate/migrate", running: false, first: 0, lines: [{ text: TEXT }] };
  theatre.ready = { ready: false, why: TEXT };
});
afterAll(() => theatre.server.close());

describe("a secret leaves by no exit", () => {
  test.each([
    "/",
    "/env/shop/prod",
    "/env/shop/prod/release/12",
    "/readyz",
    "/api/v1/status",
    "/api/v1/environments/shop/prod",
    "/api/v1/releases/shop/prod",
    "/api/v1/releases/shop/prod/12",
    "/api/v1/logs/shop/prod",
  ])("%s", async (path) => {
    const text = await (await fetch(`${theatre.server.address}${path}`)).text();
    expect(text).toContain("***");
    expect(text).not.toContain(SECRET);
  });

  test("the event stream", async () => {
    const stopping = new AbortController();
    const response = await fetch(`${theatre.server.address}/api/v1/events`, { signal: stopping.signal });
    const stream = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("welcome")) text += (await stream?.read())?.value ?? "";
    theatre.emit(EVENT);
    while (!text.includes("blocked")) text += (await stream?.read())?.value ?? "";
    stopping.abort();
    expect(text).toContain("***");
    expect(text).not.toContain(SECRET);
  });

  test("log and terminal", async () => {
    let text = "";
    const output = { write: (line: string) => void (text += line) };
    const redact = createRedactor([SECRET]);
    await createLogSink({ level: "debug", redact, output }).take(EVENT);
    await createTerminalSink({ redact, output, style: { colour: false, unicode: true } }).take(EVENT);
    expect(text).toContain("***");
    expect(text).not.toContain(SECRET);
  });

  test.each([
    ["status"],
    ["status", "prod"],
    ["status", "--json"],
    ["diff"],
    ["history", "prod"],
    ["logs", "prod"],
    ["wait", "prod", "--timeout", "0"],
  ])("the command %s %s, from a controller that hides nothing", async (...argv) => {
    const open_ = await open(EVERYWHERE);
    open_.log = { release: 12, step: "migrate/migrate", running: false, first: 0, lines: [{ text: TEXT }] };
    const env = { LOCKSTEP_GIT_TOKEN: SECRET, GITHUB_ACTIONS: "true" };
    const ran = await lockstep([...argv, "--url", open_.server.address], { env });
    await open_.server.close();
    expect(ran.out + ran.err).not.toBe("");
    expect(ran.out + ran.err).not.toContain(SECRET);
  });

  test("an error of a command", async () => {
    for (const argv of [
      ["schema", "environment"],
      ["schema", "environment", "-v"],
    ]) {
      const { err } = await lockstep(argv, {
        env: { AWS_SECRET_ACCESS_KEY: SECRET },
        doors: { schema: () => Promise.reject(new Error(TEXT)) },
      });
      expect(err).toContain("***");
      expect(err).not.toContain(SECRET);
    }
  });
});
