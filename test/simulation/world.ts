// The world as one life of the controller reaches it: composed like the real one, of modelled targets.
import type { ComponentName, Digest, ServiceName, WebName } from "../../controller/core/brand.ts";
import { Instant, NO_SHA } from "../../controller/core/brand.ts";
import type { Environment, Service } from "../../controller/core/environment.ts";
import type { Outcome } from "../../controller/core/event.ts";
import type { Artifact, Depth, LiveService, LiveWeb } from "../../controller/core/live.ts";
import type { StepKind } from "../../controller/core/step.ts";
import type { Context, Runner, Runners, Turn, World } from "../../controller/ports.ts";
import { createWorld } from "../../controller/compose/world.ts";
import type { Builds } from "./builds.ts";
import type { Cluster, ServiceView } from "./cluster.ts";
import { deployRunner } from "./deploying.ts";
import type { Life } from "./life.ts";
import { migrateRunner } from "./migrating.ts";
import type { Pages } from "./pages.ts";
import { pageRunners } from "./publishing.ts";
import type { Tasks } from "./tasks.ts";

export interface Ground {
  readonly cluster: Cluster;
  readonly tasks: Tasks;
  readonly pages: ReadonlyMap<WebName, Pages>;
  /** Something that the application needs is down: nothing is green, whatever runs. */
  outage: boolean;
}

export interface WorldModelParts {
  readonly life: Life;
  readonly builds: Builds;
  readonly grounds: ReadonlyMap<string, Ground>;
  readonly nowMs: () => number;
  /** Called when a runner asserts that it still holds the environment. */
  readonly onGuard: (life: Life, environment: string) => void;
}

const PROBE_MS = 5_000;

export function worldOf({ life, builds, grounds, nowMs, onGuard }: WorldModelParts): World {
  function ground({ name }: { readonly name: string }): Ground {
    const found = grounds.get(name);
    if (found === undefined) throw new Error(`no environment ${name}`);
    return found;
  }

  function pagesOf(environment: Environment, web: WebName): Pages {
    const pages = ground(environment).pages.get(web);
    if (pages === undefined) throw new Error(`no web ${web}`);
    return pages;
  }

  async function services(environment: Environment, depth: Depth): Promise<ReadonlyMap<ServiceName, LiveService>> {
    const { cluster } = ground(environment);
    const names = environment.services.map(({ name }) => name);
    const views = await life.read(
      "describe-services",
      () => names.map((name) => [name, cluster.view(name)] as const),
      () => names.map((name) => [name, cluster.stale(name) ?? cluster.view(name)] as const),
    );
    return new Map(views.map(([name, view]) => [name, liveService(cluster, view, depth)]));
  }

  function resolve(
    kinds: readonly string[],
  ): (environment: Environment, pins: ReadonlyMap<string, Digest>) => Promise<ReadonlyMap<ComponentName, Artifact>> {
    return (environment, pins) =>
      life.read("resolve-artifacts", () => {
        const wanted = wantedOf(environment).filter(({ name }) => kinds.includes(name.slice(0, name.indexOf("/"))));
        return new Map(wanted.map(({ name, sha }) => [name, builds.resolve(name, sha, pins.get(`${name}@${sha}`))]));
      });
  }

  /** Green once every service runs what it should and the code behind it is sound. */
  function isGreen(environment: Environment, wanted: readonly Service[]): boolean {
    const { cluster, outage } = ground(environment);
    if (outage) return false;
    return wanted.every((service) => {
      const { primary } = cluster.view(service.name);
      const commit = cluster.version(primary.version)?.commit;
      const isRight = service.sha === NO_SHA || commit?.sha === service.sha;
      return isRight && primary.state === "SUCCESSFUL" && commit?.health !== "red";
    });
  }

  async function probe(environment: Environment, wanted: readonly Service[], context: Context): Promise<Outcome> {
    const startMs = context.clock.monotonicMs();
    let greenMs = startMs;
    for (;;) {
      const green = await life.read("probe", () => isGreen(environment, wanted));
      const atMs = context.clock.monotonicMs();
      if (!green) greenMs = atMs;
      if (green && atMs - greenMs >= 10_000) return { status: "done" };
      if (atMs - startMs > 60_000) return { status: "failed", code: "health-failed", message: "not green in time" };
      await context.clock.sleep(PROBE_MS, context.signal);
    }
  }

  const deploy = deployRunner(life, (turn: Turn) => ground(turn.environment).cluster);
  const migrate = migrateRunner(life, (turn: Turn) => ground(turn.environment).tasks, nowMs);
  const world = createWorld({
    clock: life.clock,
    services: {
      observe: (environment, _memory, depth) => services(environment, depth),
      runners: {
        migrate,
        async deploy(step, turn, context) {
          const outcome = await deploy(step, turn, context);
          const mine = turn.environment.services.filter(({ name }) => name === step.service);
          return outcome.status === "done" ? probe(turn.environment, mine, context) : outcome;
        },
      },
      family: (version) => version.slice(version.lastIndexOf("/") + 1, version.lastIndexOf(":")),
    },
    images: { resolve: resolve(["service", "migration"]) },
    webs: {
      async observe(environment) {
        const read = (name: WebName): Promise<LiveWeb> => {
          const pages = pagesOf(environment, name);
          return life.read(
            "read-marker",
            () => liveWeb(pages, pages.marker()),
            () => liveWeb(pages, pages.staleMarker()),
          );
        };
        return new Map(await Promise.all(environment.webs.map(async ({ name }) => [name, await read(name)] as const)));
      },
      artifacts: resolve(["web"]),
      runners: pageRunners(life, (turn, web) => pagesOf(turn.environment, web)),
    },
    health: {
      runner: (_step, { environment }, context) => probe(environment, environment.services, context),
      // Part of the modelled deploy step, which knows its environment.
      checkService: () => Promise.resolve({ status: "done" }),
    },
  });
  return { ...world, runners: watched(world.runners, life, onGuard) };
}

