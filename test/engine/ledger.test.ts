import { describe, expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { Durable, EnvironmentEvent } from "../../controller/core/event.ts";
import { Fault, faultOf } from "../../controller/core/fault.ts";
import { createBus } from "../../controller/engine/bus.ts";
import type { Ledger } from "../../controller/engine/ledger.ts";
import { createLedger, keepLease } from "../../controller/engine/ledger.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Clock, Journal } from "../../controller/ports.ts";
import { A, arrived, B, environment, started } from "../core/shop.ts";

const TTL_MS = 60_000;

/** A clock that a test moves by hand; sleepers wake when it has moved far enough. */
function createHandClock(): Clock & { move(ms: number): Promise<void>; readonly wall: { skewMs: number } } {
  let nowMs = 1_700_000_000_000;
  const wall = { skewMs: 0 };
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    wall,
    now: () => Instant.of(nowMs + wall.skewMs),
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: nowMs + ms, wake: resolve });
        signal.addEventListener("abort", () => reject(faultOf(signal.reason)), { once: true });
      }),
    async move(ms) {
      nowMs += ms;
      for (const { at, wake } of sleepers) if (at <= nowMs) wake();
      await new Promise(setImmediate);
    },
  };
}

function open(journal: Journal = createMemoryJournal(), clock = createHandClock()) {
  const ledger = (writer: string): Ledger =>
    createLedger("shop/prod", { journal, bus: createBus([]), clock, writer, leaseTtlMs: TTL_MS });
  return { journal, clock, one: ledger("one"), other: ledger("other") };
}

const begin = (release: number, desired = environment(A)): EnvironmentEvent =>
  started(desired, release) as EnvironmentEvent;
const succeeded = (release: number): EnvironmentEvent => ({ type: "release-succeeded", release });

async function faultIn(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (thrown) {
    return faultOf(thrown).code;
  }
  return "no fault";
}

describe("A ledger whose release another controller took over", () => {
  async function takenOver() {
    const both = open();
    await both.one.claim(begin(1), 1);
    await both.other.refresh();
    await both.other.claim({ type: "release-adopted", from: "one" }, 2);
    return both;
  }

  test("appends nothing more for that release", async () => {
    const { one, journal } = await takenOver();
    expect(await faultIn(one.append(succeeded(1), 1))).toBe("fenced");
    const last: Durable[] = [];
    for await (const record of journal.read("environment/shop/prod", 1)) last.push(record.event);
    expect(last.at(-1)?.type).toBe("release-adopted");
  });

  test("appends nothing more even after the other has ended it", async () => {
    const { one, other } = await takenOver();
    await other.append(succeeded(1), 1);
    await one.refresh();
    expect(await faultIn(one.append({ type: "lease", ttlMs: TTL_MS }, 1))).toBe("fenced");
  });

  test("is told by the guard as soon as it has heard of it", async () => {
    const { one } = await takenOver();
    await one.refresh();
    expect(await faultIn(() => one.guard(1))).toBe("fenced");
  });

  test("may still say what is true in any case", async () => {
    const { one } = await takenOver();
    await one.append(arrived(environment(B)) as EnvironmentEvent);
    expect(one.memory().arrival?.sha).toBe(B);
    expect(one.holds()).toBe(false);
  });
});

describe("The guard", () => {
  test("refuses a write once nothing was appended for half a lease", async () => {
    const { one, clock } = open();
    await one.claim(begin(1), 1);
    await clock.move(TTL_MS / 2);
    expect(await faultIn(() => one.guard(1))).toBe("no fault");
    await clock.move(1);
    expect(await faultIn(() => one.guard(1))).toBe("fenced");
  });

  test("is content again after a renewal, which says nothing when something was said just now", async () => {
    const { one, clock } = open();
    await one.claim(begin(1), 1);
    await one.renew(1);
    expect(one.memory().sequence).toBe(1);
    await clock.move(TTL_MS);
    await one.renew(1);
    expect(one.memory().sequence).toBe(2);
    expect(await faultIn(() => one.guard(1))).toBe("no fault");
  });

  test("counts a lease from before its append was sent, however long the answer took", async () => {
    const slow = createMemoryJournal();
    const clock = createHandClock();
    const journal: Journal = {
      ...slow,
      async append(stream, entry, expected) {
        const record = await slow.append(stream, entry, expected);
        await clock.move(TTL_MS);
        return record;
      },
    };
    const { one } = open(journal, clock);
    await one.claim(begin(1), 1);
    expect(await faultIn(() => one.guard(1))).toBe("fenced");
  });

  test("refuses a release that is not the open one", async () => {
    const { one } = open();
    await one.claim(begin(1), 1);
    expect(await faultIn(() => one.guard(2))).toBe("fenced");
  });
});

