import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../controller/cli/commands.ts";
import { EXIT, EXIT_MEANINGS, exitOf } from "../../controller/cli/exit.ts";
import { Fault, FAULTS } from "../../controller/core/fault.ts";
import type { FaultCode } from "../../controller/core/fault.ts";
import type { Theatre } from "../server/board.ts";
import { open } from "../server/board.ts";
import { SHOP } from "./shop.ts";
import { lockstep } from "./terminal.ts";

describe("the command table", () => {
  test("is listed whole by --help, help and no words at all", async () => {
    for (const argv of [[], ["--help"], ["-h"], ["help"]]) {
      const { code, out, err } = await lockstep(argv);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"));
    }
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    "%s explains every option and gives examples that name it",
    async (name, command) => {
      for (const option of Object.keys(command.options)) expect(command.about[option]).toBeTruthy();
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) expect(example).toContain(`lockstep ${name}`);
      const { code, out } = await lockstep([name, "--help"]);
      expect(code).toBe(0);
      expect(out).toContain(`lockstep ${name}`);
      for (const option of Object.keys(command.options)) expect(out).toContain(`--${option}`);
      expect((await lockstep(["help", name])).out).toBe(out);
    },
  );

  test.each(COMMANDS.map((command) => [command.name, command] as const))("%s can be loaded", async (_, command) => {
    expect(typeof (await command.load())).toBe("function");
  });
});

describe("wrong usage is 64 and says what was meant", () => {
  const table: readonly (readonly [readonly string[], string])[] = [
    [["statsu"], "Did you mean `lockstep status`?"],
    [["frobnicate"], "`lockstep --help` lists the commands."],
    [["--json"], "--json must stand after a command"],
    [["help", "paln"], "Did you mean `lockstep plan`?"],
    [["status", "--jsno"], "Did you mean --json?"],
    [["status", "--frobnicate"], "lockstep status --help lists the options."],
    [["status", "a", "b"], "one environment at most, not 2: a b"],
    [["wait"], "For example: lockstep wait prod"],
    [["wait", "prod", "--timeout", "soon"], '"soon" is not a duration'],
    [["wait", "prod", "--timeout", "5"], '"5" is not a duration'],
    [["wait", "prod", "--timeout"], "--timeout"],
    [["wait", "prod", "--sha", "HEAD"], '"HEAD" is not a commit SHA'],
    [["wait", "prod", "--progress", "fancy"], '"fancy" is not one of auto, live, lines, none'],
    [["logs"], "For example: lockstep logs prod migrate"],
    [["history"], "For example: lockstep history prod"],
    [["history", "prod", "--limit", "-1"], "--limit"],
    [["retry"], "For example: lockstep retry prod"],
    [["resolve", "prod"], "--migration applied|not-applied"],
    [["resolve", "prod", "--migration", "maybe"], "neither applied nor not-applied"],
    [["resolve", "prod", "--migration", "applied", "--adopt"], "resolve needs one of"],
    [["accept", "9f2c1ab"], "Write all 40 digits"],
    [["refresh", "prod"], "takes no name"],
    [["schema"], "For example: lockstep schema environment"],
    [["schema", "moon"], "There are: application, environment, controller."],
    [["plan", "--sha", "9f2c1ab"], "--sha needs an environment"],
    [["plan", "prod", "--sha", "latest"], '"latest" is not a commit SHA'],
    [["plan", "prod", "--ref", "main"], "--ref needs --repo"],
    [["status", "--url", "ftp://x"], '"ftp://x" is no address of a controller'],
    [["serve"], "LOCKSTEP_REPOSITORY is not set"],
  ];
  test.each(table)("%j", async (argv, said) => {
    const { code, out, err } = await lockstep(argv);
    expect(err).toContain(said);
    expect({ code, out }).toEqual({ code: 64, out: "" });
  });
});

