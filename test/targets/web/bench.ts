// A web behind a CDN in the sandbox, a controller's life after another in front of it, and time that moves by itself.
import { setImmediate as turn } from "node:timers/promises";
import { CreateDistributionCommand, CloudFrontClient, ListInvalidationsCommand } from "@aws-sdk/client-cloudfront";
import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import type { SandboxRequest, SandboxResponse } from "../../../sandbox/api.ts";
import { createSteppedClock, type SteppedClock } from "../../../sandbox/clock.ts";
import { createRequestHandler } from "../../../sandbox/handler.ts";
import { SANDBOX_CREDENTIALS } from "../../../sandbox/identities.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { ApplicationName, Digest, EnvironmentName, Instant, Sha, WebName } from "../../../controller/core/brand.ts";
import type { Environment, Web } from "../../../controller/core/environment.ts";
import type { Durable, Mark, Outcome, Recorded } from "../../../controller/core/event.ts";
import { Fault } from "../../../controller/core/fault.ts";
import { type Memory, NOTHING, remember } from "../../../controller/core/history.ts";
import type { LiveState } from "../../../controller/core/live.ts";
import { plan, type Plan } from "../../../controller/core/plan.ts";
import { isReturning } from "../../../controller/core/history.ts";
import { sha256 } from "../../../controller/core/sha256.ts";
import { stepId, type Step } from "../../../controller/core/step.ts";
import type { Clock, Context, Turn } from "../../../controller/ports.ts";
import { createAws } from "../../../controller/targets/aws.ts";
import { createWeb, type WebTarget } from "../../../controller/targets/web/web.ts";
import { openAccount } from "../../sandbox/account.ts";
import { distributionConfig } from "../../sandbox/cloudfront/support.ts";

export const JOURNAL = "journal-1";
const REGION = "eu-central-1";

export type Files = Readonly<Record<string, string>>;

/** A build: a page, a hashed asset and a file whose name stays. */
export function build(name: string, more: Files = {}): Files {
  const asset = `assets/app.c0ffee${Buffer.from(name).toString("hex")}.js`;
  return {
    "index.html": `<script src="/${asset}"></script>${name}`,
    [asset]: `console.log("${name}")`,
    "robots.txt": name,
    ...more,
  };
}

export interface Upload {
  readonly list?: boolean;
  readonly headers?: Readonly<Record<string, { contentType?: string; cacheControl?: string }>>;
  /** Left out of the bucket, though listed. */
  readonly without?: readonly string[];
}

/** Sees each request before it takes effect, and may change its fate. */
export type Tap = (
  request: SandboxRequest,
  send: () => Promise<SandboxResponse>,
) => Promise<SandboxResponse> | SandboxResponse;

/** Thrown by a tap, ends the life: nothing of it moves again. */
export class Crash extends Error {}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function until<Value>(death: Promise<never>, run: () => Promise<Value>): Promise<Value> {
  return Promise.race([death, run()]);
}

export interface Bench {
  readonly sandbox: Sandbox;
  readonly clock: SteppedClock;
  readonly s3: S3Client;
  readonly cloudfront: CloudFrontClient;
  readonly distribution: string;
  memory: Memory;
  readonly events: Durable[];
  /** Uploads a release as CI would; the name stands for its commit. */
  upload(name: string, files: Files, how?: Upload): Promise<void>;
  environment(name: string, changes?: Partial<Web>): Environment;
  /** A process of the controller. */
  life(tap?: Tap): Life;
  /** Keys and contents of the web bucket, without the marker. */
  bucket(): Promise<Readonly<Record<string, string>>>;
  marker(): Promise<Record<string, unknown>>;
  /** What a reader gets from the CDN. */
  see(path: string): Promise<{ readonly status: number; readonly body: string; readonly type: string }>;
  put(key: string, body: string): Promise<void>;
  remove(key: string): Promise<void>;
  callerReferences(): Promise<readonly string[]>;
  /** Waits for the promise while time moves whenever no request is on its way. */
  drive<Value>(promise: Promise<Value>): Promise<Value>;
  pass(ms: number): void;
}

