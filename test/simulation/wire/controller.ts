// A controller on the wire: the real engine, targets and SDK clients of one process, polled like by cron, that may crash.
import type { Engine } from "../../../controller/engine/engine.ts";
import { createEngine } from "../../../controller/engine/engine.ts";
import { createBus } from "../../../controller/engine/bus.ts";
import { createWorld } from "../../../controller/compose/world.ts";
import { LIMITS } from "../../../controller/core/limits.ts";
import type { Clock, World } from "../../../controller/ports.ts";
import { createImages } from "../../../controller/targets/artifacts.ts";
import { type Aws, createAws } from "../../../controller/targets/aws.ts";
import { createEcs } from "../../../controller/targets/ecs/ecs.ts";
import { createProbe } from "../../../controller/targets/probe.ts";
import type { Get } from "../../../controller/targets/probe/get.ts";
import { createWeb } from "../../../controller/targets/web/web.ts";
import type { SandboxRequest, SandboxResponse } from "../../../sandbox/api.ts";
import { createRequestHandler } from "../../../sandbox/handler.ts";
import { SANDBOX_CREDENTIALS } from "../../../sandbox/identities.ts";
import { isRecord } from "../../../sandbox/wire.ts";
import { Digest } from "../../../controller/core/brand.ts";
import { journalOf } from "../journal.ts";
import { createLife } from "../life.ts";
import { containsOf, readerOf, sourceOf } from "../repository.ts";
import { createLine, type WireLife } from "./line.ts";
import type { WireScene } from "./scene.ts";

export interface WireController {
  readonly wire: WireLife;
  readonly world: World;
  /** Undefined until it has started. */
  engine(): Engine | undefined;
  /** It runs, and neither died nor was stopped. */
  isUp(): boolean;
  /** SIGTERM; resolves when the process has ended. */
  stop(): Promise<void>;
}

export interface ControllerOptions {
  readonly pollMs: number;
  readonly adopts: boolean;
}

/** SDK clients over whatever answers requests here. */
export function openAws(
  send: (request: SandboxRequest) => Promise<SandboxResponse>,
  parts: { readonly clock: Clock; readonly random: (bytes: number) => string; readonly writer: string },
): Aws {
  return createAws({
    clock: parts.clock,
    random: parts.random,
    writerId: parts.writer,
    endpoint: "http://127.0.0.1",
    requestHandler: createRequestHandler(send),
    credentials: SANDBOX_CREDENTIALS,
  });
}

export function startController(scene: WireScene, { pollMs, adopts }: ControllerOptions): WireController {
  const { timeline, tally, weather, watch, repository, builds, journal, ended, lives, heads } = scene;
  const writer = `writer-${lives.size + 1}`;
  const chance = scene.chance.fork(writer);
  const life = createLife({
    timeline,
    chance,
    tally,
    weather,
    writer,
    // Of the ports of this life only the journal writes here; AWS has a line of its own.
    onSent: () => undefined,
    as: (_life, effect) => effect(),
  });
  lives.set(writer, life);
  heads.set(writer, []);
  const wire: WireLife = { life };
  const random = (bytes: number): string => chance.hex(bytes);
  const line = createLine({
    seed: scene.seed,
    wire,
    account: scene.account,
    tally,
    weather,
    onSent: (...sent) => watch.onSent(...sent),
  });
  const aws = openAws(line, { clock: life.clock, random, writer });
  const { clock } = life;
  const world = createWorld({
    clock,
    services: createEcs({ aws, clock }),
    images: createImages(aws),
    webs: createWeb({ aws }),
    health: createProbe({ clock, get: asking(scene, life.writer) }),
  });
  let engine: Engine | undefined;
  let stopping = false;

  const isUp = (): boolean => !life.dead && !stopping;

  function poll(): void {
    if (!isUp() || engine === undefined) return;
    if (life.frozenUntilMs <= timeline.nowMs()) {
      for (const status of engine.status().environments) {
        const sequence = engine.memory(status.id)?.sequence;
        watch.onStatus(status, sequence === watch.chronicleOf(status.environment).sequence);
      }
      engine.look();
    }
    timeline.after(pollMs, poll);
  }

  const started = createEngine({
    sources: [sourceOf(life, repository, (head) => void heads.get(writer)?.push({ atMs: timeline.nowMs(), head }))],
    read: readerOf(life, repository),
    contains: containsOf(life, builds),
    world,
    journal: journalOf(life, { journal, onRecord: (stream, record) => watch.onRecord(stream, record), ended }),
    bus: createBus([]),
    clock,
    random,
    writer,
    leaseTtlMs: LIMITS.leaseTtlMs,
    adopts,
    observes: false,
  }).then(
    (made) => {
      engine = made;
      poll();
      return made;
    },
    () => {
      // A process whose journal does not answer at its start ends, and is started again.
      life.dead = true;
      return undefined;
    },
  );

  return {
    wire,
    world,
    engine: () => engine,
    isUp,
    async stop() {
      stopping = true;
      await started;
      await engine?.[Symbol.asyncDispose]();
      life.dead = true;
    },
  };
}

/** The health check's way to a service: through its load balancer, to whatever container answers there. */
function asking({ account, builds, hands, lives }: WireScene, writer: string): Get {
  return async (url) => {
    const { hostname } = new URL(url);
    const environment = hostname.slice(0, hostname.indexOf("."));
    if (lives.get(writer)?.dead === true) throw new Error(`the process ${writer} has ended`);
    const endpoint = account.sandbox.endpoints().find(({ name }) => name === `${environment}/api`);
    if (endpoint === undefined) throw new Error(`ENOTFOUND ${hostname}`);
    const request = {
      method: "GET",
      path: "/health",
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.alloc(0),
    };
    const { status, body } = await endpoint.answer(request);
    const text = Buffer.from(body).toString("utf8");
    if (status !== 200) return { status, body: text, truncated: false };
    const said: unknown = JSON.parse(text);
    const digest = isRecord(said) ? String(said["digest"]) : "";
    const commit = builds.builtOf(Digest.parse(digest));
    const isDown = hands.get(environment)?.outage === true || commit?.health === "red";
    return { status: isDown ? 503 : 200, body: JSON.stringify({ sha: commit?.sha }), truncated: false };
  };
}
