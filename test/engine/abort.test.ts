import { describe, expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { EnvironmentEvent } from "../../controller/core/event.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { createLedger } from "../../controller/engine/ledger.ts";
import { abandon } from "../../controller/engine/release.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import { A, B, deployed, environment, migrated, migration, SCHEMA, started, succeeded } from "../core/shop.ts";

function open() {
  const journal = createMemoryJournal();
  let nowMs = 0;
  const clock = { now: () => Instant.of(nowMs), monotonicMs: () => nowMs, sleep: () => Promise.resolve() };
  const ledger = (writer: string) =>
    createLedger("shop/prod", { journal, bus: createBus([]), clock, writer, leaseTtlMs: 60_000 });
  return { one: ledger("one"), other: ledger("other"), wait: (ms: number) => void (nowMs += ms) };
}

const begin = (release: number, desired = environment(A)): EnvironmentEvent =>
  started(desired, release) as EnvironmentEvent;

describe("A release that is open and runs nowhere, ended by a person", () => {
  test("is remembered as failed, and nothing is undone where nothing moved", async () => {
    const { one } = open();
    await one.claim(begin(1), 1);
    expect(await abandon(one)).toBe("ended");
    expect(one.memory()).toMatchObject({ failure: { release: 1, code: "aborted" } });
    expect(one.memory()).not.toHaveProperty("open");
    expect(one.memory()).not.toHaveProperty("undo");
  });

  test("is undone where something moved and something good came before", async () => {
    const { one } = open();
    for (const event of succeeded(environment(A), 1)) await one.append(event as EnvironmentEvent);
    await one.claim(begin(2, environment(B)), 1);
    for (const event of deployed(environment(B), 2)) await one.append(event as EnvironmentEvent, 2);
    expect(await abandon(one)).toBe("ended");
    expect(one.memory().undo).toEqual({ release: 2 });
  });

  test("is not ended over a controller that still holds it", async () => {
    const { one, other } = open();
    await one.claim(begin(1), 1);
    await other.refresh();
    expect(await abandon(other)).toBe("held");
    expect(other.memory().open?.number).toBe(1);
  });

  test("is ended in place of a controller that is gone", async () => {
    const { one, other, wait } = open();
    await one.claim(begin(1), 1);
    await other.refresh();
    wait(60_000);
    expect(await abandon(other)).toBe("ended");
    expect(other.memory()).toMatchObject({ holder: "other", failure: { code: "aborted" } });
  });

  test("is not ended before a migration that it started is known to have ended", async () => {
    const { one } = open();
    const key = migrationKey(environment(B), migration(B));
    const steps = [{ kind: "migrate", migration: SCHEMA, key, image: key, why: "" }];
    await one.claim(started(environment(B), 1, { steps }) as EnvironmentEvent, 1);
    const [begun, task, settled] = migrated(key, 1, "passed") as readonly EnvironmentEvent[];
    for (const event of [begun, task]) if (event !== undefined) await one.append(event, 1);
    expect(await abandon(one)).toBe("migrating");
    if (settled !== undefined) await one.append(settled, 1);
    expect(await abandon(one)).toBe("ended");
  });

  test("is no trouble when it has ended already", async () => {
    expect(await abandon(open().one)).toBe("ended");
  });
});