export interface Life {
  readonly target: WebTarget;
  readonly notes: readonly string[];
  /** Its lease is over: the guard refuses every write from now on. */
  fence(): void;
  look(environment: Environment): Promise<LiveState>;
  plan(environment: Environment): Promise<Plan>;
  /** Observes, plans and runs all steps, as the engine does. */
  release(environment: Environment, signal?: AbortSignal): Promise<readonly Outcome[]>;
  step(step: Step, environment: Environment, signal?: AbortSignal): Promise<Outcome>;
}

export const shaOf = (name: string): Sha => Sha.parse(createHash("sha1").update(name).digest("hex"));
export const site = WebName.parse("site");

export async function openBench(options: { readonly aliases?: readonly string[] } = {}): Promise<Bench> {
  const clock = createSteppedClock(Date.UTC(2026, 2, 1, 12));
  const { sandbox, config } = openAccount({ clock });
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const cloudfront = new CloudFrontClient(config);
  for (const Bucket of ["artifacts", "web"]) {
    const CreateBucketConfiguration = { LocationConstraint: REGION } as const;
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  }
  const aliases = options.aliases ?? ["shop.test"];
  const changes = {
    Aliases: { Quantity: aliases.length, Items: [...aliases] },
    Origins: {
      Quantity: 1,
      Items: [
        { Id: "bucket", DomainName: `web.s3.${REGION}.amazonaws.com`, S3OriginConfig: { OriginAccessIdentity: "" } },
      ],
    },
  };
  const created = await cloudfront.send(
    new CreateDistributionCommand({ DistributionConfig: distributionConfig(changes) }),
  );
  const distribution = created.Distribution?.Id ?? "";
  let open = 0;
  let random = 0;

  const nextRandom = (bytes: number): string => {
    random += 1;
    return createHash("sha512")
      .update(`random ${random}`)
      .digest("hex")
      .slice(0, bytes * 2);
  };
  const controllerClock: Clock = {
    now: () => Instant.of(clock.now()),
    monotonicMs: () => clock.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const abort = (): void => {
          cancel();
          reject(signal.reason as Error);
        };
        const cancel = clock.after(ms, () => {
          signal.removeEventListener("abort", abort);
          resolve();
        });
        signal.addEventListener("abort", abort, { once: true });
      }),
  };

  async function drive<Value>(promise: Promise<Value>): Promise<Value> {
    const state = { ended: false };
    const end = (): void => {
      state.ended = true;
    };
    promise.then(end, end);
    while (!state.ended) {
      // SDK clients do some of their work between ticks, so a pause means several quiet turns of the loop.
      for (let quiet = 0; quiet < 20 && !state.ended; quiet += 1) {
        await turn();
        if (open > 0) quiet = 0;
      }
      const next = clock.nextAt();
      if (!state.ended && open === 0 && next !== undefined) clock.advanceTo(next);
    }
    return promise;
  }

  function record(bench: Bench, event: Durable): void {
    const sequence = bench.memory.sequence + 1;
    const at = Instant.of(clock.now());
    const recorded: Recorded = { v: 1, sequence, at, writer: "w", epoch: 1, nonce: nextRandom(8), event };
    bench.events.push(event);
    bench.memory = remember(bench.memory, recorded);
  }

  function life(bench: Bench, tap: Tap): Life {
    let die: (crash: Crash) => void = () => undefined;
    const death = new Promise<never>((_, reject) => {
      die = reject;
    });
    death.catch(() => undefined);
    let dead = false;
    let fenced = false;
    const handle = async (request: SandboxRequest): Promise<SandboxResponse> => {
      if (dead) return never();
      open += 1;
      try {
        return await tap(request, () => sandbox.handle(request));
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        dead = true;
        die(error);
      } finally {
        open -= 1;
      }
      return never();
    };
    const aws = createAws({
      clock: controllerClock,
      random: nextRandom,
      writerId: "test",
      endpoint: "http://127.0.0.1",
      requestHandler: createRequestHandler(handle),
      credentials: SANDBOX_CREDENTIALS,
    });
    const target = createWeb({ aws });
    const notes: string[] = [];
    const idle = new AbortController().signal;

    async function look(environment: Environment): Promise<LiveState> {
      const { memory } = bench;
      const webs = await target.observe(environment, memory, "full", idle);
      const artifacts = await target.artifacts(environment, new Map(), idle);
      return {
        observedAt: Instant.of(clock.now()),
        depth: "full",
        services: new Map(),
        artifacts,
        webs,
        migrations: new Map(),
        deployed: new Map(),
        ...(memory.passed === undefined ? {} : { passed: memory.passed }),
        served: memory.served,
        returning: isReturning(memory, environment.sha),
      };
    }

    async function run(step: Step, environment: Environment, signal: AbortSignal): Promise<Outcome> {
      const context: Context = {
        signal,
        clock: controllerClock,
        random: nextRandom,
        note: (text) => void notes.push(text),
        record: (mark: Mark) => (dead ? never() : Promise.resolve(record(bench, mark))),
        guard: () => {
          if (fenced) throw new Fault("fenced", "another controller holds the environment");
        },
      };
      const release = bench.memory.open;
      const about: Turn = {
        environment,
        release: { number: release?.number ?? 1, id: release?.id ?? "release-1", journal: JOURNAL },
        memory: bench.memory,
        pins: new Map(),
      };
      switch (step.kind) {
        case "stage":
          return target.runners.stage(step, about, context);
        case "publish":
          return target.runners.publish(step, about, context);
        case "invalidate":
          return target.runners.invalidate(step, about, context);
        case "prune":
          return target.runners.prune(step, about, context);
        default:
          return { status: "done" };
      }
    }

    return {
      target,
      notes,
      fence: () => {
        fenced = true;
      },
      look: (environment) => drive(look(environment)),
      plan: async (environment) => plan(environment, await drive(look(environment))),
      step: (step, environment, signal = idle) => drive(run(step, environment, signal)),
      release: (environment, signal = idle) =>
        drive(
          until(death, async () => {
            const live = await look(environment);
            const planned = plan(environment, live);
            const [blocker] = planned.blockers;
            if (blocker !== undefined) throw new Fault(blocker.code, blocker.message);
            begin(bench, environment, planned);
            const outcomes: Outcome[] = [];
            for (const step of planned.steps) {
              const outcome = await run(step, environment, signal);
              outcomes.push(outcome);
              const number = bench.memory.open?.number ?? 0;
              record(bench, { type: "step-settled", release: number, step: stepId(step), outcome });
              if (outcome.status !== "done") return outcomes;
            }
            end(bench, environment, live);
            return outcomes;
          }),
        ),
    };
  }

  function begin(bench: Bench, environment: Environment, planned: Plan): void {
    const number = bench.memory.lastNumber + 1;
    if (bench.memory.open?.fingerprint === environment.fingerprint) return;
    if (bench.memory.open !== undefined) {
      record(bench, { type: "release-superseded", release: bench.memory.open.number, by: environment.sha });
    }
    record(bench, {
      type: "release-started",
      release: number,
      releaseId: nextRandom(16),
      kind: "release",
      direction: planned.direction,
      desired: environment,
      arrival: environment.sha,
      artifacts: {},
      steps: planned.steps,
      why: "test",
    });
  }

  function end(bench: Bench, environment: Environment, live: LiveState): void {
    const release = bench.memory.open?.number ?? 0;
    const artifacts = Object.fromEntries(
      [...live.artifacts].flatMap(([name, one]) => (one.state === "resolved" ? [[name, one.digest]] : [])),
    ) as Record<`web/${string}`, Digest>;
    const { fingerprint, sha } = environment;
    record(bench, { type: "health-passed", release, fingerprint, sha, artifacts });
    record(bench, { type: "release-succeeded", release });
  }

  const bench: Bench = {
    sandbox,
    clock,
    s3,
    cloudfront,
    distribution,
    memory: NOTHING,
    events: [],
    drive,
    upload: (name, files, how) => upload(s3, name, files, how),
    environment: (name, webChanges) => environmentOf(name, webChanges),
    life: (tap = (_, send) => send()) => life(bench, tap),
    bucket: () => contents(s3),
    async marker() {
      const answer = await s3.send(new GetObjectCommand({ Bucket: "web", Key: ".lockstep/site.json" }));
      return JSON.parse((await answer.Body?.transformToString()) ?? "{}") as Record<string, unknown>;
    },
    async see(path) {
      const endpoint = sandbox.endpoints().find(({ name }) => name === distribution);
      if (endpoint === undefined) throw new Error("the distribution has no endpoint");
      const request = { method: "GET", path, query: new URLSearchParams(), headers: {}, body: new Uint8Array() };
      const answer = await endpoint.answer(request);
      const type = answer.headers["content-type"] ?? "";
      return { status: answer.status, body: Buffer.from(answer.body).toString(), type };
    },
    async put(Key, Body) {
      await s3.send(new PutObjectCommand({ Bucket: "web", Key, Body }));
    },
    async remove(Key) {
      await s3.send(new DeleteObjectCommand({ Bucket: "web", Key }));
    },
    async callerReferences() {
      const { InvalidationList } = await cloudfront.send(
        new ListInvalidationsCommand({ DistributionId: distribution }),
      );
      return sandbox.calls
        .since(0)
        .filter(({ operation, status }) => operation === "CreateInvalidation" && status === 201)
        .map(({ input }) => /<CallerReference>([^<]+)</.exec(JSON.stringify(input))?.[1] ?? "")
        .slice(-(InvalidationList?.Items?.length ?? 0));
    },
    pass: (ms) => clock.advanceTo(clock.now() + ms),
  };
  return bench;
}

