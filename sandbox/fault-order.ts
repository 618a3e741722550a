// An order of what shall go wrong: its shape, how it is read, and which calls it concerns.

import { AwsError, type Caller, type Service } from "./api.ts";
import type { Permission } from "./permission.ts";
import { isRecord } from "./wire.ts";

const FAULT_KINDS = [
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
type FaultKind = (typeof FAULT_KINDS)[number];

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

/** Whether an order is about this call. */
export function concerns(order: FaultOrder, call: FaultedCall): boolean {
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
