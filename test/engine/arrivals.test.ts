import { describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import { environmentId } from "../../controller/core/environment.ts";
import type { Durable } from "../../controller/core/event.ts";
import { Instant } from "../../controller/core/brand.ts";
import type { Arrival } from "../../controller/engine/arrivals.ts";
import { arrivalsBetween, arrive } from "../../controller/engine/arrivals.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { createLedger } from "../../controller/engine/ledger.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Reading, Source } from "../../controller/ports.ts";
import { A, B, C, environment } from "../core/shop.ts";

const SIGNAL = new AbortController().signal;
const commit = (nth: number): Sha => Sha.parse(String(nth).repeat(40));
const at = (nth: number, desired: Environment): Environment => ({
  ...desired,
  revision: { ...desired.revision, commit: commit(nth) },
});
const arrival = (nth: number, desired: Environment): Arrival => ({
  environment: at(nth, desired),
  commit: commit(nth),
});

function open() {
  const journal = createMemoryJournal();
  const clock = { now: () => Instant.of(0), monotonicMs: () => 0, sleep: () => Promise.resolve() };
  const ledger = (writer: string) =>
    createLedger("shop/prod", { journal, bus: createBus([]), clock, writer, leaseTtlMs: 60_000 });
  const events = async (): Promise<readonly string[]> => {
    const found: Durable[] = [];
    for await (const { event } of journal.read("environment/shop/prod", 1)) found.push(event);
    return found.map((event) => (event.type === "arrived" ? `arrived ${event.sha.slice(0, 1)}` : event.type));
  };
  return { one: ledger("one"), other: ledger("other"), events };
}

describe("What newly arrived is journaled", () => {
  test("once, in its order", async () => {
    const { one, events } = open();
    const list = [arrival(1, environment(A)), arrival(2, environment(B)), arrival(3, environment(A))];
    expect(await arrive(one, list, "repository", undefined)).toBe(true);
    expect(await events()).toEqual(["arrived a", "arrived b", "arrived a"]);
  });

  test("not once more by a look that begins again after a crash", async () => {
    const { one, events } = open();
    const list = [arrival(1, environment(A)), arrival(2, environment(B))];
    await arrive(one, list, "repository", undefined);
    expect(await arrive(one, list, "repository", one.memory().arrival)).toBe(true);
    expect(await events()).toEqual(["arrived a", "arrived b"]);
  });

  test("from where an interrupted look had come to", async () => {
    const { one, events } = open();
    const list = [arrival(1, environment(A)), arrival(2, environment(B))];
    await arrive(one, list.slice(0, 1), "repository", undefined);
    await arrive(one, list, "repository", one.memory().arrival);
    expect(await events()).toEqual(["arrived a", "arrived b"]);
  });

  test("not over the head of a controller that read Git later", async () => {
    const { one, other, events } = open();
    await one.refresh();
    const basis = one.memory().arrival;
    await arrive(other, [arrival(2, environment(B))], "repository", undefined);
    expect(await arrive(one, [arrival(1, environment(A))], "repository", basis)).toBe(false);
    expect(await events()).toEqual(["arrived b"]);
  });

  test("although something else was journaled meanwhile", async () => {
    const { one, other, events } = open();
    await other.append({ type: "hold-seen", reason: "freeze" });
    expect(await arrive(one, [arrival(1, environment(A))], "repository", undefined)).toBe(true);
    expect(await events()).toEqual(["hold-seen", "arrived a"]);
  });

  test("with the policy that stood before, so that no commit loosens the gates of its own bump", async () => {
    const { one } = open();
    const gates = { promotedFrom: [environment(A).name] };
    await arrive(one, [{ ...arrival(1, environment(B)), before: environment(A, { gates }) }], "repository", undefined);
    expect(one.memory().arrival?.before).toEqual(gates);
  });
});

describe("Between two heads", () => {
  const readings = new Map<Sha, Reading>();
  const tell = (nth: number, desired: Environment | undefined): void => {
    const entry = { id: "shop/prod", content: String(nth), problems: desired === undefined ? ["broken"] : [] } as const;
    const whole = desired === undefined ? entry : { ...entry, environment: at(nth, desired) };
    readings.set(commit(nth), { environments: [whole], problems: [] });
  };
  tell(1, environment(A));
  tell(2, environment(B));
  tell(3, environment(A));
  tell(4, environment(A, { hold: { reason: "freeze" } }));
  tell(5, undefined);
  tell(6, environment(C));

  async function between(older: number | undefined, newer: number): Promise<readonly string[]> {
    const source = {
      changes: (from: Sha, to: Sha) => Promise.resolve([...readings.keys()].filter((sha) => sha > from && sha <= to)),
    } as Partial<Source> as Source;
    const read = (sha: Sha): Promise<Reading> =>
      Promise.resolve(readings.get(sha) ?? { environments: [], problems: [] });
    const step = { older: older === undefined ? undefined : commit(older), newer: commit(newer) };
    const found = await arrivalsBetween(step, source, read, SIGNAL);
    return found.map(
      (one) => `${one.commit.slice(0, 1)} ${one.environment.sha.slice(0, 1)} ${one.before?.sha.slice(0, 1) ?? "-"}`,
    );
  }

  test("A → B → A is two arrivals, also when read at once", async () => {
    expect(await between(1, 3)).toEqual(["2 b a", "3 a b"]);
  });

  test("an edit of what is not released is no arrival", async () => {
    expect(await between(3, 4)).toEqual([]);
  });

  test("what cannot be read is passed over, and what comes after is compared with what was in force", async () => {
    expect(await between(4, 6)).toEqual(["6 c a"]);
  });

  test("the first head is an arrival of everything in it", async () => {
    expect(await between(undefined, 2)).toEqual(["2 b -"]);
    expect(environmentId(environment(A))).toBe("shop/prod");
  });
});
