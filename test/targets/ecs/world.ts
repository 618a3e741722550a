// A shop in the sandbox, a controller's lives in front of it, and time that moves by itself while something waits for it.
import { setImmediate as turn } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { SandboxRequest, SandboxResponse } from "../../../sandbox/api.ts";
import { createChance } from "../../../sandbox/chance.ts";
import { createSteppedClock, type SteppedClock } from "../../../sandbox/clock.ts";
import { createScriptRunner, type ScriptRunner } from "../../../sandbox/ecs/runner-script.ts";
import type { ScriptRule } from "../../../sandbox/ecs/script-rules.ts";
import type { FaultOrder } from "../../../sandbox/fault-order.ts";
import { createRequestHandler } from "../../../sandbox/handler.ts";
import { SANDBOX_CREDENTIALS } from "../../../sandbox/identities.ts";
import { imageManifest } from "../../../sandbox/images.ts";
import { createOperations, type Operations } from "../../../sandbox/operations.ts";
import { createSandbox, type Sandbox } from "../../../sandbox/sandbox.ts";
import { createServices } from "../../../sandbox/seed.ts";
import {
  ApplicationName,
  Digest,
  EnvironmentName,
  Instant,
  MigrationName,
  ServiceName,
  Sha,
} from "../../../controller/core/brand.ts";
import { cancellation } from "../../../controller/core/cancel.ts";
import type { Environment, Migration, Service } from "../../../controller/core/environment.ts";
import type { CancelReason, Durable, EnvironmentEvent, Mark } from "../../../controller/core/event.ts";
import { migrationKey, serviceKey, settingsKey } from "../../../controller/core/fingerprint.ts";
import { type Memory, NOTHING, remember } from "../../../controller/core/history.ts";
import { sha256 } from "../../../controller/core/sha256.ts";
import type { StepOf } from "../../../controller/core/step.ts";
import type { Clock, Context, Turn } from "../../../controller/ports.ts";
import { createAws, type Aws } from "../../../controller/targets/aws.ts";
import { createEcs, type Ecs } from "../../../controller/targets/ecs/ecs.ts";

export const ACCOUNT = "111122223333";
export const REGION = "eu-west-1";
export const REGISTRY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;
export const OLD = Sha.parse("a".repeat(40));
export const NEW = Sha.parse("b".repeat(40));
export const API = ServiceName.parse("api");
export const WORKER = ServiceName.parse("worker");
export const MIGRATE = MigrationName.parse("migrate");

/** Sees each request, and decides what comes of it. */
export type Tap = (
  request: SandboxRequest,
  send: () => Promise<SandboxResponse>,
) => Promise<SandboxResponse> | SandboxResponse;

export interface World {
  readonly sandbox: Sandbox;
  readonly stepped: SteppedClock;
  readonly clock: Clock;
  readonly runner: ScriptRunner;
  readonly operations: Operations;
  readonly aws: Aws;
  readonly notes: string[];
  readonly marks: Mark[];
  ecs(): Ecs;
  memory(): Memory;
  /** Appends to the journal of the world. */
  tell(event: EnvironmentEvent): void;
  /** Awaits while virtual time moves. */
  run<Value>(promise: Promise<Value>): Promise<Value>;
  /** Lets virtual time pass. */
  pass(ms: number): Promise<void>;
  /** Pushes an image; answers its digest. */
  push(repository: string, tag: string, content?: string): Promise<Digest>;
  fail(order: FaultOrder): void;
  tap(tap: Tap | undefined): void;
  /** Operations the controller sent since the last question, in order. */
  calls(): readonly string[];
  turn(environment: Environment): Turn;
  context(signal?: AbortSignal, guard?: () => void): Context;
}

interface Options {
  readonly rules?: readonly ScriptRule[];
  readonly throttling?: boolean;
  readonly logIngestDelayMs?: number;
}

