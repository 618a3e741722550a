// Child processes of a test: output kept, lines waited for, ended by their own handle and never by name.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "./until.ts";

/** The folder of the project: sources are run from there. */
export const ROOT = new URL("../../../", import.meta.url).pathname;

export type Variables = Readonly<Record<string, string>>;

export interface Child {
  stdout(): string;
  stderr(): string;
  /** The first match in what it printed so far or will print. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code, or with the name of the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  isRunning(): boolean;
  kill(signal: NodeJS.Signals): void;
}

/** What every child gets of this process: where programs are. Nothing of a developer's own AWS or Git settings. */
export function plainEnvironment(home: string): Variables {
  const { PATH = "", TMPDIR } = process.env;
  return { PATH, HOME: home, LC_ALL: "C.UTF-8", ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

/** Runs a TypeScript program of the project. */
export function startProgram(program: string, args: readonly string[], env: Variables, cwd: string = ROOT): Child {
  const tsx = new URL("node_modules/tsx/dist/esm/index.mjs", `file://${ROOT}`).href;
  const child = spawn(process.execPath, ["--import", tsx, `${ROOT}${program}`, ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Whatever becomes of the test, nothing outlives it.
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  return watch(child, `${program} ${args.join(" ")}`);
}

function watch(child: ChildProcess, name: string): Child {
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => (printed[stream] += text));
  }
  let running = true;
  const ended = once(child, "close").then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    running = false;
    return code ?? signal ?? -1;
  });
  const tail = (): string => `${printed.stdout}\n${printed.stderr}`.slice(-4000);
  return {
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    ended,
    isRunning: () => running,
    kill: (signal) => void child.kill(signal),
    says: (pattern) =>
      until(
        `${name} to print ${String(pattern)}`,
        () => {
          const found = pattern.exec(printed.stdout) ?? pattern.exec(printed.stderr) ?? undefined;
          if (found === undefined && !running)
            throw new Error(`${name} ended before it printed ${String(pattern)}\n${tail()}`);
          return found;
        },
        { seen: tail },
      ),
  };
}
