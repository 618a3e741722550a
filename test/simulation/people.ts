// What people and the world do to a run: pushes good and bad, changes by hand, nudges that follow what the status says.
import type { Digest, EnvironmentName, ServiceName, Sha, TargetVersion } from "../../controller/core/brand.ts";
import type { Control } from "../../controller/ports.ts";
import { migrationKey } from "../../controller/core/fingerprint.ts";
import type { EnvironmentStatus } from "../../controller/core/status.ts";
import type { Controller } from "./controller.ts";
import type { Spec, Tree } from "./repository.ts";
import type { Scene } from "./scene.ts";
import type { Deed } from "./tally.ts";

const NUDGE = { actor: "person", reason: "simulation" } as const;

/** What people can do to an environment past the controller, and what they can look up. */
export interface Handiwork {
  outage: boolean;
  readonly cluster: {
    update(service: ServiceName, set: { readonly version?: TargetVersion; readonly count?: number }): void;
    registerByHand(service: ServiceName, digest: Digest): { readonly arn: TargetVersion };
  };
  readonly pages: ReadonlyMap<string, { assets(): ReadonlySet<Digest>; putPage(digest: Digest): void }>;
  readonly tasks: { readonly applied: Pick<ReadonlySet<string>, "has"> };
}

/** The part of a scene that people move in: of either tier. */
export type Stage = Pick<Scene, "chance" | "timeline" | "tally" | "repository" | "builds" | "shape"> & {
  readonly grounds: ReadonlyMap<string, Handiwork>;
};

type Operated = Pick<Controller, "engine" | "isUp">;

export interface People {
  /** One deed by chance. */
  act(): void;
  /** Git says something good of every environment, with nothing in its way. */
  mend(): void;
  /** Does what the status of each environment asks for; `true` = tries again what failed. */
  follow(controller: Operated, retries: boolean): void;
}

