// `kill -9` of serve at the first write of each step, before its effect and after it: one life ends, the next finishes.
import { ListServiceDeploymentsCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Account, type Held, openAccount } from "./support/account.ts";
import { accepted, references } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

/** Where a step's first write goes: operation, what its input mentions, and which of those it is. */
interface Point {
  readonly step: string;
  readonly operation: string;
  readonly mentions: (application: string, distribution: string) => string;
  readonly nth?: number;
}

const marker = (application: string): string => `/acme-${application}-web-dev/.lockstep/site.json`;

const POINTS: readonly Point[] = [
  { step: "migrate", operation: "ecs:RunTask", mentions: (name) => `${name}-dev` },
  { step: "register", operation: "ecs:RegisterTaskDefinition", mentions: (name) => `lockstep-${name}-dev-api` },
  { step: "deploy", operation: "ecs:UpdateService", mentions: (name) => `${name}-dev` },
  { step: "announce", operation: "s3:PutObject", mentions: marker },
  { step: "stage", operation: "s3:CopyObject", mentions: (name) => `acme-${name}-web-dev/assets/` },
  { step: "begin", operation: "s3:PutObject", mentions: marker, nth: 2 },
  { step: "publish", operation: "s3:CopyObject", mentions: (name) => `acme-${name}-web-dev/index.html` },
  { step: "served", operation: "s3:PutObject", mentions: marker, nth: 3 },
  { step: "invalidate", operation: "cloudfront:CreateInvalidation", mentions: (_, distribution) => distribution },
  { step: "invalidated", operation: "s3:PutObject", mentions: marker, nth: 4 },
];

/** `late`: held before its effect, and let go only when the next life has finished. */
const MOMENTS = ["before", "after", "late"] as const;

interface Case {
  readonly shop: Shop;
  readonly moment: (typeof MOMENTS)[number];
  readonly held: Held;
}

let account: Account;
let site: Site;
const cases = new Map<string, Case>();
const shas = new Map<string, string>();
const key = (point: Point, moment: string): string => `${point.step}-${moment}`;

beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "kill");
  const all = POINTS.flatMap((point) => MOMENTS.map((moment) => ({ point, moment })));
  await Promise.all(
    all.map(async ({ point, moment }) => {
      const shop = await site.shop(key(point, moment), { services: ["api"] });
      const sha = await shop.build();
      const match = point.mentions(shop.application, shop.distribution("dev"));
      const order = { operation: point.operation, match, ...(point.nth === undefined ? {} : { nth: point.nth }) };
      const held = await account.hold(order, moment === "after" ? "after" : "before");
      cases.set(key(point, moment), { shop, moment, held });
      shas.set(shop.application, sha);
    }),
  );
  for (const { shop } of cases.values()) await shop.bump("dev", shas.get(shop.application) ?? "");
  await site.controller.start();
  await Promise.all([...cases.values()].map(({ held }) => held.reached()));
  await site.controller.kill();
  const released = [...cases.values()].filter(({ moment }) => moment !== "late");
  await Promise.all(released.map(({ held }) => held.release()));
  await site.controller.start();
}, 120_000);
afterAll(() => account.close());

function caseOf(point: Point, moment: string): Case & { readonly sha: string } {
  const one = cases.get(key(point, moment));
  if (one === undefined) throw new Error(`no case ${key(point, moment)}`);
  return { ...one, sha: shas.get(one.shop.application) ?? "" };
}

/** The end state, by AWS and the CDN, and how it was reached. */
async function endedRight(shop: Shop, sha: string): Promise<void> {
  await site.controller.healthy(shop.id("dev"), sha);
  const calls = await shop.calls("dev");
  const tasks = accepted(calls, "ecs:RunTask").map(({ input }) => input["clientToken"]);
  expect(new Set(tasks).size, "one RunTask, however often its token was sent").toBe(1);
  const { api } = await shop.services("dev");
  expect(api.taskDefinition).toContain(`lockstep-${shop.application}-dev-api`);
  const { serviceDeployments = [] } = await account.ecs.send(
    new ListServiceDeploymentsCommand({ cluster: shop.cluster("dev"), service: "api" }),
  );
  expect(serviceDeployments, "what was found, and one deployment of ours").toHaveLength(2);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
  await until(`the page to show ${sha}`, async () => ((await shop.page("dev")).includes(sha) ? true : undefined));
  expect(new Set(references(calls)).size).toBeLessThanOrEqual(2);
}

describe.each(POINTS)("killed while $operation ($step) is held", (point) => {
  test.each(["before", "after"])("%s its effect: one migration, one deployment, the right end", async (moment) => {
    const { shop, sha } = caseOf(point, moment);
    await endedRight(shop, sha);
  });

  test("and the call takes effect only after the next life has finished: nothing of it shows", async () => {
    const { shop, sha, held } = caseOf(point, "late");
    await endedRight(shop, sha);
    await held.release();
    await site.controller.look(shop.cluster("dev"));
    await endedRight(shop, sha);
  });
});

test("in all these lives no migration ran twice", async () => {
  const started = accepted(await account.calls(), "ecs:RunTask").map(({ input }) => String(input["clientToken"]));
  expect(new Set(started).size).toBe(cases.size);
});
