// What happens to the controllers and to the account in a round: crashes at a call, lost answers, long absences, Spot.
import { AWS_WRITES } from "./operations.ts";
import type { WireController } from "./controller.ts";
import type { Misfortune } from "./required.ts";
import type { WireScene } from "./scene.ts";

const MINUTE_MS = 60_000;

type Happening = (scene: WireScene, up: readonly WireController[], one: WireController) => void | Promise<void>;

/** How often each comes, beside `crash` and `aimed fault`. */
const OTHERS: { readonly [Name in Exclude<Misfortune, Aimed>]: Happening } = {
  shutdown: (_, __, one) => void one.stop(),
  "second controller": () => undefined,
  "clock jump"({ chance }, _, { wire }) {
    wire.life.skewMs += chance.between(-3_600_000, 3_600_000);
  },
  "down 61 minutes": (scene, up) => absent(scene, up, 61),
  "down 25 hours": (scene, up) => absent(scene, up, 25 * 60),
  "spot interruption": ({ containers, shape, chance }) => containers.interrupt(chance.pick(shape.environments)),
  "capacity refused"({ hands, shape, chance }) {
    const count = chance.between(1, 6);
    for (const migration of shape.migrations) hands.get(chance.pick(shape.environments))?.refuse(migration, count);
  },
  "infrastructure registers a revision"({ hands, shape, chance }) {
    hands.get(chance.pick(shape.environments))?.register(chance.pick(shape.services));
  },
  "infrastructure deregisters a revision"({ hands, shape, chance }) {
    const [hand, service] = [hands.get(chance.pick(shape.environments)), chance.pick(shape.services)];
    hand?.register(service);
    hand?.deregister(service);
  },
};
type Aimed = "crash" | "aimed fault" | "down 61 minutes after RunTask";

export async function misfortune(
  scene: WireScene,
  controllers: readonly WireController[],
  start: () => void,
): Promise<void> {
  const { chance, tally } = scene;
  const up = controllers.filter((one) => one.isUp());
  const one = up.length === 0 ? undefined : chance.pick(up);
  if (one === undefined) return;
  const { wire } = one;
  if (chance.is(0.4)) {
    tally.count("crash");
    const side = chance.pick(["before", "after"] as const);
    // Crash points by counter as well as by name: the first falls into reads and the journal.
    if (chance.is(0.3)) wire.life.crash = { at: wire.life.calls + chance.between(1, 150), side };
    else if (chance.is(0.2)) wire.life.crash = { at: "append", side };
    else wire.crash = { at: chance.pick(AWS_WRITES), side };
    return;
  }
  if (chance.is(0.35)) {
    tally.count("aimed fault");
    wire.aim = { at: chance.pick(AWS_WRITES), fault: chance.pick(["after", "after", "5xx", "before", "frozen"]) };
    return;
  }
  const name = chance.pick(Object.keys(OTHERS) as readonly (keyof typeof OTHERS)[]);
  if (name === "second controller" && up.length > 1) return;
  tally.count(name);
  if (name === "second controller") start();
  else await OTHERS[name](scene, up, one);
}

async function absent({ timeline }: WireScene, up: readonly WireController[], minutes: number): Promise<void> {
  for (const { wire } of up) wire.life.dead = true;
  await timeline.run(timeline.nowMs() + minutes * MINUTE_MS);
}
