// What a journal in a bucket costs: requests of a pass at rest and of an append, and who hears of what, and when.
import { describe, expect, test } from "vitest";
import type { Recorded, Stream } from "../../controller/core/event.ts";
import type { Journal } from "../../controller/ports.ts";
import { appendAll, entry, readAll, STREAM, textOf } from "./contract.ts";
import { PREFIX, startBench } from "./s3-bench.ts";

const LIST_HEADS = `ListObjectsV2 ${PREFIX}heads/`;

/** What the engine asks of a journal in one pass: every stream twice, by the pass and by the lane's turn. */
async function pass(journal: Journal, last: Map<Stream, number>): Promise<readonly Recorded[]> {
  const news: Recorded[] = [];
  const streams = await journal.streams();
  for (const round of ["pass", "turn"]) {
    for (const stream of streams) {
      for (const record of await readAll(journal, stream, (last.get(stream) ?? 0) + 1)) {
        expect(round).toBe("pass");
        last.set(stream, record.sequence);
        news.push(record);
      }
    }
  }
  return news;
}

function streamsOf(count: number): readonly Stream[] {
  const environments = Array.from({ length: count }, (_, nth): Stream => `environment/shop/e${nth}`);
  return [...environments, "journal", "repository/0123456789abcdef"];
}

describe("A pass at rest", () => {
  test.each([1, 40])("over %i environments is one listing", async (count) => {
    const bench = await startBench();
    for (const stream of streamsOf(count)) await appendAll(bench.open(), ["a", "b"], stream);
    const journal = bench.open();
    const last = new Map<Stream, number>();
    expect(await pass(journal, last)).toHaveLength(2 * (count + 2));
    for (let passes = 0; passes < 3; passes += 1) {
      bench.pass(30_000);
      bench.calls();
      expect(await pass(journal, last)).toEqual([]);
      expect(bench.calls()).toEqual([LIST_HEADS]);
    }
  });

  test("is one listing however long the history is, which is read in pages of 1,000", async () => {
    const bench = await startBench();
    const first = await bench.open().append(STREAM, entry("a"), 0);
    for (let sequence = 2; sequence <= 1_500; sequence += 1)
      await bench.write(bench.key(sequence), `${JSON.stringify({ ...first, sequence })}\n`);
    const journal = bench.open();
    const last = new Map<Stream, number>();
    bench.calls();
    expect(await pass(journal, last)).toHaveLength(1_500);
    expect(bench.calls().filter((call) => call.startsWith(`ListObjectsV2 ${PREFIX}${STREAM}/`))).toHaveLength(2);
    bench.pass(30_000);
    await pass(journal, last);
    expect(bench.calls()).toEqual([LIST_HEADS]);
  });

  test("over 1,001 environments is two listings", async () => {
    const bench = await startBench();
    for (let nth = 0; nth <= 1_000; nth += 1) await bench.write(`${PREFIX}heads/environment/shop/e${nth}`, String(nth));
    const journal = bench.open();
    expect(await journal.streams()).toHaveLength(1_001);
    bench.calls();
    await journal.streams();
    expect(bench.calls()).toHaveLength(2);
  });

  test("lists the streams themselves every ten minutes, and finds one that no head tells of", async () => {
    const bench = await startBench();
    const journal = bench.open();
    expect(await journal.streams()).toEqual([]);
    await appendAll(bench.open(), ["a"]);
    await bench.remove(`${PREFIX}heads/${STREAM}`);
    bench.pass(30_000);
    expect(await journal.streams()).toEqual([]);
    bench.pass(600_000);
    expect(await journal.streams()).toEqual([STREAM]);
  });
});

describe("What another controller appends", () => {
  test("is read at the next pass, and only its stream is listed", async () => {
    const bench = await startBench();
    const other = bench.open();
    for (const stream of streamsOf(10)) await appendAll(other, ["a"], stream);
    const journal = bench.open();
    const last = new Map<Stream, number>();
    await pass(journal, last);
    await other.append("environment/shop/e4", entry("b"), 1);
    bench.pass(30_000);
    bench.calls();
    expect((await pass(journal, last)).map(textOf)).toEqual(["b"]);
    expect(bench.calls()).toEqual([
      LIST_HEADS,
      `ListObjectsV2 ${PREFIX}environment/shop/e4/`,
      `GetObject ${PREFIX}environment/shop/e4/000000000002`,
    ]);
  });

  test("is found by an append that does not know it, whatever the heads said a moment ago", async () => {
    const bench = await startBench();
    const [one, other] = [bench.open(), bench.open()];
    await appendAll(one, ["a"]);
    const last = new Map<Stream, number>();
    await pass(other, last);
    await one.append(STREAM, entry("b"), 1);
    expect(await readAll(other, STREAM, 2)).toEqual([]);
    await expect(other.append(STREAM, entry("c"), 1)).rejects.toMatchObject({ code: "fenced" });
    expect((await readAll(other, STREAM, 2)).map(textOf)).toEqual(["b"]);
    expect((await other.append(STREAM, entry("c"), 2)).sequence).toBe(3);
  });

  test("is seen within ten minutes when it crashed before it wrote the head", async () => {
    const bench = await startBench();
    const [one, other] = [bench.open(), bench.open()];
    await appendAll(one, ["a"]);
    const last = new Map<Stream, number>();
    await pass(other, last);
    bench.fail({ operation: "PutObject", match: { path: `/acme-lockstep/${PREFIX}heads/${STREAM}` }, kind: "before" });
    await one.append(STREAM, entry("b"), 1);
    bench.pass(30_000);
    expect(await pass(other, last)).toEqual([]);
    bench.pass(600_000);
    expect((await pass(other, last)).map(textOf)).toEqual(["b"]);
  });

  test("is seen at the next pass when it could not write the head and still runs", async () => {
    const bench = await startBench();
    const [one, other] = [bench.open(), bench.open()];
    await appendAll(one, ["a"]);
    const last = new Map<Stream, number>();
    await pass(other, last);
    bench.fail({ operation: "PutObject", match: { path: `/acme-lockstep/${PREFIX}heads/${STREAM}` }, kind: "denied" });
    expect((await one.append(STREAM, entry("b"), 1)).sequence).toBe(2);
    await one.streams();
    bench.pass(30_000);
    expect((await pass(other, last)).map(textOf)).toEqual(["b"]);
  });
});

describe("An append", () => {
  test("is the record and its head", async () => {
    const bench = await startBench();
    const journal = bench.open();
    await appendAll(journal, ["a", "b"]);
    expect(bench.calls()).toEqual([
      `PutObject ${bench.key(1)}`,
      `PutObject ${PREFIX}heads/${STREAM}`,
      `PutObject ${bench.key(2)}`,
      `PutObject ${PREFIX}heads/${STREAM}`,
    ]);
  });

  test("asks whether the record before is still there when that was not seen for a minute", async () => {
    const bench = await startBench();
    const journal = bench.open();
    await appendAll(journal, ["a"]);
    bench.pass(60_000);
    bench.calls();
    await journal.append(STREAM, entry("b"), 1);
    expect(bench.calls()).toEqual([
      `HeadObject ${bench.key(1)}`,
      `PutObject ${bench.key(2)}`,
      `PutObject ${PREFIX}heads/${STREAM}`,
    ]);
  });
});
