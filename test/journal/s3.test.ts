// The journal in a bucket: the contract through the real SDK client, lost answers, damage, refusals, two writers.
import { describe, expect, test } from "vitest";
import { AwsError } from "../../sandbox/api.ts";
import type { Stream } from "../../controller/core/event.ts";
import { faultOf } from "../../controller/core/fault.ts";
import type { Journal } from "../../controller/ports.ts";
import { appendAll, entry, faultIn, journalContract, readAll, STREAM, textOf } from "./contract.ts";
import { BUCKET, openBench, PREFIX, startBench } from "./s3-bench.ts";

journalContract("in a bucket", async () => {
  const bench = await openBench();
  return { one: bench.open(), other: bench.open(), close: () => bench.close() };
});

describe("What stands in the way is named", () => {
  test("a bucket that does not exist", async () => {
    const bench = await startBench();
    const journal = bench.open({ bucket: "acme-lost" });
    const fault =
      /^journal-unavailable: s3:\/\/acme-lost\/journal\/: the bucket does not exist; create it, or correct LOCKSTEP_JOURNAL/;
    expect(await faultIn(readAll(journal))).toMatch(fault);
    expect(await faultIn(journal.streams())).toMatch(fault);
    expect(await faultIn(journal.append(STREAM, entry("a"), 0))).toMatch(fault);
    expect(await faultIn(journal.append(STREAM, entry("b"), 1))).toMatch(fault);
  });

  test.each([
    ["PutObject", (journal: Journal) => journal.append(STREAM, entry("b"), 1)],
    ["HeadObject", (journal: Journal) => journal.append(STREAM, entry("b"), 1)],
    ["ListObjectsV2", (journal: Journal) => readAll(journal)],
    ["GetObject", (journal: Journal) => readAll(journal)],
    ["ListObjectsV2", (journal: Journal) => journal.streams()],
  ])("a denied %s, with the permission that is missing", async (operation, call) => {
    const bench = await startBench();
    await appendAll(bench.open(), ["a"]);
    bench.fail({ operation, kind: "denied" });
    expect(await faultIn(call(bench.open()))).toMatch(
      new RegExp(`^denied: ${operation} of s3://${BUCKET}/${PREFIX}.*eu-west-1`),
    );
    expect((await readAll(bench.open())).map(textOf)).toEqual(["a"]);
  });

  test("S3 that does not answer, and nothing is recorded", async () => {
    const bench = await startBench();
    bench.fail({ operation: "s3:*", kind: "5xx", count: "forever" });
    const journal = bench.open();
    expect(await faultIn(journal.append(STREAM, entry("a"), 0))).toMatch(
      /^journal-unavailable: s3:\/\/acme-lockstep\/journal\/: nothing is written to AWS until the journal answers/,
    );
    expect(await faultIn(readAll(journal))).toMatch(/^journal-unavailable: /);
    expect(await faultIn(journal.streams())).toMatch(/^journal-unavailable: /);
  });

  test.each(["environment/../../etc", "environment/shop", "repository/..", "environment/Shop/prod", "heads/x", "x"])(
    "the stream %s is none",
    async (stream) => {
      const journal = (await startBench()).open();
      await expect(journal.append(stream as Stream, entry("a"), 0)).rejects.toThrow("is not a stream of a journal");
    },
  );
});

test("A bucket in another region is found there", async () => {
  const bench = await startBench();
  await appendAll(bench.open({ region: "us-east-1" }), ["a", "b"]);
  expect((await readAll(bench.open({ region: "ap-south-1" }))).map(textOf)).toEqual(["a", "b"]);
  const journal = bench.open({ region: "us-east-1" });
  expect(await journal.streams()).toEqual([STREAM]);
  bench.calls();
  await journal.streams();
  expect(bench.calls()).toHaveLength(1);
});

