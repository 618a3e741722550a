// Where a directory journal keeps what: a folder per stream, a file per record, temporaries apart from both.
import { join } from "node:path";
import { ApplicationName, EnvironmentName } from "../core/brand.ts";
import { assert } from "../core/assert.ts";
import type { Sequence, Stream } from "../core/event.ts";

const DIGITS = 12;
const RECORD = /^[0-9]{12}$/;
const REPOSITORY = /^[0-9a-f]{16}$/;
/** No name of a stream begins with a dot. */
const TEMPORARY = ".temporary";

/** Segments of a stream's folder below the root. A stream that is not one of ours is our own mistake. */
export function segments(stream: Stream): readonly string[] {
  const parts = stream.split("/");
  assert(streamOf(parts) === stream, `${JSON.stringify(stream)} is not a stream of a journal`);
  return parts;
}

/** The stream a folder belongs to, undefined for any other folder. */
export function streamOf(parts: readonly string[]): Stream | undefined {
  const [kind, first, second] = parts;
  if (parts.length === 1 && kind === "journal") return "journal";
  if (parts.length === 2 && kind === "repository" && first !== undefined && REPOSITORY.test(first)) {
    return `repository/${first}`;
  }
  if (parts.length !== 3 || kind !== "environment" || first === undefined || second === undefined) return undefined;
  return ApplicationName.is(first) && EnvironmentName.is(second) ? `environment/${first}/${second}` : undefined;
}

export function streamFolder(root: string, stream: Stream): string {
  return join(root, ...segments(stream));
}

export function recordFile(root: string, stream: Stream, sequence: Sequence): string {
  return join(streamFolder(root, stream), recordName(sequence));
}

/** Twelve digits, so that names sort as their sequences do. */
export function recordName(sequence: Sequence): string {
  return String(sequence).padStart(DIGITS, "0");
}

/** The sequence a file's name says; undefined for files that are not records, which are left alone. */
export function sequenceOf(name: string): Sequence | undefined {
  return RECORD.test(name) && Number(name) > 0 ? Number(name) : undefined;
}

export function temporaryFolder(root: string): string {
  return join(root, TEMPORARY);
}

/** The writer stands in the name, so that whoever cleans up can tell whether it has ended. */
export function temporaryFile(root: string, writer: string, nonce: string): string {
  return join(temporaryFolder(root), `${writer}~${nonce}`);
}

/** Writer of a temporary by its name. */
export function temporaryWriter(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("~")));
}
