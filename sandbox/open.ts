// Opens a sandbox on this machine: real clock, tasks as processes, HTTP on 127.0.0.1, seeded if wanted.

import { createRealClock } from "./clock.ts";
import { createProcessRunner } from "./ecs/runner-process.ts";
import { createScriptRunner } from "./ecs/runner-script.ts";
import { type Edge, serve } from "./http.ts";
import { createOperations, type Operations } from "./operations.ts";
import { createSandbox, DEFAULT_ACCOUNT, DEFAULT_REGION, type Sandbox, type SandboxOptions } from "./sandbox.ts";
import { seed } from "./seed.ts";

export interface OpenOptions {
  /** 0 = the system picks (default). */
  readonly port?: number;
  /** Divides the sandbox's own delays. Default 1. */
  readonly speed?: number;
  /** Fill it with the small shop of seed.ts. Default false. */
  readonly seed?: boolean;
  /** Default `process`. */
  readonly runner?: "process" | "script";
  readonly throttling?: boolean;
  readonly account?: string;
  readonly region?: string;
  /** Hears of bugs in the sandbox. */
  readonly onError?: (error: unknown) => void;
}

export interface OpenSandbox {
  readonly url: string;
  readonly sandbox: Sandbox;
  readonly edge: Edge;
  /** The account's own operations, for seeding more. */
  readonly operations: Operations;
  /** Closes the listeners and ends every task. */
  readonly close: () => Promise<void>;
}

/** Faults: what listening can meet, such as EADDRINUSE. */
export async function openSandbox(options: OpenOptions = {}): Promise<OpenSandbox> {
  const { account = DEFAULT_ACCOUNT, region = DEFAULT_REGION, throttling = false } = options;
  const clock = createRealClock(options.speed ?? 1);
  const parts: Pick<SandboxOptions, "runner" | "routes"> =
    options.runner === "script" ? scripted(createScriptRunner(clock)) : { runner: createProcessRunner() };
  const sandbox = createSandbox({ clock, chance: Math.random, account, region, throttling, ...parts });
  const operations = createOperations(sandbox.handle, region);
  try {
    if (options.seed === true) await seed(operations, { account, region });
    const { port = 0, onError = () => undefined } = options;
    const edge = await serve(sandbox, { port, onError });
    return {
      url: edge.url,
      sandbox,
      edge,
      operations,
      close: async () => {
        await edge.close();
        await sandbox.close();
      },
    };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

function scripted(runner: ReturnType<typeof createScriptRunner>): Pick<SandboxOptions, "runner" | "routes"> {
  return { runner, routes: runner.routes };
}
