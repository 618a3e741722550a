// Between releases: what people change by hand, what they hold, and what they revert.
import { UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { isRead } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop, Wish } from "./support/shop.ts";
import { steady } from "./support/infrastructure.ts";

let account: Account;
let site: Site;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "drift");
  await site.repository.push("nothing yet", { "README.md": "# Operations\n" });
  await site.controller.start();
});
afterAll(() => account.close());

async function begun(name: string, wish: Wish = {}): Promise<{ shop: Shop; sha: string }> {
  const shop = await site.shop(name, { services: ["api"], migrate: "false" });
  const sha = await shop.build();
  await shop.bump("dev", sha, wish);
  await site.controller.healthy(shop.id("dev"), sha);
  return { shop, sha };
}

/** What somebody does in the console at night. */
async function byHand(shop: Shop, change: { taskDefinition?: string; desiredCount?: number }): Promise<void> {
  await account.ecs.send(new UpdateServiceCommand({ cluster: shop.cluster("dev"), service: "api", ...change }));
  await steady(account, shop.cluster("dev"), ["api"]);
}

const found = (shop: Shop): string => `iac-${shop.cluster("dev")}-api`;

async function writesOf(shop: Shop, since: number): Promise<readonly string[]> {
  const calls = (await shop.calls("dev")).filter((call) => call.sequence > since && !isRead(call));
  return calls.map(({ service, operation }) => `${service}:${operation}`);
}

test.concurrent("drift by hand is reported and left alone, until `lockstep repair` puts it back", async () => {
  const { shop, sha } = await begun("reported");
  const { api } = await shop.services("dev");
  const since = await account.now();
  await byHand(shop, { taskDefinition: found(shop) });
  const status = await site.controller.sees(shop.id("dev"), "drifted", ({ state }) => state === "drift");
  expect(status.why).toContain(found(shop));
  for (let look = 0; look < 3; look += 1) await site.controller.look(shop.cluster("dev"));
  expect(await writesOf(shop, since)).toEqual([]);
  expect((await site.controller.run("diff", shop.id("dev"), "--exit-code")).code).toBe(2);

  expect(await site.controller.run("repair", shop.id("dev"), "--reason", "seen")).toMatchObject({ code: 0 });
  await site.controller.healthy(shop.id("dev"), sha);
  expect((await shop.services("dev")).api.taskDefinition).toBe(api.taskDefinition);
  expect(await writesOf(shop, since)).toEqual(["ecs:UpdateService"]);
});

test.concurrent("with `drift: repair` it is put back without a word from anybody, and nothing else runs", async () => {
  const { shop, sha } = await begun("repaired", { lines: ["drift: repair"] });
  const { api } = await shop.services("dev");
  const since = await account.now();
  await byHand(shop, { taskDefinition: found(shop) });
  await site.controller.sees(
    shop.id("dev"),
    "repaired",
    ({ state, release }) => state === "healthy" && release?.kind === "repair",
  );
  await site.controller.healthy(shop.id("dev"), sha);
  expect((await shop.services("dev")).api.taskDefinition).toBe(api.taskDefinition);
  expect(await writesOf(shop, since)).toEqual(["ecs:UpdateService"]);
});

test.concurrent("a count that the manifest does not give belongs to whoever changes it; one that it gives is drift", async () => {
  const { shop, sha } = await begun("counted");
  await byHand(shop, { desiredCount: 2 });
  for (let look = 0; look < 3; look += 1) await site.controller.look(shop.cluster("dev"));
  expect((await site.controller.status(shop.id("dev")))?.state).toBe("healthy");
  await shop.bump("dev", sha, { api: { count: "1" } });
  await site.controller.sees(
    shop.id("dev"),
    "released",
    ({ state, release }) => state === "healthy" && release?.number === 2,
  );
  expect((await shop.services("dev")).api.desiredCount).toBe(1);
  await byHand(shop, { desiredCount: 2 });
  await site.controller.sees(shop.id("dev"), "drifted", ({ state }) => state === "drift");
});

test.concurrent("a hold stops a release from starting; when it goes, the release starts", async () => {
  const { shop } = await begun("held");
  const next = await shop.build();
  const since = await account.now();
  await shop.bump("dev", next, { lines: ['hold: { reason: "INC-4711: checkout errors" }'] });
  const status = await site.controller.sees(shop.id("dev"), "held", ({ state }) => state === "waiting");
  expect(status.why).toContain("INC-4711: checkout errors");
  expect((await site.controller.run("wait", shop.id("dev"), "--no-wait-gates")).code).toBe(3);
  expect(await writesOf(shop, since)).toEqual([]);
  await shop.bump("dev", next);
  await site.controller.healthy(shop.id("dev"), next);
});

test.concurrent("a revert of a commit that never ran changes nothing and is healthy at once", async () => {
  const { shop, sha } = await begun("reverted");
  const unbuilt = await site.repository.push("never built", {});
  const since = await account.now();
  const bump = await shop.bump("dev", unbuilt);
  const status = await site.controller.sees(shop.id("dev"), "blocked", ({ state }) => state === "blocked");
  expect(status.code).toBe("artifact-missing");
  await site.repository.revert(bump);
  await site.controller.healthy(shop.id("dev"), sha);
  expect(await writesOf(shop, since)).toEqual([]);
});
