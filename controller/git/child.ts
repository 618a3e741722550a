// One Git process from start to end, with limits of time and output; the only file that knows simple-git.
import { Buffer } from "node:buffer";
import { simpleGit } from "simple-git";

/** Which guards of simple-git are off, and why it is safe here: every value comes from environment.ts, none from outside. */
const UNSAFE = {
  /** The settings of environment.ts travel in the environment, because argv is public. */
  allowUnsafeConfigEnvCount: true,
  /** GIT_CONFIG_GLOBAL=/dev/null: the configuration of the user is shut out, not let in. */
  allowUnsafeConfigPaths: true,
  /** core.hooksPath=/dev/null: no hook runs. */
  allowUnsafeHooksPath: true,
  /** core.fsmonitor=false: no monitor runs. */
  allowUnsafeFsMonitor: true,
  /** credential.helper is emptied: no helper runs. */
  allowUnsafeCredentialHelper: true,
  /** GIT_SSH_COMMAND of credentials.ts: a fixed command with two checked paths. */
  allowUnsafeSshCommand: true,
} as const;

export interface Command {
  /** argv after `git`. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly input?: string;
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

export interface Ended {
  readonly exit: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Why a process was ended before its time; a caller turns it into a Fault that names the repository. */
export interface Overrun {
  readonly overrun: "time" | "output" | "size";
}

export function isOverrun(thrown: unknown): thrown is Overrun {
  return typeof thrown === "object" && thrown !== null && "overrun" in thrown;
}

const STDERR_BYTES = 64 * 1024;

/**
 * Runs Git to its end. Resolves for every exit code; rejects with the signal's reason, with an Overrun, or with the
 * error of a child that could not be started.
 */
export async function runGit(command: Command, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  const ending = new AbortController();
  const stop = () => ending.abort(signal.reason);
  const timer = setTimeout(() => ending.abort({ overrun: "time" } satisfies Overrun), command.timeoutMs);
  signal.addEventListener("abort", stop);
  const aborted = new Promise<never>((_resolve, reject) => {
    ending.signal.addEventListener("abort", () => reject(ending.signal.reason as Error));
  });
  try {
    // A child that was told to end may leave its own children holding the pipes: nobody waits for those.
    return await Promise.race([spawnGit(command, ending), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

async function spawnGit(command: Command, ending: AbortController): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let exit = -1;
  const git = simpleGit({
    baseDir: command.folder,
    abort: ending.signal,
    allowEnvironment: Object.keys(command.environment),
    unsafe: UNSAFE,
    // The last output may come after the exit.
    completion: { onClose: true, onExit: false },
    ...(command.input === undefined ? {} : { input: () => command.input }),
    // Exit codes are answers (`merge-base --is-ancestor`), so only a child that never ran or was killed is an error.
    errors(error, result) {
      exit = result.exitCode;
      return exit >= 0 ? undefined : error;
    },
  });
  git.env(command.environment).outputHandler((_name, out, err) => {
    let bytes = 0;
    out.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > command.outputBytes) ending.abort({ overrun: "output" } satisfies Overrun);
      else stdout.push(chunk);
    });
    let said = 0;
    err.on("data", (chunk: Buffer) => {
      said += chunk.length;
      if (said <= STDERR_BYTES) stderr.push(chunk);
    });
  });
  await git.raw([...command.argv]);
  return { exit, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") };
}
