// What a command may touch of the outside: handed in by main.ts, so that every command runs in a test as it is.
import type { Clock } from "../ports.ts";

/** A stream that text goes to. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width of the terminal; undefined when it is none. */
  readonly columns?: number;
}

export interface Io {
  /** Results. */
  readonly stdout: Output;
  /** Progress, messages, errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Name of the person or job, for the journal; `main.ts` takes it from the operating system. */
  readonly user: string;
  /** Version of this Lockstep. */
  readonly version: string;
  /** Aborts at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Asks a person for one line; undefined when nobody can be asked (standard input is no terminal). */
  readonly ask?: (question: string) => Promise<string>;
  /** Hears every key as it is pressed, also Ctrl-C, until the returned function is called; undefined as `ask` is. */
  readonly onKey?: (listener: (key: string) => void) => () => void;
}
