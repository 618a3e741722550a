import { array, assert, boolean, integer, property, record } from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createRealClock, createSteppedClock } from "../../sandbox/clock.ts";

describe("the stepped clock", () => {
  test("cannot go back", () => {
    const clock = createSteppedClock(1000);
    expect(() => clock.advanceTo(999)).toThrow("the clock stands at 1000 and cannot go back to 999");
  });

  test("lets out what an action throws, and keeps the rest due", () => {
    const clock = createSteppedClock(0);
    const ran: string[] = [];
    clock.after(1, () => {
      throw new Error("broken");
    });
    clock.after(2, () => ran.push("later"));
    expect(() => clock.advanceTo(5)).toThrow("broken");
    expect(clock.now()).toBe(1);
    clock.advanceTo(5);
    expect(ran).toEqual(["later"]);
  });

  test("shows each action its own time, and runs what actions ask for on the way", () => {
    const clock = createSteppedClock(0);
    const ran: (readonly [string, number])[] = [];
    clock.after(10, () => {
      ran.push(["first", clock.now()]);
      clock.after(5, () => ran.push(["nested", clock.now()]));
    });
    clock.after(20, () => ran.push(["last", clock.now()]));
    clock.advanceTo(100);
    expect(ran).toEqual([
      ["first", 10],
      ["nested", 15],
      ["last", 20],
    ]);
    expect(clock.now()).toBe(100);
  });

  test("runs everything that was not cancelled, by time and then by order of asking", () => {
    const asked = array(record({ delayMs: integer({ min: 0, max: 20 }), cancelled: boolean() }));
    assert(
      property(asked, (actions) => {
        const clock = createSteppedClock(0);
        const ran: number[] = [];
        const cancels = actions.map(({ delayMs }, at) => clock.after(delayMs, () => ran.push(at)));
        actions.forEach(({ cancelled }, at) => cancelled && cancels[at]?.());
        const kept = actions.map((action, at) => ({ ...action, at })).filter(({ cancelled }) => !cancelled);
        const expected = kept.sort((left, right) => left.delayMs - right.delayMs || left.at - right.at);
        expect(clock.nextAt()).toBe(expected[0]?.delayMs);
        clock.advanceTo(20);
        expect(ran).toEqual(expected.map(({ at }) => at));
        expect(clock.nextAt()).toBeUndefined();
      }),
    );
  });
});

describe("the real clock", () => {
  test("refuses a speed that is no positive number", () => {
    expect(() => createRealClock(0)).toThrow("speed must be a positive number");
  });

  test("divides its delays and leaves the time of day alone", async () => {
    const clock = createRealClock(1000);
    const startMs = Date.now();
    await new Promise<void>((resolve) => void clock.after(30_000, resolve));
    const tookMs = Date.now() - startMs;
    expect(tookMs).toBeGreaterThanOrEqual(28);
    expect(tookMs).toBeLessThan(20_000);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
  });

  test("waits longer than one timer can, and can be cancelled", () => {
    vi.useFakeTimers();
    try {
      const ran: string[] = [];
      const clock = createRealClock();
      clock.after(30 * 86_400_000, () => ran.push("thirty days"));
      const cancel = clock.after(30 * 86_400_000, () => ran.push("cancelled"));
      vi.advanceTimersByTime(26 * 86_400_000);
      cancel();
      expect(ran).toEqual([]);
      vi.advanceTimersByTime(4 * 86_400_000);
      expect(ran).toEqual(["thirty days"]);
    } finally {
      vi.useRealTimers();
    }
  });
});
