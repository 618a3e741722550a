// Virtual time over the sandbox's stepped clock: it stands while a call is open or a promise can run, then jumps to what is due.
import { setImmediate as turn } from "node:timers/promises";
import type { SteppedClock } from "../../../sandbox/clock.ts";
import type { Timeline } from "../timeline.ts";

export interface WireTimelineParts {
  readonly stepped: SteppedClock;
  /** Calls that the sandbox is answering at this moment. */
  readonly open: () => number;
  /** Called whenever nothing can run any more, before time moves: the world stands still while it looks. */
  readonly onQuiet: () => Promise<void>;
}

/** The SDK's clients and the batcher of reads end in setImmediate and in streams: so many turns without an open call are quiet. */
const QUIET_TURNS = 4;

export function createWireTimeline({ stepped, open, onQuiet }: WireTimelineParts): Timeline {
  async function quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; turns = open() > 0 ? 0 : turns + 1) await turn();
  }

  return {
    nowMs: () => stepped.now(),
    after: (ms, run) => stepped.after(Math.round(ms), run),
    async run(untilMs, stop) {
      for (;;) {
        await quiet();
        await onQuiet();
        if (stop?.() === true) return;
        const next = stepped.nextAt();
        if (next === undefined || next > untilMs) break;
        stepped.advanceTo(next);
      }
      if (untilMs > stepped.now()) stepped.advanceTo(untilMs);
    },
  };
}