/** The same runners, with an eye on when they act and what they believe to hold. */
function watched(runners: Runners, life: Life, onGuard: WorldModelParts["onGuard"]): Runners {
  const entries = Object.entries(runners).map(([kind, run]) => {
    const runner: Runner<StepKind> = async (step, turn, context) => {
      life.acting += 1;
      const guard = (): void => {
        context.guard();
        onGuard(life, turn.environment.name);
      };
      try {
        return await (run as Runner<StepKind>)(step, turn, { ...context, guard });
      } finally {
        life.acting -= 1;
      }
    };
    return [kind, runner] as const;
  });
  return Object.fromEntries(entries) as unknown as Runners;
}

/** What has an artifact to resolve: a recorded version needs none. */
function wantedOf(environment: Environment): readonly { readonly name: ComponentName; readonly sha: Service["sha"] }[] {
  return [
    ...environment.services
      .filter(({ recorded }) => recorded === undefined)
      .map(({ name, sha }) => ({ name: `service/${name}` as const, sha })),
    ...environment.migrations.map(({ name, sha }) => ({ name: `migration/${name}` as const, sha })),
    ...environment.webs.map(({ name, sha }) => ({ name: `web/${name}` as const, sha })),
  ];
}

function liveService(cluster: Cluster, { primary, count, deployments }: ServiceView, depth: Depth): LiveService {
  const version = cluster.version(primary.version);
  const rolledBack = deployments[1]?.state === "ROLLBACK_SUCCESSFUL" && primary.state === "SUCCESSFUL";
  return {
    state: "present",
    version: primary.version,
    replicas: { desired: count, running: count, pending: 0 },
    rollout:
      primary.state === "IN_PROGRESS"
        ? { state: "moving", since: Instant.of(primary.startedMs), failedTasks: 0, to: primary.version }
        : rolledBack
          ? { state: "rolled-back", why: "the circuit breaker put the old version back" }
          : { state: "steady" },
    ...(depth === "full" && version !== undefined
      ? { image: version.digest, ...(version.tag === undefined ? {} : { tag: version.tag }) }
      : {}),
  };
}

function liveWeb(pages: Pages, marker: ReturnType<Pages["marker"]>): LiveWeb {
  if (marker === undefined) return { state: "none" };
  const { state, publication, journal, invalidated } = marker;
  const page = pages.page();
  // What lies in the bucket counts: an index.html changed by hand is another release than the marker says.
  const digest = state === "served" && page !== undefined ? page : marker.digest;
  return { state, publication, digest, journal, ...(invalidated === undefined ? {} : { invalidated }) };
}
