// The call log: everything that was asked of the account, newest last, in a ring of bounded length.

import type { SandboxRequest } from "./api.ts";
import { isRecord } from "./wire.ts";

export interface Call {
  readonly sequence: number;
  /** When the answer left, ISO 8601; `startedAt` is when the request came. */
  readonly at: string;
  readonly startedAt: string;
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly account: string | undefined;
  readonly region: string | undefined;
  readonly arn: string | undefined;
  readonly userAgent: string;
  /** HTTP status; undefined when the connection was lost instead of answered. */
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** The fault that was injected, with its id. */
  readonly fault: string | undefined;
}

export interface Calls {
  add(call: Omit<Call, "sequence">): void;
  /** Calls with a sequence above `since`. */
  since(sequence: number): readonly Call[];
  latest(): number;
}

/** Calls remembered; older ones are forgotten, and `sequence` shows the gap. */
export const CALL_LIMIT = 20_000;

export function createCalls(limit = CALL_LIMIT): Calls {
  const ring: Call[] = [];
  let sequence = 0;
  return {
    add(call) {
      sequence += 1;
      ring[(sequence - 1) % limit] = { sequence, ...call };
    },
    since(from) {
      const first = Math.max(from, sequence - ring.length, 0);
      const found: Call[] = [];
      for (let at = first; at < sequence; at += 1) {
        const call = ring[at % limit];
        if (call !== undefined) found.push(call);
      }
      return found;
    },
    latest: () => sequence,
  };
}

const INPUT_LIMIT = 262_144;
const XML_LIMIT = 8192;

/** What a request asks, as plain data: the JSON or form members, else method, path, query and conditions. */
export function inputOf(request: SandboxRequest): Readonly<Record<string, unknown>> {
  const type = request.headers["content-type"] ?? "";
  const isText = type.startsWith("application/x-amz-json") || type.startsWith("application/x-www-form-urlencoded");
  if (isText && request.body.length > INPUT_LIMIT) return { bytes: request.body.length };
  const body = isText ? Buffer.from(request.body).toString("utf8") : "";
  if (type.startsWith("application/x-amz-json")) {
    try {
      const value: unknown = JSON.parse(body === "" ? "{}" : body);
      return isRecord(value) ? value : { body };
    } catch {
      return { body }; // The service itself answers SerializationException; the log shows what came.
    }
  }
  if (isText) return Object.fromEntries(new URLSearchParams(body));
  const conditions = Object.entries(request.headers).filter(([name]) => /^(if-|range$|x-amz-(copy|meta)-)/.test(name));
  return {
    method: request.method,
    path: request.path,
    ...Object.fromEntries(request.query),
    ...Object.fromEntries(conditions),
    bytes: request.body.length,
    ...(type.includes("xml") && request.body.length <= XML_LIMIT
      ? { body: Buffer.from(request.body).toString("utf8") }
      : {}),
  };
}
