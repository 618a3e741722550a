// The event stream of the API: numbered events, a bounded memory for those who come back, bounded listeners.
import { Instant } from "../core/brand.ts";
import type { Event } from "../core/event.ts";
import { about, narrate, weight } from "../core/narrate.ts";
import type { Redactor } from "../core/redact.ts";
import type { Board } from "./board.ts";

/** One event as the stream carries it. */
export interface Item {
  /** `<life>-<number>`: numbers of another life mean nothing here. */
  readonly id: string;
  /** JSON of one line. */
  readonly data: string;
}

export interface Feed {
  /** Undefined when too many listen already. */
  listen(lastEventId: string | undefined): Listener | undefined;
  close(): void;
}

export interface Listener {
  /** False: what came after `lastEventId` is no longer known, so the status must be read again. */
  readonly complete: boolean;
  /** The next items; empty when `ms` passed without one; undefined when the stream is over. */
  next(ms: number, signal: AbortSignal): Promise<readonly Item[] | undefined>;
  close(): void;
}

const KEPT = 1000;
const LISTENERS = 64;
/** Items that may wait for one listener; one that is slower is cut off and comes back with its last id. */
const QUEUED = 1000;

interface Queue {
  items: Item[];
  over: boolean;
  wake: () => void;
}

/** `life` tells this process from an earlier one; random. */
export function createFeed(board: Board, redact: Redactor, life: string): Feed {
  const kept: Item[] = [];
  const queues = new Set<Queue>();
  let number = 0;
  const unsubscribe = board.subscribe((event) => {
    number += 1;
    const item = { id: `${life}-${number}`, data: JSON.stringify(redact.deep(visible(event))) };
    kept.push(item);
    if (kept.length > KEPT) kept.shift();
    for (const queue of queues) push(queue, item);
  });

  function push(queue: Queue, item: Item): void {
    if (queue.items.length >= QUEUED) end(queue);
    else queue.items.push(item);
    queue.wake();
  }

  function end(queue: Queue): void {
    queue.over = true;
    queues.delete(queue);
    queue.wake();
  }

  return {
    listen(lastEventId) {
      if (queues.size >= LISTENERS) return undefined;
      const since = lastEventId === undefined ? number : place(lastEventId, life);
      const oldest = number - kept.length;
      const complete = since !== undefined && since >= oldest && since <= number;
      const queue: Queue = {
        items: complete ? kept.slice(kept.length - (number - since)) : [],
        over: false,
        wake: () => undefined,
      };
      queues.add(queue);
      return {
        complete,
        next: (ms, signal) => take(queue, ms, signal),
        close: () => end(queue),
      };
    },
    close() {
      unsubscribe();
      for (const queue of queues) end(queue);
    },
  };
}

function place(id: string, life: string): number | undefined {
  const number = id.startsWith(`${life}-`) ? id.slice(life.length + 1) : "";
  return /^\d{1,15}$/.test(number) ? Number(number) : undefined;
}

async function take(queue: Queue, ms: number, signal: AbortSignal): Promise<readonly Item[] | undefined> {
  if (queue.items.length === 0 && !queue.over && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
      queue.wake = done;
    });
  }
  const items = queue.items.splice(0);
  return items.length === 0 && (queue.over || signal.aborted) ? undefined : items;
}

/**
 * An event as others may see it: a sentence, and its facts. What a release was made of stays inside: task definitions
 * carry environment values.
 */
function visible(event: Event): Readonly<Record<string, unknown>> {
  const what = event.durable ? event.record.event : event.event;
  const at = event.durable ? event.record.at : event.at;
  const facts = Object.fromEntries(Object.entries(what).filter(([key]) => !HIDDEN.has(key)));
  return {
    schema: "lockstep/v1",
    at,
    time: Instant.toIso(at),
    about: about(event),
    weight: weight(event),
    text: narrate(event),
    ...(event.durable ? { sequence: event.record.sequence } : {}),
    event: facts,
  };
}

const HIDDEN: ReadonlySet<string> = new Set(["desired", "token", "before", "log"]);
