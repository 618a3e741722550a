// One stream of events for everyone who listens; a listener that fails or is slow never holds a release.
import type { Event } from "../core/event.ts";
import type { Sink } from "../ports.ts";

export interface Bus extends AsyncDisposable {
  publish(event: Event): void;
  subscribe(listener: (event: Event) => void): Disposable;
  /** Sinks that failed, with how often: shown by the system page and in the log, never thrown. */
  failures(): ReadonlyMap<string, number>;
}

/** Events waiting for one slow sink at most; beyond it the oldest ephemeral ones are dropped first. */
const BACKLOG = 10_000;

export function createBus(sinks: readonly Sink[]): Bus {
  const listeners = new Set<(event: Event) => void>();
  const failed = new Map<string, number>();
  const queues = sinks.map((sink) => createQueue(sink, () => failed.set(sink.name, (failed.get(sink.name) ?? 0) + 1)));
  return {
    publish(event) {
      for (const queue of queues) queue.push(event);
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    failures: () => failed,
    async [Symbol.asyncDispose]() {
      for (const queue of queues) await queue.drained();
      for (const sink of sinks) await sink[Symbol.asyncDispose]();
    },
  };
}

/** Events reach a sink one after another, in order. */
function createQueue(sink: Sink, onFailure: () => void): { push(event: Event): void; drained(): Promise<void> } {
  const waiting: Event[] = [];
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  const work = async (): Promise<void> => {
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      try {
        await sink.take(event);
      } catch {
        onFailure();
      }
    }
    busy = false;
  };
  return {
    push(event) {
      if (waiting.length >= BACKLOG) {
        const ephemeral = waiting.findIndex((one) => !one.durable);
        waiting.splice(Math.max(0, ephemeral), 1);
      }
      waiting.push(event);
      if (busy) return;
      busy = true;
      running = work();
    },
    drained: () => running,
  };
}
