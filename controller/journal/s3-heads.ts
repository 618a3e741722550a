// Who appended since: one small object per stream changes with every append, so that one listing tells all news.
import { randomBytes } from "node:crypto";
import type { Sequence, Stream } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import type { Clock } from "../ports.ts";
import type { Keys } from "./s3-keys.ts";
import type { BucketStore } from "./s3-store.ts";

/** A listing of the heads answers for them this long: the reads of the pass that asked for it. */
const FRESH_MS = 5_000;
/**
 * A stream is listed itself at least this often: whoever crashed between a record and its head left a record that no
 * head tells of. Nothing depends on seeing it sooner, because an append that does not know it is fenced.
 */
export const PROBE_MS = 10 * 60_000;

/** What the heads said at one time, by the ETag of each. */
export interface Glance {
  readonly atMs: number;
  readonly tags: ReadonlyMap<Stream, string>;
}

export interface Heads {
  /** Lists the heads: one request per 1,000 streams. */
  look(): Promise<Glance>;
  /** The last look; what is read of a stream after it is at least as new. */
  glance(): Glance | undefined;
  /** The stream itself was listed after that glance, and `last` was its end. */
  saw(stream: Stream, last: Sequence, glance: Glance | undefined): void;
  /** True when a look a moment ago showed that nothing was appended behind `last`. */
  isQuiet(stream: Stream, last: Sequence): boolean;
  /** Tells other controllers of an append that took place. */
  ring(stream: Stream): Promise<void>;
}

export function createHeads(store: BucketStore, keys: Keys, clock: Clock): Heads {
  const settled = new Map<Stream, { readonly last: Sequence; readonly tag: string; readonly atMs: number }>();
  /** Appends of ours that no head tells of yet. */
  const owed = new Set<Stream>();
  let glance: Glance | undefined;

  async function ring(stream: Stream): Promise<void> {
    // Each is another, or an ETag that comes again would hide what was appended in between.
    await store.put(keys.head(stream), `${randomBytes(16).toString("hex")}\n`);
    owed.delete(stream);
  }

  return {
    async look() {
      for (const stream of owed) await ring(stream).catch(onlyFaults);
      const atMs = clock.monotonicMs();
      const tags = new Map<Stream, string>();
      for (let token: string | undefined, more = true; more; more = token !== undefined) {
        const page = await store.list({ prefix: keys.heads, ...(token === undefined ? {} : { token }) });
        for (const { key, etag } of page.objects) {
          const stream = keys.headOf(key);
          if (stream !== undefined) tags.set(stream, etag);
        }
        token = page.next;
      }
      glance = { atMs, tags };
      return glance;
    },
    glance: () => glance,
    saw(stream, last, before) {
      const tag = before?.tags.get(stream);
      if (tag === undefined || before === undefined) settled.delete(stream);
      else settled.set(stream, { last, tag, atMs: before.atMs });
    },
    isQuiet(stream, last) {
      const known = settled.get(stream);
      const nowMs = clock.monotonicMs();
      if (known === undefined || glance === undefined) return false;
      if (nowMs - glance.atMs > FRESH_MS || nowMs - known.atMs > PROBE_MS) return false;
      // Who still owes a head may not write heads at all, and then neither may those that have the same role.
      return owed.size === 0 && known.last === last && known.tag === glance.tags.get(stream);
    },
    async ring(stream) {
      // The record stands. That others hear of it later is no reason to call the append failed.
      owed.add(stream);
      await ring(stream).catch(onlyFaults);
    },
  };
}

function onlyFaults(thrown: unknown): void {
  if (!(thrown instanceof Fault)) throw thrown;
}
