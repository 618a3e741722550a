// A → B → A with the controller killed while B's page is half there: readers end with A's bytes, and nothing ran twice.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Account, type Held, openAccount } from "./support/account.ts";
import { accepted, references } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

interface Story {
  readonly shop: Shop;
  readonly a: string;
  readonly b: string;
  readonly held: Held;
  /** The commit that says B. */
  bump: string;
}

const page = (name: string): string => `acme-${name}-web-dev/index.html`;

/** Where B is held when the controller is killed, and whether it was reverted before the next life began. */
const STORIES = [
  { name: "page-before", operation: "s3:CopyObject", at: "before", reverted: true },
  { name: "page-after", operation: "s3:CopyObject", at: "after", reverted: true },
  { name: "told-before", operation: "cloudfront:CreateInvalidation", at: "before", reverted: true },
  { name: "told-after", operation: "cloudfront:CreateInvalidation", at: "after", reverted: true },
  { name: "whole", operation: "s3:CopyObject", at: "after", reverted: false },
] as const;

let account: Account;
let site: Site;
const stories = new Map<string, Story>();

function storyOf(name: string): Story {
  const story = stories.get(name);
  if (story === undefined) throw new Error(`no story ${name}`);
  return story;
}

/** A runs everywhere; B is held somewhere; the controller is killed, the calls let go, B reverted, and a life begins. */
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "return");
  const shops = await Promise.all(STORIES.map(({ name }) => site.shop(name, { services: ["api"] })));
  const shas = await Promise.all(shops.map(async (shop) => ({ shop, a: await shop.build(), b: await shop.build() })));
  for (const { shop, a } of shas) await shop.bump("dev", a);
  await site.controller.start();
  await Promise.all(shas.map(({ shop, a }) => site.controller.healthy(shop.id("dev"), a)));
  for (const [index, { name, operation, at }] of STORIES.entries()) {
    const one = shas[index];
    if (one === undefined) throw new Error(`no shop ${name}`);
    const match = operation === "s3:CopyObject" ? page(name) : one.shop.distribution("dev");
    stories.set(name, { ...one, bump: "", held: await account.hold({ operation, match }, at) });
  }
  for (const story of stories.values()) story.bump = await story.shop.bump("dev", story.b);
  await Promise.all([...stories.values()].map(({ held }) => held.reached()));
  await site.controller.kill();
  for (const { held } of stories.values()) await held.release();
  for (const { name, reverted } of STORIES) if (reverted) await site.repository.revert(storyOf(name).bump);
  await site.controller.start();
}, 90_000);
afterAll(() => account.close());

async function endsWithA({ shop, a, b }: Story): Promise<void> {
  await site.controller.healthy(shop.id("dev"), a);
  const paths = ["/", "/index.html", "/release.txt"];
  await until(`${shop.application} to show ${a} everywhere`, async () => {
    const pages = await Promise.all(paths.map((path) => shop.page("dev", path)));
    return pages.every((one) => one.includes(a) && !one.includes(b)) ? true : undefined;
  });
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha: a });
  const calls = await shop.calls("dev");
  expect(accepted(calls, "ecs:RunTask"), "migrations of A and of B").toHaveLength(2);
  const written = accepted(calls, "s3:CopyObject").findLast(({ input }) =>
    String(input["path"]).endsWith("index.html"),
  );
  const told = accepted(calls, "cloudfront:CreateInvalidation").at(-1);
  expect(told?.sequence, "the CDN was told after the last page").toBeGreaterThan(written?.sequence ?? Infinity);
}

describe.each(STORIES.filter(({ reverted }) => reverted))("killed while B's $operation is held ($name)", ({ name }) => {
  test("and reverted meanwhile: readers get A's bytes everywhere", () => endsWithA(storyOf(name)));
});

test.each(["told-before", "told-after"])(
  "killed between publish and invalidate of B (%s): three invalidations with three CallerReferences",
  async (name) => {
    const { shop } = storyOf(name);
    const all = references(await shop.calls("dev"));
    expect(all).toHaveLength(3);
    expect(new Set(all).size).toBe(3);
  },
);

test("killed in the middle of publishing B, which then converges and is reverted: three publications, three invalidations", async () => {
  const story = storyOf("whole");
  await site.controller.healthy(story.shop.id("dev"), story.b);
  await site.repository.revert(story.bump);
  await endsWithA(story);
  const all = references(await story.shop.calls("dev"));
  expect(all).toHaveLength(3);
  expect(new Set(all).size).toBe(3);
});
