// One run from one seed: a safety phase with every fault, then a liveness phase without, in which everything must settle.
import { plan } from "../../controller/core/plan.ts";
import { withMarks } from "../../controller/core/marks.ts";
import type { Controller } from "./controller.ts";
import { startController } from "./controller.ts";
import type { CallName, Life } from "./life.ts";
import { READS, WRITES } from "./life.ts";
import { createPeople } from "./people.ts";
import type { Scene, SceneOptions } from "./scene.ts";
import { createScene } from "./scene.ts";
import type { Tally } from "./tally.ts";
import { worldOf } from "./world.ts";

export interface RunOptions extends SceneOptions {
  /** Kill the first life at this port call and do nothing else bad: crash points by counter, or by name. */
  readonly killAt?: { readonly call: number | CallName; readonly side: "before" | "after"; readonly next?: Crash };
}

/** How the second life ends. */
export interface Crash {
  readonly at: CallName;
  readonly side: "before" | "after";
}

export interface RunResult {
  readonly seed: string;
  readonly violations: readonly string[];
  readonly lives: number;
  readonly tally: Tally;
  /** Port calls of the first life. */
  readonly calls: number;
  readonly virtualMs: number;
}

/** Calls that few releases make: crashes there are aimed at. */
const RARE = ["stop-task", "run-task", "delete-objects", "create-invalidation", "list-tasks", "contains"] as const;
const MINUTE_MS = 60_000;
/** Everything settles within this after the last fault. */
const SETTLES_MS = 6 * 60 * MINUTE_MS;

export async function run({ killAt, ...given }: RunOptions): Promise<RunResult> {
  const calm = killAt !== undefined;
  const scene = createScene(given);
  const { chance, timeline, tally, watch, weather } = scene;
  const startMs = timeline.nowMs();
  const pollMs = chance.pick([20_000, 30_000, 60_000]);
  const options = { pollMs, adopts: scene.adopts };
  const sameHost = chance.is(0.5);
  let controllers: Controller[] = [];
  const people = createPeople(scene, () => controllers);
  const broken = (): boolean => watch.violations.length > 0;

  const first: Life["crash"] = killAt === undefined ? undefined : { at: killAt.call, side: killAt.side };

  function start(): Controller {
    const crash = [first, killAt?.next][scene.lives.size];
    const controller = startController(scene, crash === undefined ? options : { ...options, crash });
    controllers = [...controllers.filter((one) => one.isUp()), controller];
    return controller;
  }

  /** Whatever died comes back, as a supervisor would bring it. */
  function revive(): void {
    for (const one of controllers) if (one.life.dead && sameHost) scene.ended.add(one.life.writer);
    controllers = controllers.filter((one) => one.isUp());
    if (controllers.length === 0) start();
  }

  const begun = start();
  if (!calm) weather.rate = chance.pick([0, 0.005, 0.02, 0.06]);

  const rounds = calm ? 3 : chance.between(6, 14);
  for (let round = 0; round < rounds && !broken(); round += 1) {
    if (!calm) await misfortune(scene, controllers, () => start());
    if (!calm || round === 0) people.act();
    await timeline.run(timeline.nowMs() + chance.pick([5_000, 30_000, 90_000, 240_000, 600_000]), broken);
    if (chance.is(0.6)) controllers.forEach((one) => people.follow(one, chance.is(0.3)));
    await timeline.run(timeline.nowMs() + chance.between(1_000, 20_000), broken);
    revive();
  }

  weather.rate = 0;
  for (const { life } of controllers) {
    // A crash by counter may come at any call to the last; those by chance end with the faults.
    if (!calm) delete life.crash;
    life.skewMs = 0;
  }
  people.mend();
  const untilMs = timeline.nowMs() + SETTLES_MS;
  while (!broken() && timeline.nowMs() < untilMs && !isSettled(scene, controllers)) {
    revive();
    for (const one of controllers) people.follow(one, true);
    await timeline.run(timeline.nowMs() + MINUTE_MS, broken);
  }
  if (!broken()) await checkRest(scene, controllers);
  const settledMs = timeline.nowMs();
  await end(scene, controllers);
  return {
    seed: given.seed,
    violations: watch.violations,
    lives: scene.lives.size,
    tally,
    calls: begun.life.calls,
    virtualMs: settledMs - startMs,
  };
}

