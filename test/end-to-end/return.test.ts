// A → B → A with the controller killed while B's page is half there: readers end with A's bytes, and nothing ran twice.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { accepted, references } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

let account: Account;
beforeAll(async () => {
  account = await openAccount();
});
afterAll(() => account.close());

interface Story {
  readonly site: Site;
  readonly shop: Shop;
  readonly a: string;
  readonly b: string;
}

/** A runs and is shown; B is built. */
async function begun(name: string): Promise<Story> {
  const site = await openSite(account, name);
  const shop = await site.shop(name, { services: ["api"] });
  const [a, b] = [await shop.build(), await shop.build()];
  await shop.bump("dev", a);
  await site.controller.start();
  await site.controller.healthy(shop.id("dev"), a);
  return { site, shop, a, b };
}

async function showsOnly({ shop, a, b }: Story): Promise<void> {
  const paths = ["/", "/index.html", "/release.txt"];
  await until(`${shop.application} to show ${a} everywhere`, async () => {
    const pages = await Promise.all(paths.map((path) => shop.page("dev", path)));
    return pages.every((page) => page.includes(a) && !page.includes(b)) ? true : undefined;
  });
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: a });
}

/** The last thing the CDN was told came after the last page that was written. */
async function forgot({ shop }: Story): Promise<void> {
  const calls = await shop.calls("dev");
  const page = accepted(calls, "s3:CopyObject").findLast(({ input }) => String(input["path"]).endsWith("index.html"));
  const told = accepted(calls, "cloudfront:CreateInvalidation").at(-1);
  expect(told?.sequence).toBeGreaterThan(page?.sequence ?? Infinity);
  expect(new Set(references(calls)).size).toBe(references(calls).length);
}

test.concurrent.each([
  ["mid-before", "before"],
  ["mid-after", "after"],
] as const)(
  "killed in the middle of publishing B (%s), and reverted meanwhile: readers get A, the page first",
  async (name, at) => {
    const story = await begun(name);
    const { site, shop, a, b } = story;
    const held = await account.hold({ operation: "s3:CopyObject", match: `acme-${name}-web-dev/index.html` }, at);
    const bump = await shop.bump("dev", b);
    await held.reached();
    await site.controller.kill();
    await held.release();
    await site.repository.revert(bump);
    await site.controller.start();
    await site.controller.healthy(shop.id("dev"), a);
    await showsOnly(story);
    await forgot(story);
    expect(accepted(await shop.calls("dev"), "ecs:RunTask")).toHaveLength(2);
  },
);

test.concurrent.each([
  ["between-before", "before"],
  ["between-after", "after"],
] as const)(
  "killed between publish and invalidate of B (%s), and reverted meanwhile: readers get A",
  async (name, at) => {
    const story = await begun(name);
    const { site, shop, a, b } = story;
    const held = await account.hold(
      { operation: "cloudfront:CreateInvalidation", match: shop.distribution("dev") },
      at,
    );
    const bump = await shop.bump("dev", b);
    await held.reached();
    await site.controller.kill();
    await held.release();
    await site.repository.revert(bump);
    await site.controller.start();
    await site.controller.healthy(shop.id("dev"), a);
    await showsOnly(story);
    await forgot(story);
    const calls = await shop.calls("dev");
    expect(accepted(calls, "ecs:RunTask")).toHaveLength(2);
    expect(references(calls)).toHaveLength(3);
  },
);

test.concurrent("killed in the middle of publishing B, which then converges and is reverted: three publications, three invalidations", async () => {
  const story = await begun("mid-whole");
  const { site, shop, a, b } = story;
  const held = await account.hold({ operation: "s3:CopyObject", match: "acme-mid-whole-web-dev/index.html" }, "after");
  const bump = await shop.bump("dev", b);
  await held.reached();
  await site.controller.kill();
  await held.release();
  await site.controller.start();
  await site.controller.healthy(shop.id("dev"), b);
  await site.repository.revert(bump);
  await site.controller.healthy(shop.id("dev"), a);
  await showsOnly(story);
  await forgot(story);
  const calls = await shop.calls("dev");
  expect(accepted(calls, "ecs:RunTask")).toHaveLength(2);
  expect(references(calls)).toHaveLength(3);
});
