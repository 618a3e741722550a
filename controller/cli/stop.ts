// How a command ends early: an error that carries its exit code and the next thing to do.

/** Thrown by commands, caught once in command.ts. */
export interface Stop extends Error {
  readonly exit: number;
  /** What to do next: a sentence or a command. */
  readonly next?: string;
}

const STOP = Symbol("stop");

export function stop(exit: number, message: string, next?: string): Stop {
  return Object.assign(new Error(message), { [STOP]: true, exit, ...(next === undefined ? {} : { next }) });
}

export function isStop(thrown: unknown): thrown is Stop {
  return thrown instanceof Error && STOP in thrown;
}
