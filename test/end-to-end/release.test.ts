// The main job from one end to the other: Git says a SHA, AWS runs it, the CDN shows it, and nothing more is written.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { accepted, isRead, references, tally } from "./support/calls.ts";
import type { Site } from "./support/site.ts";
import { openSite } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

let account: Account;
let site: Site;
let shop: Shop;
const shas: { a: string; b: string } = { a: "", b: "" };

beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "release");
  shop = await site.shop("orders", { folder: "" });
  shas.a = await shop.build();
  shas.b = await shop.build();
});
afterAll(() => account.close());

/** Waits until the page behind the CDN shows the SHA: an invalidation takes its time. */
async function shows(sha: string): Promise<void> {
  await until(`the page to show ${sha}`, async () => ((await shop.page("dev")).includes(sha) ? true : undefined), {
    deadlineMs: 5000,
  });
}

test("a SHA in Git is verified, migrated, deployed, published, invalidated and proven healthy", async () => {
  expect(await shop.page("dev")).toContain(shop.found);
  await shop.bump("dev", shas.a);
  await site.controller.start();
  const waited = await site.controller.run("wait", "dev", "--sha", shas.a.slice(0, 7), "--timeout", "40s");
  expect(waited).toMatchObject({ code: 0 });

  const status = await site.controller.healthy("orders/dev", shas.a);
  expect(status.release?.steps.map(({ step }) => step.kind)).toEqual([
    "verify",
    "migrate",
    "stage",
    "deploy",
    "deploy",
    "publish",
    "invalidate",
    "health",
    "prune",
  ]);
  expect(status.release?.steps.map(({ outcome }) => outcome?.status)).toEqual(Array<string>(9).fill("done"));
  await shows(shas.a);
  expect(await shop.page("dev", "/release.txt")).toBe(`${shas.a}\n`);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: shas.a });

  const calls = await shop.calls("dev");
  const writes = calls.filter((call) => !isRead(call));
  expect(tally(writes)).toMatchObject({ "ecs:RunTask": 1, "ecs:UpdateService": 2, "cloudfront:CreateInvalidation": 1 });
  const place = (name: string): number =>
    writes.find((call) => `${call.service}:${call.operation}` === name)?.sequence ?? 0;
  expect(place("ecs:RunTask")).toBeLessThan(place("ecs:UpdateService"));
  expect(place("ecs:UpdateService")).toBeLessThan(place("cloudfront:CreateInvalidation"));
});

test("only digests are deployed, in families of Lockstep's own", async () => {
  const { api, worker } = await shop.services("dev");
  for (const [name, service] of Object.entries({ api, worker })) {
    expect(service.taskDefinition).toContain(`task-definition/lockstep-orders-dev-${name}:`);
    const { containerDefinitions = [] } = await shop.taskDefinition(service.taskDefinition);
    expect(containerDefinitions[0]?.image).toMatch(new RegExp(`/orders/${name}@sha256:[0-9a-f]{64}$`));
  }
  const registered = accepted(await account.calls("lockstep-orders-dev"), "ecs:RegisterTaskDefinition");
  for (const { input } of registered) expect(JSON.stringify(input)).not.toMatch(/"image":"[^"@]*:[^"@]*"/);
});

test("the plan is empty afterwards, by the command line and by the controller", async () => {
  await site.repository.git("checkout", "--quiet", "main");
  const planned = await site.controller.run("plan", "dev", "--exit-code");
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining("No changes") as string });
  const differs = await site.controller.run("diff", "dev", "--exit-code");
  expect(differs.code).toBe(0);
});

test("an environment at rest is looked at with reads only", async () => {
  const since = await account.now();
  for (let look = 0; look < 12; look += 1) await site.controller.look("orders-dev");
  const calls = (await account.calls()).filter(({ sequence }) => sequence > since);
  expect(calls.length).toBeGreaterThanOrEqual(12);
  expect(tally(calls.filter((call) => !isRead(call)))).toEqual({});
});

test("A → B → A runs two migrations, sends three invalidations, and ends with A's bytes; back moves the page before the API", async () => {
  await shop.bump("dev", shas.b);
  await site.controller.healthy("orders/dev", shas.b);
  await shows(shas.b);
  const since = await account.now();
  await shop.bump("dev", shas.a);
  await site.controller.healthy("orders/dev", shas.a);
  await shows(shas.a);

  const calls = await shop.calls("dev");
  expect(accepted(calls, "ecs:RunTask")).toHaveLength(2);
  expect(references(calls)).toHaveLength(3);
  expect(new Set(references(calls)).size).toBe(3);
  const back = calls.filter((call) => call.sequence > since && !isRead(call));
  const page = back.findLast(({ input }) => String(input["path"]).endsWith("/index.html"))?.sequence ?? Infinity;
  const services = accepted(back, "ecs:UpdateService");
  expect(services).toHaveLength(2);
  expect(page).toBeLessThan(services[0]?.sequence ?? 0);
});

test("status, history and logs tell the same story, for people and as JSON", async () => {
  const status = await site.controller.run("status", "--json");
  expect(JSON.parse(status.stdout)).toMatchObject({
    schema: "lockstep/v1",
    environments: [{ id: "orders/dev", state: "healthy", healthy: { sha: shas.a, release: 3 } }],
  });
  const history = await site.controller.run("history", "dev", "--json");
  const { releases } = JSON.parse(history.stdout) as { releases: readonly { number: number; state: string }[] };
  expect(releases.map(({ number, state }) => `${number} ${state}`)).toEqual([
    "3 succeeded",
    "2 succeeded",
    "1 succeeded",
  ]);
  expect((await site.controller.run("status")).stdout).toContain(shas.a.slice(0, 7));
});

test("asked to stop, it ends with 0 and the next life has nothing to do", async () => {
  expect(await site.controller.stop()).toBe(0);
  const since = await account.now();
  await site.controller.start();
  await site.controller.healthy("orders/dev", shas.a);
  const calls = (await account.calls()).filter(({ sequence }) => sequence > since);
  expect(tally(calls.filter((call) => !isRead(call)))).toEqual({});
});
