// The two clocks of the sandbox: real time with delays divided by N, and time that only moves when it is told to.

import type { SandboxClock } from "./api.ts";

/** The longest delay one Node timer can carry; a longer one is waited for in pieces. */
const TIMER_LIMIT_MS = 2_147_483_647;

/**
 * Real time. The sandbox's own delays are divided by `speed`, while `now` stays what the wall says, because the
 * controller under it keeps real time. Timers never keep the process alive: the HTTP server does that.
 */
export function createRealClock(speed = 1): SandboxClock {
  if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`speed must be a positive number, not ${speed}`);
  return {
    now: () => Date.now(),
    after(delayMs, action) {
      let remainingMs = Math.max(0, delayMs) / speed;
      let timer: NodeJS.Timeout;
      const arm = (): void => {
        const stepMs = Math.min(remainingMs, TIMER_LIMIT_MS);
        remainingMs -= stepMs;
        timer = setTimeout(() => (remainingMs > 0 ? arm() : action()), stepMs).unref();
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}

/** A clock a test or a simulation moves by hand. */
export interface SteppedClock extends SandboxClock {
  /**
   * Moves to `atMs` (milliseconds since the epoch), running everything due on the way: by time, then in the order it was
   * asked for, including what those actions ask for themselves. What an action throws comes out here; the rest stays due.
   */
  advanceTo(atMs: number): void;
  /** When the next action is due; undefined when nothing is. */
  nextAt(): number | undefined;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
  cancelled: boolean;
}

export function createSteppedClock(startMs = Date.UTC(2026, 0, 1)): SteppedClock {
  const heap: Due[] = [];
  let nowMs = startMs;
  let order = 0;

  function next(): Due | undefined {
    while (heap[0]?.cancelled === true) pop(heap);
    return heap[0];
  }

  return {
    now: () => nowMs,
    nextAt: () => next()?.atMs,
    after(delayMs, action) {
      const due: Due = { atMs: nowMs + Math.max(0, delayMs), order: order++, action, cancelled: false };
      push(heap, due);
      return () => {
        due.cancelled = true;
      };
    },
    advanceTo(atMs) {
      if (atMs < nowMs) throw new RangeError(`the clock stands at ${nowMs} and cannot go back to ${atMs}`);
      for (let due = next(); due !== undefined && due.atMs <= atMs; due = next()) {
        pop(heap);
        nowMs = due.atMs;
        due.action();
      }
      nowMs = atMs;
    },
  };
}

function before(left: Due, right: Due): boolean {
  return left.atMs === right.atMs ? left.order < right.order : left.atMs < right.atMs;
}

function push(heap: Due[], due: Due): void {
  let at = heap.length;
  for (;;) {
    const parentAt = (at - 1) >> 1;
    const parent = at === 0 ? undefined : heap[parentAt];
    if (parent === undefined || !before(due, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = due;
}

function pop(heap: Due[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const [child, childAt] =
      right !== undefined && left !== undefined && before(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1];
    if (child === undefined || !before(child, last)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}
