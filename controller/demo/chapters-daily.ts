// The days after: somebody's hand in the console, an incident that stops releases, and a change of mind.
import type { Told } from "../core/told.ts";
import type { Build } from "./builds.ts";
import { prove } from "./claim.ts";
import { clockTime, revision } from "./evidence.ts";
import { bumped, chapter, pushed, runs, saidByPage, seven } from "./lines.ts";
import { fileOf, withHold, withoutHold, withSha } from "./manifests.ts";
import type { World } from "./world.ts";
import { idOf } from "./world.ts";

export async function* drift(world: World): AsyncGenerator<Told> {
  const { eyes, clients } = world;
  yield chapter("Meanwhile, somebody's hand", "The console is still there. staging reports drift, prod repairs it.");
  const ours = { staging: await eyes.taskDefinition("staging", "api"), prod: await eyes.taskDefinition("prod", "api") };
  const foreign: Record<string, string> = {};
  for (const environment of ["staging", "prod"] as const) {
    const family = `shop-api-${environment}`;
    const update = { cluster: environment, service: "api", taskDefinition: family };
    const { service } = await clients.ecs.updateService(update);
    foreign[environment] = service?.taskDefinition ?? "";
    const by = `aws ecs update-service --cluster ${environment} --service api --task-definition ${family}`;
    yield {
      kind: "deed",
      text: `somebody puts the old pipeline's ${revision(foreign[environment])} into ${environment}`,
      by,
    };
  }
  world.controller.control.look();
  yield* prove(
    {
      sentence: "staging is left as it is, and said to have drifted",
      expected: `task definition ${revision(foreign["staging"])}, and drift on the page`,
      environment: idOf("staging"),
      look: async () => [
        await eyes.runs("staging", "api", foreign["staging"] ?? ""),
        await saidByPage(world, "staging", /^drift: /),
      ],
    },
    world,
  );
  yield* prove(
    {
      sentence: "prod is put back to what Git says, by a release of its own",
      expected: `task definition ${revision(ours.prod)} again`,
      environment: idOf("prod"),
      look: async () => [await eyes.runs("prod", "api", ours.prod), await saidByPage(world, "prod", /^healthy/)],
    },
    world,
  );
  await world.controller.control.repair(idOf("staging"), { actor: "demo", reason: "the hand was a mistake" });
  yield { kind: "deed", text: "a person decides that staging shall be repaired too", by: "lockstep repair staging" };
  yield* prove(
    {
      sentence: "staging is put back as well",
      expected: `task definition ${revision(ours.staging)} again`,
      environment: idOf("staging"),
      look: async () => [await eyes.runs("staging", "api", ours.staging)],
    },
    world,
  );
}

/** Answers the build that waited, and goes when the hold is gone. */
export async function* hold(world: World, good: Build): AsyncGenerator<Told, Build> {
  const { eyes, builds } = world;
  yield chapter("Hold", "An incident: nothing may start in dev until it is over.");
  const held = await world.edit("dev", "dev: hold, INC-4711", (text) => withHold(text, "INC-4711: checkout errors"));
  yield pushed(held, `${fileOf("dev")} has a hold: INC-4711: checkout errors`);
  const waiting = await builds.make();
  const { sha } = waiting;
  const commit = await world.edit("dev", `dev: ${seven(sha)}`, (text) => withSha(text, sha));
  yield bumped(commit, "dev", sha);
  await world.looks("dev", 2);
  yield* prove(
    {
      sentence: `the bump waits: dev still runs ${seven(good.sha)}`,
      expected: `images of ${seven(good.sha)}, and a status that names the hold`,
      environment: idOf("dev"),
      look: async () => [
        await eyes.services("dev", good),
        await saidByPage(world, "dev", /^waiting: on hold: INC-4711/),
      ],
    },
    world,
  );
  const removed = await world.edit("dev", "dev: INC-4711 is over", withoutHold);
  yield pushed(removed, `${fileOf("dev")} has no hold any more`);
  return waiting;
}

export async function* afterHold(world: World, waiting: Build): AsyncGenerator<Told> {
  yield chapter("After the hold", "What waited goes by itself.");
  yield* prove(runs(world, "dev", waiting), world);
}

/** prod's migrations so far: of the first build, and of the second. */
const MIGRATIONS = 2;

interface Reversal {
  /** The commit that is reverted. */
  readonly promoted: string;
  /** The build that ran before it. */
  readonly back: Build;
}

export async function* revert(world: World, { promoted, back }: Reversal): AsyncGenerator<Told> {
  const { eyes, repository, controller } = world;
  yield chapter("Revert", "Going back is a commit too: the page moves before the API, and no migration runs.");
  const commit = await repository.revert(promoted);
  controller.control.look();
  yield pushed(commit, `git revert ${seven(promoted)}: ${fileOf("prod")} says ${seven(back.sha)} again`);
  yield* prove(runs(world, "prod", back), world);
  yield* prove(
    {
      sentence: "the page moved before the API did",
      expected: "an invalidation older than the deployment",
      environment: idOf("prod"),
      look: async () => {
        const { at, by, id } = await eyes.invalidated("prod");
        const deployment = (await eyes.deployments("prod", "api"))[0];
        const holds = Number(at) < Number(deployment?.createdAt);
        return [
          { by, found: `${id} created at ${clockTime(at)}`, holds },
          {
            by: "aws ecs list-service-deployments --cluster prod --service api",
            found: `the newest created at ${clockTime(deployment?.createdAt)}`,
            holds,
          },
        ];
      },
    },
    world,
  );
  yield* prove(
    {
      sentence: "no migration ran on the way back",
      expected: `${MIGRATIONS} migration tasks, as before`,
      environment: idOf("prod"),
      look: async () => [await eyes.migrations("prod", MIGRATIONS, 0)],
    },
    world,
  );
}
