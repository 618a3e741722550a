// The circuit breaker of ECS put the old task definition back: failed, remembered over lives, and never tried by itself.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EnvironmentStatus } from "../../controller/core/status.ts";
import { type Account, openAccount } from "./support/account.ts";
import { accepted, isRead, tally } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

const CRASHES = { environment: { CRASH_AFTER_MS: "1" } };
const LOOKS = 20;

interface Story {
  readonly shop: Shop;
  readonly good: string;
  readonly bad: string;
}

let account: Account;
let site: Site;
/** Rolled back while the controller looked on, and while it was down. */
let seen: Story;
let unseen: Story;

async function begun(name: string): Promise<Story> {
  const shop = await site.shop(name, { services: ["api"], migrate: "false" });
  const [good, bad] = [await shop.build(), await shop.build(CRASHES)];
  await shop.bump("dev", good);
  return { shop, good, bad };
}

beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "breaker");
  [seen, unseen] = await Promise.all([begun("watched"), begun("unseen")]);
  await site.controller.start();
  for (const { shop, good } of [seen, unseen]) await site.controller.healthy(shop.id("dev"), good);
});
afterAll(() => account.close());

const failed = ({ state }: EnvironmentStatus): boolean => state === "rolled-back" || state === "failed";

/** Task definitions that were sent to the service, oldest first. */
async function sent({ shop }: Story): Promise<readonly unknown[]> {
  const updates = accepted(await shop.calls("dev"), "ecs:UpdateService");
  return updates.map(({ input }) => input["taskDefinition"]);
}

/** Twenty looks make not one write; what runs is the good SHA; Git still says the bad one. */
async function stays({ shop, good, bad }: Story): Promise<void> {
  const since = await account.now();
  for (let look = 0; look < LOOKS; look += 1) await site.controller.look(shop.cluster("dev"));
  const writes = (await shop.calls("dev")).filter((call) => call.sequence > since && !isRead(call));
  expect(tally(writes)).toEqual({});
  const status = await site.controller.sees(shop.id("dev"), "failed", failed);
  expect(status).toMatchObject({ code: "deployment-failed", git: { sha: bad }, healthy: { sha: good } });
  expect(status.why).toContain(`Git still says ${bad.slice(0, 7)}`);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: good });
  expect(await shop.page("dev")).toContain(good);
}

test("rolled back by ECS: failed with its reason, and 20 further looks make no UpdateService", async () => {
  const { shop, bad } = seen;
  await shop.bump("dev", bad);
  const status = await site.controller.sees(shop.id("dev"), "rolled back", failed);
  expect(status.why).toMatch(/circuit breaker/i);
  await stays(seen);
  const definitions = await sent(seen);
  expect(definitions.filter((one) => one === definitions[1])).toHaveLength(1);
  expect((await shop.services("dev")).api).toMatchObject({ taskDefinition: definitions[0], deployments: [{}] });
});

describe("after a life in which ECS rolled another one back unseen", () => {
  let own: unknown;

  beforeAll(async () => {
    const { shop, bad } = unseen;
    const held = await account.hold({ operation: "ecs:UpdateService", match: shop.cluster("dev") }, "after");
    await shop.bump("dev", bad);
    await held.reached();
    await site.controller.kill();
    await held.release();
    own = (await sent(unseen)).at(-1);
    await until("ECS to put the old task definition back", async () => {
      const primary = (await shop.services("dev")).api.deployments?.[0];
      return primary?.taskDefinition !== own && primary?.rolloutState === "COMPLETED" ? true : undefined;
    });
    await site.controller.start();
  });

  test("the next life knows that it has failed, and makes no second attempt", async () => {
    await site.controller.sees(unseen.shop.id("dev"), "failed", failed);
    await stays(unseen);
    expect((await sent(unseen)).filter((one) => one === own)).toHaveLength(1);
  });

  test("what had failed before stays failed, with 20 more looks", () => stays(seen));

  test("the next SHA works in both", async () => {
    const next = await Promise.all(
      [seen, unseen].map(async ({ shop }) => {
        const sha = await shop.build();
        await shop.bump("dev", sha);
        return { shop, sha };
      }),
    );
    for (const { shop, sha } of next) {
      await site.controller.healthy(shop.id("dev"), sha);
      expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
    }
  });
});
