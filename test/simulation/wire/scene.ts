// Everything of a wire run that outlives a controller: the account, Git and the journal, and who watches over them.
import { EnvironmentName, type Sha } from "../../../controller/core/brand.ts";
import type { Journal } from "../../../controller/ports.ts";
import { createMemoryJournal } from "../../../controller/journal/memory.ts";
import { type Chance, createChance } from "../chance.ts";
import { CALL_FAULTS, type Life, type Weather } from "../life.ts";
import type { Repository, Shape } from "../repository.ts";
import type { SceneOptions } from "../scene.ts";
import { createTally, type Tally } from "../tally.ts";
import type { Timeline } from "../timeline.ts";
import { type Account, createAccount } from "./account.ts";
import { createWireBuilds, type WireBuilds } from "./builds.ts";
import { type Containers, createContainers } from "./containers.ts";
import { createHands, type Hands, openEnvironment, openStores } from "./hands.ts";
import { createReaders, type Readers } from "./readers.ts";
import { createWireRepository } from "./repository.ts";
import { createWireTimeline } from "./timeline.ts";
import { createWireWatch, type WireWatch } from "./watch.ts";

export interface WireScene {
  readonly seed: string;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly tally: Tally;
  readonly weather: Weather;
  readonly shape: Shape;
  readonly account: Account;
  readonly builds: WireBuilds;
  readonly containers: Containers;
  readonly repository: Repository;
  readonly hands: ReadonlyMap<string, Hands>;
  readonly readers: Readers;
  readonly journal: Journal;
  /** Writers whose end can be proven. */
  readonly ended: Set<string>;
  readonly lives: Map<string, Life>;
  /** What each life was told of the head, oldest first. */
  readonly heads: Map<string, { readonly atMs: number; readonly head: Sha | undefined }[]>;
  readonly adopts: boolean;
  readonly watch: WireWatch;
}

/** Long enough for the first services to be steady and for the distribution to be deployed. */
const SETTLED_MS = 120_000;

export async function createScene({ seed, onRecord }: SceneOptions): Promise<WireScene> {
  const chance = createChance(`wire ${seed}`);
  const tally = createTally();
  const shape = shapeOf(chance);
  const weather: Weather = { rate: 0, kinds: CALL_FAULTS };
  const hands = new Map<string, Hands>();
  const distributions = new Map<string, string>();
  const lives = new Map<string, Life>();
  const heads: WireScene["heads"] = new Map();
  const containers = createContainers({
    chance: chance.fork("containers"),
    tally,
    builds: () => builds,
    onMigration: (...all) => watch.onMigration(...all),
    onChange: (environment) => watch.onChange(environment),
  });
  const account = createAccount({
    chance: chance.fork("account"),
    runner: containers.runner,
    onCall: (call) => watch.onCall(call),
  });
  const lists = chance.is(0.7);
  const builds: WireBuilds = createWireBuilds({ chance: chance.fork("builds"), tally, account, shape, lists });
  const readers = createReaders(account, builds, distributions);
  const timeline = createWireTimeline({
    stepped: account.stepped,
    open: () => account.open(),
    onQuiet: () => watch.inspect(),
  });
  const repository = createWireRepository(shape, chance.is(0.3));
  const adopts = chance.is(0.5);
  const watch: WireWatch = createWireWatch({
    timeline,
    builds,
    shape,
    repository,
    lives,
    heads,
    adopts,
    containers,
    distributions,
    readers: () => readers,
    onRecord,
  });
  await openStores(account, shape);
  const first = builds.add("good");
  await new Promise(setImmediate);
  for (const environment of shape.environments) {
    for (const migration of shape.migrations) containers.applied.add(`${environment} ${migration}@${first.sha}`);
    distributions.set(await openEnvironment(account, builds, shape, environment), environment);
    const onTouch = (): void => watch.taint(environment);
    hands.set(environment, await createHands({ account, builds, containers, shape, environment, onTouch }));
  }
  if (shape.webs.length > 1) tally.count("two webs on one distribution");
  account.stepped.advanceTo(account.stepped.now() + SETTLED_MS);
  return {
    seed,
    chance,
    timeline,
    tally,
    weather,
    shape,
    account,
    builds,
    containers,
    repository,
    hands,
    readers,
    journal: createMemoryJournal((bytes) => chance.hex(bytes)),
    ended: new Set(),
    lives,
    heads,
    adopts,
    watch,
  };
}

function shapeOf(chance: Chance): Shape {
  return {
    environments: ["dev", "staging", "prod"]
      .slice(0, chance.pick([1, 2, 2, 3]))
      .map((name) => EnvironmentName.parse(name)),
    services: ["api", "worker"],
    migrations: ["schema", "content"].slice(0, chance.pick([1, 1, 1, 2])),
    webs: ["site", "admin"].slice(0, chance.pick([1, 1, 2])),
  };
}
