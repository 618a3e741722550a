// The migration gate: one that fails, one whose image cannot be pulled, one that never ends; nothing else changes.
import { BatchDeleteImageCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import type { Build } from "./support/builds.ts";
import { accepted, isRead } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";

let account: Account;
let site: Site;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "migration");
  await site.repository.push("nothing yet", { "README.md": "# Operations\n" });
  await site.controller.start();
});
afterAll(() => account.close());

interface Broken {
  readonly shop: Shop;
  readonly good: string;
  readonly bad: string;
  /** Number of the last call before the bad SHA came. */
  readonly since: number;
}

/** A good SHA runs; a bad one is built. */
async function begun(name: string, build: Build, migrate?: string): Promise<Broken> {
  const shop = await site.shop(name, { services: ["api"], ...(migrate === undefined ? {} : { migrate }) });
  const [good, bad] = [await shop.build(), await shop.build(build)];
  await shop.bump("dev", good);
  await site.controller.healthy(shop.id("dev"), good);
  return { shop, good, bad, since: await account.now() };
}

/** Not one write but the task itself and its definition; service and page are those of the good SHA. */
async function nothingElseChanged({ shop, good, since }: Broken, ...also: readonly string[]): Promise<void> {
  const writes = (await shop.calls("dev")).filter((call) => call.sequence > since && !isRead(call));
  const names = writes.map(({ service, operation }) => `${service}:${operation}`);
  expect(names.filter((name) => name !== "ecs:RegisterTaskDefinition")).toEqual(["ecs:RunTask", ...also]);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: good });
  expect(await shop.page("dev")).toContain(good);
}

/** Looks on, also in another life, and still nothing is tried again. */
async function notTriedAgain({ shop }: Broken): Promise<void> {
  const { length } = accepted(await shop.calls("dev"), "ecs:RunTask");
  for (let look = 0; look < 5; look += 1) await site.controller.look(shop.cluster("dev"));
  expect(accepted(await shop.calls("dev"), "ecs:RunTask")).toHaveLength(length);
}

test.concurrent("a migration that exits 1 fails the release; status and logs show the tail of its log; nothing else changes", async () => {
  const broken = await begun("exits", { environment: { MIGRATE_EXIT: "1" } });
  const { shop, bad } = broken;
  await shop.bump("dev", bad);
  const waited = await site.controller.run("wait", shop.id("dev"), "--sha", bad, "--timeout", "30s");
  expect(waited.code).toBe(6);
  const status = await site.controller.sees(shop.id("dev"), "failed", ({ state }) => state === "failed");
  expect(status).toMatchObject({ code: "migration-failed", git: { sha: bad }, healthy: { sha: broken.good } });
  expect(status.why).toContain("container app exited 1");
  expect(status.log?.join("\n")).toContain('column "currency" of relation "orders" contains null values');
  const shown = await site.controller.run("status", shop.id("dev"));
  expect(shown.stdout).toContain("contains null values");
  const logs = await site.controller.run("logs", shop.id("dev"));
  expect(logs).toMatchObject({ code: 0 });
  expect(logs.stdout).toContain("contains null values");
  await notTriedAgain(broken);
  await nothingElseChanged(broken);
});

test.concurrent("a migration whose image cannot be pulled never started: both reasons are named, nothing else changes", async () => {
  const broken = await begun("unpulled", {});
  const { shop, bad } = broken;
  const held = await account.hold({ operation: "ecs:RunTask", match: shop.cluster("dev") }, "before");
  await shop.bump("dev", bad);
  await held.reached();
  const imageIds = [{ imageTag: bad }];
  await account.ecr.send(new BatchDeleteImageCommand({ repositoryName: "unpulled/api", imageIds }));
  await held.release();
  const status = await site.controller.sees(shop.id("dev"), "failed", ({ state }) => state === "failed");
  expect(status.code).toBe("migration-failed");
  expect(status.why).toContain("the container never started");
  expect(status.why.match(/CannotPullContainerError/g)).toHaveLength(2);
  await notTriedAgain(broken);
  await nothingElseChanged(broken);
});

test.concurrent("a migration that never ends is stopped once at its timeout, has failed and is not retried", async () => {
  const migrate = "{ service: api, command: [node, migrate.mjs], timeout: 5s }";
  const broken = await begun("endless", { environment: { MIGRATE_MS: "3600000" } }, migrate);
  const { shop, bad } = broken;
  await shop.bump("dev", bad);
  const status = await site.controller.sees(shop.id("dev"), "failed", ({ state }) => state === "failed");
  expect(status.code).toBe("migration-timeout");
  expect(status.why).toContain("database may be in between");
  await notTriedAgain(broken);
  await nothingElseChanged(broken, "ecs:StopTask");
});

test.concurrent("after `lockstep retry` a failed migration runs once more; the next SHA needs no retry", async () => {
  const broken = await begun("retried", { environment: { MIGRATE_EXIT: "3" } });
  const { shop, bad } = broken;
  const failedAt = (release: number) => (status: { state: string; release?: { number: number } }) =>
    status.state === "failed" && status.release?.number === release;
  await shop.bump("dev", bad);
  await site.controller.sees(shop.id("dev"), "failed", failedAt(2));
  expect(await site.controller.run("retry", shop.id("dev"), "--reason", "the table was mended")).toMatchObject({
    code: 0,
  });
  await site.controller.sees(shop.id("dev"), "failed again", failedAt(3));
  expect(accepted(await shop.calls("dev"), "ecs:RunTask")).toHaveLength(3);
  const next = await shop.build();
  await shop.bump("dev", next);
  await site.controller.healthy(shop.id("dev"), next);
});
