// A journal in an S3 bucket: one object per record, where `If-None-Match: *` lets exactly one writer win.
import { randomBytes } from "node:crypto";
import type { Recorded, Sequence, Stream } from "../core/event.ts";
import { RECORD_VERSION } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import type { Clock, Journal } from "../ports.ts";
import { encode } from "./record.ts";
import { PROBE_MS, createHeads } from "./s3-heads.ts";
import { createKeys } from "./s3-keys.ts";
import { listStreams, load, missing, readFrom } from "./s3-reading.ts";
import type { BucketStore } from "./s3-store.ts";

/** How often an append is sent, and for how long, before its outcome is given up as unknown: less than half a lease. */
const TRIES = 5;
const GIVE_UP_MS = 20_000;
/** Doubled with every try. */
const PAUSE_MS = 100;
/** A record that was seen so recently is not asked for again before the next one is appended behind it. */
const SEEN_MS = 60_000;

export interface S3JournalOptions {
  readonly store: BucketStore;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  readonly clock: Clock;
}

/**
 * Keys are `<prefix><stream>/<sequence>`; objects are written once and never deleted. What other controllers appended is
 * learnt from `<prefix>heads/<stream>`, a small object that is overwritten behind every record: `streams()` lists those,
 * and a read that goes on from what was known is then answered without a request. A pass at rest is one listing,
 * whatever the number of environments and the length of their history. Heads are hints: an append that does not know
 * the last record is fenced by the record itself.
 *
 * The writer of a record may run on another host, so nobody is ever proven to have ended: who was killed is waited for.
 */
export function createS3Journal({ store, prefix, clock }: S3JournalOptions): Journal {
  const keys = createKeys(prefix);
  const shelf = { store, keys };
  const heads = createHeads(store, keys, clock);
  const seen = new Map<Stream, { readonly last: Sequence; readonly atMs: number }>();
  const known = new Set<Stream>();
  let listedMs = Number.NEGATIVE_INFINITY;
  const address = `${store.address}${prefix}`;
  const life = new AbortController();

  /** The record is there: nobody deletes records, so what was seen only grows. */
  function see(stream: Stream, last: Sequence, atMs: number): void {
    known.add(stream);
    if (last >= (seen.get(stream)?.last ?? 0)) seen.set(stream, { last, atMs });
  }

  async function assertThere(stream: Stream, sequence: Sequence): Promise<void> {
    const recent = seen.get(stream);
    if (recent?.last === sequence && clock.monotonicMs() - recent.atMs < SEEN_MS) return;
    if (await store.has(keys.record(stream, sequence))) return;
    // Answers to HEAD have no body, so only this one tells a record that is gone from a bucket that is gone.
    if ((await load(shelf, stream, sequence)) === undefined) throw missing(shelf, stream, sequence);
  }

  /** Until it is known who has the sequence: whatever S3 answers, the object itself tells. */
  async function write(record: Recorded, stream: Stream): Promise<void> {
    const key = keys.record(stream, record.sequence);
    const body = encode(record);
    const startedMs = clock.monotonicMs();
    let doubt: unknown;
    for (let count = 1; count <= TRIES && clock.monotonicMs() - startedMs < GIVE_UP_MS; count += 1) {
      const answer = await store.create(key, body).catch((thrown: unknown) => {
        if (!isDoubtful(thrown)) throw thrown;
        doubt = thrown;
        return "unknown" as const;
      });
      const there = answer === "taken" || answer === "unknown" ? await load(shelf, stream, record.sequence) : undefined;
      if (answer === "created" || there !== undefined) see(stream, record.sequence, startedMs);
      if (answer === "created" || there?.nonce === record.nonce) return;
      if (there !== undefined) {
        throw new Fault("fenced", `${store.address}${key} was written by ${there.writer} at epoch ${there.epoch}`);
      }
      // The first request may still be under way: sent again it is the same record, and at most one of the two wins.
      if (count < TRIES) await clock.sleep(PAUSE_MS * 2 ** (count - 1), life.signal);
    }
    const why = doubt instanceof Error ? `whether it was written is not known: ${doubt.message}` : "refused as busy";
    throw new Fault("journal-unavailable", `${store.address}${key}: ${why}; ${NEXT}`, doubt);
  }

  async function* readOn(stream: Stream, from: Sequence): AsyncGenerator<Recorded> {
    // What this process knows to be there is read, whatever a look of a moment ago says.
    const isBehind = (seen.get(stream)?.last ?? 0) >= from;
    if (from > 1 && !isBehind && heads.isQuiet(stream, from - 1)) return;
    const glance = heads.glance();
    const atMs = clock.monotonicMs();
    let last = from - 1;
    for await (const record of readFrom(shelf, stream, from)) {
      last = record.sequence;
      yield record;
    }
    heads.saw(stream, last, glance);
    if (last > 0) see(stream, last, atMs);
  }

  return {
    address,
    async append(stream, entry, expected) {
      try {
        if (expected > 0) await assertThere(stream, expected);
        const nonce = randomBytes(16).toString("hex");
        const record: Recorded = { v: RECORD_VERSION, sequence: expected + 1, nonce, ...entry };
        await write(record, stream);
        await heads.ring(stream);
        return record;
      } catch (thrown) {
        throw inOurWords(thrown, address);
      }
    },
    async *read(stream, from) {
      try {
        yield* readOn(stream, from);
      } catch (thrown) {
        throw inOurWords(thrown, address);
      }
    },
    async streams() {
      try {
        const { tags } = await heads.look();
        const nowMs = clock.monotonicMs();
        if (nowMs - listedMs > PROBE_MS) {
          for (const stream of await listStreams(shelf, prefix)) known.add(stream);
          listedMs = nowMs;
        }
        return [...new Set([...known, ...tags.keys()])].sort();
      } catch (thrown) {
        throw inOurWords(thrown, address);
      }
    },
    hasEnded: () => false,
  };
}

/** Answers after which only the object itself can tell whether it was written. */
function isDoubtful(thrown: unknown): boolean {
  return thrown instanceof Fault && ["outcome-unknown", "unavailable", "throttled"].includes(thrown.code);
}

const NEXT = "nothing is written to AWS until the journal answers";

/** Faults of S3 as those of a journal: what stands in the way, and what to do about it. */
function inOurWords(thrown: unknown, address: string): unknown {
  if (!(thrown instanceof Fault)) return thrown;
  switch (thrown.code) {
    case "fenced":
    case "journal-damaged":
    case "journal-unavailable":
    case "denied":
    case "credentials-missing":
      return thrown;
    case "bucket-missing":
      return unavailable(address, "the bucket does not exist; create it, or correct LOCKSTEP_JOURNAL", thrown);
    case "region-wrong":
      return unavailable(address, "the bucket cannot be reached; check LOCKSTEP_JOURNAL and AWS_REGION", thrown);
    default:
      return unavailable(address, NEXT, thrown);
  }
}

function unavailable(address: string, next: string, cause: Fault): Fault {
  return new Fault("journal-unavailable", `${address}: ${next} (${cause.message})`, cause);
}
