// Waiting for something to become true: asked again and again until a deadline, never for a fixed time.
import { setTimeout as pause } from "node:timers/promises";

/** The pause between two questions grows from the first to the second: waiting must not be what slows things down. */
const [PROBE_MS, PROBE_MAX_MS] = [20, 250];
/** Longer than anything a test waits for takes on a slow machine. */
const DEADLINE_MS = 40_000;

/** The first defined answer. Fault: an Error that says what was waited for and what was seen last. */
export async function until<Answer>(
  what: string,
  probe: () => Promise<Answer | undefined> | Answer | undefined,
  options: { readonly deadlineMs?: number; readonly seen?: () => string } = {},
): Promise<Answer> {
  const { deadlineMs = DEADLINE_MS, seen } = options;
  const givenUpAt = performance.now() + deadlineMs;
  for (let pauseMs = PROBE_MS; ; pauseMs = Math.min(PROBE_MAX_MS, pauseMs * 1.5)) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= givenUpAt) {
      throw new Error(
        `waited ${deadlineMs / 1000} s for: ${what}${seen === undefined ? "" : `\nlast seen:\n${seen()}`}`,
      );
    }
    await pause(pauseMs);
  }
}
