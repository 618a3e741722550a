// The real engine, targets and SDK clients over the sandbox in one process, on a clock that jumps to what is due next.
import { setImmediate as turn } from "node:timers/promises";
import { createChance } from "../sandbox/chance.ts";
import type { Call } from "../sandbox/calls.ts";
import { createSteppedClock, type SteppedClock } from "../sandbox/clock.ts";
import { createScriptRunner } from "../sandbox/ecs/runner-script.ts";
import type { ScriptRule } from "../sandbox/ecs/script-rules.ts";
import { createRequestHandler } from "../sandbox/handler.ts";
import { SANDBOX_CREDENTIALS } from "../sandbox/identities.ts";
import { createOperations, type Operations } from "../sandbox/operations.ts";
import { createSandbox } from "../sandbox/sandbox.ts";
import { createWorld } from "../controller/compose/world.ts";
import { createReadManifests } from "../controller/compose/manifests.ts";
import { systemRandom } from "../controller/compose/random.ts";
import { Instant } from "../controller/core/brand.ts";
import type { Recorded } from "../controller/core/event.ts";
import { LIMITS } from "../controller/core/limits.ts";
import { createBus } from "../controller/engine/bus.ts";
import { createEngine, type Engine } from "../controller/engine/engine.ts";
import { createMemoryJournal } from "../controller/journal/memory.ts";
import type { Clock } from "../controller/ports.ts";
import { createImages } from "../controller/targets/artifacts.ts";
import { createAws } from "../controller/targets/aws.ts";
import { createEcs } from "../controller/targets/ecs/ecs.ts";
import { createProbe } from "../controller/targets/probe.ts";
import { createWeb } from "../controller/targets/web/web.ts";
import type { Model } from "./model.ts";

export const ACCOUNT = "111122223333";
export const REGION = "eu-west-1";

export interface Virtual {
  readonly operations: Operations;
  nowMs(): number;
  /** A controller that reads this repository and has adopted nothing yet; `role` is what every environment is bound to. */
  start(model: Model, role?: string): Promise<Started>;
  /** Awaits while virtual time moves. */
  run<Value>(promise: Promise<Value>): Promise<Value>;
  pass(ms: number): Promise<void>;
  /** Calls of the controller after the sequence `since`. */
  calls(since?: number): readonly Call[];
  close(): Promise<void>;
}

export interface Started {
  readonly engine: Engine;
  /** Durable events in order, with the virtual time of each. */
  readonly records: readonly Recorded[];
}

export function openVirtual(rules: readonly ScriptRule[] = []): Virtual {
  // Near now, because the SDK signs and expires by the wall clock.
  const stepped = createSteppedClock(Date.now());
  const runner = createScriptRunner(stepped, rules);
  const sandbox = createSandbox({ clock: stepped, chance: createChance(1), runner, account: ACCOUNT, region: REGION });
  const clock = clockOver(stepped);
  let open = 0;
  const requestHandler = createRequestHandler(async (request) => {
    open += 1;
    try {
      const answer = await sandbox.handle(request);
      return { ...answer, headers: { date: new Date(stepped.now()).toUTCString(), ...answer.headers } };
    } finally {
      open -= 1;
    }
  });
  const run = <Value>(promise: Promise<Value>): Promise<Value> => drive(promise, stepped, () => open);

  async function start(model: Model, role?: string): Promise<Started> {
    const credentials = SANDBOX_CREDENTIALS;
    const endpoint = "http://127.0.0.1";
    const aws = createAws({ clock, random: systemRandom, writerId: "bench", endpoint, requestHandler, credentials });
    const bus = createBus([]);
    const records: Recorded[] = [];
    bus.subscribe((event) => {
      if (event.durable) records.push(event.record);
    });
    const binding = role === undefined ? {} : { account: ACCOUNT, role };
    const engine = await createEngine({
      sources: [model.source],
      read: createReadManifests({ ofShas: (_, own) => own }, () => binding),
      contains: () => Promise.resolve(undefined),
      world: createWorld({
        clock,
        services: createEcs({ aws, clock }),
        images: createImages(aws),
        webs: createWeb({ aws }),
        health: createProbe({ clock }),
      }),
      journal: createMemoryJournal(),
      bus,
      clock,
      random: systemRandom,
      writer: "bench",
      leaseTtlMs: LIMITS.leaseTtlMs,
      adopts: true,
      observes: false,
    });
    return { engine, records };
  }

  return {
    operations: createOperations(sandbox.handle, REGION),
    nowMs: () => stepped.now(),
    start,
    run,
    pass: (ms) => run(clock.sleep(ms, new AbortController().signal)),
    calls: (since = 0) => sandbox.calls.since(since).filter(({ userAgent }) => userAgent.includes("lockstep/")),
    close: () => sandbox.close(),
  };
}

function clockOver(stepped: SteppedClock): Clock {
  return {
    now: () => Instant.of(Math.round(stepped.now())),
    monotonicMs: () => stepped.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const stop = (): void => {
          cancel();
          reject(signal.reason);
        };
        const cancel = stepped.after(ms, () => {
          signal.removeEventListener("abort", stop);
          resolve();
        });
        signal.addEventListener("abort", stop, { once: true });
      }),
  };
}

/** Turns of the event loop without an open call after which nothing else can run: a client's own promises end in them. */
const QUIET_TURNS = 4;
const GIVEN_UP_MS = 600_000;

/** A new client reads the shared configuration files, and virtual time would run away from that. */
function readsFiles(): boolean {
  return process.getActiveResourcesInfo().some((name) => name.startsWith("FSReq"));
}

async function drive<Value>(promise: Promise<Value>, stepped: SteppedClock, open: () => number): Promise<Value> {
  const state = { settled: false };
  const stop = (): void => {
    state.settled = true;
  };
  promise.then(stop, stop);
  const until = performance.now() + GIVEN_UP_MS;
  while (performance.now() < until) {
    for (let quiet = 0; quiet < QUIET_TURNS && !state.settled; quiet = open() > 0 || readsFiles() ? 0 : quiet + 1) {
      await turn();
    }
    if (state.settled) return promise;
    const next = stepped.nextAt();
    if (next !== undefined) stepped.advanceTo(next);
  }
  throw new Error("what is awaited does not come");
}
