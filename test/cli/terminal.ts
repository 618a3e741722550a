// Runs commands through their real entry, with streams that remember and a clock that a test moves.
import { run } from "../../controller/cli/command.ts";
import type { Doors } from "../../controller/cli/doors.ts";
import type { Io, Output } from "../../controller/cli/io.ts";
import { Instant } from "../../controller/core/brand.ts";
import type { Clock } from "../../controller/ports.ts";
import { NOW } from "./shop.ts";

export interface Session {
  readonly env?: Io["env"];
  readonly doors?: Partial<Doors>;
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
  readonly ask?: NonNullable<Io["ask"]>;
  /** Called with the time that has passed whenever a command sleeps. */
  readonly onSleep?: (elapsedMs: number) => void | Promise<void>;
  readonly cwd?: string;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Time moves only when somebody sleeps. */
function createClock(onSleep: Session["onSleep"]): Clock {
  let elapsedMs = 0;
  return {
    now: () => Instant.plus(NOW, elapsedMs),
    monotonicMs: () => elapsedMs,
    async sleep(ms, signal) {
      elapsedMs += ms;
      await onSleep?.(elapsedMs);
      signal.throwIfAborted();
    },
  };
}

export async function lockstep(argv: readonly string[], session: Session = {}): Promise<Ran> {
  const written = { out: "", err: "" };
  const output = (name: "out" | "err"): Output => ({
    isTTY: session.tty === true,
    ...(session.tty === true ? { columns: 100 } : {}),
    write: (text) => {
      written[name] += text;
    },
  });
  const io: Io = {
    stdout: output("out"),
    stderr: output("err"),
    env: { LANG: "C.UTF-8", ...session.env },
    cwd: session.cwd ?? "/nowhere",
    user: "mia",
    version: "0.1.0",
    signal: session.signal ?? new AbortController().signal,
    clock: createClock(session.onSleep),
    ...(session.ask === undefined ? {} : { ask: session.ask }),
  };
  const code = await run(argv, io, async () => {
    if (session.doors === undefined) throw new Error("this command must not open the doors");
    return session.doors as Doors;
  });
  return { code, ...written };
}
