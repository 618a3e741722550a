// What every journal owes, whatever it is made of; each kind runs the same promises.
import { afterEach, describe, expect, test } from "vitest";
import { Instant, Sha } from "../../controller/core/brand.ts";
import type { Recorded, Sequence, Stream } from "../../controller/core/event.ts";
import { faultOf } from "../../controller/core/fault.ts";
import type { Entry, Journal } from "../../controller/ports.ts";

export const COMMIT = Sha.parse("9f2c1ab0000000000000000000000000000000ff");
export const STREAM: Stream = "environment/shop/prod";

export function entry(text: string, writer = "writer"): Entry {
  return { at: Instant.of(1_700_000_000_000), writer, epoch: 1, event: { type: "unmanaged", why: text } };
}

/** What a record of `entry` says. */
export function textOf(record: Recorded): string {
  return record.event.type === "unmanaged" ? record.event.why : record.event.type;
}

export async function readAll(journal: Journal, stream: Stream = STREAM, from: Sequence = 1): Promise<Recorded[]> {
  const records: Recorded[] = [];
  for await (const record of journal.read(stream, from)) records.push(record);
  return records;
}

export async function appendAll(journal: Journal, texts: readonly string[], stream: Stream = STREAM): Promise<void> {
  for (const [index, text] of texts.entries()) await journal.append(stream, entry(text), index);
}

/** Code and message of the fault a promise fails with. */
export async function faultIn(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    const fault = faultOf(thrown);
    return `${fault.code}: ${fault.message}`;
  }
  return "no fault";
}

/** Two handles on one store: two controllers that share it. */
export interface Opened {
  readonly one: Journal;
  readonly other: Journal;
  close(): Promise<void>;
}

export function journalContract(kind: string, open: () => Promise<Opened>): void {
  describe(`A journal ${kind}`, () => {
    const opened: Opened[] = [];
    async function start(): Promise<Opened> {
      const both = await open();
      opened.push(both);
      return both;
    }
    afterEach(async () => {
      for (const both of opened.splice(0)) await both.close();
    });

    test("refuses an append after a record that is not there", async () => {
      const { one } = await start();
      await appendAll(one, ["a"]);
      expect(await faultIn(one.append(STREAM, entry("c"), 2))).toMatch(/^journal-damaged: .*2 is missing/);
      expect((await readAll(one)).map(textOf)).toEqual(["a"]);
    });

    test("refuses to read on from a record that is not there", async () => {
      const { one } = await start();
      await appendAll(one, ["a"]);
      expect(await faultIn(readAll(one, STREAM, 3))).toMatch(/^journal-damaged: .*2 is missing/);
    });

    test("fences an append whose sequence is taken", async () => {
      const { one, other } = await start();
      await one.append(STREAM, entry("a", "first"), 0);
      expect(await faultIn(other.append(STREAM, entry("b", "second"), 0))).toMatch(/^fenced: .*first/);
      expect((await readAll(other)).map(textOf)).toEqual(["a"]);
    });

    test("has one winner of each sequence among appends at the same time", async () => {
      const { one, other } = await start();
      for (let expected = 0; expected < 20; expected += 1) {
        const tries = [one, other, one, other].map((journal, index) =>
          journal.append(STREAM, entry(`${expected}/${index}`), expected),
        );
        const ends = await Promise.allSettled(tries);
        expect(ends.filter((end) => end.status === "fulfilled")).toHaveLength(1);
        const losses = ends.flatMap((end) => (end.status === "rejected" ? [faultOf(end.reason).code] : []));
        expect(losses).toEqual(["fenced", "fenced", "fenced"]);
        const won = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
        expect((await readAll(other, STREAM, expected + 1)).map(({ nonce }) => nonce)).toEqual([won[0]?.nonce]);
      }
      expect((await readAll(one)).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    test("gives back what was appended, in order, to every handle", async () => {
      const { one, other } = await start();
      const texts = Array.from({ length: 75 }, (_, index) => `${index} ü 🚀`);
      await appendAll(one, texts);
      const records = await readAll(other);
      expect(records.map(textOf)).toEqual(texts);
      expect(records[3]).toEqual({ v: 1, sequence: 4, nonce: records[3]?.nonce, ...entry("3 ü 🚀") });
      expect(new Set(records.map(({ nonce }) => nonce)).size).toBe(75);
    });

    test("reads from any sequence on, also past the last", async () => {
      const { one } = await start();
      await appendAll(one, ["a", "b", "c"]);
      expect((await readAll(one, STREAM, 2)).map(textOf)).toEqual(["b", "c"]);
      expect(await readAll(one, STREAM, 4)).toEqual([]);
      expect(await readAll(one, "journal", 1)).toEqual([]);
    });

    test("shows a reader that goes on what was appended since", async () => {
      const { one, other } = await start();
      await appendAll(one, ["a"]);
      expect((await readAll(other)).map(textOf)).toEqual(["a"]);
      for (let index = 1; index < 40; index += 1) await one.append(STREAM, entry(String(index)), index);
      expect(await readAll(other, STREAM, 2)).toHaveLength(39);
    });

    test("keeps streams apart and lists those that hold something", async () => {
      const { one, other } = await start();
      const streams: readonly Stream[] = ["environment/shop/dev", "journal", "repository/1f2e3d4c5b6a7988"];
      for (const stream of streams) await one.append(stream, entry(stream), 0);
      expect(await other.streams()).toEqual(streams);
      for (const stream of streams) expect((await readAll(other, stream)).map(textOf)).toEqual([stream]);
    });

    test("does not call a writer ended that it cannot prove to have ended", async () => {
      const { one } = await start();
      expect(["", "writer", "0".repeat(32), "../..", "x.y.z"].filter((id) => one.hasEnded(id))).toEqual([]);
    });
  });
}
