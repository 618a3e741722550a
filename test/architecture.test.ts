// The rules of architecture.md that no compiler holds: who imports whom, how long a file is, what is never written.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), ".."));

interface File {
  /** From the root, `/` between segments. */
  readonly path: string;
  readonly text: string;
  /** Code without comments and without the contents of strings and templates. */
  readonly code: string;
  readonly imports: readonly string[];
}

function read(path: string): File {
  const text = readFileSync(join(ROOT, path), "utf8");
  const found = [
    ...text.matchAll(
      /(?:^|[\s;])(?:import|export)\b[^"'`;]*?from\s*"([^"]+)"|\bimport\(\s*"([^"]+)"|^import\s+"([^"]+)"/gm,
    ),
  ];
  const imports = found.map((match) => match[1] ?? match[2] ?? match[3] ?? "");
  return { path, text, code: bare(text), imports };
}

function bare(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|[^:"'`\\])\/\/.*$/gm, "$1")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replaceAll(/`(?:[^`\\]|\\.)*`/g, "``");
}

function filesUnder(folder: string): readonly File[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith(".generated.ts"))
    .map((entry) => read(relative(ROOT, join(entry.parentPath, entry.name))))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const CONTROLLER = filesUnder("controller");
const SANDBOX = filesUnder("sandbox");
const TESTS = filesUnder("test");

/** The room a file of the controller belongs to: `core`, `targets/ecs`, `ports`, `sandbox`. */
function roomOf(path: string): string {
  const [top = "", first = "", second = ""] = path.split("/");
  if (top !== "controller") return top;
  const name = first.replace(/\.tsx?$/, "");
  if (name !== "targets") return name;
  const target = second.replace(/\.tsx?$/, "");
  return target === "aws" ? "targets/aws" : `targets/${target}`;
}

/** What each room may import beside itself. A room that is missing here fails the suite. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ["core"],
  variables: ["core"],
  config: ["core", "variables"],
  trigger: ["core", "ports"],
  engine: ["core", "ports"],
  manifest: ["core", "ports", "schema"],
  git: ["core", "ports"],
  journal: ["core", "ports"],
  sinks: ["core", "ports"],
  server: ["core", "ports"],
  demo: ["core", "ports"],
  cli: ["core", "ports", "config", "variables"],
  "targets/aws": ["core", "ports"],
  "targets/artifacts": ["core", "ports", "targets/aws"],
  "targets/ecs": ["core", "ports", "targets/aws"],
  "targets/probe": ["core", "ports"],
  "targets/web": ["core", "ports", "targets/aws"],
  compose: [
    "core ports config trigger engine manifest git journal sinks server demo cli variables sandbox",
    "targets/aws targets/artifacts targets/ecs targets/probe targets/web",
  ].flatMap((rooms) => rooms.split(" ")),
  main: ["core", "compose", "cli"],
};

function neighbours(file: File): readonly string[] {
  return file.imports
    .filter((name) => name.startsWith("."))
    .map((name) => roomOf(normalize(join(dirname(file.path), name))))
    .filter((room) => room !== roomOf(file.path));
}

function offenders(files: readonly File[], isWrong: (file: File) => boolean): readonly string[] {
  return files.filter(isWrong).map(({ path }) => path);
}

describe("Who imports whom", () => {
  test("every room of the controller imports only what architecture.md lets it", () => {
    const wrong = CONTROLLER.flatMap((file) =>
      neighbours(file)
        .filter((room) => !(MAY[roomOf(file.path)] ?? []).includes(room))
        .map((room) => `${file.path} imports ${room}`),
    );
    expect(wrong).toEqual([]);
  });

  test("the table names every room there is, and no other", () => {
    const rooms = new Set(CONTROLLER.map(({ path }) => roomOf(path)));
    expect(Object.keys(MAY).sort()).toEqual([...rooms].sort());
  });

  test("the sandbox never imports the controller", () => {
    expect(offenders(SANDBOX, (file) => neighbours(file).length > 0)).toEqual([]);
  });

  test("the core imports no package and no builtin but the hash in sha256.ts", () => {
    const core = CONTROLLER.filter(({ path }) => roomOf(path) === "core");
    const wrong = offenders(core, ({ imports }) => imports.some((name) => !name.startsWith(".")));
    expect(wrong).toEqual(["controller/core/sha256.ts"]);
  });

  test("the engine and the ports import no package and no builtin", () => {
    const files = CONTROLLER.filter(({ path }) => ["engine", "ports"].includes(roomOf(path)));
    expect(offenders(files, ({ imports }) => imports.some((name) => !name.startsWith(".")))).toEqual([]);
  });

  test.each([
    ["simple-git", /^controller\/git\//],
    ["@aws-sdk/", /^controller\/(targets|demo|compose)\//],
    ["hono", /^controller\/server\//],
    ["pino", /^controller\/sinks\//],
    ["yaml", /^controller\/(manifest\/|cli\/render\.ts)/],
    ["node:child_process", /^controller\/(git|demo)\//],
  ])("%s is imported only where its one room is", (name, room) => {
    const users = CONTROLLER.filter(({ imports }) => imports.some((one) => one === name || one.startsWith(name)));
    expect(users.length).toBeGreaterThan(0);
    expect(offenders(users, ({ path }) => !room.test(path))).toEqual([]);
  });
});

describe("What is never written", () => {
  test("the core, the engine and the gates know no clock, no chance and no timer of their own", () => {
    const pure = CONTROLLER.filter(({ path }) => ["core", "engine"].includes(roomOf(path)));
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bperformance\b|\brandomBytes\b/;
    expect(offenders(pure, ({ code }) => impure.test(code))).toEqual([]);
  });

  test("only main.ts touches the process; a journal's writer proves with it that a process has ended", () => {
    // The id of this process and signal 0 to another are what a proof of its end is made of; nothing is read or changed.
    const known = ["controller/journal/writer.ts", "controller/main.ts"];
    expect(offenders(CONTROLLER, ({ code }) => /(?<![.\w])process\./.test(code))).toEqual(known);
  });

  test("nobody logs: there is no console", () => {
    expect(offenders([...CONTROLLER, ...SANDBOX, ...TESTS], ({ code }) => /\bconsole\./.test(code))).toEqual([]);
  });

  test("nothing is left to do, and no test replaces a module or is skipped", () => {
    const everything = [...CONTROLLER, ...SANDBOX, ...TESTS].filter(({ path }) => path !== "test/architecture.test.ts");
    expect(offenders(everything, ({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text))).toEqual([]);
    expect(
      offenders(TESTS, ({ code }) => /\bvi\.(mock|doMock)\b|\b(test|it|describe)\.(skip|todo|only)\b/.test(code)),
    ).toEqual([]);
  });

  test("nothing is exported by default, and nothing is cast to any", () => {
    const all = [...CONTROLLER, ...SANDBOX];
    expect(offenders(all, ({ code }) => /\bexport default\b|\bas any\b|[\w)\]?]: any[\s;,)=>[\]]/.test(code))).toEqual(
      [],
    );
  });

  test("Fault is the only class of the controller", () => {
    expect(offenders(CONTROLLER, ({ code }) => /^\s*(export )?(abstract )?class \w/m.test(code))).toEqual([
      "controller/core/fault.ts",
    ]);
  });

  test("no file is called a helper, a manager or a bag of things", () => {
    const vague = /(^|[/-])(utils?|helpers?|manager|data|misc|common)\.tsx?$/;
    expect(offenders([...CONTROLLER, ...SANDBOX, ...TESTS], ({ path }) => vague.test(path))).toEqual([]);
  });
});

describe("How a file reads", () => {
  /** Longer for a reason: one table or one union, which reads worse in pieces. */
  const LONG: Readonly<Record<string, string>> = {
    "controller/core/fault.ts": "one table, a row per fault",
    "controller/core/event.ts": "one union, a member per event",
  };

  test("no file of controller or sandbox is longer than 250 lines, but for a table and a union", () => {
    const long = offenders([...CONTROLLER, ...SANDBOX], ({ text }) => text.trimEnd().split("\n").length > 250);
    expect(long.filter((path) => !(path in LONG))).toEqual([]);
    expect(Object.keys(LONG).filter((path) => !long.includes(path))).toEqual([]);
  });

  test("every file but a test, whose names say it, opens with a sentence that says what it is for", () => {
    const opens = (text: string): boolean => /^(#!.*\n)?(\/\*\* @jsx.*\n)?\/\/ \S.*[\s\S]*?[.!)"`]\n/.test(text);
    const support = TESTS.filter(({ path }) => !path.endsWith(".test.ts"));
    expect(offenders([...CONTROLLER, ...SANDBOX, ...support], ({ text }) => !opens(text))).toEqual([]);
  });
});
