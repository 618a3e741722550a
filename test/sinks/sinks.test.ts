import { describe, expect, test } from "vitest";
import type { Event } from "../../controller/core/event.ts";
import { createRedactor } from "../../controller/core/redact.ts";
import { createLogSink } from "../../controller/sinks/log.ts";
import { createTerminalSink } from "../../controller/sinks/terminal.ts";
import { environment, EXIT_ONE, NEW, NOW, STEPS } from "../cli/shop.ts";

const redact = createRedactor(["canary-secret"]);

type Said = Extract<Event, { durable: false }>["event"];
type Kept = Extract<Event, { durable: true }>["record"]["event"];

function said(event: Said): Event {
  return { durable: false, stream: "environment/shop/prod", at: NOW, event };
}
function kept(event: Kept): Event {
  const record = { v: 1, sequence: 1, at: NOW, writer: "w", epoch: 1, nonce: "n", event } as const;
  return { durable: true, stream: "environment/shop/prod", record };
}

const STARTED = kept({
  type: "release-started",
  release: 12,
  releaseId: "0".repeat(32),
  kind: "release",
  direction: "forward",
  desired: { ...environment("prod"), url: "https://inside.example" },
  arrival: NEW,
  artifacts: {},
  steps: STEPS,
  why: "first release of 9f2c1ab",
});
const FAILED = kept({ type: "step-settled", release: 12, step: "migrate/migrate", outcome: EXIT_ONE });
const TROUBLE = said({
  type: "trouble",
  where: "ecs",
  fault: { code: "denied", message: "AccessDenied with canary-secret" },
});
const THROTTLED = said({ type: "trouble", where: "ecs", fault: { code: "throttled", message: "slow down" } });
const PROGRESS = said({ type: "progress", release: 12, step: "deploy/api", text: "1 of 2 tasks healthy" });
const TOKEN = kept({
  type: "migration-started",
  release: 12,
  migration: "migrate" as never,
  key: "sha256:0" as never,
  attempt: 1,
  token: "client-token",
  taskDefinition: "shop-api:7",
  cluster: "prod",
});

describe("the log", () => {
  async function log(
    level: "debug" | "info" | "warn" | "error",
    ...events: readonly Event[]
  ): Promise<readonly Record<string, unknown>[]> {
    let text = "";
    const sink = createLogSink({ level, redact, output: { write: (line) => void (text += line) } });
    for (const event of events) await sink.take(event);
    await sink[Symbol.asyncDispose]();
    return text === ""
      ? []
      : text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  test("is one JSON object on each line: level, the event's own time, what it is about, fields, a static message", async () => {
    expect(await log("info", STARTED)).toEqual([
      {
        level: "info",
        time: "2026-10-30T14:20:10.000Z",
        about: "shop/prod",
        release: 12,
        kind: "release",
        direction: "forward",
        arrival: NEW,
        why: "first release of 9f2c1ab",
        text: "#12 release of 9f2c1ab started, 7 steps: first release of 9f2c1ab",
        msg: "release started",
      },
    ]);
  });

  test("has its level by who can mend it", async () => {
    const levels = (await log("debug", STARTED, FAILED, TROUBLE, THROTTLED, PROGRESS)).map(({ level }) => level);
    expect(levels).toEqual(["info", "warn", "error", "warn", "debug"]);
    expect(await log("error", STARTED, FAILED, TROUBLE, THROTTLED, PROGRESS)).toHaveLength(1);
  });

  test("keeps secrets, tokens and what a release is made of to itself", async () => {
    const text = JSON.stringify(await log("debug", TROUBLE, TOKEN, STARTED));
    for (const hidden of ["canary-secret", "client-token", "inside.example"]) expect(text).not.toContain(hidden);
    expect(text).toContain("AccessDenied with ***");
  });
});

describe("the terminal", () => {
  function terminal(unicode: boolean, ...events: readonly Event[]): string {
    let text = "";
    const output = { write: (line: string) => void (text += line) };
    const sink = createTerminalSink({ output, redact, style: { colour: false, unicode } });
    for (const event of events) void sink.take(event);
    return text;
  }

  test("shows news and progress, one line each, and no details", () => {
    expect(terminal(true, STARTED, TOKEN, PROGRESS, FAILED, TROUBLE)).toMatchInlineSnapshot(`
      "14:20:10  ● shop/prod      #12 release of 9f2c1ab started, 7 steps: first release of 9f2c1ab
      14:20:10  ● shop/prod      #12 deploy api: 1 of 2 tasks healthy
      14:20:10  ✖ shop/prod      #12 migrate failed: migrate exited 1 after 38s
      14:20:10  ? shop/prod      ecs: AccessDenied with ***
      "
    `);
  });

  test("outside UTF-8 is ASCII", () => {
    // oxlint-disable-next-line no-control-regex -- the range is what is claimed
    expect(terminal(false, STARTED, FAILED, TROUBLE)).toMatch(/^[\u0000-\u007f]+$/);
  });

  test("text of others cannot move the cursor", () => {
    expect(terminal(true, said({ type: "trouble-cleared", where: "\u001b[2J" }))).not.toContain("\u001b");
  });
});
