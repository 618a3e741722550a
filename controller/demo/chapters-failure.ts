// What goes wrong on the way: a migration that fails, and a service that does not stay up.
import type { Told } from "../core/told.ts";
import type { Build } from "./builds.ts";
import { prove } from "./claim.ts";
import { bumped, chapter, pushed, runs, saidByPage, seven } from "./lines.ts";
import { fileOf, withSha } from "./manifests.ts";
import type { World } from "./world.ts";
import { idOf } from "./world.ts";

/** dev's migrations so far: of the first build, and of the second. */
const PASSED = 2;
const LOOKS = 3;

export async function* brokenMigration(world: World, good: Build): AsyncGenerator<Told> {
  const { eyes, builds } = world;
  yield chapter("Meanwhile in dev, a migration fails", "It is a hard gate: nothing else changes.");
  const before = await eyes.deployments("dev", "api");
  const build = await builds.make("migration");
  const commit = await world.edit("dev", `dev: ${seven(build.sha)}`, (text) => withSha(text, build.sha));
  yield bumped(commit, "dev", build.sha);
  yield* prove(
    {
      sentence: "the migration task exited 1, and CloudWatch has its last words",
      expected: "a stopped task with exit code 1, and its error in the log",
      environment: idOf("dev"),
      look: () => Promise.all([eyes.migrations("dev", PASSED + 1, 1), eyes.migrationLog("dev", "ERROR")]),
    },
    world,
  );
  yield* prove(
    {
      sentence: `nothing else changed: dev still runs ${seven(good.sha)}, and the page says why`,
      expected: "the services, deployments and page from before",
      environment: idOf("dev"),
      look: async () => {
        const now = await eyes.deployments("dev", "api");
        return [
          await eyes.services("dev", good),
          {
            by: "aws ecs list-service-deployments --cluster dev --service api",
            found: `${now.length}, as before`,
            holds: now.length === before.length,
          },
          await eyes.page("dev", good.sha),
          await saidByPage(world, "dev", /^failed: .*Git still says/),
        ];
      },
    },
    world,
  );
}

export async function* crashLoop(world: World, good: Build): AsyncGenerator<Told> {
  const { eyes, builds } = world;
  yield chapter(
    "Next try: a service crash-loops",
    "ECS puts the old one back; Lockstep counts that as what it is, a failure.",
  );
  const taskDefinition = await eyes.taskDefinition("dev", "api");
  const before = await eyes.deployments("dev", "api");
  const build = await builds.make("crash");
  const commit = await world.edit("dev", `dev: ${seven(build.sha)}`, (text) => withSha(text, build.sha));
  yield bumped(commit, "dev", build.sha);
  yield* prove(
    {
      sentence: "the circuit breaker opened and put the old task definition back",
      expected: "the newest service deployment ROLLBACK_SUCCESSFUL, and the task definition from before",
      environment: idOf("dev"),
      look: async () => {
        const [newest, ...older] = await eyes.deployments("dev", "api");
        const why = newest?.rollback?.reason ?? newest?.statusReason ?? "no reason";
        return [
          {
            by: "aws ecs list-service-deployments --cluster dev --service api, aws ecs describe-service-deployments",
            found: `${newest?.status ?? "none"}: ${why}`,
            holds: newest?.status === "ROLLBACK_SUCCESSFUL" && older.length === before.length,
          },
          await eyes.runs("dev", "api", taskDefinition),
        ];
      },
    },
    world,
  );
  yield* prove(
    {
      sentence: `dev is whole again on ${seven(good.sha)}, and nobody pretends: Git ≠ live is said`,
      expected: "services and page from before, and a status that says that Git says something else",
      environment: idOf("dev"),
      look: async () => [
        await eyes.services("dev", good),
        await eyes.page("dev", good.sha),
        await saidByPage(world, "dev", /^rolled-back: .*Git still says/),
      ],
    },
    world,
  );
  const rested = await eyes.deployments("dev", "api");
  const looked = await world.looks("dev", LOOKS);
  yield* prove(
    {
      sentence: "the failure is remembered: three looks later nothing was tried again",
      expected: `no new deployment after ${LOOKS} looks`,
      environment: idOf("dev"),
      deadlineMs: 0,
      look: async () => {
        const now = await eyes.deployments("dev", "api");
        const last = now[0]?.serviceDeploymentArn?.split("/").at(-1);
        return [
          {
            by: "aws ecs list-service-deployments --cluster dev --service api",
            found: `${now.length}, the newest still ${last}, after ${looked} looks`,
            holds: now.length === rested.length && looked >= LOOKS,
          },
        ];
      },
    },
    world,
  );
  const back = await world.edit("dev", `dev: back to ${seven(good.sha)}`, (text) => withSha(text, good.sha));
  yield pushed(back, `${fileOf("dev")} says ${seven(good.sha)} again`);
  yield* prove(
    {
      ...runs(world, "dev", good),
      sentence: "Git and live agree again",
      look: async () => [
        await eyes.services("dev", good),
        await eyes.version("dev", good.sha),
        await saidByPage(world, "dev", /^healthy/),
      ],
    },
    world,
  );
}
