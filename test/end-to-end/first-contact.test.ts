// First contact with services that run already: nothing is written until a person says so.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { isRead } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";

let account: Account;
let site: Site;
let shop: Shop;
let sha: string;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "contact", { variables: { LOCKSTEP_ADOPT: "ask" } });
  shop = await site.shop("shop", { environments: ["prod"], services: ["api"] });
  sha = await shop.build();
  await shop.bump("prod", sha);
  await site.controller.start();
});
afterAll(() => account.close());

const waits = ({ state, why }: { state: string; why: string }): boolean =>
  state === "waiting" && why.startsWith("first contact");

async function writes(): Promise<readonly unknown[]> {
  return (await account.calls()).filter((call) => !isRead(call));
}

test("what runs and what Git says are named, and not one write call is made", async () => {
  const status = await site.controller.sees("shop/prod", "waiting", waits);
  expect(status.why).toContain("iac-shop-prod-api:1");
  expect(status.why).toContain(`Git says ${sha.slice(0, 7)}`);
  expect(status.why).toContain("lockstep adopt shop/prod");
  for (let look = 0; look < 5; look += 1) await site.controller.look("shop-prod");
  expect(await writes()).toEqual([]);
});

test("`wait --no-wait-gates` ends with 3 and names the next command", async () => {
  const waited = await site.controller.run("wait", "prod", "--no-wait-gates");
  expect(waited.code).toBe(3);
  expect(waited.stdout).toContain("lockstep adopt shop/prod");
});

test("another life waits as well", async () => {
  await site.controller.kill();
  await site.controller.start();
  await site.controller.sees("shop/prod", "waiting", waits);
  expect(await writes()).toEqual([]);
});

test("`lockstep adopt` releases", async () => {
  const adopted = await site.controller.run("adopt", "shop/prod", "--reason", "looked at the plan");
  expect(adopted).toMatchObject({ code: 0 });
  await site.controller.healthy("shop/prod", sha);
  expect(JSON.parse(await shop.version("prod"))).toMatchObject({ sha });
});

test("a controller with another journal does not touch what this one released, until it is told to take it over", async () => {
  expect(await site.controller.stop()).toBe(0);
  const since = await account.now();
  const other = await openSite(account, "other", {
    repository: site.repository.bare,
    cwd: site.repository.clone,
    variables: { LOCKSTEP_ADOPT: "release" },
  });
  const next = await shop.build();
  await shop.bump("prod", next);
  await other.controller.start();
  const status = await other.controller.sees("shop/prod", "blocked", ({ state }) => state === "blocked");
  expect(status.code).toBe("journal-foreign");
  for (let look = 0; look < 3; look += 1) await other.controller.look("shop-prod");
  expect((await account.calls()).filter((call) => call.sequence > since && !isRead(call))).toEqual([]);
  const reason = ["--reason", "the old journal is lost"];
  expect(await other.controller.run("resolve", "prod", "--adopt", ...reason)).toMatchObject({ code: 0 });
  await other.controller.healthy("shop/prod", next);
});
