// Virtual time: it stands still while anything can run, and then jumps to what is due next.
export interface Timeline {
  readonly nowMs: () => number;
  /** Calls `run` at `ms` from now; the answer calls it off. */
  after(ms: number, run: () => void): () => void;
  /** Lets time pass until `untilMs`, or until `stop` says so after any event. */
  run(untilMs: number, stop?: () => boolean): Promise<void>;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  run?: () => void;
}

export function createTimeline(startMs: number): Timeline {
  const heap: Entry[] = [];
  let nowMs = startMs;
  let order = 0;

  function isBefore(one: Entry | undefined, other: Entry | undefined): boolean {
    if (one === undefined || other === undefined) return other === undefined;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  function swap(one: number, other: number): void {
    const [left, right] = [heap[one], heap[other]];
    if (left === undefined || right === undefined) return;
    heap[one] = right;
    heap[other] = left;
  }

  function push(entry: Entry): void {
    heap.push(entry);
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child], heap[parent])) break;
      swap(child, parent);
      child = parent;
    }
  }

  function pop(): Entry | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = right < heap.length && isBefore(heap[right], heap[left]) ? right : left;
      if (child >= heap.length || !isBefore(heap[child], heap[parent])) break;
      swap(child, parent);
      parent = child;
    }
    return first;
  }

  return {
    nowMs: () => nowMs,
    after(ms, run) {
      const entry: Entry = { at: nowMs + Math.max(0, Math.round(ms)), order, run };
      order += 1;
      push(entry);
      return () => {
        delete entry.run;
      };
    },
    async run(untilMs, stop) {
      for (;;) {
        // Everything in the simulation runs in microtasks: when setImmediate comes, nothing can run any more.
        await new Promise(setImmediate);
        if (stop?.() === true) return;
        let next = heap[0];
        while (next !== undefined && next.run === undefined) {
          pop();
          next = heap[0];
        }
        if (next === undefined || next.at > untilMs) break;
        pop();
        nowMs = Math.max(nowMs, next.at);
        next.run?.();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
}
