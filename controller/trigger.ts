// Polling by node-cron: it only says "look now"; looks that come while one is under way become one more.
import { schedule } from "node-cron";
import type { Trigger } from "./ports.ts";

/** node-cron writes to the console of its own accord; a look that was missed is made up by the next one. */
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

/** A cron expression of five fields, or six with seconds first. */
export function createCronTrigger(expression: string): Trigger {
  return {
    start(look) {
      const task = schedule(expression, () => look(), { logger: SILENT, suppressMissedWarning: true });
      return { [Symbol.dispose]: () => void task.stop() };
    },
  };
}
