// Fault injection: orders of what shall go wrong with which call, and the calls held until they are released.

import { type AwsError, type Chance, ConnectionLost, type SandboxClock, type SandboxResponse } from "./api.ts";
import { uuid } from "./chance.ts";
import { broken, throttled, worded } from "./failures.ts";
import { concerns, type FaultedCall, type FaultOrder } from "./fault-order.ts";
import { accessDenied } from "./identities.ts";
import { createSnapshots } from "./snapshots.ts";

export interface Faults {
  add(order: FaultOrder): string;
  clear(): void;
  /** Lets held calls go on: the one held by this fault, or all. Returns how many. */
  release(id?: string): number;
  /** Ends: takes every order back, and held calls lose their connection without going on. */
  close(): void;
  status(): { readonly orders: readonly unknown[]; readonly held: readonly unknown[] };
  /** Runs `effect` as the orders demand; `note` hears which fault struck. Faults: AwsError, ConnectionLost. */
  around(
    call: FaultedCall,
    effect: () => Promise<SandboxResponse> | SandboxResponse,
    note: (fault: string) => void,
  ): Promise<SandboxResponse>;
}

interface Standing {
  readonly id: string;
  readonly order: FaultOrder;
  seen: number;
}

interface Held {
  readonly id: string;
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
  readonly at: "before" | "after";
  readonly since: string;
  readonly go: () => void;
  readonly lose: () => void;
}

export function createFaults({ clock, chance }: { readonly clock: SandboxClock; readonly chance: Chance }): Faults {
  const orders = new Map<string, Standing>();
  const held = new Set<Held>();
  const snapshots = createSnapshots();

  function strike(call: FaultedCall): Standing | undefined {
    let struck: Standing | undefined;
    for (const standing of orders.values()) {
      if (!concerns(standing.order, call)) continue;
      standing.seen += 1;
      const first = standing.order.nth ?? 1;
      const last = standing.order.count === "forever" ? Infinity : first + (standing.order.count ?? 1) - 1;
      if (standing.seen >= last) orders.delete(standing.id);
      if (standing.seen >= first && struck === undefined) struck = standing;
    }
    return struck;
  }

  function hold(call: FaultedCall, id: string, at: "before" | "after"): Promise<void> {
    return new Promise((resolve, reject) => {
      const { service, operation, input } = call;
      const lose = (): void => reject(new ConnectionLost(operation));
      const entry: Held = {
        id,
        service,
        operation,
        input,
        at,
        since: new Date(clock.now()).toISOString(),
        go: resolve,
        lose,
      };
      held.add(entry);
    });
  }

  async function act(
    standing: Standing,
    call: FaultedCall,
    effect: () => Promise<SandboxResponse>,
  ): Promise<SandboxResponse> {
    const { kind, delayMs = 1000 } = standing.order;
    switch (kind) {
      case "throttle":
        throw throttled(call.service);
      case "5xx":
        throw broken(call.service);
      case "denied":
        throw worded(call.service, denied(call));
      case "before":
        throw new ConnectionLost(call.operation);
      case "after":
        await effect();
        throw new ConnectionLost(call.operation);
      case "stale":
        return snapshots.of(call) ?? effect();
      case "slow":
        await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
        return effect();
      case "pause-before":
        await hold(call, standing.id, "before");
        return effect();
      case "pause-after":
        break;
    }
    const answer = await effect();
    await hold(call, standing.id, "after");
    return answer;
  }

  return {
    add(order) {
      const id = uuid(chance);
      orders.set(id, { id, order, seen: 0 });
      return id;
    },
    clear: () => orders.clear(),
    release(id) {
      const going = [...held].filter((entry) => id === undefined || entry.id === id);
      for (const entry of going) {
        held.delete(entry);
        entry.go();
      }
      return going.length;
    },
    close() {
      orders.clear();
      for (const entry of held) entry.lose();
      held.clear();
    },
    status: () => ({
      orders: [...orders.values()].map(({ id, order, seen }) => ({ id, ...order, seen })),
      held: [...held].map(({ id, service, operation, input, at, since }) => ({
        id,
        service,
        operation,
        input,
        at,
        since,
      })),
    }),
    async around(call, effect, note) {
      const fresh = async (): Promise<SandboxResponse> => snapshots.keep(call, await effect());
      const standing = strike(call);
      if (standing === undefined) return fresh();
      note(`${standing.order.kind} ${standing.id}`);
      return act(standing, call, fresh);
    },
  };
}

/** S3 words a denial as a plain "Access Denied" only for anonymous callers; everyone else is told what was missing. */
function denied({ caller, permission }: FaultedCall): AwsError {
  return accessDenied(caller.arn, permission.action, permission.resource, "implicit");
}
