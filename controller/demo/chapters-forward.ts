// How a SHA goes forward: three environments converge, then one build is promoted through them by commits.
import type { ServiceDeployment } from "@aws-sdk/client-ecs";
import type { Told } from "../core/told.ts";
import type { Build } from "./builds.ts";
import type { Claim } from "./claim.ts";
import { prove } from "./claim.ts";
import { clockTime } from "./evidence.ts";
import { bumped, chapter, pushed, runs, seven } from "./lines.ts";
import { APPLICATION_FILE, ENVIRONMENTS, fileOf, withPipeline, withSha } from "./manifests.ts";
import type { World } from "./world.ts";
import { idOf } from "./world.ts";

export async function* opening(world: World): AsyncGenerator<Told> {
  const { account, clients, controller, repository } = world;
  yield chapter(
    "Before we begin",
    "An AWS account on this machine, a Git repository, and the controller between them.",
  );
  yield* prove(
    {
      sentence: "a shop runs in three environments, put there by an older pipeline",
      expected: `clusters ${ENVIRONMENTS.join(", ")} in account ${account.id}`,
      look: async () => {
        const { Account } = await clients.sts.getCallerIdentity({});
        const { clusters = [] } = await clients.ecs.describeClusters({ clusters: [...ENVIRONMENTS] });
        const names = clusters.map((one) => `${one.clusterName}: ${one.activeServicesCount} services`);
        return [
          { by: "aws sts get-caller-identity", found: `account ${Account}`, holds: Account === account.id },
          {
            by: `aws ecs describe-clusters --clusters ${ENVIRONMENTS.join(" ")}`,
            found: names.join(", "),
            holds: names.length === ENVIRONMENTS.length,
          },
        ];
      },
    },
    world,
  );
  yield* prove(
    {
      sentence: "the controller watches the repository",
      expected: "readiness 200 once the branch was read",
      look: async () => {
        const url = `${controller.address}/readyz`;
        const [head, ready] = await Promise.all([repository.head(), fetch(url)]);
        return [
          { by: `git ls-remote ${repository.bare} main`, found: head, holds: head !== "" },
          { by: `GET ${url}`, found: String(ready.status), holds: ready.status === 200 },
        ];
      },
    },
    world,
  );
}

/** Answers the build that every environment then runs. */
export async function* contact(world: World): AsyncGenerator<Told, Build> {
  const { repository, builds, controller } = world;
  yield chapter(
    "Three environments converge",
    "Git says one SHA for all of them; migrations, services and pages follow.",
  );
  const build = await builds.make();
  const { sha } = build;
  const commit = await repository.push(`Say what runs where: ${seven(sha)}`, world.wishes(sha));
  controller.control.look();
  yield pushed(commit, `environments/{${ENVIRONMENTS.join(",")}}.yaml say sha: ${seven(sha)}`);
  for (const environment of ENVIRONMENTS) yield* prove(runs(world, environment, build), world);
  yield* prove(
    {
      sentence: "each environment's migration ran once, before its services",
      expected: "one stopped task per environment with exit code 0",
      look: () => Promise.all(ENVIRONMENTS.map((environment) => world.eyes.migrations(environment, 1, 0))),
    },
    world,
  );
  return build;
}

interface Promotion {
  readonly build: Build;
  /** The commit that took it to prod. */
  readonly promoted: string;
}

export async function* promotion(world: World): AsyncGenerator<Told, Promotion> {
  const { repository, builds } = world;
  yield chapter(
    "Promotion is a commit",
    "dev, then staging, then prod: an environment takes what is healthy before it.",
  );
  const build = await builds.make();
  const { sha } = build;
  const dev = await repository.push(`dev: ${seven(sha)}`, {
    [APPLICATION_FILE]: withPipeline(await repository.read(APPLICATION_FILE)),
    [fileOf("dev")]: withSha(await repository.read(fileOf("dev")), sha),
  });
  world.controller.control.look();
  yield bumped(dev, "dev", sha);
  yield* prove(runs(world, "dev", build), world);

  const staging = await world.edit("staging", `staging: ${seven(sha)}`, (text) => withSha(text, sha));
  yield bumped(staging, "staging", sha);
  const promoted = await world.edit("prod", `prod: ${seven(sha)}`, (text) => withSha(text, sha));
  yield bumped(promoted, "prod", sha);
  // dev goes on to other things below; what it passed counts as soon as staging has begun.
  yield* prove(
    {
      sentence: "staging takes it at once, for dev is healthy on it",
      expected: "a second migration task in staging",
      environment: idOf("staging"),
      look: async () => [await world.eyes.migrationsBegun("staging", 2), await world.eyes.migrationsBegun("prod", 1)],
      hopeless: () => world.hopeless("staging", sha),
    },
    world,
  );
  return { build, promoted };
}

export async function* arrival(world: World, build: Build): AsyncGenerator<Told> {
  yield chapter("The promotion arrives", "What goes wrong in dev does not reach them.");
  yield* prove(runs(world, "staging", build), world);
  yield* prove(runs(world, "prod", build), world);
  yield* prove(order(world), world);
}

/** The gate, as AWS's own times show it. */
function order(world: World): Claim {
  const newest = async (environment: string): Promise<ServiceDeployment | undefined> =>
    (await world.eyes.deployments(environment, "api"))[0];
  return {
    sentence: "prod had waited until staging was done",
    expected: "the deployment in prod to begin after the one in staging had ended",
    environment: idOf("prod"),
    look: async () => {
      const [staging, prod] = [await newest("staging"), await newest("prod")];
      const holds = Number(prod?.createdAt) > Number(staging?.finishedAt);
      const by = (environment: string): string =>
        `aws ecs list-service-deployments --cluster ${environment} --service api`;
      return [
        { by: by("staging"), found: `${staging?.status} at ${clockTime(staging?.finishedAt)}`, holds },
        { by: by("prod"), found: `created at ${clockTime(prod?.createdAt)}`, holds },
      ];
    },
  };
}
