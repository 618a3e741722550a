// Faults of the world while a step runs: retried to its deadline, and no longer; but a migration that runs ends by itself.
import { expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { EnvironmentEvent } from "../../controller/core/event.ts";
import { Fault } from "../../controller/core/fault.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { execute } from "../../controller/engine/execute.ts";
import { createLedger } from "../../controller/engine/ledger.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Clock, Runners } from "../../controller/ports.ts";
import { A, digest, environment, migrated, migration, SCHEMA, started } from "../core/shop.ts";

const DESIRED = environment(A);
const KEY = migrationKey(DESIRED, migration(A));

/** Executes one migrate step whose every attempt is throttled, after these events. */
async function throttled(...events: readonly EnvironmentEvent[]) {
  let nowMs = 1_700_000_000_000;
  const clock: Clock = {
    now: () => Instant.of(nowMs),
    monotonicMs: () => nowMs,
    sleep(ms) {
      nowMs += ms;
      return Promise.resolve();
    },
  };
  const [journal, bus, random] = [createMemoryJournal(), createBus([]), (bytes: number) => "0".repeat(bytes * 2)];
  const ledger = createLedger("shop/prod", { journal, bus, clock, writer: "one", leaseTtlMs: 60_000 });
  for (const event of events) await ledger.append(event);
  let attempts = 0;
  const runners: Pick<Runners, "migrate"> = {
    migrate() {
      attempts += 1;
      return Promise.reject(new Fault("throttled", "DescribeTasks: slow down"));
    },
  };
  const step = { kind: "migrate", migration: SCHEMA, key: KEY, image: digest("service/api", A), why: "test" } as const;
  const plan = {
    environment: "shop/prod",
    direction: "forward",
    differences: [],
    steps: [step],
    blockers: [],
    notes: [],
  } as const;
  const signal = new AbortController().signal;
  const execution = { plan, environment: DESIRED, releaseId: "r", number: 1, journalId: "j", pins: new Map(), signal };
  const parts = { runners: runners as Runners, ledger, bus, clock, random };
  const ending = await execute(execution, parts);
  return { ending, attempts, settled: ledger.memory().open?.steps[0]?.outcome };
}

test("A migration that could not be started within its time-out has failed", async () => {
  const { ending, attempts, settled } = await throttled(started(DESIRED, 1) as EnvironmentEvent);
  expect(ending).toMatchObject({ how: "failed", step: "migrate/schema", code: "throttled" });
  expect(settled).toMatchObject({ status: "failed" });
  expect(attempts).toBeGreaterThan(10);
});

test("A migration that runs is failed by nothing but its own end, however long nobody can look at it", async () => {
  const events = [started(DESIRED, 1), ...migrated(KEY, 1)] as readonly EnvironmentEvent[];
  const { ending, settled } = await throttled(...events);
  expect(ending).toMatchObject({ how: "stopped", step: "migrate/schema", fault: { code: "throttled" } });
  expect(settled).toBeUndefined();
});
