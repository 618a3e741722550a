// The journal of the simulation keeps the contract, and hands out copies.
import { expect, test } from "vitest";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import { entry, journalContract, readAll, STREAM, textOf } from "./contract.ts";

journalContract("in memory", async () => {
  const journal = createMemoryJournal();
  return { one: journal, other: journal, close: async () => undefined };
});

test("A change of an appended value does not change the journal", async () => {
  const journal = createMemoryJournal();
  const event: { type: "unmanaged"; why: string } = { type: "unmanaged", why: "before" };
  await journal.append(STREAM, { ...entry(""), event }, 0);
  event.why = "after";
  expect((await readAll(journal)).map(textOf)).toEqual(["before"]);
});

test("Nonces come from the chance that is given, so that a seed repeats them", async () => {
  const journal = createMemoryJournal(() => "seeded");
  expect((await journal.append(STREAM, entry("a"), 0)).nonce).toBe("seeded");
});
