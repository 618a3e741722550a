// The story: what a team does in a week, told in a minute, each sentence checked against AWS and the CDN.
import type { Told } from "../core/told.ts";
import { afterHold, drift, hold, revert } from "./chapters-daily.ts";
import { brokenMigration, crashLoop } from "./chapters-failure.ts";
import { arrival, contact, opening, promotion } from "./chapters-forward.ts";
import type { World } from "./world.ts";

/** Ends at the first line that is untrue. */
export async function* tell(world: World): AsyncGenerator<Told> {
  const startedMs = world.clock.monotonicMs();
  let lines = 0;
  for await (const told of week(world)) {
    yield told;
    if (told.kind === "untrue") return;
    if (told.kind === "true") lines += 1;
  }
  yield { kind: "end", lines, tookMs: Math.round(world.clock.monotonicMs() - startedMs) };
}

/** What takes its time elsewhere goes on while dev is told about. */
async function* week(world: World): AsyncGenerator<Told> {
  yield* opening(world);
  const first = yield* contact(world);
  const { build, promoted } = yield* promotion(world);
  yield* brokenMigration(world, build);
  yield* crashLoop(world, build);
  yield* arrival(world, build);
  const waiting = yield* hold(world, build);
  yield* drift(world);
  yield* afterHold(world, waiting);
  yield* revert(world, { promoted, back: first });
}
