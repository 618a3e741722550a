// Runs one proof in a copy and says whether it noticed anything: a failed test or a violation, not merely a crash.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Proof } from "./mutation.ts";

export type Finding =
  | { readonly state: "caught"; readonly by: string }
  | { readonly state: "survived" }
  /** Neither: nothing was tested, or it took too long. */
  | { readonly state: "broken"; readonly why: string };

const TIMEOUT_MS = 5 * 60_000;
const SHOWN = 100;

export async function attempt(folder: string, proof: Proof): Promise<Finding> {
  if (typeof proof === "string") return testFile(folder, proof);
  const { seeds, from } = proof;
  const argv = ["--import", "tsx", "test/simulation/main.ts", "--seeds", String(seeds), "--from", from];
  // The first violation is enough.
  const { exit, last, stopped } = await run(folder, argv, (line) => /^seed [^:]+: \S/.test(line));
  if (stopped !== undefined) return { state: "caught", by: shown(stopped) };
  return exit === 0 ? { state: "survived" } : { state: "broken", why: `exit ${exit}: ${shown(last)}` };
}

async function testFile(folder: string, file: string): Promise<Finding> {
  const out = await mkdtemp(join(tmpdir(), "lockstep-attempt-"));
  try {
    const report = join(out, "report.json");
    const options = ["--bail=1", "--maxWorkers=1", "--reporter=json", `--outputFile=${report}`];
    const { exit, last } = await run(folder, ["node_modules/vitest/vitest.mjs", "run", file, ...options]);
    const text = await readFile(report, "utf8").catch(() => undefined);
    if (text === undefined) return { state: "broken", why: `exit ${exit}: ${shown(last)}` };
    return judge(JSON.parse(text) as Report);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function judge({ success, numTotalTests, testResults }: Report): Finding {
  const failed = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === "failed");
  if (failed !== undefined) return { state: "caught", by: shown(failed.fullName) };
  if (success && numTotalTests > 0) return { state: "survived" };
  return { state: "broken", why: shown(testResults[0]?.message ?? "no test ran") };
}

interface Ended {
  readonly exit: number | string;
  readonly last: string;
  /** The line at which it was stopped. */
  readonly stopped?: string;
}

/** Runs Node in a process group of its own, so that a stop ends its children too. */
async function run(
  folder: string,
  argv: readonly string[],
  stopsAt: (line: string) => boolean = () => false,
): Promise<Ended> {
  const child = spawn(process.execPath, argv, { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let stopped: string | undefined;
  let last = "";
  let late = false;
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
    }
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, TIMEOUT_MS);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      if (line.trim() !== "") last = line;
      if (stopped !== undefined || !stopsAt(line)) return;
      stopped = line;
      end();
    });
  }
  const exit = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(late ? "timeout" : (code ?? signal ?? "unknown")));
  }).finally(() => clearTimeout(timer));
  return { exit, last, ...(stopped === undefined ? {} : { stopped }) };
}

function shown(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line;
}
