// One environment's stream as this process holds it: its fold, and appends that know when they are too late.
import type { EnvironmentId } from "../core/environment.ts";
import type { EnvironmentEvent, Recorded, Stream } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import type { Memory } from "../core/history.ts";
import { NOTHING, remember } from "../core/history.ts";
import { LIMITS } from "../core/limits.ts";
import type { Clock, Journal } from "../ports.ts";
import type { Bus } from "./bus.ts";

export interface Ledger {
  readonly stream: Stream;
  memory(): Memory;
  /** Reads what other writers appended since. */
  refresh(): Promise<Memory>;
  /**
   * Appends whatever came in between: for what is true in any case. With the number of a release: only while that
   * release is open and this process holds it; throws `fenced` once another holder took over.
   */
  append(event: EnvironmentEvent, release?: number): Promise<void>;
  /** Appends only if nothing else was appended since `memory()` was read; false = look again. */
  claim(event: EnvironmentEvent, epoch?: number): Promise<boolean>;
  /** Appends a lease unless something was appended a moment ago, so that the next write finds the guard content. */
  renew(release: number): Promise<void>;
  /** Throws `fenced` unless this process holds the open release and appended within half a lease. */
  guard(release: number): void;
  /** True when this process may act on the open release without taking it over. */
  holds(): boolean;
  /** True when the holder's lease has run out on our own monotonic clock, was released, or its process has ended. */
  isAbandoned(): boolean;
}

export interface LedgerParts {
  readonly journal: Journal;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly writer: string;
  readonly leaseTtlMs: number;
}

/** Appends lost to other writers in a row before the turn is given up. */
const LOST_MAX = 20;

export function createLedger(id: EnvironmentId, { journal, bus, clock, writer, leaseTtlMs }: LedgerParts): Ledger {
  const stream: Stream = `environment/${id}`;
  let memory: Memory = NOTHING;
  let appendedMs = Number.NEGATIVE_INFINITY;
  /** When this process first saw the present last sequence; only our own clock counts. */
  let seenMs = clock.monotonicMs();

  function take(record: Recorded): void {
    memory = remember(memory, record);
    seenMs = clock.monotonicMs();
    bus.publish({ durable: true, stream, record });
  }

  async function refresh(): Promise<Memory> {
    for await (const record of journal.read(stream, memory.sequence + 1)) take(record);
    return memory;
  }

  async function write(event: EnvironmentEvent, epoch: number): Promise<boolean> {
    const startedMs = clock.monotonicMs();
    try {
      const record = await journal.append(stream, { at: clock.now(), writer, epoch, event }, memory.sequence);
      // The lease counts from before the append was sent: what others saw is never newer than that.
      appendedMs = startedMs;
      take(record);
      return true;
    } catch (error) {
      if (error instanceof Fault && error.code === "fenced") return false;
      throw error;
    }
  }

  const holds = (): boolean => memory.open === undefined || memory.holder === writer;

  /** Who held a release may be the last to learn that it was taken over, and even ended, by another. */
  function assertHeld(release: number): void {
    if (memory.open?.number !== release || memory.holder !== writer)
      throw new Fault("fenced", `${id}: release #${release} was taken over by another controller`);
  }

  async function append(event: EnvironmentEvent, release?: number): Promise<void> {
    for (let lost = 0; lost < LOST_MAX; lost += 1) {
      if (release !== undefined) assertHeld(release);
      if (await write(event, memory.epoch)) return;
      await refresh();
    }
    throw new Fault("journal-unavailable", `${id}: lost ${LOST_MAX} appends in a row to other writers`);
  }

  return {
    stream,
    memory: () => memory,
    refresh,
    holds,
    append,
    async renew(release) {
      if (clock.monotonicMs() - appendedMs > leaseTtlMs / 4)
        await append({ type: "lease", ttlMs: leaseTtlMs }, release);
    },
    async claim(event, epoch) {
      if (await write(event, epoch ?? memory.epoch)) return true;
      await refresh();
      return false;
    },
    guard(release) {
      assertHeld(release);
      const age = clock.monotonicMs() - appendedMs;
      if (age > leaseTtlMs / 2) {
        throw new Fault(
          "fenced",
          `${id}: nothing could be appended to the journal for ${Math.round(age / 1000)} s, so nothing is written to AWS`,
        );
      }
    },
    isAbandoned() {
      const holder = memory.holder;
      if (holder === undefined || memory.leaseReleased || journal.hasEnded(holder)) return true;
      return clock.monotonicMs() - seenMs >= leaseTtlMs;
    },
  };
}

/** Keeps the lease while something acts: appends at least every third of it. Ends with the signal. */
export async function keepLease(
  { ledger, release }: { readonly ledger: Ledger; readonly release: number },
  clock: Clock,
  leaseTtlMs: number,
  signal: AbortSignal,
): Promise<void> {
  const everyMs = Math.min(LIMITS.leaseRenewMs, leaseTtlMs / 3);
  while (!signal.aborted) {
    const before = ledger.memory().sequence;
    try {
      await clock.sleep(everyMs, signal);
    } catch {
      return;
    }
    if (ledger.memory().sequence !== before) continue;
    try {
      await ledger.append({ type: "lease", ttlMs: leaseTtlMs }, release);
    } catch (error) {
      // A journal that does not answer is not our end: guard() stops the writes when the lease is half over.
      if (!(error instanceof Fault) || error.code === "fenced") return;
    }
  }
}
