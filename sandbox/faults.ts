// Fault injection: orders of what shall go wrong with which call, and the calls held until they are released.

import {
  AwsError,
  type Caller,
  type Chance,
  ConnectionLost,
  type SandboxClock,
  type SandboxResponse,
  type Service,
} from "./api.ts";
import { uuid } from "./chance.ts";
import { broken, throttled, worded } from "./failures.ts";
import { accessDenied } from "./identities.ts";
import type { Permission } from "./permission.ts";
import { isRecord } from "./wire.ts";

export const FAULT_KINDS = [
  "throttle",
  "5xx",
  "before",
  "after",
  "stale",
  "denied",
  "slow",
  "pause-before",
  "pause-after",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultOrder {
  /** `UpdateService`, `ecs:UpdateService`, `ecs:*` or `*`. */
  readonly operation: string;
  readonly kind: FaultKind;
  /** Which matching call is the first to suffer, counted from 1 since the order was given. Default 1. */
  readonly nth?: number;
  /** How many matching calls in a row suffer. Default 1. */
  readonly count?: number | "forever";
  /** A part of the call's input: an object that must be contained in it, or a text that must occur in its JSON. */
  readonly match?: unknown;
  readonly account?: string;
  readonly region?: string;
  /** For `slow`: the sandbox's own delay before the effect. */
  readonly delayMs?: number;
}

/** One call, as faults see it. */
export interface FaultedCall {
  readonly service: Service["name"];
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly permission: Permission;
}

export interface Faults {
  add(order: FaultOrder): string;
  clear(): void;
  /** Lets held calls go on: the one held by this fault, or all. Returns how many. */
  release(id?: string): number;
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
    return new Promise((resolve) => {
      const { service, operation, input } = call;
      const entry: Held = {
        id,
        service,
        operation,
        input,
        at,
        since: new Date(clock.now()).toISOString(),
        go: resolve,
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

function concerns(order: FaultOrder, call: FaultedCall): boolean {
  if (order.account !== undefined && order.account !== call.caller.account) return false;
  if (order.region !== undefined && order.region !== call.caller.region) return false;
  const named = ["*", call.operation, `${call.service}:*`, `${call.service}:${call.operation}`].includes(
    order.operation,
  );
  if (!named) return false;
  if (typeof order.match === "string") return JSON.stringify(call.input).includes(order.match);
  return order.match === undefined || contains(call.input, order.match);
}

/** Whether `part` occurs in `whole`: objects member by member, arrays when each part occurs in some element. */
function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((item) => whole.some((element) => contains(element, item)));
  }
  if (isRecord(part)) {
    return isRecord(whole) && Object.entries(part).every(([name, value]) => contains(whole[name], value));
  }
  return whole === part;
}

/** Snapshots kept for stale reads, and how large a kept answer may be. */
const SNAPSHOT_LIMIT = 2000;
const SNAPSHOT_BYTES = 262_144;
const READ = /^(Batch)?(Get|Describe|List|Head|Filter|Search)/;

/** The last answer of each read, by everything that was asked: what a read replica that lags behind would say. */
function createSnapshots(): {
  of(call: FaultedCall): SandboxResponse | undefined;
  keep(call: FaultedCall, answer: SandboxResponse): SandboxResponse;
} {
  const answers = new Map<string, SandboxResponse>();
  const key = ({ service, operation, input, caller }: FaultedCall): string =>
    JSON.stringify([service, operation, caller.account, caller.region, input]);
  return {
    of: (call) => answers.get(key(call)),
    keep(call, answer) {
      if (!READ.test(call.operation) || answer.body.length > SNAPSHOT_BYTES) return answer;
      const name = key(call);
      answers.delete(name);
      answers.set(name, answer);
      const [oldest] = answers.keys();
      if (answers.size > SNAPSHOT_LIMIT && oldest !== undefined) answers.delete(oldest);
      return answer;
    },
  };
}

/** Reads an order from a control plane body. Fault: ValidationError naming what is wrong. */
export function parseFaultOrder(value: Readonly<Record<string, unknown>>): FaultOrder {
  const { operation, nth, count, match, account, region, delayMs } = value;
  const kind = value["kind"] === "pause" ? "pause-before" : FAULT_KINDS.find((known) => known === value["kind"]);
  const invalid = (message: string): AwsError => new AwsError("ValidationError", message);
  if (typeof operation !== "string" || operation === "")
    throw invalid("operation: name an operation, such as ecs:UpdateService");
  if (kind === undefined) throw invalid(`kind: one of ${FAULT_KINDS.join(", ")}, not ${JSON.stringify(value["kind"])}`);
  if (nth !== undefined && !isCount(nth)) throw invalid("nth: a whole number from 1");
  if (count !== undefined && count !== "forever" && !isCount(count))
    throw invalid('count: a whole number from 1, or "forever"');
  if (delayMs !== undefined && (typeof delayMs !== "number" || delayMs < 0))
    throw invalid("delayMs: milliseconds from 0");
  if (account !== undefined && typeof account !== "string") throw invalid("account: an account number");
  if (region !== undefined && typeof region !== "string") throw invalid("region: a region's name");
  return {
    operation,
    kind,
    ...(nth === undefined ? {} : { nth }),
    ...(count === undefined ? {} : { count }),
    ...(match === undefined ? {} : { match }),
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1;
}