export async function openWorld(options: Options = {}): Promise<World> {
  const stepped = createSteppedClock();
  const runner = createScriptRunner(stepped, options.rules ?? []);
  const { throttling = false, logIngestDelayMs = 0 } = options;
  const account = { account: ACCOUNT, region: REGION, throttling, logIngestDelayMs };
  const sandbox = createSandbox({ clock: stepped, chance: createChance(3), runner, ...account });
  onTestFinished(() => sandbox.close());
  const operations = createOperations(sandbox.handle, REGION);
  const clock = clockOver(stepped);
  let open = 0;
  let tapped: Tap | undefined;
  const handle = async (request: SandboxRequest): Promise<SandboxResponse> => {
    open += 1;
    try {
      const send = (): Promise<SandboxResponse> => sandbox.handle(request);
      const answer = await (tapped === undefined ? send() : tapped(request, send));
      const date = new Date(stepped.now()).toUTCString();
      return { ...answer, headers: { date, ...answer.headers } };
    } finally {
      open -= 1;
    }
  };
  let random = 0;
  const aws = createAws({
    clock,
    random: (bytes) => sha256(String((random += 1))).slice(0, bytes * 2),
    writerId: "test",
    endpoint: "http://127.0.0.1",
    requestHandler: createRequestHandler(handle),
    credentials: SANDBOX_CREDENTIALS,
  });
  let memory: Memory = NOTHING;
  let called = 0;
  const notes: string[] = [];
  const marks: Mark[] = [];

  function tell(event: Durable): void {
    const record = {
      v: 1,
      sequence: memory.sequence + 1,
      at: clock.now(),
      writer: "test",
      epoch: 1,
      nonce: "n",
    } as const;
    memory = remember(memory, { ...record, event });
  }

  const world: World = {
    sandbox,
    stepped,
    clock,
    runner,
    operations,
    aws,
    notes,
    marks,
    tell,
    ecs: () => createEcs({ aws, clock }),
    memory: () => memory,
    run: (promise) => drive(promise, stepped, () => open),
    pass: (ms) => drive(clock.sleep(ms, new AbortController().signal), stepped, () => open),
    async push(repository, tag, content = tag) {
      const manifest = imageManifest({ environment: { CONTENT: content } });
      const input = { repositoryName: repository, imageManifest: manifest, imageTag: tag };
      await operations.json("ecr", "PutImage", input);
      return Digest.parse(`sha256:${sha256(manifest)}`);
    },
    fail: (order) => void sandbox.faults.add(order),
    tap(tap) {
      tapped = tap;
    },
    calls() {
      const since = sandbox.calls.since(called).filter(({ userAgent }) => userAgent.includes("lockstep/"));
      called = sandbox.calls.latest();
      return since.map(({ operation }) => operation);
    },
    turn: (environment) => ({
      environment,
      release: { number: 1, id: "0".repeat(31) + "1", journal: "j0" },
      memory,
      pins: new Map(),
    }),
    context: (signal = new AbortController().signal, guard = () => undefined) => ({
      signal,
      clock,
      random: (bytes) => "0".repeat(bytes * 2),
      note: (text) => void notes.push(text),
      guard,
      record(mark) {
        signal.throwIfAborted();
        marks.push(mark);
        tell(mark);
        return Promise.resolve();
      },
    }),
  };
  await prepare(world);
  return world;
}

