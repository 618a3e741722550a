// Texts of files by object id, read in batches and kept, because an object never changes.
import type { Buffer } from "node:buffer";
import type { ManifestFile } from "../ports.ts";
import type { Entry } from "./listing.ts";
import { refusal, textOf } from "./listing.ts";

type Content = { readonly text: string } | { readonly refused: string };

/** Characters kept per repository; what was not used longest goes first. */
const KEPT = 64 * 1024 * 1024;
/** Objects and bytes asked of one process. */
const BATCH_OBJECTS = 2_000;
const BATCH_BYTES = 32 * 1024 * 1024;

/** `cat-file --batch` with these ids on its standard input. */
export type ReadObjects = (ids: readonly string[]) => Promise<Buffer>;

export interface Blobs {
  /**
   * The files with their texts; refused ones come with the reason, and are never read. Undefined when the mirror
   * lacks an object that it must hold.
   */
  read(entries: readonly Entry[], readObjects: ReadObjects): Promise<readonly ManifestFile[] | undefined>;
}

export function createBlobs(): Blobs {
  const kept = new Map<string, Content>();
  let characters = 0;

  function keep(id: string, content: Content): void {
    characters += sizeOf(content) - sizeOf(kept.get(id));
    kept.delete(id);
    kept.set(id, content);
    for (const [oldest, old] of kept) {
      if (characters <= KEPT) return;
      kept.delete(oldest);
      characters -= sizeOf(old);
    }
  }

  return {
    async read(entries, readObjects) {
      const readable = entries.filter((entry) => refusal(entry) === undefined);
      const wanted = new Map(readable.filter(({ id }) => !kept.has(id)).map((entry) => [entry.id, entry]));
      // What is asked for now is held apart, so that it cannot be pushed out before it is handed over.
      const contents = new Map(readable.flatMap(({ id }) => pair(id, kept.get(id))));
      for (const batch of batches([...wanted.values()])) {
        const ids = batch.map(({ id }) => id);
        for (const [id, content] of parseBatch(await readObjects(ids), ids)) contents.set(id, content);
      }
      for (const [id, content] of contents) keep(id, content);
      if (readable.some(({ id }) => !contents.has(id))) return undefined;
      return entries.map((entry) => toFile(entry, contents.get(entry.id)));
    },
  };
}

function pair(id: string, content: Content | undefined): readonly (readonly [string, Content])[] {
  return content === undefined ? [] : [[id, content]];
}

function sizeOf(content: Content | undefined): number {
  if (content === undefined) return 0;
  return "text" in content ? content.text.length : content.refused.length;
}

function toFile(entry: Entry, content: Content | undefined): ManifestFile {
  const { path, mode, id } = entry;
  const refused = refusal(entry);
  // Two names of one object may differ in mode: a link is refused although a file with the same bytes is not.
  if (refused !== undefined || content === undefined) return { path, mode, id, refused: refused ?? "it was not read" };
  return { path, mode, id, ...content };
}

function batches(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const all: Entry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = entry.size ?? 0;
    if (bytes + size > BATCH_BYTES || (all.at(-1)?.length ?? 0) >= BATCH_OBJECTS) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(entry);
    bytes += size;
  }
  return all;
}

/** `<id> blob <size>\n<bytes>\n` for each object; ids that the mirror lacks are left out. */
function parseBatch(output: Buffer, ids: readonly string[]): ReadonlyMap<string, Content> {
  const contents = new Map<string, Content>();
  let at = 0;
  for (const id of ids) {
    const end = output.indexOf(0x0a, at);
    const [, kind, size] = output.toString("latin1", at, end).split(" ");
    at = end + 1;
    if (kind !== "blob") continue;
    contents.set(id, textOf(output.subarray(at, at + Number(size))));
    at += Number(size) + 1;
  }
  return contents;
}
