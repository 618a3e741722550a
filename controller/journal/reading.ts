// Reading a directory journal: records in order, gaps and damage named by file, and never more looks than needed.
import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recorded, Sequence, Stream } from "../core/event.ts";
import * as layout from "./layout.ts";
import { RECORD_BYTES, damaged, decode, utf8 } from "./record.ts";
import { codeOf, unavailable } from "./volume.ts";

/** Records read at once. */
const READ_AHEAD = 32;

/**
 * Lists the folder once to see gaps, then goes on by name, so that records appended meanwhile are read too. A reader
 * that goes on from a known sequence finds out by two missing names that there is nothing new.
 */
export async function* readFrom(root: string, stream: Stream, from: Sequence): AsyncGenerator<Recorded> {
  const folder = layout.streamFolder(root, stream);
  let next = from;
  try {
    if (from > 1 && !(await isThere(layout.recordFile(root, stream, from - 1)))) {
      throw damaged(layout.recordFile(root, stream, from - 1), "is missing");
    }
    const last = from > 1 ? from - 1 : await lastListed(root, folder);
    // What the listing saw is read in large bites; beyond it, each bite may be twice as large as the one before.
    for (let bite = 1; ; bite *= 2) {
      const ahead = Math.min(READ_AHEAD, last >= next ? last - next + 1 : bite);
      const sequences = Array.from({ length: ahead }, (_, index) => next + index);
      for (const record of await Promise.all(sequences.map((sequence) => load(root, stream, sequence)))) {
        // A name that is missing while the one after it is there may have been linked between the two looks.
        const found = record ?? (await loadAgain(root, stream, next, last));
        if (found === undefined) return;
        yield found;
        next += 1;
      }
    }
  } catch (thrown) {
    throw unavailable(folder, thrown);
  }
}

/** Tells the end of the stream (undefined) from a gap (Fault `journal-damaged`). */
async function loadAgain(
  root: string,
  stream: Stream,
  sequence: Sequence,
  last: Sequence,
): Promise<Recorded | undefined> {
  const isEnd = sequence > last && !(await isThere(layout.recordFile(root, stream, sequence + 1)));
  if (isEnd) {
    await access(root);
    return undefined;
  }
  const record = await load(root, stream, sequence);
  if (record === undefined) throw damaged(layout.recordFile(root, stream, sequence), "is missing");
  return record;
}

/** The highest sequence in a stream's folder; 0 = no record. */
async function lastListed(root: string, folder: string): Promise<Sequence> {
  const names = await listFolder(folder);
  if (names.length === 0) await access(root);
  return names.reduce((last, name) => Math.max(last, layout.sequenceOf(name) ?? 0), 0);
}

/** A record by its name, undefined when there is none. */
export async function load(root: string, stream: Stream, sequence: Sequence): Promise<Recorded | undefined> {
  const path = layout.recordFile(root, stream, sequence);
  try {
    const text = await readFile(path);
    if (text.length > RECORD_BYTES) throw damaged(path, `is ${text.length} bytes long`);
    return decode(utf8(text, path), path, sequence);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw unavailable(path, thrown);
  }
}

export async function listStreams(root: string): Promise<readonly Stream[]> {
  await access(root);
  const found: string[][] = [["journal"]];
  for (const name of await listFolder(join(root, "repository"))) found.push(["repository", name]);
  for (const application of await listFolder(join(root, "environment"))) {
    for (const name of await listFolder(join(root, "environment", application))) {
      found.push(["environment", application, name]);
    }
  }
  const streams: Stream[] = [];
  for (const parts of found) {
    const stream = layout.streamOf(parts);
    // A crash may leave an empty folder, which is no stream yet.
    const some = stream !== undefined && (await listFolder(join(root, ...parts))).some(layout.sequenceOf);
    if (stream !== undefined && some) streams.push(stream);
  }
  return streams.sort();
}

/** Names in a folder; none when there is no such folder. */
export async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw thrown;
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
}
