// One life of a controller as the outside sees it: its calls, the faults that meet them, and how it dies.
import { Instant } from "../../controller/core/brand.ts";
import { Fault } from "../../controller/core/fault.ts";
import type { Clock } from "../../controller/ports.ts";
import type { Chance } from "./chance.ts";
import type { Tally } from "./tally.ts";
import type { Timeline } from "./timeline.ts";

/** Every port call of the model. Reads change nothing; a crash may come before any of them and after it. */
export const READS = [
  "head",
  "is-ancestor",
  "changes",
  "read-manifests",
  "contains",
  "journal-read",
  "journal-list",
  "describe-services",
  "list-deployments",
  "describe-tasks",
  "list-tasks",
  "resolve-artifacts",
  "read-marker",
  "list-objects",
  "describe-invalidation",
  "probe",
] as const;
export const WRITES = [
  "append",
  "register-version",
  "update-service",
  "run-task",
  "stop-task",
  "write-marker",
  "copy-assets",
  "copy-page",
  "delete-objects",
  "create-invalidation",
] as const;
export type ReadName = (typeof READS)[number];
export type WriteName = (typeof WRITES)[number];
export type CallName = ReadName | WriteName;

/** What may go wrong with a call by chance. */
export const CALL_FAULTS = [
  "throttled",
  "server-error",
  "time-out-before-effect",
  "time-out-after-effect",
  "denied",
  "stale-read",
  "frozen",
  "journal-unavailable",
  "journal-lost-answer",
  "repository-unreachable",
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

export interface Weather {
  /** Chance of a fault per call; 0 = none. */
  rate: number;
  kinds: readonly CallFault[];
}

export interface Life {
  readonly writer: string;
  readonly clock: Clock;
  dead: boolean;
  /** Port calls so far. */
  calls: number;
  /** Runners at work. */
  acting: number;
  /** Dies at this call, by its number or by the next of its name, before or after its effect. */
  crash?: { readonly at: number | CallName; readonly side: "before" | "after" };
  /** How far its wall clock is off. */
  skewMs: number;
  /** Nothing of it runs before then: a paused machine. */
  frozenUntilMs: number;
  read<Value>(name: ReadName, effect: () => Value, stale?: () => Value | undefined): Promise<Value>;
  write<Value>(name: WriteName, effect: () => Value): Promise<Value>;
}

export interface LifeParts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly weather: Weather;
  readonly writer: string;
  /** Called just before a write is sent; it may be held up for long between that and its effect. */
  readonly onSent: (life: Life, name: WriteName) => void;
  /** Runs the effect of a call in the name of this life. */
  readonly as: <Value>(life: Life, effect: () => Value) => Value;
}

const JOURNAL: ReadonlySet<CallName> = new Set(["append", "journal-read", "journal-list"]);
const REPOSITORY: ReadonlySet<CallName> = new Set(["head", "is-ancestor", "changes", "read-manifests", "contains"]);

export function createLife({ timeline, chance, tally, weather, writer, onSent, as }: LifeParts): Life {
  function gone(): Error {
    return new Error(`the process ${writer} has ended`);
  }

  /** Waits in virtual time; a frozen life wakes later, a dead one never. */
  function wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        if (life.dead) return finish(() => reject(gone()));
        const frozenMs = life.frozenUntilMs - timeline.nowMs();
        if (frozenMs <= 0) return finish(resolve);
        cancel = timeline.after(frozenMs, wake);
      };
      const abort = (): void => finish(() => reject(signal?.reason));
      const finish = (end: () => void): void => {
        cancel();
        signal?.removeEventListener("abort", abort);
        end();
      };
      let cancel = timeline.after(ms, wake);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  const clock: Clock = {
    now: () => Instant.of(timeline.nowMs() + life.skewMs),
    monotonicMs: () => timeline.nowMs(),
    async sleep(ms, signal) {
      if (life.dead) throw gone();
      signal.throwIfAborted();
      await wait(ms, signal);
    },
  };

  function die(name: CallName, side: "before" | "after"): never {
    life.dead = true;
    tally.count(`crash ${side} ${name}`);
    throw gone();
  }

  /** The fault that meets this call, if any, among those that can meet it at all. */
  function roll(name: CallName, isWrite: boolean, canBeStale: boolean): CallFault | undefined {
    // Writes to AWS are few among many reads, and the faults that matter most meet them.
    const often = isWrite && !JOURNAL.has(name) ? 4 : 1;
    if (weather.rate === 0 || !chance.is(weather.rate * often)) return undefined;
    const kinds: CallFault[] = [];
    if (JOURNAL.has(name)) kinds.push("journal-unavailable", ...(isWrite ? (["journal-lost-answer"] as const) : []));
    else if (REPOSITORY.has(name)) kinds.push("repository-unreachable");
    else {
      kinds.push("throttled", "server-error", "denied", "time-out-before-effect");
      if (isWrite) kinds.push("time-out-after-effect");
      if (canBeStale) kinds.push("stale-read", "stale-read");
    }
    kinds.push("frozen");
    const kind = chance.pick(kinds);
    return weather.kinds.includes(kind) ? kind : undefined;
  }

  async function call<Value>(
    name: CallName,
    isWrite: boolean,
    effect: () => Value,
    stale?: () => Value | undefined,
  ): Promise<Value> {
    if (life.dead) throw gone();
    life.calls += 1;
    tally.count(`call ${name}`);
    const crash = life.crash?.at === life.calls || life.crash?.at === name ? life.crash.side : undefined;
    if (crash === "before") die(name, "before");
    const fault = roll(name, isWrite, stale !== undefined);
    if (fault !== undefined) tally.count(`fault ${fault}`);
    if (fault === "frozen") life.frozenUntilMs = timeline.nowMs() + chance.between(20_000, 150_000);
    await wait(chance.between(2, 60));
    if (fault !== undefined && fault !== "frozen") {
      const before = faultBefore(fault, name, isWrite);
      if (before !== undefined) throw before;
    }
    const seen = fault === "stale-read" ? stale?.() : undefined;
    const value = seen ?? as(life, effect);
    if (crash === "after") die(name, "after");
    if (fault === "time-out-after-effect") throw new Fault("outcome-unknown", `${name}: no answer`);
    if (fault === "journal-lost-answer") throw new Fault("journal-unavailable", `${name}: no answer`);
    return value;
  }

  const life: Life = {
    writer,
    clock,
    dead: false,
    calls: 0,
    acting: 0,
    skewMs: 0,
    frozenUntilMs: 0,
    read: (name, effect, stale) => call(name, false, effect, stale),
    write(name, effect) {
      if (!life.dead) onSent(life, name);
      return call(name, true, effect);
    },
  };
  return life;
}

function faultBefore(fault: CallFault, name: CallName, isWrite: boolean): Fault | undefined {
  switch (fault) {
    case "throttled":
      return new Fault("throttled", `${name}: slow down`);
    case "server-error":
      return new Fault("unavailable", `${name}: 503`);
    case "denied":
      return new Fault("denied", `${name} is not allowed`);
    case "time-out-before-effect":
      return new Fault(isWrite ? "outcome-unknown" : "unavailable", `${name}: no answer`);
    case "journal-unavailable":
      return new Fault("journal-unavailable", `${name} failed`);
    case "repository-unreachable":
      return new Fault("repository-unreachable", `${name} failed`);
    case "frozen":
    case "stale-read":
    case "time-out-after-effect":
    case "journal-lost-answer":
      return undefined;
  }
}