export function createPeople(stage: Stage, controllers: () => readonly Operated[]): People {
  const { chance, timeline, tally, repository, builds, shape, grounds } = stage;
  let notify = 0;
  let lastGood: Sha | undefined;

  function first(): Tree {
    const sha = builds.commits[chance.is(0.5) ? 0 : builds.add("by chance").index]?.sha;
    if (sha === undefined) throw new Error("there is a first commit");
    const specs = shape.environments.map((name): [EnvironmentName, Spec] => [
      name,
      {
        sha,
        drift: chance.pick(["report", "repair", "repair", "ignore"]),
        onFailure: chance.is(0.8) ? "rollback" : "stop",
        notify: 0,
      },
    ]);
    return { specs: new Map(specs), pipeline: chance.is(0.7) };
  }

  /** The newest tree on the branch that can be read. */
  function current(): Tree {
    for (let at = repository.head() ?? lastGood; at !== undefined; at = repository.parent(at)) {
      const tree = repository.tree(at);
      if (tree.broken !== true && tree.specs.size > 0) return tree;
    }
    throw new Error("some tree is good");
  }

  function push(tree: Tree, onto?: Sha): void {
    lastGood = repository.push(tree, onto ?? repository.head() ?? lastGood);
  }

  function change(name: EnvironmentName, by: (spec: Spec) => Spec, tree = current()): Tree {
    const spec = tree.specs.get(name) ?? [...tree.specs.values()][0];
    if (spec === undefined) return tree;
    const { broken: _, ...whole } = spec;
    return { ...tree, specs: new Map(tree.specs).set(name, by(whole)) };
  }

  const anyone = (): EnvironmentName => chance.pick(shape.environments);
  const someSha = (): Sha =>
    chance.is(0.75) ? builds.add("by chance").sha : chance.pick(builds.commits.slice(-6)).sha;

  function bump(tree = current()): Tree {
    const sha = someSha();
    const names = chance.is(0.6) ? shape.environments : [anyone()];
    return names.reduce((made, name) => change(name, (spec) => ({ ...spec, sha }), made), tree);
  }

  const deeds: { readonly [Name in Deed]?: () => void } = {
    "push bump": () => push(bump()),
    "push revert": () => {
      const earlier = repository.parent(repository.head() ?? lastGood ?? ("" as Sha));
      const tree = earlier === undefined ? undefined : repository.tree(earlier);
      push(tree === undefined || tree.broken === true ? bump() : tree);
    },
    "push several commits at once": () => {
      const before = current();
      push(bump());
      if (chance.is(0.5)) push(before);
      push(bump());
    },
    "push hold": () => {
      const until = chance.is(0.5) ? { untilMs: timeline.nowMs() + chance.between(60_000, 900_000) } : {};
      push(
        change(
          anyone(),
          (spec) => ({ ...spec, hold: { reason: "freeze", ...until } }),
          chance.is(0.5) ? bump() : current(),
        ),
      );
    },
    "push unhold": () =>
      push(shape.environments.reduce((tree, name) => change(name, ({ hold: _, ...spec }) => spec, tree), current())),
    "push notify-only edit": () => {
      notify += 1;
      push(change(anyone(), (spec) => ({ ...spec, notify })));
    },
    "push count": () => push(change(anyone(), (spec) => ({ ...spec, count: chance.between(1, 4) }))),
    "push loosened policy with a bump": () => push({ ...bump(), pipeline: false }),
    "push broken manifest": () => push(change(anyone(), (spec) => ({ ...spec, broken: true }), bump())),
    "push broken application": () => push({ ...bump(), broken: true }),
    "push emptied folder": () => push({ ...current(), specs: new Map() }),
    "push removed environment": () => {
      const specs = new Map(current().specs);
      specs.delete(anyone());
      push({ ...current(), specs });
    },
    "push restored tree": () => push({ ...bump(), pipeline: true }),
    "force-push": () => {
      const head = repository.head();
      const base = head === undefined ? undefined : repository.parent(head);
      push(bump(), base === undefined ? undefined : (repository.parent(base) ?? base));
    },
    "branch gone": () => {
      repository.move(undefined);
      timeline.after(chance.between(60_000, 400_000), () => {
        if (repository.head() === undefined) repository.move(lastGood);
      });
    },
    "drift by hand: service": () => byHand(0),
    "foreign deployment in motion": () => {
      byHand(0);
      timeline.after(chance.between(2_000, 10_000), () => byHand(0));
    },
    "drift by hand: count": () => {
      const { cluster } = ground();
      cluster.update(chance.pick(shape.services) as ServiceName, { count: chance.between(1, 5) });
    },
    "drift by hand: page": () => {
      const pages = [...ground().pages.values()];
      const page = pages.length === 0 ? undefined : chance.pick(pages);
      const other = page === undefined ? undefined : chance.pick([...page.assets()]);
      if (other !== undefined) page?.putPage(other);
    },
    "artifact rebuilt": () => builds.rebuild(chance.pick(builds.commits.slice(-4))),
    outage: () => {
      const where = ground();
      where.outage = true;
      timeline.after(chance.between(60_000, 900_000), () => {
        where.outage = false;
      });
    },
    "nudge retry": () => nudge((control, name) => control.retry(`shop/${name}`, NUDGE)),
    "nudge repair": () => nudge((control, name) => control.repair(`shop/${name}`, NUDGE)),
    "nudge abort": () => nudge((control, name) => control.abort(`shop/${name}`, NUDGE)),
  };

  function ground() {
    const found = grounds.get(anyone());
    if (found === undefined) throw new Error("every environment has a ground");
    return found;
  }

  function byHand(commit: number): void {
    const { cluster } = ground();
    const service = chance.pick(shape.services) as ServiceName;
    const built = builds.resolve(`service/${service}`, builds.commits[commit]?.sha ?? ("" as Sha), undefined);
    if (built.state === "resolved") {
      cluster.update(service, { version: cluster.registerByHand(service, built.digest).arn });
    }
  }

  function nudge(by: (control: Control, name: EnvironmentName) => Promise<void>): void {
    const up = controllers().filter((one) => one.isUp() && one.engine() !== undefined);
    const engine = up.length === 0 ? undefined : chance.pick(up).engine();
    // A nudge that is refused is the answer people get.
    if (engine !== undefined) by(engine.control, anyone()).catch(() => undefined);
  }

  function answer(control: Control, status: EnvironmentStatus, retries: boolean): Promise<void> | undefined {
    const { id, why, code, state } = status;
    const count = (name: Deed, done: Promise<void>): Promise<void> => {
      tally.count(name);
      return done;
    };
    if (why.includes("lockstep adopt")) return count("nudge adopt", control.adopt(id, NUDGE));
    if (code === "journal-foreign") return count("nudge resolve", control.resolve(id, { kind: "adopt" }, NUDGE));
    if (code === "migration-unknown") return count("nudge resolve", resolveMigration(control, status));
    if (retries && (state === "failed" || state === "rolled-back")) {
      return count("nudge retry", control.retry(id, NUDGE));
    }
    return undefined;
  }

  /** A person looks into the database and says what is true. */
  async function resolveMigration(control: Control, { id, environment }: EnvironmentStatus): Promise<void> {
    const memory = controllers()
      .map((one) => one.engine()?.memory(id))
      .find((one) => one !== undefined);
    const head = repository.head();
    const desired =
      head === undefined ? undefined : repository.reading(head).environments.find((one) => one.id === id)?.environment;
    for (const migration of desired?.migrations ?? []) {
      const known = desired === undefined ? undefined : memory?.migrations.get(migrationKey(desired, migration));
      if (known?.state !== "unknown") continue;
      const applied = grounds.get(environment)?.tasks.applied.has(`${migration.name}@${migration.sha}`) === true;
      const outcome = applied ? "applied" : "not-applied";
      await control.resolve(id, { kind: "migration", migration: migration.name, outcome }, NUDGE);
    }
  }

  push(first());
  return {
    act() {
      const names = Object.keys(deeds) as readonly (keyof typeof deeds)[];
      const name = chance.is(0.35) ? "push bump" : chance.pick(names);
      tally.count(name);
      deeds[name]?.();
    },
    mend() {
      for (const where of grounds.values()) where.outage = false;
      const { sha } = builds.add("good");
      const specs = shape.environments.map((name): [EnvironmentName, Spec] => [
        name,
        { sha, drift: "repair", onFailure: "rollback", notify: 0 },
      ]);
      push({ specs: new Map(specs), pipeline: true });
    },
    follow(controller, retries) {
      const engine = controller.engine();
      if (engine === undefined || !controller.isUp()) return;
      const { control } = engine;
      const document = engine.status();
      for (const { halted, head } of document.repositories) {
        if (halted === undefined || head === undefined) continue;
        tally.count("nudge accept");
        control.accept(head, NUDGE).catch(() => undefined);
      }
      for (const status of document.environments) answer(control, status, retries)?.catch(() => undefined);
    },
  };
}
