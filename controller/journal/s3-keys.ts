// Under which keys a journal in a bucket keeps what: records by stream and sequence, and one head per stream.
import type { Sequence, Stream } from "../core/event.ts";
import { recordName, segments, sequenceOf, streamOf } from "./layout.ts";

/** No stream begins with it. */
const HEADS = "heads/";

export interface Keys {
  /** Ends in `/`. */
  folder(stream: Stream): string;
  record(stream: Stream, sequence: Sequence): string;
  /** The sequence a key of the stream says; undefined for what is no record, which is left alone. */
  sequence(stream: Stream, key: string): Sequence | undefined;
  readonly heads: string;
  head(stream: Stream): string;
  /** The stream whose head the key is. */
  headOf(key: string): Stream | undefined;
  /** The stream whose folder it is. */
  streamOf(folder: string): Stream | undefined;
}

/** `prefix` is empty or ends in `/`. */
export function createKeys(prefix: string): Keys {
  const folder = (stream: Stream): string => `${prefix}${segments(stream).join("/")}/`;
  const heads = `${prefix}${HEADS}`;
  return {
    folder,
    record: (stream, sequence) => `${folder(stream)}${recordName(sequence)}`,
    sequence: (stream, key) => sequenceOf(key.slice(folder(stream).length)),
    heads,
    head: (stream) => `${heads}${segments(stream).join("/")}`,
    headOf: (key) => streamOf(key.slice(heads.length).split("/")),
    streamOf: (key) => streamOf(key.slice(prefix.length, -1).split("/")),
  };
}
