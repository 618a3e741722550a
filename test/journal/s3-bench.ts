// A journal in the sandbox's S3 through the real SDK client, in process; time stands still until a wait moves it.
import { setImmediate as turn } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { SandboxRequest, SandboxResponse } from "../../sandbox/api.ts";
import { createChance } from "../../sandbox/chance.ts";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { createScriptRunner } from "../../sandbox/ecs/runner-script.ts";
import type { FaultOrder } from "../../sandbox/fault-order.ts";
import { createRequestHandler } from "../../sandbox/handler.ts";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";
import { createOperations, type Operations } from "../../sandbox/operations.ts";
import { createS3, type S3Dependencies } from "../../sandbox/s3/service.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { openJournal } from "../../controller/compose/journal.ts";
import { systemRandom } from "../../controller/compose/random.ts";
import { Instant } from "../../controller/core/brand.ts";
import type { Clock, Journal } from "../../controller/ports.ts";
import { createAws } from "../../controller/targets/aws.ts";

export const REGION = "eu-west-1";
export const BUCKET = "acme-lockstep";
export const PREFIX = "journal/";

export interface Bench {
  readonly operations: Operations;
  readonly clock: Clock;
  /** Another controller on the bucket, with clients of its own. */
  open(options?: { readonly bucket?: string; readonly region?: string }): Journal;
  fail(order: FaultOrder): void;
  /** Resolves as soon as S3 holds a call back, by a fault `pause-…`. */
  held(): Promise<void>;
  /** Lets it go on. */
  release(): void;
  /** What controllers sent since the last question: `PutObject journal/environment/shop/prod/000000000001`. */
  calls(): readonly string[];
  /** Lets time pass. */
  pass(ms: number): void;
  /** Key of a record of environment/shop/prod. */
  key(sequence: number): string;
  remove(key: string): Promise<void>;
  read(key: string): Promise<string>;
  write(key: string, body: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function openBench(disturb?: S3Dependencies["disturb"]): Promise<Bench> {
  const stepped = createSteppedClock(Date.now());
  const runner = createScriptRunner(stepped, []);
  const s3 = createS3({ clock: stepped, ...(disturb === undefined ? {} : { disturb }) });
  const sandbox = createSandbox({ clock: stepped, chance: createChance(7), runner, services: [s3], region: REGION });
  const operations = createOperations(sandbox.handle, REGION);
  const place = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
  await operations.rest("PUT", `/${BUCKET}`, place);
  const clock = clockOver(stepped);
  const handle = async (request: SandboxRequest): Promise<SandboxResponse> => {
    const answer = await sandbox.handle(request);
    return { ...answer, headers: { date: new Date(stepped.now()).toUTCString(), ...answer.headers } };
  };
  let asked = sandbox.calls.latest();
  const path = (key: string): string => `/${BUCKET}/${key}`;

  return {
    operations,
    clock,
    open({ bucket = BUCKET, region = REGION } = {}) {
      const requestHandler = createRequestHandler(handle);
      const parts = { endpoint: "http://127.0.0.1", requestHandler, credentials: SANDBOX_CREDENTIALS };
      const aws = createAws({ clock, random: systemRandom, writerId: "test", ...parts });
      const env = { AWS_REGION: region };
      return openJournal({ kind: "s3", bucket, prefix: PREFIX }, { create: false, aws, clock, env });
    },
    fail: (order) => void sandbox.faults.add(order),
    async held() {
      while (sandbox.faults.status().held.length === 0) await turn();
    },
    release: () => void sandbox.faults.release(),
    calls() {
      const since = sandbox.calls.since(asked).filter(({ userAgent }) => userAgent.includes("lockstep/"));
      asked = sandbox.calls.latest();
      return since.map(({ operation, input }) => {
        const words = operation === "ListObjectsV2" ? ["prefix", "start-after"] : ["path"];
        const about = words.flatMap((word) => (typeof input[word] === "string" ? [input[word]] : []));
        return [operation, ...about].join(" ").replace(path(""), "");
      });
    },
    pass: (ms) => stepped.advanceTo(stepped.now() + ms),
    key: (sequence) => `${PREFIX}environment/shop/prod/${String(sequence).padStart(12, "0")}`,
    remove: async (key) => void (await operations.rest("DELETE", path(key), "")),
    read: (key) => operations.rest("GET", path(key), ""),
    write: async (key, body) => void (await operations.rest("PUT", path(key), body)),
    close: () => sandbox.close(),
  };
}

/** A bench that ends with the test. */
export async function startBench(disturb?: S3Dependencies["disturb"]): Promise<Bench> {
  const bench = await openBench(disturb);
  onTestFinished(() => bench.close());
  return bench;
}

/** Whoever sleeps is woken at once, later by that much; the limit of a call comes only when a test lets time pass. */
function clockOver(stepped: ReturnType<typeof createSteppedClock>): Clock {
  return {
    now: () => Instant.of(Math.round(stepped.now())),
    monotonicMs: () => stepped.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        if (ms >= LIMIT_MS) return void stepped.after(ms, resolve);
        stepped.advanceTo(stepped.now() + ms);
        resolve();
      }),
  };
}

/** Limits of calls are longer than this, pauses between them shorter. */
const LIMIT_MS = 5_000;
