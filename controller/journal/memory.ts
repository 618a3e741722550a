// A journal in memory: what the simulation runs on; faults are put around it by its user, none are built in.
import { randomBytes } from "node:crypto";
import type { Recorded, Stream } from "../core/event.ts";
import { RECORD_VERSION } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import type { Journal } from "../ports.ts";
import { damaged, decode, encode } from "./record.ts";

/** Several controllers of one simulation share one such journal, as they would share a folder or a bucket. */
export function createMemoryJournal(random = (bytes: number) => randomBytes(bytes).toString("hex")): Journal {
  const streams = new Map<Stream, Recorded[]>();
  return {
    address: "memory:",
    async append(stream, entry, expected) {
      const records = streams.get(stream) ?? [];
      if (expected > records.length) throw damaged(name(stream, expected), "is missing");
      if (expected < records.length) {
        throw new Fault("fenced", `${name(stream, expected + 1)} was written by ${records[expected]?.writer}`);
      }
      const sequence = expected + 1;
      const record: Recorded = { v: RECORD_VERSION, sequence, nonce: random(16), ...entry };
      // What is read back is what a file would give back: a copy, without fields that JSON does not keep.
      const kept = decode(encode(record), name(stream, sequence), sequence);
      streams.set(stream, records);
      records.push(kept);
      return kept;
    },
    async *read(stream, from) {
      const records = streams.get(stream) ?? [];
      if (from - 1 > records.length) throw damaged(name(stream, from - 1), "is missing");
      for (let sequence = from; sequence <= records.length; sequence += 1) {
        const record = records[sequence - 1];
        if (record !== undefined) yield record;
      }
    },
    async streams() {
      return [...streams.keys()].sort();
    },
    // One process: whoever appended here has not ended.
    hasEnded: () => false,
  };
}

function name(stream: Stream, sequence: number): string {
  return `memory:${stream}/${sequence}`;
}
