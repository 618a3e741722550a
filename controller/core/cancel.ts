// Why something was stopped from outside: one vocabulary for every AbortSignal; the first cause wins.
import type { CancelReason } from "./event.ts";

const REASONS: ReadonlySet<string> = new Set([
  "superseded",
  "shutdown",
  "timeout",
  "fenced",
  "aborted",
] satisfies CancelReason[]);

/** The reason to hand to `AbortController.abort`: an error that carries the word as its name. */
export function cancellation(reason: CancelReason): Error {
  const error = new Error(`cancelled: ${reason}`);
  error.name = reason;
  return error;
}

/** The word of an aborted signal; anything else that aborts us is a shutdown. */
export function cancelReason(signal: AbortSignal): CancelReason {
  const name: unknown = signal.reason instanceof Error ? signal.reason.name : signal.reason;
  return typeof name === "string" && REASONS.has(name)
    ? (name as CancelReason)
    : name === "TimeoutError"
      ? "timeout"
      : "shutdown";
}
