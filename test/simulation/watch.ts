// The invariants of safety.md about the world, checked as it changes; those about the journal are in starts.ts.
import type { Digest, Sha } from "../../controller/core/brand.ts";
import { NO_SHA } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import type { Recorded, Stream } from "../../controller/core/event.ts";
import type { Direction } from "../../controller/core/step.ts";
import type { EnvironmentStatus } from "../../controller/core/status.ts";
import type { Builds } from "./builds.ts";
import type { Chronicle } from "./chronicle.ts";
import { chronicle, createChronicle } from "./chronicle.ts";
import type { Version } from "./cluster.ts";
import type { Life, WriteName } from "./life.ts";
import type { Repository, Shape } from "./repository.ts";
import { checkRecord } from "./starts.ts";
import type { Task } from "./tasks.ts";
import type { Timeline } from "./timeline.ts";
import type { Ground } from "./world.ts";

export interface WatchParts {
  readonly timeline: Timeline;
  readonly builds: Builds;
  readonly shape: Shape;
  readonly repository: Repository;
  readonly grounds: ReadonlyMap<string, Ground>;
  readonly lives: ReadonlyMap<string, Life>;
  readonly heads: ReadonlyMap<string, readonly { readonly atMs: number; readonly head: Sha | undefined }[]>;
  readonly adopts: boolean;
  readonly actor: () => Life | undefined;
  readonly onRecord: ((stream: Stream, record: Recorded) => void) | undefined;
}

export interface Watch {
  readonly violations: readonly string[];
  readonly violate: (invariant: string, what: string) => void;
  readonly chronicleOf: (environment: string) => Chronicle;
  /** Heads taken in spite of rewritten history, and the last one journaled as seen. */
  readonly seenHead: () => Sha | undefined;
  /** Somebody else wrote there: what readers see is no longer ours alone, until health passes again. */
  readonly taint: (environment: string) => void;
  readonly onRecord: (stream: Stream, record: Recorded) => void;
  readonly onUpdate: (environment: string, version: Version | undefined) => void;
  readonly onPage: (environment: string, web: string, digest: Digest) => void;
  readonly onTask: (environment: string, task: Task) => void;
  readonly onChange: (environment: string) => void;
  readonly onGuard: (life: Life, environment: string) => void;
  readonly onSent: (life: Life, name: WriteName) => void;
  readonly onStatus: (status: EnvironmentStatus, isCurrent: boolean) => void;
  /** What differs between an environment's value and the world; undefined = nothing. */
  readonly falsehood: (environment: Environment) => string | undefined;
}

