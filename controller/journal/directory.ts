// The default journal: a folder of this host, one file per record, where link() lets exactly one writer win.
import { randomBytes } from "node:crypto";
import { access, link, mkdir, open, stat, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Recorded, Stream } from "../core/event.ts";
import { RECORD_VERSION } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import type { Journal } from "../ports.ts";
import * as layout from "./layout.ts";
import { isThere, listFolder, listStreams, load, readFrom } from "./reading.ts";
import { damaged, encode } from "./record.ts";
import { codeOf, prepareVolume, syncFolder, unavailable } from "./volume.ts";
import { createWriterId, hasEnded, isWriterId } from "./writer.ts";

/** Temporaries whose writer cannot be told are left alone this long. */
const TEMPORARY_MS = 24 * 3_600_000;

export interface DirectoryJournalOptions {
  readonly path: string;
  /** Make the folder when it is missing. A reader (`lockstep plan`) says false. Default true. */
  readonly create?: boolean;
  /** The two calls after which an error may hide success; tests put faults around them. */
  readonly calls?: { readonly link: typeof link; readonly syncFolder: typeof syncFolder };
  /** `f_type` of statfs(2) of a path. */
  readonly fileSystemType?: (path: string) => Promise<number>;
}

/**
 * A journal in a folder. An append is a temporary file, fsync, link() to the sequence's name (EEXIST = another was
 * first), unlink, fsync of the folder: a record is there whole or not at all, also after kill -9 and loss of power.
 */
export function createDirectoryJournal(options: DirectoryJournalOptions): Journal {
  const { create = true, calls = { link, syncFolder }, fileSystemType } = options;
  const root = resolve(options.path);
  const self = createWriterId();
  const folders = new Set<Stream>();
  let prepared: Promise<void> | undefined;

  /** A failed preparation is tried again by the next call; one that succeeded is never repeated. */
  function prepare(): Promise<void> {
    prepared ??= prepareVolume(root, create, fileSystemType).catch((thrown: unknown) => {
      prepared = undefined;
      throw thrown;
    });
    return prepared;
  }

  /** Makes the folders of a stream and of temporaries, and flushes their names, once per stream and life. */
  async function prepareStream(stream: Stream): Promise<void> {
    if (folders.has(stream)) return;
    let folder = root;
    for (const segment of layout.segments(stream)) {
      const parent = folder;
      folder = join(folder, segment);
      await makeFolder(folder);
      await syncFolder(parent);
    }
    if (folders.size === 0) {
      await makeFolder(layout.temporaryFolder(root));
      await sweep(root);
    }
    folders.add(stream);
  }

  async function write(record: Recorded, stream: Stream): Promise<void> {
    const target = layout.recordFile(root, stream, record.sequence);
    const temporary = layout.temporaryFile(root, self, record.nonce);
    try {
      await writeDurably(temporary, encode(record));
      await calls.link(temporary, target).catch(async (thrown: unknown) => {
        // Whatever link() said, the name itself tells who was first.
        const there = await load(root, stream, record.sequence);
        if (there === undefined) throw thrown;
        if (there.nonce === record.nonce) return;
        throw new Fault("fenced", `${target} was written by ${there.writer} at epoch ${there.epoch}`, thrown);
      });
    } finally {
      // What stays behind is swept by a later life, and must not hide how the append ended.
      await unlink(temporary).catch(() => undefined);
    }
    await calls.syncFolder(layout.streamFolder(root, stream));
  }

  return {
    address: `file:${root}`,
    async append(stream, entry, expected) {
      const sequence = expected + 1;
      const target = layout.recordFile(root, stream, sequence);
      await prepare();
      try {
        await access(root);
        if (expected > 0 && !(await isThere(layout.recordFile(root, stream, expected)))) {
          throw damaged(layout.recordFile(root, stream, expected), "is missing");
        }
        await prepareStream(stream);
        const nonce = randomBytes(16).toString("hex");
        const record: Recorded = { v: RECORD_VERSION, sequence, nonce, ...entry };
        await write(record, stream);
        return record;
      } catch (thrown) {
        throw unavailable(target, thrown);
      }
    },
    async *read(stream, from) {
      await prepare();
      yield* readFrom(root, stream, from);
    },
    async streams() {
      await prepare();
      try {
        return await listStreams(root);
      } catch (thrown) {
        throw unavailable(root, thrown);
      }
    },
    hasEnded,
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o750 });
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw thrown;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes temporaries that a crash left: those of writers that have ended, and very old ones of others. */
async function sweep(root: string): Promise<void> {
  const folder = layout.temporaryFolder(root);
  for (const name of await listFolder(folder)) {
    const writer = layout.temporaryWriter(name);
    const path = join(folder, name);
    if (!isWriterId(writer)) continue;
    const written = (await stat(path).catch(ignoreMissing))?.mtimeMs;
    if (written === undefined) continue;
    if (hasEnded(writer) || Date.now() - written > TEMPORARY_MS) await unlink(path).catch(ignoreMissing);
  }
}

function ignoreMissing(thrown: unknown): undefined {
  if (codeOf(thrown) !== "ENOENT") throw thrown;
  return undefined;
}
