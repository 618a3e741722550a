// The first round of a run: one crash or lost answer at one write, brought about on purpose, so that numbered seeds go round all.
import type { EnvironmentName, Sha } from "../../../controller/core/brand.ts";
import type { SourceCommit } from "../builds.ts";
import type { People } from "../people.ts";
import type { Spec } from "../repository.ts";
import type { WireController } from "./controller.ts";
import { AWS_WRITES, type AwsWrite } from "./operations.ts";
import type { WireScene } from "./scene.ts";

export interface Stage {
  readonly scene: WireScene;
  readonly people: People;
  readonly controllers: () => readonly WireController[];
  readonly broken: () => boolean;
  revive(): Promise<void>;
}

const MINUTE_MS = 60_000;
const HITS_MINUTES = 8;
const HOWS = ["crash before", "crash after", "lost answer"] as const;

/** Which write, and what becomes of it: 24 numbers in a row leave none out. */
export async function directed(stage: Stage): Promise<void> {
  const { scene } = stage;
  const number = Number(/(\d+)$/.exec(scene.seed)?.[1] ?? scene.chance.below(AWS_WRITES.length * HOWS.length));
  const at = AWS_WRITES[number % AWS_WRITES.length];
  const how = HOWS[Math.floor(number / AWS_WRITES.length) % HOWS.length];
  if (at === undefined || how === undefined) return;
  const target = await prepared(stage, at);
  const [one] = stage.controllers();
  if (one === undefined) return;
  const { wire } = one;
  if (how === "lost answer") wire.aim = { at, fault: "after" };
  else wire.crash = { at, side: how === "crash before" ? "before" : "after" };
  scene.tally.count(how === "lost answer" ? "aimed fault" : "crash");
  release(scene, target.sha);
  await until(stage, () => wire.life.dead || (wire.aim === undefined && wire.crash === undefined));
  await stage.revive();
}

/** Brings about what the write needs, and answers what is to be released. */
async function prepared(stage: Stage, at: AwsWrite): Promise<SourceCommit> {
  const { scene } = stage;
  const { builds, containers, timeline } = scene;
  const good = (): SourceCommit => builds.add("good");
  if (at === "ecs:StopTask") {
    const commit = good();
    containers.hangs.add(commit.sha);
    return commit;
  }
  if (at === "cloudfront:CreateInvalidation") {
    const first = good();
    await released(stage, first);
    await released(stage, good());
    return first;
  }
  if (at === "s3:DeleteObjects") {
    for (let count = 0; count < 3; count += 1) await released(stage, good());
    // Whatever was published within a day stays.
    await timeline.run(timeline.nowMs() + MINUTE_MS);
    scene.tally.count("down 25 hours");
    for (const { wire } of stage.controllers()) wire.life.dead = true;
    await timeline.run(timeline.nowMs() + 25 * 60 * MINUTE_MS);
    await stage.revive();
  }
  return good();
}

async function released(stage: Stage, { sha }: SourceCommit): Promise<void> {
  const { watch, shape } = stage.scene;
  release(stage.scene, sha);
  const [first = ""] = shape.environments;
  await until(stage, () => watch.chronicleOf(first).passed?.sha === sha && watch.chronicleOf(first).open === undefined);
}

/** Lets time pass until it is so, or for a while; people do what the status asks for. */
async function until({ scene, people, controllers, broken }: Stage, isSo: () => boolean): Promise<void> {
  const { timeline } = scene;
  const stop = (): boolean => broken() || isSo();
  for (let minutes = 0; minutes < HITS_MINUTES && !stop(); minutes += 1) {
    for (const one of controllers()) people.follow(one, false);
    await timeline.run(timeline.nowMs() + MINUTE_MS, stop);
  }
}

/** Git asks for this commit in every environment at once. */
export function release({ repository, shape }: WireScene, sha: Sha): void {
  const specs = shape.environments.map((name): [EnvironmentName, Spec] => [
    name,
    { sha, drift: "repair", onFailure: "rollback", notify: 0 },
  ]);
  repository.push({ specs: new Map(specs), pipeline: false });
}
