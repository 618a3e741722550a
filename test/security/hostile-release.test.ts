// The controller itself on a repository in which two hundred applications mean harm and one means to release.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Account, openAccount } from "../end-to-end/support/account.ts";
import { isRead, tally } from "../end-to-end/support/calls.ts";
import type { Shop } from "../end-to-end/support/shop.ts";
import type { Site } from "../end-to-end/support/site.ts";
import { openSite } from "../end-to-end/support/site.ts";
import { removeFolders, repository } from "../git/repository.ts";
import { writeHostile } from "./hostile.ts";

let account: Account;
let site: Site;
let shop: Shop;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "hostile");
  shop = await site.shop("good", { services: ["api"], migrate: "false" });
});
afterAll(async () => {
  await account.close();
  removeFolders();
});

test("beside 200 hostile manifests the good environment releases, again and again, and no other call is made", async () => {
  const other = repository();
  const hostile = writeHostile(other, 200);
  other.git(["update-index", "--add", "-z", "--stdin"], other.git(["ls-files", "--others", "-z"]));
  const tree = other.git(["write-tree"]);
  other.git([
    "update-ref",
    "refs/heads/main",
    other.git(["commit-tree", tree, "-m", "<script>alert(1)</script>\u001b[2J"]),
  ]);
  await site.repository.git("fetch", "--quiet", other.path, "main");
  await site.repository.git("merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "FETCH_HEAD");
  await site.repository.git("push", "--quiet", "origin", "HEAD:main");

  await site.controller.start();
  for (const round of [1, 2]) {
    const sha = await shop.build();
    await shop.bump("dev", sha);
    const status = await site.controller.healthy("good/dev", sha);
    expect(status.release?.number, `release ${round}`).toBe(round);
    expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
  }
  const calls = await account.calls();
  const foreign = calls.filter(({ input }) =>
    hostile.some(({ folder }) => JSON.stringify(input).includes(`${folder}/`)),
  );
  expect(tally(foreign.filter((call) => !isRead(call)))).toEqual({});
  const said = await site.controller.run("status", "h016/prod");
  expect(said.stdout).toContain("h016/environments/prod.yaml:2:1");
  expect(said.stdout).not.toContain("\u001b");
});