async function upload(s3: S3Client, name: string, files: Files, how: Upload = {}): Promise<void> {
  const prefix = `shop/${shaOf(name)}/`;
  for (const [key, body] of Object.entries(files)) {
    if (how.without?.includes(key) === true) continue;
    await s3.send(new PutObjectCommand({ Bucket: "artifacts", Key: prefix + key, Body: body }));
  }
  if (how.list === false) return;
  const list = Object.entries(files).map(([key, body]) => ({
    key,
    size: Buffer.byteLength(body),
    sha256: sha256(body),
    ...how.headers?.[key],
  }));
  const Body = JSON.stringify({ files: list });
  await s3.send(new PutObjectCommand({ Bucket: "artifacts", Key: `${prefix}lockstep.json`, Body }));
}

async function contents(s3: S3Client): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: "web" }));
  for (const { Key = "" } of listed.Contents ?? []) {
    if (Key.includes(".lockstep/")) continue;
    const answer = await s3.send(new GetObjectCommand({ Bucket: "web", Key }));
    found[Key] = (await answer.Body?.transformToString()) ?? "";
  }
  return found;
}

function environmentOf(name: string, changes: Partial<Web> = {}): Environment {
  const sha = shaOf(name);
  const web: Web = {
    name: site,
    sha,
    artifact: `s3://artifacts/shop/${sha}/`,
    bucket: "web",
    prefix: "",
    domain: "shop.test",
    keep: 10,
    ...changes,
  };
  const fingerprint = Digest.parse(`sha256:${sha256(JSON.stringify(web))}`);
  return {
    application: ApplicationName.parse("shop"),
    name: EnvironmentName.parse("prod"),
    revision: { repository: "0".repeat(16), commit: sha, folder: "" },
    sha,
    fingerprint,
    place: { region: REGION, cluster: "prod" },
    parallel: 4,
    services: [],
    migrations: [],
    webs: [web],
    gates: { promotedFrom: [] },
    drift: "report",
    onFailure: "stop",
  };
}
