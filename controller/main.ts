#!/usr/bin/env node
// argv → command → exit code: the only file that touches `process`.
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { cancellation } from "./core/cancel.ts";
import { createSystemClock } from "./compose/clock.ts";
import { run } from "./cli/command.ts";
import type { Io, Output } from "./cli/io.ts";

// Node 20 is the floor here; the SDK's notice about its own future would be the first line of every command.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // A second one is meant: whoever sends it does not want to wait for an orderly end.
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort(cancellation("shutdown"));
  });
}
// A reader that went away (`| head`) ends the command, not with a stack trace.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const io: Io = {
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  env: process.env,
  cwd: process.cwd(),
  user: userName(),
  version: version(),
  signal: stopping.signal,
  clock: createSystemClock(),
  ...(process.stdin.isTTY ? { ask, onKey } : {}),
};

process.exitCode = await run(process.argv.slice(2), io, async () => (await import("./compose.ts")).createDoors(io));

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    isTTY: stream.isTTY,
    ...(stream.isTTY ? { columns: stream.columns } : {}),
    write: (text) => void stream.write(text),
  };
}

/** The name the operating system has for whoever runs this; a container may know none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] ?? `uid-${process.getuid?.() ?? 0}`;
  }
}

/** Stands beside the sources, and one folder higher beside what the build emits. */
function version(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
      if (typeof found === "object" && found !== null && "version" in found) return String(found.version);
    } catch {
      continue;
    }
  }
  return "unknown";
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: stopping.signal });
  } finally {
    lines.close();
  }
}

/** Keys come one by one, without Enter and without an echo; the terminal is put back afterwards. */
function onKey(listener: (key: string) => void): () => void {
  const { stdin } = process;
  const hear = (keys: Buffer): void => {
    for (const key of keys.toString("utf8")) listener(key);
  };
  stdin.setRawMode(true).on("data", hear).resume();
  return () => void stdin.setRawMode(false).off("data", hear).pause();
}