describe("what goes wrong", () => {
  test("a controller that is not there is named with the ways to reach one", async () => {
    const theatre = await open(SHOP);
    await theatre.server.close();
    for (const argv of [["status"], ["diff"], ["wait", "prod"], ["logs", "prod"], ["retry", "prod"], ["refresh"]]) {
      const { code, err } = await lockstep(argv, { env: { LOCKSTEP_URL: theatre.server.address } });
      expect(code).toBe(1);
      expect(err).toContain(`no controller answers at ${theatre.server.address} (ECONNREFUSED)`);
      expect(err).toContain("Start one with `lockstep serve`, or name its address with --url or LOCKSTEP_URL.");
    }
  });

  test.each(Object.keys(FAULTS) as FaultCode[])(
    "%s is worded once, with its next step and its exit code",
    async (code) => {
      const ran = await lockstep(["schema", "environment"], {
        doors: {
          schema: async () => {
            throw new Fault(code, "it broke at service shop/api");
          },
        },
      });
      expect(ran.code).toBe(exitOf(code));
      expect(ran.err).toBe(`✖ ${code}: it broke at service shop/api\n  next: ${FAULTS[code].next}\n`);
    },
  );

  test("a mistake of ours is 1, and only -v shows where", async () => {
    const doors = {
      schema: async () => {
        throw new TypeError("cannot read x of undefined");
      },
    };
    const short = await lockstep(["schema", "environment"], { doors });
    expect(short).toMatchObject({ code: 1, out: "" });
    expect(short.err).toContain("this is a mistake in Lockstep itself");
    expect(short.err).not.toContain("    at ");
    expect((await lockstep(["schema", "environment", "-v"], { doors })).err).toContain("command.test.ts");
  });

  test("Ctrl-C is 130, whatever was under way", async () => {
    const stopping = new AbortController();
    const ran = await lockstep(["schema", "environment"], {
      signal: stopping.signal,
      doors: {
        schema: async () => {
          stopping.abort();
          throw new Error("aborted");
        },
      },
    });
    expect(ran).toEqual({ code: 130, out: "", err: "" });
  });

  test("whatever argv holds, the end is one of the exit codes and no exception", async () => {
    const known: readonly number[] = EXIT_MEANINGS.map(([code]) => code);
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...COMMANDS.map(({ name }) => name).filter((name) => name !== "serve"),
        "--json",
        "-v",
        "--sha",
        "--",
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (argv) => {
        const { code } = await lockstep([...argv, "--url", "http://127.0.0.1:1"]);
        expect(known).toContain(code);
      }),
      { numRuns: 200 },
    );
  });
});

describe("colour and shape", () => {
  let theatre: Theatre;
  beforeAll(async () => {
    theatre = await open(SHOP);
  });
  afterAll(() => theatre.server.close());
  const colour = "\u001b[";

  test.each([
    ["a pipe gets none", {}, [], false, false],
    ["a terminal gets it", {}, [], true, true],
    ["--no-color wins", { FORCE_COLOR: "1" }, ["--no-color"], true, false],
    ["NO_COLOR wins", { NO_COLOR: "1", FORCE_COLOR: "1" }, [], true, false],
    ["an empty NO_COLOR counts as absent", { NO_COLOR: "" }, [], true, true],
    ["FORCE_COLOR colours a pipe", { FORCE_COLOR: "1" }, [], false, true],
    ["FORCE_COLOR=0 is a no", { FORCE_COLOR: "0" }, [], true, false],
    ["a dumb terminal gets none", { TERM: "dumb" }, [], true, false],
  ] as const)("%s", async (_, env, flags, tty, coloured) => {
    const { out } = await lockstep(["status", ...flags, "--url", theatre.server.address], { env, tty });
    expect(out.includes(colour)).toBe(coloured);
  });

  test("outside UTF-8 everything is ASCII and says the same", async () => {
    for (const command of [["status"], ["status", "prod"], ["diff"], ["history", "prod"]]) {
      const { out } = await lockstep([...command, "--url", theatre.server.address], { env: { LANG: "C" } });
      // oxlint-disable-next-line no-control-regex -- the range is what is claimed
      expect(out).toMatch(/^[\u0000-\u007f]+$/);
    }
    const { out } = await lockstep(["status", "--url", theatre.server.address], { env: { LANG: "", LC_ALL: "C" } });
    expect(out).toContain("+ healthy");
    expect(out).toContain("~ drift");
    expect(out).toContain("x failed");
  });
});

test("the exit codes are those of the manual", async () => {
  expect(Object.values(EXIT)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 64, 130]);
  expect((await lockstep(["help", "exit-codes"])).out).toMatchInlineSnapshot(`
    "Exit codes
        0  done; for plan and diff also when they found differences
        1  failed (AWS, network, Git server, bug)
        2  differences, only with --exit-code
        3  blocked: gate, hold, halt
        4  not signed in or not allowed
        5  manifest invalid
        6  release failed or rolled back
        7  --timeout reached
        8  still running
       64  wrong usage
      130  Ctrl-C; the release goes on
    "
  `);
});

test("version says the version, as text and as JSON", async () => {
  expect((await lockstep(["version"])).out).toBe("lockstep 0.1.0\n");
  expect((await lockstep(["--version"])).out).toBe("lockstep 0.1.0\n");
  expect(JSON.parse((await lockstep(["version", "--json"])).out)).toEqual({
    schema: "lockstep/v1",
    type: "version",
    version: "0.1.0",
  });
});
