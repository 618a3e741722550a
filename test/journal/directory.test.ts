// The directory journal under real processes, kill -9, damage, and disks that refuse.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { link } from "node:fs/promises";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import type { Stream } from "../../controller/core/event.ts";
import type { DirectoryJournalOptions } from "../../controller/journal/directory.ts";
import { createDirectoryJournal } from "../../controller/journal/directory.ts";
import { syncFolder } from "../../controller/journal/volume.ts";
import { appendAll, entry, faultIn, journalContract, readAll, STREAM, textOf } from "./contract.ts";

const APPENDER = new URL("appender.ts", import.meta.url).pathname;
const folders: string[] = [];

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "journal-"));
  folders.push(path);
  return path;
}

afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true });
});

journalContract("in a directory", async () => {
  const path = await folder();
  return {
    one: createDirectoryJournal({ path }),
    other: createDirectoryJournal({ path }),
    close: async () => undefined,
  };
});

function record(path: string, sequence: number): string {
  return join(path, "environment/shop/prod", String(sequence).padStart(12, "0"));
}

interface Appender {
  readonly child: ChildProcess;
  readonly writer: string;
  readonly lines: AsyncIterator<string>;
}

async function start(path: string, name: string, appends: number): Promise<Appender> {
  const child = spawn(process.execPath, ["--import", "tsx", APPENDER, path, name, String(appends)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = (await lines.next()) as IteratorResult<string, undefined>;
  return { child, writer: first.value?.replace("ready ", "") ?? "", lines };
}

describe("What stands in the way is named", () => {
  test("a missing folder is not made for a reader", async () => {
    const path = join(await folder(), "missing");
    const journal = createDirectoryJournal({ path, create: false });
    expect(await faultIn(readAll(journal))).toBe(
      `journal-unavailable: ${path}: it does not exist; create it or correct LOCKSTEP_JOURNAL (ENOENT)`,
    );
  });

  test("a path through a file cannot hold a journal", async () => {
    const file = join(await folder(), "file");
    await writeFile(file, "");
    const below = createDirectoryJournal({ path: join(file, "journal") });
    expect(await faultIn(below.append(STREAM, entry("a"), 0))).toMatch(
      /^journal-unavailable: .*file\/journal.*ENOTDIR/,
    );
    const itself = createDirectoryJournal({ path: file, create: false });
    expect(await faultIn(itself.streams())).toMatch(/^journal-unavailable: .*is not a folder; check LOCKSTEP_JOURNAL/);
  });

  test.each([
    [0x6969, "NFS or EFS"],
    [-0x00acb2be, "CIFS"],
    [0xfe534d42, "SMB"],
  ])("a file system of type %i is refused as %s", async (type, name) => {
    const journal = createDirectoryJournal({ path: await folder(), fileSystemType: async () => type });
    expect(await faultIn(journal.append(STREAM, entry("a"), 0))).toContain(`is on ${name}`);
  });

  test.each([
    ["ENOSPC", "the disk is full; free space or enlarge the volume (ENOSPC)"],
    ["EROFS", "the file system is read-only; mount it writable (EROFS)"],
    ["EPERM", "the journal needs a local disk with hard links (EPERM)"],
  ])("%s of the disk is told with what to do, and nothing is recorded", async (code, message) => {
    const path = await folder();
    const refuse = async () => {
      throw Object.assign(new Error(code), { code });
    };
    const journal = createDirectoryJournal({ path, calls: { link: refuse, syncFolder } });
    const fault = await faultIn(journal.append(STREAM, entry("a"), 0));
    expect(fault).toContain(`journal-unavailable: ${record(path, 1)}: `);
    expect(fault).toContain(message);
    expect(await readAll(journal)).toEqual([]);
    expect(await readdir(join(path, ".temporary"))).toEqual([]);
  });

  test("a volume that vanishes while the controller runs is not an empty journal", async () => {
    const path = join(await folder(), "journal");
    const journal = createDirectoryJournal({ path });
    await appendAll(journal, ["a"]);
    await rename(path, `${path}.away`);
    expect(await faultIn(journal.append("journal", entry("b"), 0))).toMatch(/^journal-unavailable: .*does not exist/);
    expect(await faultIn(readAll(journal))).toMatch(/^journal-unavailable: .*does not exist/);
    expect(await faultIn(journal.streams())).toMatch(/^journal-unavailable: .*does not exist/);
    await rename(`${path}.away`, path);
    expect((await readAll(journal)).map(textOf)).toEqual(["a"]);
  });

  test("a disk that comes back is used again", async () => {
    const path = join(await folder(), "journal");
    await writeFile(path, "in the way");
    const journal = createDirectoryJournal({ path });
    expect(await faultIn(journal.append(STREAM, entry("a"), 0))).toMatch(/^journal-unavailable/);
    await rm(path);
    await appendAll(journal, ["a"]);
    expect((await readAll(journal)).map(textOf)).toEqual(["a"]);
  });

  test.each(["environment/../../etc", "environment/shop", "repository/..", "environment/Shop/prod", "x"])(
    "the stream %s is none",
    async (stream) => {
      const journal = createDirectoryJournal({ path: await folder() });
      await expect(journal.append(stream as Stream, entry("a"), 0)).rejects.toThrow("is not a stream of a journal");
    },
  );
});

describe("Damage is named by its file", () => {
  async function damagedBy(damage: (path: string) => Promise<void>): Promise<string> {
    const path = await folder();
    const journal = createDirectoryJournal({ path });
    await appendAll(journal, ["a", "b", "c"]);
    await damage(path);
    const fault = await faultIn(readAll(createDirectoryJournal({ path })));
    expect(fault).toContain(record(path, 2));
    return fault;
  }

  test("a gap", async () => {
    expect(await damagedBy((path) => rm(record(path, 2)))).toMatch(/^journal-damaged: .* is missing; restore/);
  });
  test("an empty record", async () => {
    expect(await damagedBy((path) => writeFile(record(path, 2), ""))).toMatch(/^journal-damaged: .* is empty/);
  });
  test("a record that is not UTF-8", async () => {
    expect(await damagedBy((path) => writeFile(record(path, 2), Buffer.from([0xff, 0xfe])))).toContain("is not UTF-8");
  });
  test("a record of a newer version", async () => {
    const newer = async (path: string) => {
      const text = await readFile(record(path, 2), "utf8");
      await writeFile(record(path, 2), text.replace('"v":1', '"v":2'));
    };
    expect(await damagedBy(newer)).toMatch(/^journal-damaged: .* has version 2; this Lockstep reads version 1/);
  });
  test("a record under another's name", async () => {
    expect(await damagedBy((path) => rename(record(path, 3), record(path, 2)))).toContain("has sequence 3 inside");
  });
  test("a reader that goes on notices a gap behind the place where it stands", async () => {
    const path = await folder();
    const journal = createDirectoryJournal({ path });
    await appendAll(journal, ["a", "b", "c", "d"]);
    await rm(record(path, 3));
    expect(await faultIn(readAll(journal, STREAM, 3))).toMatch(/^journal-damaged: .*3 is missing/);
  });
});

describe("An answer of the disk that hides success", () => {
  async function append(calls: DirectoryJournalOptions["calls"]) {
    const path = await folder();
    const journal = createDirectoryJournal({ path, ...(calls === undefined ? {} : { calls }) });
    return { path, fault: await faultIn(journal.append(STREAM, entry("a"), 0)), records: await readAll(journal) };
  }

  test.each(["EEXIST", "EIO"])("does not fence a writer from its own record (%s)", async (code) => {
    const linked: typeof link = async (from, to) => {
      await link(from, to);
      throw Object.assign(new Error(code), { code });
    };
    const { fault, records } = await append({ link: linked, syncFolder });
    expect(fault).toBe("no fault");
    expect(records.map(textOf)).toEqual(["a"]);
  });

  test("is not called success when the folder could not be flushed", async () => {
    const refuse = async () => {
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    const { fault } = await append({ link, syncFolder: refuse });
    expect(fault).toMatch(/^journal-unavailable: .*the disk answers with errors/);
  });
});

describe("Other processes", () => {
  test("win each sequence exactly once when two append 100 records each at the same time", async () => {
    const path = await folder();
    const both = await Promise.all([start(path, "left", 100), start(path, "right", 100)]);
    const ends = both.map(({ child }) => once(child, "exit"));
    for (const { child } of both) child.stdin?.write("go\n");
    const won: string[] = [];
    for (const { lines } of both) {
      for (let line = await lines.next(); line.done !== true; line = await lines.next()) won.push(line.value);
    }
    expect(await Promise.all(ends)).toEqual([
      [0, null],
      [0, null],
    ]);
    const records = await readAll(createDirectoryJournal({ path }));
    expect(records).toHaveLength(200);
    expect(new Set(won)).toEqual(new Set(records.map(({ sequence }) => `won ${sequence}`)));
    for (const [index, name] of ["left", "right"].entries()) {
      const own = records.filter(({ writer }) => writer === both[index]?.writer);
      expect(own.map(textOf)).toEqual(Array.from({ length: 100 }, (_, at) => `${name} ${at}`));
    }
  });

  test("killed in the middle of an append leave a journal that is whole and goes on", async () => {
    const path = await folder();
    const journal = createDirectoryJournal({ path });
    for (let life = 0; life < 4; life += 1) {
      const { child, writer, lines } = await start(path, `life ${life}`, 100_000);
      const exit = once(child, "exit");
      child.stdin?.write("go\n");
      const least = 5 + life * 7;
      let told = 0;
      while (told < least) told = Number(String((await lines.next()).value).replace("won ", ""));
      expect(journal.hasEnded(writer)).toBe(false);
      child.kill("SIGKILL");
      await exit;
      expect(journal.hasEnded(writer)).toBe(true);
      const records = await readAll(createDirectoryJournal({ path }));
      expect(records.length).toBeGreaterThanOrEqual(told);
      await journal.append(STREAM, entry("after"), records.length);
    }
  });

  test("that crashed leave temporaries, which the next life removes and no reader sees", async () => {
    const path = await folder();
    const dead = await start(path, "dead", 1);
    const alive = await start(path, "alive", 1);
    await mkdir(join(path, ".temporary"));
    const names = [`${dead.writer}~1`, `${alive.writer}~2`, "of somebody else"];
    for (const name of names) await writeFile(join(path, ".temporary", name), '{"v":1,');
    const exits = [once(dead.child, "exit"), once(alive.child, "exit")] as const;
    dead.child.kill("SIGKILL");
    await exits[0];
    const journal = createDirectoryJournal({ path });
    await appendAll(journal, ["a"]);
    expect(await readdir(join(path, ".temporary"))).toEqual(names.slice(1));
    expect(await journal.streams()).toEqual([STREAM]);
    alive.child.kill("SIGKILL");
    await exits[1];
  });
});
