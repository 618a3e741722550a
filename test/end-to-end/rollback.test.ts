// A release that fails after it has written is undone: what ran is put back as it was, and the page before the API.
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { accepted, isRead, tally } from "./support/calls.ts";
import { FOUND_CONFIGURATION } from "./support/infrastructure.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

let account: Account;
let site: Site;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "rollback");
  await site.repository.push("nothing yet", { "README.md": "# Operations\n" });
  await site.controller.start();
});
afterAll(() => account.close());

/** Says it is another SHA, so that its health check fails. */
const IMPOSTOR = { environment: { GIT_SHA: "0123456789abcdef0123456789abcdef01234567" } };

async function shows(shop: Shop, sha: string): Promise<void> {
  await until(`the page to show ${sha}`, async () => ((await shop.page("dev")).includes(sha) ? true : undefined));
}

test.concurrent("the first release fails: task definition, count and deployment configuration are those that were found", async () => {
  const shop = await site.shop("found");
  const before = await shop.services("dev");
  const bad = await shop.build(IMPOSTOR);
  await shop.bump("dev", bad, { api: { count: "2" } });
  const status = await site.controller.sees(shop.id("dev"), "rolled back", ({ state }) => state === "rolled-back");
  expect(status).toMatchObject({ code: "health-failed", git: { sha: bad } });

  const after = await shop.services("dev");
  for (const name of ["api", "worker"] as const) {
    expect(after[name].taskDefinition).toBe(before[name].taskDefinition);
    expect(after[name].desiredCount).toBe(1);
    expect(after[name].deploymentConfiguration).toEqual(before[name].deploymentConfiguration);
    expect(after[name].deploymentConfiguration).toMatchObject(FOUND_CONFIGURATION);
  }
  await until("one deployment again", async () =>
    (await shop.services("dev")).api.deployments?.length === 1 ? true : undefined,
  );
  const sent = accepted(await shop.calls("dev"), "ecs:UpdateService");
  expect(sent.some(({ input }) => input["desiredCount"] === 2)).toBe(true);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: shop.found });
  expect(await shop.page("dev")).toContain(shop.found);
});

test.concurrent("the page moved and its health failed: back to the last good release, the page before the API", async () => {
  const shop = await site.shop("moved");
  const [good, bad] = [await shop.build(), await shop.build()];
  await shop.bump("dev", good);
  await site.controller.healthy(shop.id("dev"), good);
  const before = await shop.services("dev");
  const since = await account.now();
  const nowhere = `web: { site: { health: { url: "${shop.url("dev")}/nowhere", for: 300ms, timeout: 2s } } }`;
  await shop.bump("dev", bad, { api: { count: "2" }, lines: [nowhere] });
  const status = await site.controller.sees(shop.id("dev"), "rolled back", ({ state }) => state === "rolled-back");
  expect(status).toMatchObject({ code: "health-failed", git: { sha: bad }, healthy: { sha: good } });
  expect(status.why).toContain("404");

  await shows(shop, good);
  const after = await shop.services("dev");
  expect(after.api).toMatchObject({ taskDefinition: before.api.taskDefinition, desiredCount: 1 });
  expect(after.worker.taskDefinition).toBe(before.worker.taskDefinition);
  const writes = (await shop.calls("dev")).filter((call) => call.sequence > since && !isRead(call));
  const pages = accepted(writes, "s3:CopyObject").filter(({ input }) => String(input["path"]).endsWith("/index.html"));
  const services = accepted(writes, "ecs:UpdateService");
  expect([pages.length, services.length]).toEqual([2, 4]);
  const at = (call: { sequence: number } | undefined): number => call?.sequence ?? 0;
  expect(at(services[1])).toBeLessThan(at(pages[0]));
  expect(at(pages[1])).toBeLessThan(at(services[2]));
  expect(accepted(writes, "ecs:RunTask")).toHaveLength(1);

  const object = await account.s3.send(new GetObjectCommand({ Bucket: shop.bucket("dev"), Key: "index.html" }));
  expect(await object.Body?.transformToString()).toContain(good);
  const rested = await account.now();
  for (let look = 0; look < 5; look += 1) await site.controller.look(shop.cluster("dev"));
  expect((await shop.calls("dev")).filter((call) => call.sequence > rested && !isRead(call))).toEqual([]);
});

test.concurrent("with `onFailure: stop` nothing is put back, and a revert makes it healthy again", async () => {
  const shop = await site.shop("stopped", { services: ["api"] });
  const [good, bad] = [await shop.build(), await shop.build(IMPOSTOR)];
  await shop.bump("dev", good);
  await site.controller.healthy(shop.id("dev"), good);
  const bump = await shop.bump("dev", bad, { lines: ["onFailure: stop"] });
  await site.controller.sees(shop.id("dev"), "failed", ({ state }) => state === "failed");
  const sent = accepted(await shop.calls("dev"), "ecs:UpdateService").length;
  await site.controller.look(shop.cluster("dev"));
  expect(accepted(await shop.calls("dev"), "ecs:UpdateService")).toHaveLength(sent);
  await site.repository.revert(bump);
  await site.controller.healthy(shop.id("dev"), good);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: good });
});

test.concurrent("a write that is denied stops all writing: blocked, looked at again, and it goes on when it is granted", async () => {
  const shop = await site.shop("refused", { services: ["api"] });
  const sha = await shop.build();
  await account.fault({
    operation: "ecs:UpdateService",
    kind: "denied",
    count: "forever",
    match: shop.cluster("dev"),
  });
  await shop.bump("dev", sha);
  const status = await site.controller.sees(shop.id("dev"), "denied", ({ code }) => code === "denied");
  expect(status.why).toContain("ecs:UpdateService");
  expect(status.why).toContain("arn:aws:iam::111122223333:user/sandbox");
  expect((await site.controller.run("wait", shop.id("dev"), "--timeout", "20s")).code).toBe(4);
  const accepts = async (): Promise<object> =>
    tally((await shop.calls("dev")).filter((call) => !isRead(call) && call.error === undefined));
  const before = await accepts();
  for (let look = 0; look < 3; look += 1) await site.controller.look(shop.cluster("dev"));
  expect(await accepts()).toEqual(before);
  expect(await shop.page("dev")).toContain(shop.found);
  await account.heal();
  await site.controller.healthy(shop.id("dev"), sha);
  expect(accepted(await shop.calls("dev"), "ecs:RunTask")).toHaveLength(1);
});
