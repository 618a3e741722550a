// moto as a process: installed once into a virtual environment of its own, started on a port the system picks.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { REGION } from "./account.ts";

const run = promisify(execFile);
const ROOT = new URL("../../", import.meta.url).pathname;
const REQUIREMENTS = join(ROOT, "test/contracts/requirements.txt");
const INSTALL_MS = 300_000;
const START_MS = 60_000;

export interface Moto {
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves when moto listens. */
export async function startMoto(): Promise<Moto> {
  const environment = await installed();
  // An empty home and no proxies: moto must meet nothing of whoever runs the tests.
  const { PATH = "" } = process.env;
  const child = spawn(join(environment, "bin/moto_server"), ["-H", "127.0.0.1", "-p", "0"], {
    env: { PATH, HOME: environment, LC_ALL: "C.UTF-8", PYTHONUNBUFFERED: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const wait = setTimeout(() => reject(new Error(`moto did not listen within ${START_MS} ms\n${output}`)), START_MS);
    const hear = (text: string): void => {
      output = `${output}${text}`.slice(-10_000);
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (found !== undefined) {
        clearTimeout(wait);
        resolve(found);
      }
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", hear);
    child.once("error", reject);
    child.once("close", () => reject(new Error(`moto ended before it listened\n${output}`)));
  });
  return {
    url,
    async close() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A subnet of moto's default network; its EC2 is asked in plain words, for no client of ours speaks to EC2. */
export async function subnetOfMoto(endpoint: string): Promise<string> {
  const scope = `AKIAIOSFODNN7EXAMPLE/20260101/${REGION}/ec2/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
  const body = new URLSearchParams({ Action: "DescribeSubnets", Version: "2016-11-15" });
  const response = await fetch(endpoint, { method: "POST", headers: { authorization }, body });
  const text = await response.text();
  const found = /<subnetId>(subnet-\w+)</.exec(text)?.[1];
  if (found === undefined) throw new Error(`moto names no subnet: ${response.status} ${text.slice(0, 500)}`);
  return found;
}

/** The folder of a virtual environment that holds exactly what requirements.txt names. */
async function installed(): Promise<string> {
  const requirements = await readFile(REQUIREMENTS, "utf8");
  const version = createHash("sha256").update(requirements).digest("hex").slice(0, 12);
  const folder = join(ROOT, `node_modules/.cache/moto-${version}`);
  const ready = join(folder, "ready");
  if (await isThere(ready)) return folder;
  // What an installation that was broken off left behind goes first.
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, ".."), { recursive: true });
  await step("makes a virtual environment", "python3", ["-m", "venv", folder]);
  const pip = join(folder, "bin/pip");
  await step("installs moto", pip, ["install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]);
  await writeFile(ready, `${new Date().toISOString()}\n`);
  return folder;
}

async function step(what: string, program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args, { timeout: INSTALL_MS });
  } catch (error) {
    const { message, stderr = "" } = error as Error & { stderr?: string };
    const next =
      "The contracts need Python 3.10 or later with venv and pip (Debian: python3-venv) and a package index pip reaches.";
    throw new Error(`${what}: ${message}\n${stderr}\n${next}`, { cause: error });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
