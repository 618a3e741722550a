// The system's clock; every other clock belongs to a test.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Instant } from "../core/brand.ts";
import type { Clock } from "../ports.ts";

/** Longest delay a timer of Node takes; longer ones fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export function createSystemClock(): Clock {
  return {
    now: () => Instant.of(Date.now()),
    monotonicMs: () => performance.now(),
    async sleep(ms, signal) {
      try {
        await sleep(Math.min(Math.max(0, ms), TIMER_MAX_MS), undefined, { signal });
      } catch (error) {
        // The reason of the signal says who stopped us; the timer's own AbortError would hide it.
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}