describe("Damage is named by its object", () => {
  async function damagedBy(damage: (bench: Awaited<ReturnType<typeof startBench>>) => Promise<void>): Promise<string> {
    const bench = await startBench();
    await appendAll(bench.open(), ["a", "b", "c"]);
    await damage(bench);
    const fault = await faultIn(readAll(bench.open()));
    expect(fault).toContain(`s3://${BUCKET}/${bench.key(2)}`);
    return fault;
  }

  test("a gap", async () => {
    expect(await damagedBy((bench) => bench.remove(bench.key(2)))).toMatch(/^journal-damaged: .* is missing; restore/);
  });
  test("an empty record", async () => {
    expect(await damagedBy((bench) => bench.write(bench.key(2), ""))).toMatch(/^journal-damaged: .* is empty/);
  });
  test("a record that is not UTF-8", async () => {
    const wrong = Uint8Array.from([0xff, 0xfe]);
    expect(await damagedBy((bench) => bench.write(bench.key(2), wrong))).toContain("is not UTF-8");
  });
  test("a record that is too long", async () => {
    const long = Buffer.alloc(17 * 1024 * 1024, 0x20);
    expect(await damagedBy((bench) => bench.write(bench.key(2), long))).toContain(`is ${long.length} bytes long`);
  });
  test("a record of a newer version", async () => {
    const damage = damagedBy(async (bench) =>
      bench.write(bench.key(2), (await bench.read(bench.key(2))).replace('"v":1', '"v":2')),
    );
    expect(await damage).toMatch(/^journal-damaged: .* has version 2; this Lockstep reads version 1/);
  });
  test("a record under another's key", async () => {
    const damage = damagedBy(async (bench) => bench.write(bench.key(2), await bench.read(bench.key(3))));
    expect(await damage).toContain("has sequence 3 inside");
  });

  test("a lifecycle rule that expired the oldest records", async () => {
    const bench = await startBench();
    await appendAll(bench.open(), ["a", "b", "c"]);
    await bench.remove(bench.key(1));
    expect(await faultIn(readAll(bench.open()))).toMatch(/^journal-damaged: .*0001 is missing/);
  });

  test("a journal that vanished under a controller that runs is neither read on nor appended to", async () => {
    const bench = await startBench();
    const journal = bench.open();
    await appendAll(journal, ["a", "b"]);
    for (const sequence of [1, 2]) await bench.remove(bench.key(sequence));
    await bench.remove(`${PREFIX}heads/${STREAM}`);
    await journal.streams();
    expect(await faultIn(readAll(journal, STREAM, 3))).toMatch(/^journal-damaged: .*0002 is missing/);
    bench.pass(60_000);
    expect(await faultIn(journal.append(STREAM, entry("c"), 2))).toMatch(/^journal-damaged: .*0002 is missing/);
    expect(await readAll(bench.open())).toEqual([]);
  });

  test("objects that are no records are left alone", async () => {
    const bench = await startBench();
    const journal = bench.open();
    await appendAll(journal, ["a", "b"]);
    await bench.write(`${PREFIX}environment/shop/prod/0-notes.txt`, "by hand");
    await bench.write(`${PREFIX}README`, "by hand");
    await bench.write(`${PREFIX}heads/environment/x`, "by hand");
    expect((await readAll(bench.open())).map(textOf)).toEqual(["a", "b"]);
    expect(await bench.open().streams()).toEqual([STREAM]);
  });
});

