import { describe, expect, it } from "vitest";
import type { SandboxClock } from "../../../sandbox/api.ts";
import { createSteppedClock } from "../../../sandbox/clock.ts";
import { atDeadline } from "../../../sandbox/ecs/deadline.ts";

describe("a deadline", () => {
  it("is kept by a clock whose timers come fifty times too early", () => {
    const wall = createSteppedClock(0);
    const fast: SandboxClock = { now: () => wall.now(), after: (delayMs, action) => wall.after(delayMs / 50, action) };
    const reached: number[] = [];
    atDeadline(fast, 3000, () => void reached.push(fast.now()));
    wall.advanceTo(2999);
    expect(reached).toEqual([]);
    wall.advanceTo(10_000);
    expect(reached).toHaveLength(1);
    expect(reached[0]).toBeLessThan(3050);
  });

  it("can be called off, also after a timer that came early", () => {
    const wall = createSteppedClock(0);
    const fast: SandboxClock = { now: () => wall.now(), after: (delayMs, action) => wall.after(delayMs / 50, action) };
    const reached: number[] = [];
    const cancel = atDeadline(fast, 3000, () => void reached.push(fast.now()));
    wall.advanceTo(1000);
    cancel();
    wall.advanceTo(10_000);
    expect(reached).toEqual([]);
  });
});
