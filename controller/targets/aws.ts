// AWS as the targets see it: reads that are retried, writes that are guarded, errors in our words, time by our Clock.
import { setMaxListeners } from "node:events";
import type { AwsCredentialIdentity } from "@smithy/types";
import { Instant } from "../core/brand.ts";
import type { Place } from "../core/environment.ts";
import type { Fault } from "../core/fault.ts";
import { LIMITS } from "../core/limits.ts";
import type { Clock, Random } from "../ports.ts";
import type { Clients, RequestHandler, ServiceId } from "./aws/clients.ts";
import { createClient, createNodeHandler, createPatience } from "./aws/clients.ts";
import { createCredentials } from "./aws/credentials.ts";
import type { About } from "./aws/faults.ts";
import { awsFault, isStaleSignature } from "./aws/faults.ts";
import { createThrottle } from "./aws/throttle.ts";

/** Whose AWS: an account by way of a role, and a region. */
export interface AwsPlace extends Omit<Place, "cluster"> {
  /** Name of the role session, `[\w+=,.@-]{2,64}`: what CloudTrail shows. See `sessionOf`. */
  readonly session?: string;
}

export interface Call<Id extends ServiceId> {
  readonly place: AwsPlace;
  readonly service: Id;
  /** AWS's name of the action: `DescribeServices`. */
  readonly operation: string;
  /** What it is about, for messages: `service api in cluster prod`. */
  readonly resource: string;
  readonly signal: AbortSignal;
}

export interface Write<Id extends ServiceId> extends Call<Id> {
  /** Called immediately before the request leaves: `context.guard`. Throws Fault `fenced`. */
  readonly guard: () => void;
}

/** Options of one SDK call; hand them on as they are. */
export interface Http {
  readonly abortSignal: AbortSignal;
}

type Send<Id extends ServiceId, Output> = (client: Clients[Id], http: Http) => Promise<Output>;

export interface Aws {
  /**
   * Asks, at most three times. `send` may read a body to its end: all of it counts as the call. Faults: those of
   * aws/faults.ts but outcome-unknown; their cause is the SDK's error.
   */
  read<Id extends ServiceId, Output>(call: Call<Id>, send: Send<Id, Output>): Promise<Output>;
  /** Sends once. Fault outcome-unknown: it may have taken effect; read before sending again. */
  write<Id extends ServiceId, Output>(call: Write<Id>, send: Send<Id, Output>): Promise<Output>;
  /** What AWS's clock last said, by the `Date` header of any answer. */
  date(): Instant | undefined;
  /** Closes connections; calls under way fail. */
  close(): void;
}

export interface AwsParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Names this process in the user agent: `lockstep/<writer id>`. */
  readonly writerId: string;
  /** AWS_ENDPOINT_URL: everything goes there, S3 in path style. */
  readonly endpoint?: string;
  readonly requestHandler?: RequestHandler;
  /** Instead of the SDK's own chain. */
  readonly credentials?: AwsCredentialIdentity;
}

const READ_ATTEMPTS = 3;
const RETRY_MS = 300;
/** Clients kept; the least recently used goes first. */
const CLIENTS_MAX = 500;

