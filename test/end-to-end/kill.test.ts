// `kill -9` of serve while the first write of migration or deployment is held: one life ends, the next one finishes.
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Killed, killAt, momentsOf, type Point } from "./support/kill.ts";

const POINTS: readonly Point[] = [
  { step: "migrate", operation: "ecs:RunTask", mentions: (name) => `${name}-dev` },
  { step: "register", operation: "ecs:RegisterTaskDefinition", mentions: (name) => `lockstep-${name}-dev-api` },
  { step: "deploy", operation: "ecs:UpdateService", mentions: (name) => `${name}-dev` },
];

let killed: Killed | undefined;
beforeAll(async () => {
  killed = await killAt(POINTS, {});
}, 120_000);
afterAll(() => killed?.account.close());

/** The life after the kill. */
function second(): Killed {
  if (killed === undefined) throw new Error("there was no second life");
  return killed;
}

describe.each(POINTS)("killed while $operation is held", (point) => {
  test.each(momentsOf(point).filter((moment) => moment !== "late"))(
    "%s its effect: one migration, one deployment, the right end",
    (moment) => second().endedRight(point, moment),
  );
});

test.each(POINTS.filter((point) => momentsOf(point).includes("late")))(
  "$operation ($step) that takes effect only after the next life has finished: nothing of it shows",
  (point) => second().comesLate(point),
);