/** Images of two builds, a cluster `prod` that runs the first, and clients that have read their configuration. */
async function prepare(world: World): Promise<void> {
  const { operations, aws, clock } = world;
  for (const repositoryName of ["shop/api", "shop/worker"])
    await operations.json("ecr", "CreateRepository", { repositoryName, imageTagMutability: "MUTABLE" });
  for (const sha of [OLD, NEW])
    for (const repository of ["shop/api", "shop/worker"]) await world.push(repository, sha, `${repository} ${sha}`);
  await createServices(operations, { account: ACCOUNT, region: REGION }, "prod", OLD);
  world.stepped.advanceTo(clock.now() + 120_000);
  const signal = new AbortController().signal;
  const common = { place: { region: REGION }, resource: "warm-up", signal };
  await aws.read({ ...common, service: "ecs", operation: "ListClusters" }, (ecs, http) => ecs.listClusters({}, http));
  await aws.read({ ...common, service: "ecr", operation: "DescribeRepositories" }, (ecr, http) =>
    ecr.describeRepositories({}, http),
  );
  await aws.read({ ...common, service: "logs", operation: "DescribeLogGroups" }, (logs, http) =>
    logs.describeLogGroups({}, http),
  );
  await aws.read({ ...common, service: "autoscaling", operation: "DescribeScalableTargets" }, (client, http) =>
    client.describeScalableTargets({ ServiceNamespace: "ecs" }, http),
  );
  world.calls();
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

/** Time moves to what is due next whenever no call is open and nothing else can run. */
async function drive<Value>(promise: Promise<Value>, stepped: SteppedClock, open: () => number): Promise<Value> {
  let settled = false;
  const stop = (): void => {
    settled = true;
  };
  promise.then(stop, stop);
  // What comes from files, such as a module that is imported, takes real time.
  const until = performance.now() + 20_000;
  for (let quiet = 0; ;) {
    for (let turns = 0; turns < 3; turns += 1) await turn();
    if (settled) return promise;
    if (open() > 0 && quiet < 30) {
      quiet += 1;
      continue;
    }
    quiet = 0;
    const next = stepped.nextAt();
    if (next !== undefined) stepped.advanceTo(next);
    if (performance.now() > until) throw new Error("nothing is due, and what is awaited does not come");
  }
}

/** A signal that aborts for this reason at this virtual time from now. */
export function abortingAfter({ stepped }: World, ms: number, reason: CancelReason): AbortSignal {
  const controller = new AbortController();
  stepped.after(ms, () => controller.abort(cancellation(reason)));
  return controller.signal;
}

export function service(name: ServiceName, sha: Sha, changes: Partial<Service> = {}): Service {
  return {
    name,
    sha,
    image: { registry: REGISTRY, repository: `shop/${name}`, tag: sha },
    task: { kind: "adopted" },
    after: [],
    timeoutMs: 600_000,
    strategy: { kind: "rolling" },
    paths: [],
    ...changes,
  };
}

export function migration(sha: Sha, changes: Partial<Migration> = {}): Migration {
  return {
    name: MIGRATE,
    service: API,
    sha,
    image: { registry: REGISTRY, repository: "shop/api", tag: sha },
    command: ["node", "migrate.mjs"],
    timeoutMs: 1_200_000,
    ...changes,
  };
}

export function environment(changes: Partial<Environment> = {}): Environment {
  return {
    application: ApplicationName.parse("shop"),
    name: EnvironmentName.parse("prod"),
    revision: { repository: "0".repeat(16), commit: NEW, folder: "" },
    sha: NEW,
    fingerprint: Digest.parse(`sha256:${"f".repeat(64)}`),
    place: { region: REGION, cluster: "prod" },
    parallel: 4,
    services: [service(API, NEW), service(WORKER, NEW)],
    migrations: [migration(NEW)],
    webs: [],
    gates: { promotedFrom: [] },
    drift: "report",
    onFailure: "rollback",
    ...changes,
  };
}

/** Digest of the image that `prepare` pushed for a service and a build. */
export function digestOf(name: ServiceName, sha: Sha): Digest {
  const content = `shop/${name} ${sha}`;
  return Digest.parse(`sha256:${sha256(imageManifest({ environment: { CONTENT: content } }))}`);
}

export function deployStep(target: Service, changes: Partial<StepOf<"deploy">> = {}): StepOf<"deploy"> {
  const image = digestOf(target.name, target.sha);
  return {
    kind: "deploy",
    service: target.name,
    from: "arn:aws:ecs:eu-west-1:111122223333:task-definition/old:1" as StepOf<"deploy">["from"],
    image,
    key: serviceKey(target, image),
    settings: settingsKey(target),
    changes: ["version"],
    why: "test",
    ...changes,
  };
}

export function migrateStep(of: Environment): StepOf<"migrate"> {
  const [first] = of.migrations;
  if (first === undefined) throw new Error("the environment has no migration");
  return {
    kind: "migrate",
    migration: first.name,
    key: migrationKey(of, first),
    image: digestOf(API, first.sha),
    why: "test",
  };
}