export function createAws(parts: AwsParts): Aws {
  const { clock, random, endpoint } = parts;
  const throttle = createThrottle(clock);
  const clients = new Map<string, Promise<Clients[ServiceId]>>();
  let handler: Promise<RequestHandler> | undefined;
  let date: Instant | undefined;

  const shared = async () => {
    handler ??= parts.requestHandler === undefined ? createNodeHandler() : Promise.resolve(parts.requestHandler);
    return {
      ...(endpoint === undefined ? {} : { endpoint }),
      requestHandler: await handler,
      customUserAgent: [["lockstep", parts.writerId.replaceAll(/[^\w.-]/g, "-")] as [string, string]],
    };
  };
  const credentialsOf = createCredentials({
    clock,
    ...(parts.credentials === undefined ? {} : { fixed: parts.credentials }),
    settings: async (region) => ({
      ...(await shared()),
      region,
      maxAttempts: READ_ATTEMPTS,
      retryStrategy: createPatience(clock, READ_ATTEMPTS),
    }),
  });

  function hearDate(text: string): void {
    const ms = Date.parse(text);
    if (Number.isFinite(ms)) date = Instant.of(ms);
  }

  function clientOf<Id extends ServiceId>(id: Id, place: AwsPlace): Promise<Clients[Id]> {
    const { region, role, externalId, session } = place;
    // Without a role the session names nobody: one client serves every release.
    const key = (role === undefined ? [id, region] : [id, region, role, externalId, session]).join(" ");
    const known = clients.get(key) ?? open(id, place);
    clients.delete(key);
    clients.set(key, known);
    const oldest = clients.keys().next();
    if (clients.size > CLIENTS_MAX && oldest.done !== true) clients.delete(oldest.value);
    return known as Promise<Clients[Id]>;
  }

  async function open<Id extends ServiceId>(id: Id, place: AwsPlace): Promise<Clients[Id]> {
    const credentials = (): Promise<AwsCredentialIdentity> => credentialsOf(place).get();
    return createClient(id, { ...(await shared()), region: place.region, credentials }, hearDate);
  }

  /** One attempt: credentials, a token of the bucket, the request; all of it within the limit of one call. */
  async function attempt<Id extends ServiceId, Output>(
    call: Call<Id>,
    about: About,
    guard: () => void,
    send: Send<Id, Output>,
  ): Promise<Output> {
    const { place, service, operation, signal } = call;
    signal.throwIfAborted();
    // Many calls may hang on the signal of one step; that is no leak.
    setMaxListeners(0, signal);
    const client = await clientOf(service, place);
    // First of all, so that what a credential provider throws is never taken for the fate of a write.
    await unless(signal, credentialsOf(place).get());
    await throttle.take(`${place.account ?? place.role ?? ""}/${place.region}`, operation, signal);
    const stop = new AbortController();
    const follow = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", follow, { once: true });
    const limit = clock.sleep(LIMITS.callMs, stop.signal).then(
      () => stop.abort(new Error(`no answer within ${LIMITS.callMs / 1000} s`)),
      () => undefined,
    );
    try {
      guard();
      return await send(client, { abortSignal: stop.signal });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw awsFault(stop.signal.aborted ? Object.assign(stop.signal.reason, { name: "TimeoutError" }) : thrown, about);
    } finally {
      signal.removeEventListener("abort", follow);
      stop.abort(DONE);
      await limit;
    }
  }

  async function patient<Id extends ServiceId, Output>(
    call: Call<Id>,
    write: Write<Id> | undefined,
    send: Send<Id, Output>,
  ): Promise<Output> {
    const about = aboutOf(call, write !== undefined);
    for (let count = 1; ; count += 1) {
      try {
        return await attempt(call, about, write?.guard ?? (() => undefined), send);
      } catch (thrown) {
        call.signal.throwIfAborted();
        const fault = awsFault(thrown, about);
        if (fault.code === "fenced" || count >= READ_ATTEMPTS || !mayRepeat(fault, write !== undefined)) throw fault;
        if (isStaleSignature(fault)) credentialsOf(call.place).forget();
        await clock.sleep(backoffMs(count, random), call.signal);
      }
    }
  }

  return {
    read: (call, send) => patient(call, undefined, send),
    write: (call, send) => patient(call, call, send),
    date: () => date,
    close() {
      handler?.then(
        (one) => one.destroy?.(),
        () => undefined,
      );
    },
  };
}

const DONE = new Error("the call has ended");

function mayRepeat(fault: Fault, write: boolean): boolean {
  return isStaleSignature(fault) || (!write && fault.consequence === "retry");
}

/** Full jitter over a doubling base. */
function backoffMs(count: number, random: Random): number {
  const share = Number.parseInt(random(2), 16) / 0x10000;
  return Math.round(RETRY_MS * 2 ** (count - 1) * (0.5 + share));
}

function aboutOf({ place, operation, resource }: Call<ServiceId>, write: boolean): About {
  const { region, account, role } = place;
  return {
    operation,
    resource,
    region,
    write,
    ...(account === undefined ? {} : { account }),
    ...(role === undefined ? {} : { role }),
  };
}

/** The promise, or the signal's reason as soon as it aborts. */
async function unless<Value>(signal: AbortSignal, value: Promise<Value>): Promise<Value> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** `shop-prod-12`: who acts, as CloudTrail shows it; reads of all environments share one session per role. */
export function sessionOf(application: string, environment: string, release: number): string {
  return (
    `${application}-${environment}`.replaceAll(/[^\w+=,.@-]/g, "-").slice(0, 64 - `-${release}`.length) + `-${release}`
  );
}
