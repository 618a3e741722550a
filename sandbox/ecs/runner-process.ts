// Runs containers as child processes of this machine: what an image's annotations say, in its folder, on a free port.

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { ContainerEvents, ContainerStart, ImageManifest, RunningContainer, TaskRunner } from "../api.ts";
import { isRecord } from "../wire.ts";

const PROBE_MS = 50;
const NOT_FOUND_EXIT_CODE = 127;
/** What docker reports for a process ended by a signal: 128 and the signal's number. */
const SIGNAL_EXIT_CODES: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGABRT: 134,
  SIGKILL: 137,
  SIGSEGV: 139,
  SIGTERM: 143,
};

/** Time here is the real one: real processes do not run faster. Closed, it starts nothing any more. */
export function createProcessRunner(): TaskRunner {
  const running = new Map<ChildProcess, Promise<void>>();
  let isClosed = false;
  const killAll = (): void => {
    for (const child of running.keys()) signalGroup(child, "SIGKILL");
  };

  function start(container: ContainerStart, events: ContainerEvents): RunningContainer {
    if (isClosed) throw new Error("the runner is closed");
    const [program, ...parameters] = [...entrypointOf(container.manifest), ...container.command];
    if (program === undefined) {
      events.log(`The image ${container.image} has no sandbox.entrypoint and the task gives no command`);
      setImmediate(() => events.exited(NOT_FOUND_EXIT_CODE));
      return { stop: () => undefined };
    }
    const child = spawn(program, parameters, {
      cwd: container.manifest.annotations["sandbox.folder"],
      env: environmentOf(container),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (running.size === 0) process.once("exit", killAll);
    const probing = new AbortController();
    let killing: NodeJS.Timeout | undefined;
    const settle = async (): Promise<void> => {
      const exitCode = await watch(child, events);
      probing.abort();
      clearTimeout(killing);
      running.delete(child);
      if (running.size === 0) process.off("exit", killAll);
      events.exited(exitCode);
    };
    running.set(child, settle());
    child.once("spawn", () => {
      if (container.port === undefined) events.healthy();
      else probe(container.port, probing.signal, () => events.healthy());
    });
    return {
      stop(stopTimeoutMs) {
        signalGroup(child, "SIGTERM");
        killing ??= setTimeout(() => signalGroup(child, "SIGKILL"), stopTimeoutMs);
      },
    };
  }

  return {
    start,
    async close() {
      isClosed = true;
      killAll();
      await Promise.all(running.values());
    },
  };
}

/** Resolves with the exit code once the process is gone and its last line is logged. */
function watch(child: ChildProcess, events: ContainerEvents): Promise<number> {
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) readLines(stream, (line) => events.log(line));
  return new Promise((resolve) => {
    // Children of the child must not outlive it, nor hold its pipes open.
    child.once("exit", () => signalGroup(child, "SIGKILL"));
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      events.log(`cannot start: ${error.message}`);
      resolve(NOT_FOUND_EXIT_CODE);
    });
    child.once("close", (code, signal) => {
      resolve(code ?? (signal === null ? undefined : SIGNAL_EXIT_CODES[signal]) ?? NOT_FOUND_EXIT_CODE);
    });
  });
}

function readLines(stream: Readable, line: (text: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", line);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nothing is left of the group: what the signal was for has happened.
    if (!(isRecord(error) && error["code"] === "ESRCH")) throw error;
  }
}

/** Connects again and again until somebody accepts. */
function probe(port: number, signal: AbortSignal, accepted: () => void): void {
  if (signal.aborted) return;
  const socket = connect({ host: "127.0.0.1", port });
  socket.once("connect", () => {
    socket.destroy();
    if (!signal.aborted) accepted();
  });
  socket.once("error", () => {
    socket.destroy();
    setTimeout(() => probe(port, signal, accepted), PROBE_MS);
  });
}

function entrypointOf({ annotations }: ImageManifest): readonly string[] {
  const value: unknown = JSON.parse(annotations["sandbox.entrypoint"] ?? "[]");
  return Array.isArray(value) ? value.map(String) : [];
}

/** The image's own environment under the task's. Of this process only what programs need to be found passes through. */
function environmentOf({ manifest, environment, port }: ContainerStart): NodeJS.ProcessEnv {
  const own: unknown = JSON.parse(manifest.annotations["sandbox.env"] ?? "{}");
  const fromImage = isRecord(own) ? Object.entries(own).map(([name, value]) => [name, String(value)] as const) : [];
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR,
    LANG,
    ...Object.fromEntries(fromImage),
    ...environment,
    ...(port === undefined ? {} : { PORT: String(port) }),
  };
}
