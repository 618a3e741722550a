// What may happen to a repository: files and folders that vanish, history that is rewritten, a branch or a server gone.
import { rename } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { isRead, tally } from "./support/calls.ts";
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
  readonly sha: string;
  /** Commit that says so. */
  readonly bump: string;
  readonly since: number;
}

async function begun(name: string): Promise<Story> {
  const site = await openSite(account, name);
  const shop = await site.shop(name, { services: ["api"], migrate: "false" });
  const sha = await shop.build();
  const bump = await shop.bump("dev", sha);
  await site.controller.start();
  await site.controller.healthy(shop.id("dev"), sha);
  return { site, shop, sha, bump, since: await account.now() };
}

/** Several looks later nothing was written, and what ran runs. */
async function unchanged({ site, shop, sha, since }: Story, looks = 3): Promise<void> {
  for (let look = 0; look < looks; look += 1) await site.controller.look(shop.cluster("dev"));
  await runsStill({ site, shop, sha, since });
}

async function runsStill({ shop, sha, since }: Pick<Story, "site" | "shop" | "sha" | "since">): Promise<void> {
  const writes = (await shop.calls("dev")).filter((call) => call.sequence > since && !isRead(call));
  expect(tally(writes)).toEqual({});
  expect((await shop.services("dev")).api).toMatchObject({ desiredCount: 1, runningCount: 1 });
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
  expect(await shop.page("dev")).toContain(sha);
}

test.concurrent("an environment whose file vanished is unmanaged, nothing is stopped; when it is back it is healthy again", async () => {
  const story = await begun("vanished");
  const { site, shop, sha } = story;
  const removal = await site.repository.push("tidy up", { [shop.path("dev")]: undefined });
  const status = await site.controller.sees(shop.id("dev"), "unmanaged", ({ state }) => state === "none");
  expect(status.why).toMatch(/environments\/dev\.yaml.* is gone; nothing is stopped/);
  await runsStill(story);
  const waited = await site.controller.run("wait", shop.id("dev"), "--timeout", "20s");
  expect(waited).toMatchObject({ code: 1, stdout: expect.stringContaining("unmanaged") as string });
  await site.repository.revert(removal);
  await site.controller.healthy(shop.id("dev"), sha);
  await unchanged(story);
});

test.concurrent("an `environments/` folder that is empty, or whose application.yaml is gone, changes nothing", async () => {
  const story = await begun("emptied");
  const { site, shop, sha } = story;
  const removal = await site.repository.push("half of it", { [shop.path("application")]: undefined });
  const half = await site.controller.sees(
    shop.id("dev"),
    "said to be broken or unmanaged",
    ({ state, problems }) => state === "none" || problems.length > 0,
  );
  expect(`${half.why}${half.problems.join()}`).toContain("application.yaml");
  await site.repository.push("all of it", { emptied: undefined, "README.md": "# Nothing here\n" });
  await site.controller.sees(shop.id("dev"), "unmanaged", ({ state }) => state === "none");
  await runsStill(story);
  await site.controller.kill();
  await site.controller.start();
  await site.controller.sees(shop.id("dev"), "unmanaged still", ({ state }) => state === "none");
  await runsStill(story);
  await site.repository.git("revert", "--no-edit", "HEAD");
  await site.repository.revert(removal);
  await site.controller.healthy(shop.id("dev"), sha);
  await unchanged(story);
});

test.concurrent("rewritten history halts with both heads named; `accept` of the head takes it, of another does not", async () => {
  const story = await begun("rewritten");
  const { site, shop, sha, bump } = story;
  const next = await shop.build();
  const seen = await shop.bump("dev", sha, { lines: ["x-note: seen"] });
  await until(
    "the controller to see it",
    () => site.controller.output().includes(`head is ${seen.slice(0, 7)}`) || undefined,
  );
  const head = await site.repository.rewrite(`${bump}~1`, "another history", {
    [shop.path("dev")]: shop.manifest("dev", next),
  });
  const status = await site.controller.sees(shop.id("dev"), "halted", ({ code }) => code === "history-rewritten");
  expect(status.state).toBe("blocked");
  for (const commit of [head, seen]) expect(status.why).toContain(commit.slice(0, 7));
  expect(`${status.why} ${status.next}`).toContain("lockstep accept");
  expect((await site.controller.run("wait", shop.id("dev"), "--timeout", "20s")).code).toBe(3);
  await unchanged(story);
  await site.controller.kill();
  await site.controller.start();
  await site.controller.sees(shop.id("dev"), "halted still", ({ code }) => code === "history-rewritten");
  await unchanged(story);

  expect((await site.controller.run("accept", seen)).code).not.toBe(0);
  expect(await site.controller.run("accept", head, "--reason", "cleaned")).toMatchObject({ code: 0 });
  await site.controller.healthy(shop.id("dev"), next);
});

test.concurrent("a branch that is gone halts, and goes on when it is back; a server that is gone is only waited for", async () => {
  const story = await begun("branchless");
  const { site, shop, sha } = story;
  await site.repository.git("-C", site.repository.bare, "config", "receive.denyDeleteCurrent", "ignore");
  await site.repository.git("push", "--quiet", "origin", ":main");
  const status = await site.controller.sees(shop.id("dev"), "halted", ({ code }) => code !== undefined);
  expect(status.why).toContain("branch main");
  await runsStill(story);
  await site.repository.git("push", "--quiet", "origin", "main");
  await site.controller.healthy(shop.id("dev"), sha);

  await rename(site.repository.bare, `${site.repository.bare}.away`);
  const shown = async (): Promise<string> => (await site.controller.run("status")).stdout;
  await site.controller.sees(
    shop.id("dev"),
    "looked at",
    () => site.controller.output().includes("could not be read") || true,
  );
  expect(await shown()).toContain(site.repository.bare);
  await unchanged(story);
  await rename(`${site.repository.bare}.away`, site.repository.bare);
  const next = await shop.build();
  await shop.bump("dev", next);
  await site.controller.healthy(shop.id("dev"), next);
});
