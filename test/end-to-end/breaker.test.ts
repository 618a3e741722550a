// The circuit breaker of ECS put the old task definition back: failed, remembered over lives, and never tried by itself.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EnvironmentStatus } from "../../controller/core/status.ts";
import { type Account, openAccount } from "./support/account.ts";
import { accepted, isRead } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

let account: Account;
beforeAll(async () => {
  account = await openAccount();
});
afterAll(() => account.close());

const CRASHES = { environment: { CRASH_AFTER_MS: "1" } };
const LOOKS = 20;

interface Story {
  readonly site: Site;
  readonly shop: Shop;
  readonly good: string;
  readonly bad: string;
}

async function begun(name: string): Promise<Story> {
  const site = await openSite(account, name);
  const shop = await site.shop(name, { services: ["api"] });
  const [good, bad] = [await shop.build(), await shop.build(CRASHES)];
  await shop.bump("dev", good);
  await site.controller.start();
  await site.controller.healthy(shop.id("dev"), good);
  return { site, shop, good, bad };
}

const failed = ({ state }: EnvironmentStatus): boolean => state === "rolled-back" || state === "failed";

/** Twenty looks make not one write; what runs is the good SHA; Git still says the bad one. */
async function stays({ site, shop, good, bad }: Story): Promise<void> {
  const since = await account.now();
  for (let look = 0; look < LOOKS; look += 1) await site.controller.look(shop.cluster("dev"));
  const writes = (await shop.calls("dev")).filter((call) => call.sequence > since && !isRead(call));
  expect(writes).toEqual([]);
  const status = await site.controller.sees(shop.id("dev"), "failed", failed);
  expect(status).toMatchObject({ code: "deployment-failed", git: { sha: bad }, healthy: { sha: good } });
  expect(status.why).toContain(`Git still says ${bad.slice(0, 7)}`);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: good });
  expect(await shop.page("dev")).toContain(good);
}

test.concurrent("rolled back by ECS: failed with its reason, 20 looks and another life make no UpdateService, the next SHA works", async () => {
  const story = await begun("tripped");
  const { site, shop, bad } = story;
  await shop.bump("dev", bad);
  const status = await site.controller.sees(shop.id("dev"), "rolled back", failed);
  expect(status.why).toMatch(/circuit breaker/i);
  const { api } = await shop.services("dev");
  const { containerDefinitions = [] } = await shop.taskDefinition(api.taskDefinition);
  expect(api.deployments).toHaveLength(1);
  await stays(story);
  expect(accepted(await shop.calls("dev"), "ecs:UpdateService").length).toBeLessThanOrEqual(3);

  await site.controller.kill();
  await site.controller.start();
  await stays(story);
  expect((await shop.services("dev")).api.taskDefinition).toBe(api.taskDefinition);
  expect(containerDefinitions[0]?.image).toContain("@sha256:");

  const next = await shop.build();
  await shop.bump("dev", next);
  await site.controller.healthy(shop.id("dev"), next);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: next });
});

test.concurrent("rolled back by ECS while serve was down: the next life knows it has failed and makes no second attempt", async () => {
  const story = await begun("unseen");
  const { site, shop, bad } = story;
  const held = await account.hold({ operation: "ecs:UpdateService", match: shop.cluster("dev") }, "after");
  await shop.bump("dev", bad);
  await held.reached();
  await site.controller.kill();
  await held.release();
  const before = accepted(await shop.calls("dev"), "ecs:UpdateService");
  const own = String(before.at(-1)?.input["taskDefinition"]);
  await until("ECS to put the old task definition back", async () => {
    const { api } = await shop.services("dev");
    const primary = api.deployments?.[0];
    return primary?.taskDefinition !== own && primary?.rolloutState === "COMPLETED" ? true : undefined;
  });
  await site.controller.start();
  await site.controller.sees(shop.id("dev"), "failed", failed);
  await stays(story);
  const sent = accepted(await shop.calls("dev"), "ecs:UpdateService").map(({ input }) => input["taskDefinition"]);
  expect(sent.filter((taskDefinition) => taskDefinition === own)).toHaveLength(1);

  const next = await shop.build();
  await shop.bump("dev", next);
  await site.controller.healthy(shop.id("dev"), next);
});
