// Everything that outlives a life of the controller: Git, builds, AWS and the journal, and who acts on them right now.
import type { EnvironmentName, Sha } from "../../controller/core/brand.ts";
import { EnvironmentName as Name, MigrationName, ServiceName, WebName } from "../../controller/core/brand.ts";
import type { Recorded, Stream } from "../../controller/core/event.ts";
import type { Journal } from "../../controller/ports.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Builds } from "./builds.ts";
import { createBuilds } from "./builds.ts";
import type { Chance } from "./chance.ts";
import { createChance } from "./chance.ts";
import { createCluster } from "./cluster.ts";
import type { Life, Weather } from "./life.ts";
import { CALL_FAULTS } from "./life.ts";
import { createPages } from "./pages.ts";
import type { Repository, Shape } from "./repository.ts";
import { createRepositoryModel } from "./repository.ts";
import type { Tally } from "./tally.ts";
import { createTally } from "./tally.ts";
import { createTasks } from "./tasks.ts";
import type { Timeline } from "./timeline.ts";
import { createTimeline } from "./timeline.ts";
import type { Watch } from "./watch.ts";
import { createWatch } from "./watch.ts";
import type { Ground } from "./world.ts";

export interface Scene {
  readonly seed: string;
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly tally: Tally;
  readonly weather: Weather;
  readonly shape: Shape;
  readonly builds: Builds;
  readonly repository: Repository;
  readonly grounds: ReadonlyMap<string, Ground>;
  readonly journal: Journal;
  /** Writers whose end can be proven. */
  readonly ended: Set<string>;
  readonly lives: Map<string, Life>;
  /** What each life was told of the head, oldest first. */
  readonly heads: Map<string, { readonly atMs: number; readonly head: Sha | undefined }[]>;
  /** LOCKSTEP_ADOPT=release: the first contact may move what runs. */
  readonly adopts: boolean;
  readonly watch: Watch;
  /** The life whose call takes effect now; undefined = a person or the world itself. */
  readonly actor: () => Life | undefined;
  readonly as: <Value>(life: Life, effect: () => Value) => Value;
}

export interface SceneOptions {
  readonly seed: string;
  /** Hears every record as it is appended. */
  readonly onRecord?: (stream: Stream, record: Recorded) => void;
}

const START_MS = 1_700_000_000_000;

export function createScene({ seed, onRecord }: SceneOptions): Scene {
  const chance = createChance(seed);
  const timeline = createTimeline(START_MS);
  const tally = createTally();
  const builds = createBuilds(chance.fork("builds"), timeline.nowMs, tally);
  builds.add("good");
  const shape = shapeOf(chance);
  const weather: Weather = { rate: 0, kinds: CALL_FAULTS };
  const lives = new Map<string, Life>();
  const heads: Scene["heads"] = new Map();
  const grounds = new Map<string, Ground>();
  let actor: Life | undefined;
  const repository = createRepositoryModel(shape);
  const adopts = chance.is(0.5);
  const watch = createWatch({
    timeline,
    builds,
    shape,
    repository,
    grounds,
    lives,
    heads,
    adopts,
    actor: () => actor,
    onRecord,
  });
  for (const environment of shape.environments) {
    grounds.set(environment, groundOf(environment, { chance, timeline, tally, builds, weather, watch, shape }));
  }
  return {
    seed,
    chance,
    timeline,
    tally,
    weather,
    shape,
    builds,
    repository,
    grounds,
    journal: createMemoryJournal((bytes) => chance.hex(bytes)),
    ended: new Set(),
    lives,
    heads,
    adopts,
    watch,
    actor: () => actor,
    as(life, effect) {
      const before = actor;
      actor = life;
      try {
        return effect();
      } finally {
        actor = before;
      }
    },
  };
}

function shapeOf(chance: Chance): Shape {
  const environments = ["dev", "staging", "prod"].slice(0, chance.pick([1, 2, 2, 3]));
  return {
    environments: environments.map((name) => Name.parse(name)),
    services: ["api", "worker"].slice(0, chance.between(1, 2)),
    migrations: ["schema", "content"].slice(0, chance.pick([0, 1, 1, 2])),
    webs: ["site", "admin"].slice(0, chance.pick([0, 1, 1, 2])),
  };
}

type GroundParts = Pick<Scene, "chance" | "timeline" | "tally" | "builds" | "weather" | "watch" | "shape">;

function groundOf(environment: EnvironmentName, parts: GroundParts): Ground {
  const { chance, timeline, tally, builds, weather, watch, shape } = parts;
  const first = builds.commits[0];
  if (first === undefined) throw new Error("there is a first commit");
  const onChange = (): void => watch.onChange(environment);
  const cluster = createCluster({
    name: environment,
    services: shape.services.map((name) => ServiceName.parse(name)),
    builds,
    chance: chance.fork(`cluster ${environment}`),
    timeline,
    onUpdate: (version) => watch.onUpdate(environment, version),
    onChange,
  });
  const tasks = createTasks({
    builds,
    chance: chance.fork(`tasks ${environment}`),
    timeline,
    tally,
    refusals: () => (weather.rate > 0 ? 0.05 : 0),
    onStart: (task) => watch.onTask(environment, task),
    before: shape.migrations.map((name) => `${MigrationName.parse(name)}@${first.sha}`),
  });
  const pages = shape.webs.map((web) => {
    const release = builds.resolve(`web/${web}`, first.sha, undefined);
    if (release.state !== "resolved") throw new Error("the first commit is built");
    const made = createPages({
      hasCdn: web === "site",
      first: release.digest,
      chance: chance.fork(`web ${environment} ${web}`),
      timeline,
      onPage: (digest) => watch.onPage(environment, web, digest),
      onChange,
    });
    return [WebName.parse(web), made] as const;
  });
  return { cluster, tasks, pages: new Map(pages), outage: false };
}
