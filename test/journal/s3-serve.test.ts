// LOCKSTEP_JOURNAL=s3://…: `serve` and `plan` as people run them, each a process of its own.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "../end-to-end/support/account.ts";
import { createBucket } from "../end-to-end/support/builds.ts";
import { accepted } from "../end-to-end/support/calls.ts";
import { openSite } from "../end-to-end/support/site.ts";

let account: Account;

beforeAll(async () => {
  account = await openAccount();
  await createBucket(account, "acme-lockstep");
});
afterAll(() => account.close());

test("A release is journaled in the bucket, planned from it without a controller, and known to the next life", async () => {
  const site = await openSite(account, "bucket", { journal: "s3://acme-lockstep/team/shop" });
  const shop = await site.shop("orders", { folder: "" });
  const sha = await shop.build();
  await shop.bump("dev", sha);
  await site.controller.start();
  await site.controller.healthy("orders/dev", sha);
  expect(await site.controller.stop()).toBe(0);

  const puts = accepted(await account.calls("/acme-lockstep/team/shop/"), "s3:PutObject");
  const records = puts.filter(({ input }) => input["if-none-match"] === "*").map(({ input }) => String(input["path"]));
  expect(records[0]).toBe("/acme-lockstep/team/shop/journal/000000000001");
  expect(records.filter((path) => path.includes("/environment/orders/dev/")).length).toBeGreaterThan(20);
  expect(new Set(records).size).toBe(records.length);

  await site.repository.git("checkout", "--quiet", "main");
  const planned = await site.controller.run("plan", "dev", "--exit-code");
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining("No changes") as string });

  const since = await account.now();
  await site.controller.start();
  const status = await site.controller.healthy("orders/dev", sha);
  expect(status.release?.number).toBe(1);
  await site.controller.look(shop.cluster("dev"));
  const later = (await account.calls()).filter(({ sequence }) => sequence > since);
  expect(
    later.filter(
      ({ service, operation }) => /^(ecs|cloudfront)$/.test(service) && /^(Run|Update|Create|Register)/.test(operation),
    ),
  ).toEqual([]);
  await site.controller.stop();
});

test("A bucket that is not there stops `serve` with its name and what to do", async () => {
  const site = await openSite(account, "nowhere", { journal: "s3://acme-nowhere/x" });
  const failed = await site.controller.run("serve");
  expect(failed.code).not.toBe(0);
  expect(failed.stderr).toContain(
    "s3://acme-nowhere/x/: the bucket does not exist; create it, or correct LOCKSTEP_JOURNAL",
  );
});
