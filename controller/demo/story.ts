// The story: what a team does in a week, told in a minute, each sentence checked against AWS and the CDN.
import type { Told } from "../core/told.ts";
import { arrival, contact, opening, promotion } from "./chapters-forward.ts";
import { brokenMigration, crashLoop } from "./chapters-failure.ts";
import { afterHold, drift, hold, revert } from "./chapters-daily.ts";
import type { Chapter, Plot } from "./plot.ts";
import type { World } from "./world.ts";

const CHAPTERS: readonly Chapter[] = [
  opening,
  contact,
  promotion,
  brokenMigration,
  crashLoop,
  arrival,
  hold,
  drift,
  afterHold,
  revert,
];

/** Ends at the first line that is untrue. */
export async function* tell(world: World): AsyncGenerator<Told> {
  const startedMs = world.clock.monotonicMs();
  const plot: Plot = { first: world.found, second: world.found, promoted: "", third: world.found };
  let lines = 0;
  for (const chapter of CHAPTERS) {
    for await (const told of chapter(world, plot)) {
      yield told;
      if (told.kind === "untrue") return;
      if (told.kind === "true") lines += 1;
    }
  }
  yield { kind: "end", lines, tookMs: Math.round(world.clock.monotonicMs() - startedMs) };
}
