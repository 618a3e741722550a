// `kill -9` of serve while a write of the page is held, the marker included: readers end with the whole new page.
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Killed, killAt, momentsOf, type Point } from "./support/kill.ts";

const marker = (application: string): string => `/acme-${application}-web-dev/.lockstep/site.json`;

const POINTS: readonly Point[] = [
  { step: "announce", operation: "s3:PutObject", mentions: marker, moments: ["before", "after"] },
  {
    step: "stage",
    operation: "s3:CopyObject",
    mentions: (name) => `acme-${name}-web-dev/assets/`,
    moments: ["before", "after"],
  },
  { step: "begin", operation: "s3:PutObject", mentions: marker, nth: 2 },
  // The first one finds that somebody else's page is there and has no effect; the second replaces it.
  { step: "publish", operation: "s3:CopyObject", mentions: (name) => `acme-${name}-web-dev/index.html`, nth: 2 },
  { step: "served", operation: "s3:PutObject", mentions: marker, nth: 3 },
  { step: "invalidate", operation: "cloudfront:CreateInvalidation", mentions: (_, distribution) => distribution },
  { step: "invalidated", operation: "s3:PutObject", mentions: marker, nth: 4 },
];

let killed: Killed | undefined;
beforeAll(async () => {
  killed = await killAt(POINTS, { migrate: "false" });
}, 120_000);
afterAll(() => killed?.account.close());

/** The life after the kill. */
function second(): Killed {
  if (killed === undefined) throw new Error("there was no second life");
  return killed;
}

describe.each(POINTS)("killed while $operation is held ($step)", (point) => {
  test.each(momentsOf(point).filter((moment) => moment !== "late"))(
    "%s its effect: one deployment, one page, the right end",
    (moment) => second().endedRight(point, moment),
  );
});

test.each(POINTS.filter((point) => momentsOf(point).includes("late")))(
  "$operation ($step) that takes effect only after the next life has finished: nothing of it shows",
  (point) => second().comesLate(point),
);