/** Something happens to the controllers themselves. */
async function misfortune(scene: Scene, controllers: readonly Controller[], start: () => void): Promise<void> {
  const { chance, tally, timeline } = scene;
  const up = controllers.filter((one) => one.isUp());
  const one = up.length === 0 ? undefined : chance.pick(up);
  if (one === undefined) return;
  const what = chance.below(10);
  if (what < 4) {
    // A crash that is aimed at a rare call waits for it.
    if (typeof one.life.crash?.at === "string" && chance.is(0.8)) return;
    tally.count("crash");
    const side = chance.pick(["before", "after"] as const);
    const names = chance.is(0.4) ? RARE : [...READS, ...WRITES];
    const at = chance.is(0.5) ? chance.pick(names) : one.life.calls + chance.between(1, 120);
    one.life.crash = { at, side };
  } else if (what === 4) {
    tally.count("shutdown");
    void one.stop();
  } else if (what === 5 && up.length < 2) {
    tally.count("second controller");
    start();
  } else if (what === 6) {
    tally.count("clock jump");
    one.life.skewMs += chance.between(-3_600_000, 3_600_000);
  } else if (what === 7) {
    const [name, minutes] = chance.pick([["down 61 minutes", 61] as const, ["down 25 hours", 25 * 60] as const]);
    tally.count(name);
    for (const { life } of up) life.dead = true;
    await timeline.run(timeline.nowMs() + minutes * MINUTE_MS);
  }
}

function isSettled(scene: Scene, controllers: readonly Controller[]): boolean {
  return controllers.every((controller) => {
    if (!controller.isUp()) return false;
    const document = controller.engine()?.status();
    return (
      document !== undefined &&
      document.environments.length === scene.shape.environments.length &&
      document.environments.every(
        (status) =>
          status.state === "healthy" &&
          status.git?.sha === scene.builds.commits.at(-1)?.sha &&
          scene.watch.chronicleOf(status.environment).open === undefined &&
          controller.engine()?.memory(status.id)?.sequence === scene.watch.chronicleOf(status.environment).sequence,
      )
    );
  });
}

/** At rest: the world is what Git says, the plan is empty at full depth, and looking once more changes nothing. */
async function checkRest(scene: Scene, controllers: readonly Controller[]): Promise<void> {
  const { watch, repository, timeline, shape, builds, grounds } = scene;
  for (const { life } of controllers) delete life.crash;
  if (!isSettled(scene, controllers)) {
    for (const one of controllers) {
      for (const { id, state, why } of one.engine()?.status().environments ?? []) {
        if (state !== "healthy") watch.violate("I10", `${one.life.writer}: ${id} has not settled: ${state}, ${why}`);
      }
    }
    return watch.violate("I10", "not everything settled in time");
  }
  const sequences = shape.environments.map((name) => watch.chronicleOf(name).sequence);
  await timeline.run(timeline.nowMs() + 5 * MINUTE_MS);
  const after = shape.environments.map((name) => watch.chronicleOf(name).sequence);
  if (String(sequences) !== String(after)) watch.violate("I10", "an environment at rest goes on writing");
  const [controller] = controllers;
  const engine = controller?.engine();
  const head = repository.head();
  if (controller === undefined || engine === undefined || head === undefined) return;
  const { life } = controller;
  const world = worldOf({ life, builds, grounds, nowMs: timeline.nowMs, onGuard: watch.onGuard });
  for (const { environment } of repository.reading(head).environments) {
    const memory = environment === undefined ? undefined : engine.memory(`shop/${environment.name}`);
    if (environment === undefined || memory === undefined) continue;
    const wrong = watch.falsehood(environment);
    if (wrong !== undefined) watch.violate("I10", `${environment.name} is healthy, but ${wrong}`);
    const pins = new Map<string, never>();
    const seen = world.observe(environment, { memory, pins }, "full", new AbortController().signal);
    await timeline.run(timeline.nowMs() + 5_000);
    const { steps } = plan(environment, withMarks(await seen, environment, memory));
    if (steps.length > 0) watch.violate("I10", `${environment.name}: the plan at rest has ${steps.length} steps`);
  }
}

async function end({ timeline, watch }: Scene, controllers: readonly Controller[]): Promise<void> {
  let ended = 0;
  const alive = controllers.filter((one) => one.isUp());
  for (const one of alive) {
    one.stop().then(
      () => (ended += 1),
      () => (ended += 1),
    );
  }
  await timeline.run(timeline.nowMs() + 10 * MINUTE_MS, () => ended === alive.length);
  if (ended < alive.length) watch.violate("I10", "a controller does not stop when it is asked to");
}
