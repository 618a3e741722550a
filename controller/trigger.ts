// Polling by node-cron: it only says "look now", and never twice at once.
import { schedule } from "node-cron";
import type { Trigger } from "./ports.ts";

/** Controllers on one schedule must not all ask at the same second. */
const JITTER_MAX_MS = 2_000;

/** A cron expression of five fields, or six with seconds first. */
export function createCronTrigger(expression: string): Trigger {
  return {
    start(look) {
      const task = schedule(expression, () => look(), { noOverlap: true, maxRandomDelay: JITTER_MAX_MS });
      return { [Symbol.dispose]: () => void task.stop() };
    },
  };
}