describe("A release that was left", () => {
  test("is abandoned only after a whole lease without a word, by the waiting controller's own clock", async () => {
    const { one, other, clock } = open();
    await one.claim(begin(1), 1);
    await other.refresh();
    await clock.move(TTL_MS - 1);
    expect(other.isAbandoned()).toBe(false);
    await one.append({ type: "lease", ttlMs: TTL_MS }, 1);
    await other.refresh();
    await clock.move(TTL_MS - 1);
    expect(other.isAbandoned()).toBe(false);
    await clock.move(1);
    expect(other.isAbandoned()).toBe(true);
  });

  test("is neither abandoned nor kept by a wall clock that jumps", async () => {
    const { one, other, clock } = open();
    await one.claim(begin(1), 1);
    await other.refresh();
    clock.wall.skewMs = 3_600_000;
    expect(other.isAbandoned()).toBe(false);
    expect(await faultIn(() => one.guard(1))).toBe("no fault");
    clock.wall.skewMs = -3_600_000;
    await clock.move(TTL_MS);
    expect(other.isAbandoned()).toBe(true);
    expect(await faultIn(() => one.guard(1))).toBe("fenced");
  });

  test("is abandoned at once when its holder said that it stops", async () => {
    const { one, other } = open();
    await one.claim(begin(1), 1);
    await one.append({ type: "lease", ttlMs: 0, released: true }, 1);
    await other.refresh();
    expect(other.isAbandoned()).toBe(true);
  });

  test("is abandoned at once when its holder's process has provably ended", async () => {
    const { one, other } = open({ ...createMemoryJournal(), hasEnded: (writer) => writer === "one" });
    await one.claim(begin(1), 1);
    await other.refresh();
    expect(other.isAbandoned()).toBe(true);
  });
});

describe("A claim", () => {
  test("is lost to whoever came first, and then knows what came", async () => {
    const { one, other } = open();
    await one.claim(begin(1), 1);
    expect(await other.claim(begin(1, environment(B)), 1)).toBe(false);
    expect(other.memory().open?.sha).toBe(A);
  });

  test("fails with the journal instead of pretending", async () => {
    const down: Journal = {
      ...createMemoryJournal(),
      append: () => Promise.reject(new Fault("journal-unavailable", "no disk")),
    };
    expect(await faultIn(open(down).one.claim(begin(1)))).toBe("journal-unavailable");
  });

  test("of a writer whose answer was lost is found by reading", async () => {
    const kept = createMemoryJournal();
    let answers = false;
    const journal: Journal = {
      ...kept,
      async append(stream, entry, expected) {
        const record = await kept.append(stream, entry, expected);
        if (!answers) throw new Fault("journal-unavailable", "no answer");
        return record;
      },
    };
    const { one } = open(journal);
    expect(await faultIn(one.claim(begin(1)))).toBe("journal-unavailable");
    answers = true;
    await one.refresh();
    expect(one.memory()).toMatchObject({ holder: "one", open: { number: 1 } });
    await one.append(succeeded(1), 1);
    expect(one.memory().open).toBeUndefined();
  });
});

test("A lease is kept by saying something every third of it, and only when nothing else was said", async () => {
  const { one, clock } = open();
  await one.claim(begin(1), 1);
  const stop = new AbortController();
  const kept = keepLease({ ledger: one, release: 1 }, clock, TTL_MS, stop.signal);
  await clock.move(TTL_MS / 3);
  expect(one.memory().sequence).toBe(2);
  await one.append(arrived(environment(B)) as EnvironmentEvent);
  await clock.move(TTL_MS / 3);
  expect(one.memory().sequence).toBe(3);
  stop.abort(new Error("done"));
  await kept;
});

test("A journal that was written by nobody but others is read on where it was left", async () => {
  const { one, other } = open();
  await one.append(arrived(environment(A)) as EnvironmentEvent);
  await one.append(arrived(environment(B)) as EnvironmentEvent);
  await other.append(arrived(environment(A)) as EnvironmentEvent);
  expect((await one.refresh()).sequence).toBe(3);
  expect(one.memory()).toEqual(other.memory());
});
