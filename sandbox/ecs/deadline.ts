// Waiting by the clock's own time, for what depends on real processes and so must not be divided by the speed.

import type { SandboxClock } from "../api.ts";

/** The least to wait before looking again when a fast clock's timer came early. */
const LOOK_AGAIN_MS = 1000;

/** Runs `action` once `now` has passed the deadline. Returns its cancel. */
export function atDeadline(clock: SandboxClock, deadlineMs: number, action: () => void): () => void {
  let cancel = clock.after(deadlineMs - clock.now(), look);
  function look(): void {
    const leftMs = deadlineMs - clock.now();
    if (leftMs <= 0) action();
    else cancel = clock.after(Math.max(leftMs, LOOK_AGAIN_MS), look);
  }
  return () => cancel();
}
