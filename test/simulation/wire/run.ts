// One run on the wire from one seed: a safety phase with every fault, then a liveness phase in which everything must settle.
import { plan } from "../../../controller/core/plan.ts";
import { withMarks } from "../../../controller/core/marks.ts";
import { createPeople } from "../people.ts";
import type { RunOptions, RunResult } from "../run.ts";
import { directed } from "./directed.ts";
import { startController, type WireController } from "./controller.ts";
import { misfortune } from "./misfortune.ts";
import { createScene, type WireScene } from "./scene.ts";
import { warm } from "./warm.ts";

const MINUTE_MS = 60_000;
/** Everything settles within this after the last fault. */
const SETTLES_MS = 4 * 60 * MINUTE_MS;
const POLL_MS = 60_000;

export async function runOnTheWire(given: RunOptions): Promise<RunResult> {
  await warm();
  const scene = await createScene(given);
  const { chance, timeline, watch, weather, tally } = scene;
  const startMs = timeline.nowMs();
  const sameHost = chance.is(0.5);
  let controllers: WireController[] = [];
  const stage = { ...scene, grounds: scene.hands };
  const people = createPeople(stage, () => controllers);
  const broken = (): boolean => watch.violations.length > 0;

  function start(): WireController {
    const controller = startController(scene, { pollMs: POLL_MS, adopts: scene.adopts });
    controllers = [...controllers.filter((one) => one.isUp()), controller];
    return controller;
  }

  /** Whatever died comes back, as a supervisor would bring it; now and then only after a long while. */
  async function revive(): Promise<void> {
    for (const { wire } of controllers) if (wire.life.dead && sameHost) scene.ended.add(wire.life.writer);
    const cut = controllers.some(({ wire }) => wire.diedAt === "ecs:RunTask");
    controllers = controllers.filter((one) => one.isUp());
    if (controllers.length > 0) return;
    if (cut && weather.rate > 0) {
      tally.count("down 61 minutes after RunTask");
      await timeline.run(timeline.nowMs() + 61 * MINUTE_MS, broken);
    }
    start();
  }

  const first = start();
  await directed({ scene, people, controllers: () => controllers, broken, revive });
  weather.rate = chance.pick([0, 0.005, 0.01, 0.03]);
  const rounds = chance.between(3, 6);
  for (let round = 0; round < rounds && !broken(); round += 1) {
    await misfortune(scene, controllers, start);
    if (chance.is(0.2)) people.mend();
    else people.act();
    await timeline.run(timeline.nowMs() + chance.pick([10_000, 30_000, 60_000, 120_000, 180_000]), broken);
    if (chance.is(0.6)) controllers.forEach((one) => people.follow(one, chance.is(0.3)));
    await timeline.run(timeline.nowMs() + chance.between(1_000, 20_000), broken);
    await revive();
  }

  weather.rate = 0;
  for (const { wire } of controllers) {
    delete wire.life.crash;
    delete wire.crash;
    delete wire.aim;
    wire.life.skewMs = 0;
  }
  people.mend();
  const untilMs = timeline.nowMs() + SETTLES_MS;
  while (!broken() && timeline.nowMs() < untilMs && !isSettled(scene, controllers)) {
    await revive();
    for (const one of controllers) people.follow(one, true);
    await timeline.run(timeline.nowMs() + MINUTE_MS, broken);
  }
  if (!broken()) await checkRest(scene, controllers);
  const settledMs = timeline.nowMs();
  await end(scene, controllers);
  await scene.account.sandbox.close();
  scene.account.check();
  return {
    seed: given.seed,
    violations: watch.violations,
    lives: scene.lives.size,
    tally,
    calls: first.wire.life.calls,
    virtualMs: settledMs - startMs,
  };
}

function isSettled(scene: WireScene, controllers: readonly WireController[]): boolean {
  return controllers.every((controller) => {
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

/** At rest: the account is what Git says, the plan is empty at full depth, and looking once more changes nothing. */
async function checkRest(scene: WireScene, controllers: readonly WireController[]): Promise<void> {
  const { watch, repository, timeline, shape, readers } = scene;
  if (!isSettled(scene, controllers)) {
    for (const one of controllers) {
      for (const { id, state, why } of one.engine()?.status().environments ?? []) {
        if (state !== "healthy")
          watch.violate("I10", `${one.wire.life.writer}: ${id} has not settled: ${state}, ${why}`);
      }
    }
    return watch.violate("I10", "not everything settled in time");
  }
  const sequences = shape.environments.map((name) => watch.chronicleOf(name).sequence);
  await timeline.run(timeline.nowMs() + 3 * MINUTE_MS);
  const after = shape.environments.map((name) => watch.chronicleOf(name).sequence);
  if (String(sequences) !== String(after)) watch.violate("I10", "an environment at rest goes on writing");
  const [controller] = controllers;
  const engine = controller?.engine();
  const head = repository.head();
  if (controller === undefined || engine === undefined || head === undefined) return;
  for (const { environment } of repository.reading(head).environments) {
    const memory = environment === undefined ? undefined : engine.memory(`shop/${environment.name}`);
    if (environment === undefined || memory === undefined) continue;
    const wrong = await readers.falsehood(environment, "everywhere");
    if (wrong !== undefined) watch.violate("I10", `${environment.name} is healthy, but ${wrong}`);
    const recall = { memory, pins: new Map<string, never>() };
    const seen = controller.world.observe(environment, recall, "full", new AbortController().signal);
    await timeline.run(timeline.nowMs() + 5_000);
    const { steps } = plan(environment, withMarks(await seen, environment, memory));
    if (steps.length === 0) continue;
    const kinds = steps.map(({ kind }) => kind).join(", ");
    watch.violate("I10", `${environment.name}: the plan at rest has ${steps.length} steps: ${kinds}`);
  }
}

async function end({ timeline, watch }: WireScene, controllers: readonly WireController[]): Promise<void> {
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
