// How web steps wait: again after a fault of the world, to the end although superseded, and stopped by a shutdown.
import { setMaxListeners } from "node:events";
import { cancelReason } from "../../core/cancel.ts";
import type { CancelReason, Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Context } from "../../ports.ts";

/** Attempts of one call before its fault is handed to the engine, which retries the step until its deadline. */
const ATTEMPTS = 6;
const FIRST_MS = 200;

/** Runs again after faults that pass by themselves, waiting twice as long each time, up to half of it by chance. */
export async function patiently<Answer>(
  { clock, random }: Pick<Context, "clock" | "random">,
  signal: AbortSignal,
  run: (attempt: number) => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Fault) || error.consequence !== "retry" || attempt === ATTEMPTS) throw error;
      const chance = Number.parseInt(random(2), 16) / 0xffff;
      await clock.sleep(Math.round(FIRST_MS * 2 ** (attempt - 1) * (0.5 + chance / 2)), signal);
    }
  }
}

/** Runs a step that stops at once when its signal aborts. */
export function stoppable(context: Context, run: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
  return heeding(context, () => true, run);
}

/**
 * Runs a step to its end whoever wants it to stop, because half a publication is worse than a late one. Only a shutdown
 * and a lost lease stop it: then nothing more may be written.
 */
export function untilEnd(context: Context, run: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
  return heeding(context, (by) => by === "shutdown" || by === "fenced", run);
}

async function heeding(
  context: Context,
  heeds: (by: CancelReason) => boolean,
  run: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  if (context.signal.aborted) return { status: "cancelled", by: cancelReason(context.signal) };
  const stop = new AbortController();
  // Every copy in flight listens, and its retry and its time limit.
  setMaxListeners(4 * LIMITS.copies, stop.signal);
  const hear = (): void => {
    if (heeds(cancelReason(context.signal))) stop.abort(context.signal.reason);
  };
  context.signal.addEventListener("abort", hear, { once: true });
  try {
    return await run(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return { status: "cancelled", by: cancelReason(stop.signal) };
    throw error;
  } finally {
    context.signal.removeEventListener("abort", hear);
  }
}
