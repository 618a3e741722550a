// Two environments: what runs in prod is byte for byte what was healthy in dev, and nothing gets there before.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { pushImages } from "./support/builds.ts";
import { isRead } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";

let account: Account;
let site: Site;
let shop: Shop;
let sha: string;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "promotion");
  shop = await site.shop("shop", {
    environments: ["dev", "prod"],
    services: ["api"],
    migrate: "false",
    lines: ["pipeline: [dev, prod]"],
  });
  sha = await shop.build();
  await site.controller.start();
});
afterAll(() => account.close());

async function imageOf(environment: string): Promise<string> {
  const { api } = await shop.services(environment);
  const { containerDefinitions = [] } = await shop.taskDefinition(api.taskDefinition);
  return containerDefinitions[0]?.image ?? "";
}

async function writes(environment: string, since: number): Promise<readonly unknown[]> {
  return (await shop.calls(environment)).filter((call) => call.sequence > since && !isRead(call));
}

test("prod waits for dev to be healthy on the SHA, makes no write until then, and follows by itself", async () => {
  const held = await account.hold({ operation: "ecs:UpdateService", match: shop.cluster("dev") }, "before");
  await site.repository.push("both at once", {
    [shop.path("dev")]: shop.manifest("dev", sha),
    [shop.path("prod")]: shop.manifest("prod", sha),
  });
  await held.reached();
  const status = await site.controller.sees("shop/prod", "waiting", ({ state }) => state === "waiting");
  expect(status.why).toContain(`${sha.slice(0, 7)} has not been healthy in dev`);
  const waited = await site.controller.run("wait", "prod", "--no-wait-gates");
  expect(waited.code).toBe(3);
  expect(await writes("prod", 0)).toEqual([]);
  await held.release();
  await site.controller.healthy("shop/dev", sha);
  await site.controller.healthy("shop/prod", sha);
  expect(await imageOf("prod")).toBe(await imageOf("dev"));
});

test("an image that was rebuilt under its tag since dev was healthy is refused, by name, with no write", async () => {
  const next = await shop.build();
  await shop.bump("dev", next);
  await site.controller.healthy("shop/dev", next);
  const proven = await imageOf("dev");
  await pushImages(account, "shop", next, { environment: { REBUILT: "yes" } });
  const since = await account.now();
  await shop.bump("prod", next);
  const status = await site.controller.sees("shop/prod", "blocked", ({ state }) => state === "blocked");
  expect(status.code).toBe("artifact-rebuilt");
  expect(status.why).toContain("service api");
  expect(status.why).toContain("was rebuilt since it was healthy");
  expect(status.why).toContain(proven.slice(proven.indexOf("@") + 1, proven.indexOf("@") + 20));
  expect((await site.controller.run("plan", "prod")).code).toBe(1);
  for (let look = 0; look < 3; look += 1) await site.controller.look(shop.cluster("prod"));
  expect(await writes("prod", since)).toEqual([]);
  // Pushing the proven bytes under the tag again is the way out.
  await pushImages(account, "shop", next, {});
  await site.controller.healthy("shop/prod", next);
  expect(await imageOf("prod")).toBe(proven);
});
