// A controller in the simulation: one process with the real engine, polled like by cron, that may crash or be stopped.
import type { Engine } from "../../controller/engine/engine.ts";
import { createEngine } from "../../controller/engine/engine.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import { journalOf } from "./journal.ts";
import type { Life } from "./life.ts";
import { createLife } from "./life.ts";
import { containsOf, readerOf, sourceOf } from "./repository.ts";
import type { Scene } from "./scene.ts";
import { worldOf } from "./world.ts";

export interface Controller {
  readonly life: Life;
  /** Undefined until it has started. */
  engine(): Engine | undefined;
  /** It runs, and neither died nor was stopped. */
  isUp(): boolean;
  /** SIGTERM; resolves when the process has ended. */
  stop(): Promise<void>;
}

export interface ControllerOptions {
  /** How this life ends, if nothing ends it before. */
  readonly crash?: Life["crash"];
  readonly pollMs: number;
  readonly adopts: boolean;
}

export function startController(scene: Scene, { pollMs, adopts, crash }: ControllerOptions): Controller {
  const { timeline, chance, tally, weather, watch, repository, builds, journal, ended, lives, heads } = scene;
  const writer = `writer-${lives.size + 1}`;
  const life = createLife({
    timeline,
    chance: chance.fork(writer),
    tally,
    weather,
    writer,
    onSent: watch.onSent,
    as: scene.as,
  });
  lives.set(writer, life);
  if (crash !== undefined) life.crash = crash;
  heads.set(writer, []);
  const onHead = (head: ReturnType<typeof repository.head>): void =>
    void heads.get(writer)?.push({ atMs: timeline.nowMs(), head });
  const source = sourceOf(life, repository, onHead);
  let engine: Engine | undefined;
  let stopping = false;

  function isUp(): boolean {
    return !life.dead && !stopping;
  }

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

  async function begin(): Promise<void> {
    try {
      engine = await createEngine({
        sources: [source],
        read: readerOf(life, repository),
        contains: containsOf(life, builds),
        world: worldOf({ life, builds, grounds: scene.grounds, nowMs: timeline.nowMs, onGuard: watch.onGuard }),
        journal: journalOf(life, { journal, onRecord: watch.onRecord, ended }),
        bus: createBus([]),
        clock: life.clock,
        random: (bytes) => chance.hex(bytes),
        writer,
        leaseTtlMs: LIMITS.leaseTtlMs,
        adopts,
        observes: false,
      });
      poll();
    } catch {
      // A process whose journal does not answer at its start ends, and is started again.
      life.dead = true;
    }
  }

  const started = begin();

  return {
    life,
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
