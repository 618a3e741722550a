// The control plane, `/_sandbox/*`: what AWS's own API cannot do, such as faults, the call log and the clock.

import { AwsError, type SandboxClock, type SandboxRequest, type SandboxResponse } from "./api.ts";
import type { Calls } from "./calls.ts";
import type { SteppedClock } from "./clock.ts";
import { parseFaultOrder } from "./fault-order.ts";
import type { Faults } from "./faults.ts";
import type { Identities, Role } from "./identities.ts";
import { readJson } from "./wire.ts";

export const CONTROL_PREFIX = "/_sandbox/";

/** Answers one control request with a JSON value or the promise of one. Fault: AwsError. */
export type Route = (request: SandboxRequest, body: Readonly<Record<string, unknown>>) => unknown;

/** Routes by method and path, such as `POST /_sandbox/faults`. */
export type Routes = Readonly<Record<string, Route>>;

export function createControl(routes: Routes): (request: SandboxRequest) => Promise<SandboxResponse> {
  return async (request) => {
    const route = routes[`${request.method} ${request.path}`];
    try {
      if (route === undefined)
        throw new AwsError("NotFound", `no such route; there are: ${Object.keys(routes).join(", ")}`, 404);
      return plain(200, await route(request, readJson(request)));
    } catch (error) {
      if (error instanceof AwsError) return plain(error.status, { error: error.code, message: error.message });
      throw error;
    }
  };
}

function plain(status: number, value: unknown): SandboxResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

export function commonRoutes(parts: {
  readonly clock: SandboxClock;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly identities: Identities;
}): Routes {
  const { clock, faults, calls, identities } = parts;
  return {
    "GET /_sandbox/faults": () => faults.status(),
    "POST /_sandbox/faults": (_, body) => ({ id: faults.add(parseFaultOrder(body)) }),
    "DELETE /_sandbox/faults": () => {
      faults.clear();
      return {};
    },
    "POST /_sandbox/faults/release": (_, { id }) => ({
      released: faults.release(typeof id === "string" ? id : undefined),
    }),
    "GET /_sandbox/log": ({ query }) => ({
      calls: calls.since(wholeNumber(query.get("since") ?? 0, "since")),
      latest: calls.latest(),
    }),
    "GET /_sandbox/clock": () => clockState(clock),
    "POST /_sandbox/clock": async (_, body) => {
      await advance(clock, wholeNumber(body["advanceMs"], "advanceMs"));
      return clockState(clock);
    },
    "GET /_sandbox/roles": () => ({ roles: identities.roles() }),
    "PUT /_sandbox/roles": (_, body) => {
      identities.setRole(parseRole(body));
      return {};
    },
    "DELETE /_sandbox/roles": (_, { arn }) => ({ removed: identities.removeRole(String(arn)) }),
  };
}

function clockState(clock: SandboxClock): unknown {
  const nextAt = isStepped(clock) ? clock.nextAt() : undefined;
  return {
    now: new Date(clock.now()).toISOString(),
    stepped: isStepped(clock),
    ...(nextAt === undefined ? {} : { nextAt: new Date(nextAt).toISOString() }),
  };
}

function isStepped(clock: SandboxClock): clock is SteppedClock {
  return "advanceTo" in clock;
}

/** Moves a stepped clock from one due action to the next, letting what each one started settle in between. */
async function advance(clock: SandboxClock, byMs: number): Promise<void> {
  if (!isStepped(clock))
    throw new AwsError("ValidationError", "this sandbox keeps real time; its clock cannot be moved");
  const targetMs = clock.now() + byMs;
  for (let at = clock.nextAt(); at !== undefined && at <= targetMs; at = clock.nextAt()) {
    clock.advanceTo(at);
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.advanceTo(targetMs);
}

function wholeNumber(value: unknown, name: string): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new AwsError("ValidationError", `${name}: a whole number from 0, not ${JSON.stringify(value)}`);
}

function parseRole({ arn, externalId, allow, deny, maxSessionSeconds }: Readonly<Record<string, unknown>>): Role {
  if (typeof arn !== "string" || !/^arn:aws[^:]*:iam::\d{12}:role\/.+$/.test(arn)) {
    throw new AwsError("ValidationError", "arn: a role's ARN, such as arn:aws:iam::111122223333:role/deploy");
  }
  if (externalId !== undefined && typeof externalId !== "string")
    throw new AwsError("ValidationError", "externalId: a text");
  return {
    arn,
    ...(externalId === undefined ? {} : { externalId }),
    ...(allow === undefined ? {} : { allow: actions(allow, "allow") }),
    ...(deny === undefined ? {} : { deny: actions(deny, "deny") }),
    ...(maxSessionSeconds === undefined
      ? {}
      : { maxSessionSeconds: wholeNumber(maxSessionSeconds, "maxSessionSeconds") }),
  };
}

function actions(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new AwsError("ValidationError", `${name}: a list of action patterns, such as ["ecs:Describe*"]`);
}