describe("An append whose answer does not come", () => {
  const record = { path: `/${BUCKET}/${PREFIX}${STREAM}/000000000001` };

  test.each(["5xx", "before", "after", "throttle"] as const)(
    "is written once and is no reason to be fenced (%s)",
    async (kind) => {
      const bench = await startBench();
      bench.fail({ operation: "PutObject", match: record, kind });
      await appendAll(bench.open(), ["a", "b"]);
      expect((await readAll(bench.open())).map(textOf)).toEqual(["a", "b"]);
    },
  );

  test.each(["pause-before", "pause-after"] as const)(
    "within its time may still take effect later, and is the same record (%s)",
    async (kind) => {
      const bench = await startBench();
      const journal = bench.open();
      bench.fail({ operation: "PutObject", match: record, kind });
      const appended = journal.append(STREAM, entry("a"), 0);
      await bench.held();
      bench.pass(8_000);
      const { nonce } = await appended;
      bench.release();
      await journal.append(STREAM, entry("b"), 1);
      const records = await readAll(bench.open());
      expect(records.map(textOf)).toEqual(["a", "b"]);
      expect(records[0]?.nonce).toBe(nonce);
    },
  );

  test("is fenced when another writer took the sequence meanwhile", async () => {
    const bench = await startBench();
    bench.fail({ operation: "PutObject", match: record, kind: "before" });
    const winner = bench.open().append(STREAM, entry("a", "first"), 0);
    const loser = bench.open().append(STREAM, entry("b", "second"), 0);
    const ends = await Promise.allSettled([winner, loser]);
    const codes = ends.map((end) => (end.status === "fulfilled" ? "won" : faultOf(end.reason).code));
    expect(codes.toSorted()).toEqual(["fenced", "won"]);
    expect(await readAll(bench.open())).toHaveLength(1);
  });

  test.each(["before", "after", "5xx"] as const)("for ever is a journal that is not available (%s)", async (kind) => {
    const bench = await startBench();
    bench.fail({ operation: "PutObject", match: record, kind, count: "forever" });
    bench.fail({ operation: "GetObject", kind: "5xx", count: "forever" });
    const fault = await faultIn(bench.open().append(STREAM, entry("a"), 0));
    expect(fault).toMatch(/^journal-unavailable: .*nothing is written to AWS until the journal answers/);
  });

  test("and that never took place is given up after five times", async () => {
    const bench = await startBench();
    bench.fail({ operation: "PutObject", match: record, kind: "before", count: "forever" });
    const fault = await faultIn(bench.open().append(STREAM, entry("a"), 0));
    expect(fault).toMatch(/^journal-unavailable: .*000000000001: whether it was written is not known: PutObject of/);
    expect(bench.calls().filter((call) => call.startsWith("PutObject"))).toHaveLength(5);
  });

  test("is sent again after 409 ConditionalRequestConflict, and given up when that does not end", async () => {
    let conflicts = 2;
    const bench = await startBench(({ operation }) => {
      if (operation !== "PutObject" || (conflicts -= 1) < 0) return undefined;
      return new AwsError("ConditionalRequestConflict", "A conflicting conditional operation is in progress", 409);
    });
    const journal = bench.open();
    await appendAll(journal, ["a"]);
    expect((await readAll(journal)).map(textOf)).toEqual(["a"]);
    conflicts = 100;
    expect(await faultIn(journal.append(STREAM, entry("b"), 1))).toMatch(
      /^journal-unavailable: .*0002: refused as busy/,
    );
    expect(await readAll(bench.open())).toHaveLength(1);
  });
});

describe("Two controllers", () => {
  test("that append 100 records each at the same time win each sequence exactly once", async () => {
    const bench = await startBench(() => undefined);
    async function run(name: string): Promise<readonly number[]> {
      const journal = bench.open();
      const won: number[] = [];
      for (let expected = 0; won.length < 100;) {
        try {
          const record = await journal.append(STREAM, entry(`${name} ${won.length}`, name), expected);
          won.push(record.sequence);
          expected = record.sequence;
        } catch (thrown) {
          if (faultOf(thrown).code !== "fenced") throw thrown;
          for (const record of await readAll(journal, STREAM, expected + 1)) expected = record.sequence;
        }
      }
      return won;
    }
    const names = ["left", "right"];
    for (const [nth, kind] of (["after", "before", "5xx", "after"] as const).entries())
      bench.fail({ operation: "PutObject", kind, nth: 17 + nth * 31, count: 3 });
    const won = await Promise.all(names.map(run));
    const records = await readAll(bench.open());
    expect(records).toHaveLength(200);
    expect(won.flat().toSorted((a, b) => a - b)).toEqual(records.map(({ sequence }) => sequence));
    for (const [index, name] of names.entries()) {
      const own = records.filter(({ writer }) => writer === name);
      expect(own.map(textOf)).toEqual(Array.from({ length: 100 }, (_, at) => `${name} ${at}`));
      expect(own.map(({ sequence }) => sequence)).toEqual(won[index]);
    }
  });

  test("do not prove each other's end", async () => {
    const journal = (await startBench()).open();
    expect(journal.hasEnded("0".repeat(32))).toBe(false);
  });
});
