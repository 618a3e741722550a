// P8: how long a command takes from start to finish, as the build runs it, beside an empty Node and ecspresso's Go.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Result, Row } from "./row.ts";
import { median } from "./row.ts";
import { REGION } from "./virtual.ts";

const RUNS = 15;
const LIMITS_MS = { "--help": 150, validate: 250, plan: 600 } as const;
const LOCKSTEP = resolve("dist/lockstep.js");
const TSX = resolve("node_modules/tsx/dist/cli.mjs");

interface Timing {
  /** Median, start to finish. */
  readonly wallMs: number;
  /** Mean over all runs, user and system, with children: what the machine's other work cannot change. */
  readonly cpuMs?: number;
}

interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export const startUp: Row = {
  id: "P8",
  measure: `start to finish of the built command line, ${RUNS} runs: --help, validate, plan of three environments on the sandbox`,
  reference: "an empty Node, and ecspresso (Go): help, render, diff of one service",
  target: "at most 150, 250 and 600 ms",
  async run() {
    const run = promisify(execFile);
    await run(process.execPath, [TSX, "scripts/build.ts"]);
    const cwd = await mkdtemp(join(tmpdir(), "lockstep-bench-"));
    const sandbox = spawn(process.execPath, [TSX, "sandbox/main.ts", "--port", "0", "--region", REGION]);
    try {
      await cp("environments", join(cwd, "environments"), { recursive: true });
      const place = { cwd, env: await account(sandbox, cwd) };
      const node = (...args: readonly string[]): Promise<Timing> => timed(place, process.execPath, args);
      const figures = {
        node: await node("-e", "0"),
        "--help": await node(LOCKSTEP, "--help"),
        validate: await node(LOCKSTEP, "validate"),
        plan: await node(LOCKSTEP, "plan"),
      };
      return judged(figures, await ecspresso(place));
    } finally {
      sandbox.kill("SIGTERM");
      await once(sandbox, "close");
      await rm(cwd, { recursive: true, force: true });
    }
  },
};

/** Waits for the account and answers what reaches it. */
async function account(sandbox: ChildProcess, home: string): Promise<Place["env"]> {
  let text = "";
  for await (const chunk of sandbox.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  const found = JSON.parse(text) as Readonly<Record<"url" | "accessKeyId" | "secretAccessKey", string>>;
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    AWS_ENDPOINT_URL: found.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: found.accessKeyId,
    AWS_SECRET_ACCESS_KEY: found.secretAccessKey,
  };
}

async function timed({ cwd, env }: Place, program: string, args: readonly string[]): Promise<Timing> {
  const walls: number[] = [];
  let before: number | undefined;
  // The first one brings files into memory and is not counted.
  for (let count = 0; count <= RUNS; count += 1) {
    if (count === 1) before = await childrenMs();
    const startedMs = performance.now();
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    const said = text(child);
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`${[program, ...args].join(" ")} ended with ${String(code)}: ${await said}`);
    if (count > 0) walls.push(performance.now() - startedMs);
  }
  const after = await childrenMs();
  const wallMs = Math.round(median(walls));
  return before === undefined || after === undefined ? { wallMs } : { wallMs, cpuMs: (after - before) / RUNS };
}

async function text(child: ChildProcess): Promise<string> {
  let said = "";
  for await (const chunk of child.stderr ?? []) said += String(chunk);
  return said;
}

/** CPU time of children that have ended, in steps of 10 ms; undefined where there is no /proc. */
async function childrenMs(): Promise<number | undefined> {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined ? undefined : (Number(fields[13]) + Number(fields[14])) * 10;
}

/** The same things asked of ecspresso, where it is installed (ECSPRESSO names the program). */
async function ecspresso(place: Place): Promise<Readonly<Record<string, Timing>> | undefined> {
  const program = process.env["ECSPRESSO"] ?? "ecspresso";
  const run = promisify(execFile);
  const found = ["--region", REGION, "--cluster", "dev", "--service", "api", "--config", "ecspresso.yml"];
  try {
    await run(program, ["init", ...found], place);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  }
  return {
    "--help": await timed(place, program, ["--help"]),
    render: await timed(place, program, ["render", "config"]),
    diff: await timed(place, program, ["diff"]),
  };
}

/** On a machine with nothing else to do a command takes no longer than its CPU time, which other work does not change. */
function judgedMs({ cpuMs, wallMs }: Timing): number {
  return Math.round(cpuMs ?? wallMs);
}

function judged(
  figures: Readonly<Record<"node" | keyof typeof LIMITS_MS, Timing>>,
  reference: Readonly<Record<string, Timing>> | undefined,
): Result {
  const commands = Object.keys(LIMITS_MS) as (keyof typeof LIMITS_MS)[];
  const words = (all: Readonly<Record<string, Timing>>): string =>
    Object.entries(all)
      .map(([name, { wallMs, cpuMs }]) => `${name} ${wallMs}${cpuMs === undefined ? "" : ` (${cpuMs.toFixed(0)})`}`)
      .join(", ");
  return {
    measured: commands.map((name) => `${name} ${judgedMs(figures[name])} ms`).join(", "),
    met: commands.every((name) => judgedMs(figures[name]) <= LIMITS_MS[name]),
    figures: { ...figures, ...(reference === undefined ? {} : { ecspresso: reference }) },
    notes: [
      `judged by CPU time; the median from start to finish, at a load of ${loadavg()[0]?.toFixed(1)}, and the CPU time (ms): ${words(figures)}`,
      reference === undefined
        ? "ecspresso is not installed here; ECSPRESSO names its program"
        : `the same of ecspresso: ${words(reference)}`,
    ],
  };
}
