// `kill -9` of serve while the first write of migration or deployment is held: one life ends, the next one finishes.
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Killed, killAt, type Point } from "./support/kill.ts";

const POINTS: readonly Point[] = [
  { step: "migrate", operation: "ecs:RunTask", mentions: (name) => `${name}-dev` },
  { step: "register", operation: "ecs:RegisterTaskDefinition", mentions: (name) => `lockstep-${name}-dev-api` },
  { step: "deploy", operation: "ecs:UpdateService", mentions: (name) => `${name}-dev` },
];

let killed: Killed;
beforeAll(async () => {
  killed = await killAt(POINTS, {});
}, 120_000);
afterAll(() => killed.account.close());

describe.each(POINTS)("killed while $operation is held", (point) => {
  test.each(["before", "after"] as const)("%s its effect: one migration, one deployment, the right end", (moment) =>
    killed.endedRight(point, moment),
  );

  test("and the call takes effect only after the next life has finished: nothing of it shows", () =>
    killed.comesLate(point));
});