export function createWatch(parts: WatchParts): Watch {
  const { timeline, builds, shape, grounds, actor } = parts;
  const violations: string[] = [];
  const chronicles = new Map<string, Chronicle>();
  const pins = new Map<string, { readonly digest: Digest; readonly atMs: number }>();
  const tainted = new Set<string>();
  /**
   * Which way a release goes is decided by the order in which commits were first released here. Where that is not their
   * own order (an older commit released later), a page may be newer than the API for a moment.
   */
  const sideways = new Set<string>();
  let seen: Sha | undefined;

  function violate(invariant: string, what: string): void {
    violations.push(`${invariant} at ${new Date(timeline.nowMs()).toISOString()}: ${what}`);
  }

  function ground(environment: string): Ground {
    const found = grounds.get(environment);
    if (found === undefined) throw new Error(`no environment ${environment}`);
    return found;
  }

  function chronicleOf(environment: string): Chronicle {
    const known = chronicles.get(environment) ?? createChronicle();
    chronicles.set(environment, known);
    return known;
  }

  /** A write that was on its way when its sender lost the environment: harmless, or drift that is seen. */
  function isLate(environment: string): boolean {
    const life = actor();
    return life !== undefined && chronicleOf(environment).holder !== life.writer;
  }

  function migrated(environment: string, what: string, sha: Sha | undefined): void {
    if (sha === undefined) return;
    const { applied } = ground(environment).tasks;
    for (const migration of shape.migrations) {
      if (!applied.has(`${migration}@${sha}`)) {
        violate(
          "I1",
          `${environment}: ${what} moves to ${sha.slice(0, 7)}, whose migration ${migration} has not passed`,
        );
      }
    }
  }

  function falsehood(environment: Environment): string | undefined {
    const { cluster, pages } = ground(environment.name);
    for (const service of environment.services) {
      const { primary, count } = cluster.view(service.name);
      const version = cluster.version(primary.version);
      const right =
        service.recorded === undefined
          ? version?.commit?.sha === service.sha
          : primary.version === service.recorded.version;
      if (!right) return `${service.name} runs ${version?.commit?.sha.slice(0, 7)}, not ${service.sha.slice(0, 7)}`;
      if (primary.state !== "SUCCESSFUL") return `${service.name} is still ${primary.state}`;
      if (service.count !== undefined && count !== service.count) return `${service.name} has count ${count}`;
    }
    for (const web of environment.webs) {
      const held = pages.get(web.name);
      for (const page of [held?.page(), held?.shown()]) {
        const commit = page === undefined ? undefined : builds.builtOf(page);
        if (commit?.sha !== web.sha) return `${web.name} shows ${commit?.sha.slice(0, 7)}, not ${web.sha.slice(0, 7)}`;
      }
    }
    return undefined;
  }

  /** What had passed somewhere, as `service/api@<sha>`, before the release began that is open here. */
  function pinOf(environment: string, component: string): Digest | undefined {
    const pin = pins.get(component);
    const since = chronicleOf(environment).open?.startedMs ?? 0;
    return pin !== undefined && pin.atMs < since ? pin.digest : undefined;
  }

  function onHealthPassed(name: string, record: Recorded): void {
    const { event } = record;
    const open = chronicleOf(name).open;
    if (event.type !== "health-passed") return;
    if (open === undefined) return violate("I7", `${name}: health passed without a release`);
    const wrong = falsehood(open.desired);
    if (wrong !== undefined && !tainted.has(name)) violate("I7", `${name}: health passed, but ${wrong}`);
    if (wrong === undefined && open.desired.webs.length === shape.webs.length) {
      tainted.delete(name);
      sideways.delete(name);
    }
    for (const [component, digest] of Object.entries(event.artifacts)) {
      const running = runningDigest(name, component);
      if (running !== undefined && running !== digest && !tainted.has(name)) {
        violate(
          "I12",
          `${name}: health passed for ${component} ${digest.slice(7, 14)}, but ${running.slice(7, 14)} runs`,
        );
      }
      const sha = shaOf(open.desired, component);
      if (sha !== NO_SHA && !pins.has(`${component}@${sha}`)) {
        pins.set(`${component}@${sha}`, { digest, atMs: timeline.nowMs() });
      }
    }
  }

  /** The order of release and the order of the commits disagree. */
  function isSideways(name: string, desired: Environment, direction: Direction): boolean {
    const index = builds.commit(desired.sha)?.index ?? 0;
    return [...ground(name).pages.values()].some((held) => {
      const page = held.page();
      const now = page === undefined ? index : (builds.builtOf(page)?.index ?? 0);
      return direction === "forward" ? now > index : now < index;
    });
  }

  function runningDigest(environment: string, component: string): Digest | undefined {
    const { cluster, pages } = ground(environment);
    const [kind, name] = component.split("/", 2);
    if (kind === "service") {
      const { primary } = cluster.view(name as Parameters<typeof cluster.view>[0]);
      return cluster.version(primary.version)?.digest;
    }
    return kind === "web" ? [...pages].find(([web]) => web === name)?.[1].page() : undefined;
  }

  return {
    violations,
    violate,
    chronicleOf,
    seenHead: () => seen,
    taint: (environment) => void tainted.add(environment),
    falsehood,
    onRecord(stream, record) {
      parts.onRecord?.(stream, record);
      const { event } = record;
      if (event.type === "head-seen") seen = event.commit;
      if (event.type === "accepted") seen = event.head;
      if (!stream.startsWith("environment/shop/")) return;
      const name = stream.slice("environment/shop/".length);
      const of = chronicleOf(name);
      checkRecord(name, record, of, { ...parts, violate, seen: () => seen, chronicleOf });
      onHealthPassed(name, record);
      if (event.type === "release-started" && isSideways(name, event.desired, event.direction)) sideways.add(name);
      chronicle(of, record, timeline.nowMs());
    },
    onUpdate(environment, version) {
      if (actor() === undefined || isLate(environment)) return void tainted.add(environment);
      if (version?.key === undefined) return;
      migrated(environment, `service ${version.service}`, version.commit?.sha);
      const pin = pinOf(environment, `service/${version.service}@${version.commit?.sha}`);
      if (pin !== undefined && pin !== version.digest) {
        violate("I12", `${environment}: ${version.service} is deployed with other bytes than those that passed`);
      }
    },
    onPage(environment, web, digest) {
      if (actor() === undefined || isLate(environment)) return void tainted.add(environment);
      const commit = builds.builtOf(digest);
      migrated(environment, `page ${web}`, commit?.sha);
      const pin = pinOf(environment, `web/${web}@${commit?.sha}`);
      if (pin !== undefined && pin !== digest) violate("I12", `${environment}: ${web} is not what passed`);
    },
    onTask(environment, task) {
      const { tasks } = ground(environment);
      const { migration, sha } = task;
      const running = tasks.running().filter((one) => one !== task);
      if (running.length > 0) violate("I2", `${environment}: two migration tasks run at once`);
      const earlier = tasks.all.filter((one) => one !== task && one.migration === migration && one.sha === sha);
      if (earlier.some(({ exitCode }) => exitCode === 0)) {
        violate("I2", `${environment}: ${migration} of ${sha.slice(0, 7)} passed and runs again`);
      }
    },
    onChange(environment) {
      const { cluster, pages } = ground(environment);
      for (const [web, held] of pages) {
        for (const page of [held.page(), held.shown()]) {
          if (page !== undefined && !held.assets().has(page)) violate("I3", `${environment}: ${web} lacks its assets`);
        }
        if (tainted.has(environment) || sideways.has(environment)) continue;
        const shown = held.shown();
        const page = shown === undefined ? undefined : builds.builtOf(shown);
        for (const service of shape.services) {
          const versions = cluster.serving(service as Parameters<typeof cluster.serving>[0]);
          const older = versions.find(({ commit }) => (commit?.index ?? 0) < (page?.index ?? 0));
          if (older !== undefined) {
            const [newer, behind] = [page?.index, older.commit?.index];
            violate("I3", `${environment}: ${web} of commit ${newer} meets ${service} of commit ${behind}`);
          }
        }
      }
    },
    onGuard(life, environment) {
      const { holder } = chronicleOf(environment);
      if (holder !== life.writer) violate("I9", `${life.writer} writes to ${environment}, which ${holder} holds`);
    },
    onSent(life, name) {
      if (name !== "append" && life.acting === 0) violate("I11", `${name} outside of any step`);
    },
    onStatus(status, isCurrent) {
      if (status.state !== "healthy" || tainted.has(status.environment)) return;
      const { open, passed } = chronicleOf(status.environment);
      if (!isCurrent || open !== undefined) return;
      if (passed === undefined) violate("I7", `${status.id} is called healthy, and nothing is proven`);
    },
  };
}

function shaOf(environment: Environment, component: string): Sha {
  const [kind, name] = component.split("/", 2);
  const all = kind === "service" ? environment.services : kind === "web" ? environment.webs : environment.migrations;
  return all.find((one) => one.name === name)?.sha ?? environment.sha;
}
