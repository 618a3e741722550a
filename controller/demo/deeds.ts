// What a person can do by a key: each is a commit or a call by hand; what comes of it, the controller tells.
import type { Told } from "../core/told.ts";
import type { Flaw } from "./builds.ts";
import { revision } from "./evidence.ts";
import { bumped, pushed, seven } from "./lines.ts";
import {
  APPLICATION_FILE,
  ENVIRONMENTS,
  fileOf,
  isHeld,
  withHold,
  withoutHold,
  withPipeline,
  withSha,
} from "./manifests.ts";
import type { EnvironmentWord } from "./manifests.ts";
import type { World } from "./world.ts";

type Deed = "begin" | "promote" | "migration" | "crash" | "drift" | "hold" | "revert";

const DEEDS: { readonly [Name in Deed]: (world: World) => AsyncGenerator<Told> } = {
  begin,
  promote,
  migration: (world) => release(world, "migration"),
  crash: (world) => release(world, "crash"),
  drift,
  hold,
  revert,
};

export function perform(world: World, deed: Deed): AsyncGenerator<Told> {
  return DEEDS[deed](world);
}

const BEGINNING = "Say what runs where";

async function* begin(world: World): AsyncGenerator<Told> {
  const { builds, repository, controller } = world;
  const { sha } = await builds.make();
  const application = withPipeline(await repository.read(APPLICATION_FILE));
  const commit = await repository.push(BEGINNING, { [APPLICATION_FILE]: application, ...world.wishes(sha) });
  controller.control.look();
  yield pushed(commit, `environments/{${ENVIRONMENTS.join(",")}}.yaml say sha: ${seven(sha)}`);
}

/** One environment further for what is healthy; when every environment has it, a new build for dev. */
async function* promote(world: World): AsyncGenerator<Told> {
  for (const [from, to] of [
    ["dev", "staging"],
    ["staging", "prod"],
  ] as const) {
    const one = world.status(from);
    const sha = one?.state === "healthy" ? one.healthy?.sha : undefined;
    if (sha === undefined || (await world.wanted(to)) === sha) continue;
    const commit = await world.edit(to, `${to}: ${seven(sha)}`, (text) => withSha(text, sha));
    yield bumped(commit, to, sha);
    return;
  }
  yield* release(world, "none");
}

async function* release(world: World, flaw: Flaw): AsyncGenerator<Told> {
  const { sha } = await world.builds.make(flaw);
  const commit = await world.edit("dev", `dev: ${seven(sha)}`, (text) => withSha(text, sha));
  yield bumped(commit, "dev", sha);
}

async function* drift({ clients, controller }: World): AsyncGenerator<Told> {
  const environment: EnvironmentWord = "staging";
  const taskDefinition = `shop-api-${environment}`;
  const { service } = await clients.ecs.updateService({ cluster: environment, service: "api", taskDefinition });
  controller.control.look();
  const by = `aws ecs update-service --cluster ${environment} --service api --task-definition ${taskDefinition}`;
  yield { kind: "deed", text: `somebody puts ${revision(service?.taskDefinition)} into ${environment}`, by };
}

async function* hold(world: World): AsyncGenerator<Told> {
  const held = isHeld(await world.repository.read(fileOf("staging")));
  const commit = await world.edit("staging", held ? "staging: go on" : "staging: hold, INC-4711", (text) =>
    held ? withoutHold(text) : withHold(text, "INC-4711: checkout errors"),
  );
  yield pushed(commit, `${fileOf("staging")} ${held ? "has no hold any more" : "has a hold: INC-4711"}`);
}

/** The last commit that changed what runs; the first one has nothing before it. */
async function* revert({ repository, controller }: World): AsyncGenerator<Told> {
  const last = await repository.last(ENVIRONMENTS.map(fileOf));
  if (last === undefined || last.message === BEGINNING) {
    yield { kind: "deed", text: "nothing was changed yet, so there is nothing to revert", by: "git log environments" };
    return;
  }
  const commit = await repository.revert(last.sha);
  controller.control.look();
  yield pushed(commit, `git revert ${seven(last.sha)} (${last.message})`);
}
