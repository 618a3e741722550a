// Text of others in a terminal, a log and a build: it stays text, on its own line, and begins no command.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readWhere } from "../../controller/compose/read-where.ts";
import { createSources } from "../../controller/compose/sources.ts";
import type { Event } from "../../controller/core/event.ts";
import { createRedactor } from "../../controller/core/redact.ts";
import { createLogSink } from "../../controller/sinks/log.ts";
import { createTerminalSink } from "../../controller/sinks/terminal.ts";
import { NOW } from "../cli/shop.ts";
import { lockstep } from "../cli/terminal.ts";
import { environment, faultIn, folder, mirror, removeFolders, repository, signal } from "../git/repository.ts";
import { SHA, SMALL } from "../manifest/support.ts";

afterAll(removeFolders);

/** Clears the screen, forges a line, begins a workflow command, turns the direction of text. */
const HOSTILE = "x\u001b[2J\r\n::error::forged\n\u009b31m\u202eabc\u0007\u2028";
/** Whatever is no plain text, but for the line ends of our own lines. */
const UNPRINTABLE = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

describe("Manifests and file names of others", () => {
  let made: string;
  beforeAll(() => {
    const shop = repository();
    made = shop.path;
    shop.write("environments/application.yaml", SMALL);
    shop.write("environments/prod.yaml", `sha: ${SHA}\nhold: { reason: ${JSON.stringify(HOSTILE)} }\n`);
    shop.write("environments/qa.yaml", `sha: ${SHA}\n${JSON.stringify(HOSTILE)}: ${JSON.stringify(HOSTILE)}\n`);
    shop.write(`environments/${HOSTILE}.yaml`, `sha: ${SHA}\n`);
    shop.commit(`a commit ${HOSTILE}`);
  });

  const doors = (cwd: string) => {
    const openSources = (address: string, branch: string) =>
      createSources({ repositories: [{ address, branch }], folder: folder(), credentials: {}, env: environment });
    const parts = { place: () => ({ defaultRegion: "eu-west-1" }), env: environment, openSources };
    return {
      readManifests: (where: Parameters<typeof readWhere>[0]) => readWhere({ ...where, cwd }, parts, signal),
    };
  };

  test.each([
    ["validate"],
    ["validate", "--json"],
    ["render", "qa"],
    ["render", "prod"],
    ["render", "prod", "--origin"],
  ])("leave %s %s as text", async (...argv) => {
    const ran = await lockstep(argv, { doors: doors(made), cwd: made });
    expect(ran.out + ran.err).not.toBe("");
    expect(ran.out + ran.err).not.toMatch(UNPRINTABLE);
    expect(`\n${ran.out}${ran.err}`).not.toContain("\n::error");
  });

  test("become one annotation each, and none of their own", async () => {
    const ran = await lockstep(["validate"], { doors: doors(made), cwd: made, env: { GITHUB_ACTIONS: "true" } });
    const commands = ran.err.split("\n").filter((line) => line.startsWith("::"));
    expect(commands).toHaveLength(2);
    for (const line of commands) expect(line).toMatch(/^::error file=environments\/[^:,]+,line=\d+,col=\d+::/);
    expect(ran.err).not.toMatch(UNPRINTABLE);
  });
});

describe("Events that carry text of others", () => {
  const event: Event = {
    durable: false,
    stream: "environment/shop/prod",
    at: NOW,
    event: { type: "decided", decision: "blocked", why: HOSTILE, code: "denied", next: HOSTILE },
  };

  test("are one line of the log and one of the terminal", async () => {
    let [log, terminal] = ["", ""];
    const redact = createRedactor([]);
    await createLogSink({ level: "debug", redact, output: { write: (text) => void (log += text) } }).take(event);
    const style = { colour: false, unicode: true };
    await createTerminalSink({ redact, style, output: { write: (text) => void (terminal += text) } }).take(event);
    for (const text of [log, terminal]) {
      expect(text).toMatch(/^[^\n]+\n$/);
      expect(text).not.toMatch(UNPRINTABLE);
    }
    expect(JSON.parse(log)).toMatchObject({ level: expect.any(String) as string });
  });
});

describe("What a Git server says", () => {
  test("reaches a fault as one printable line", async () => {
    const made = folder();
    const said = await faultIn(() => mirror(`${made}/nothing-${"x".repeat(3000)}`).head(signal));
    expect(said).not.toMatch(UNPRINTABLE);
    expect(said).not.toContain("\n");
  });

  test("a branch, a path and an address with control characters are refused before Git sees them", async () => {
    for (const [address, branch] of [
      ["/srv/x\u001b[2J", "main"],
      ["https://git.example.com/x\r\nHost: evil", "main"],
      ["/srv/x", "main\nextra"],
      ["/srv/x", "main\u001b[2J"],
    ] as const) {
      const said = await faultIn(() => mirror(address, { branch }));
      expect(said).toMatch(/^(?:repository-denied|branch-missing): /);
      expect(said).not.toMatch(UNPRINTABLE);
    }
  });
});
