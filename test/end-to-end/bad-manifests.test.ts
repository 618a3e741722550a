// Manifests that cannot be used: each is refused at its place with the next step, and nothing but reads is called.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Account, openAccount } from "./support/account.ts";
import { isRead, tally } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const APPLICATION = `image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/{service}:{sha}
services: { api: }
`;

interface Case {
  readonly what: string;
  /** Folder and application. */
  readonly name: string;
  readonly application?: string;
  readonly dev: string;
  /** File, line and column, and words of the message. */
  readonly says: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: "broken YAML",
    name: "broken",
    dev: `sha: ${SHA}\nservices: { api: [\n`,
    says: ["broken/environments/dev.yaml:3:"],
  },
  {
    what: "an unknown key",
    name: "unknown",
    dev: `sha: ${SHA}\nservces: {}\n`,
    says: ["unknown/environments/dev.yaml:2:1", "servces", "services"],
  },
  {
    what: "a wrong type",
    name: "typed",
    dev: `sha: ${SHA}\nservices:\n  api: { count: many }\n`,
    says: ["typed/environments/dev.yaml:3:17", "count"],
  },
  {
    what: "a number where a SHA belongs",
    name: "number",
    dev: "sha: 42\n",
    says: ["number/environments/dev.yaml:1:6", "42"],
  },
  {
    what: "an abbreviation that YAML would read as a number and that no commit has",
    name: "float",
    dev: "sha: 72225e2\n",
    says: ["float/environments/dev.yaml:1:6", "72225e2"],
  },
  {
    what: "a tag that moves",
    name: "moving",
    application: APPLICATION.replace("{sha}", "latest"),
    dev: `sha: ${SHA}\n`,
    says: ["moving/environments/application.yaml:2:8", "{sha}"],
  },
  {
    what: "a key of a later version",
    name: "later",
    dev: `sha: ${SHA}\ngates: { soak: 2h }\n`,
    says: ["later/environments/dev.yaml:2:10", "not supported yet"],
  },
  {
    what: "an anchor",
    name: "anchor",
    dev: `sha: &here ${SHA}\n`,
    says: ["anchor/environments/dev.yaml:1:12", "anchor"],
  },
  {
    what: "a duplicate key",
    name: "twice",
    dev: `sha: ${SHA}\nsha: ${SHA}\n`,
    says: ["twice/environments/dev.yaml:2:1"],
  },
];

let account: Account;
let site: Site;
let shop: Shop;
let sha: string;
beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "bad");
  shop = await site.shop("good", { services: ["api"], migrate: "false" });
  sha = await shop.build();
  await shop.bump("dev", sha);
  await site.controller.start();
  await site.controller.healthy("good/dev", sha);
  const files = CASES.flatMap(({ name, application = APPLICATION, dev }) => [
    [`${name}/environments/application.yaml`, `application: ${name}\n${application}`] as const,
    [`${name}/environments/dev.yaml`, dev] as const,
  ]);
  await site.repository.push("many mistakes", Object.fromEntries(files));
});
afterAll(() => account.close());

describe.each(CASES)("$what", ({ name, says }) => {
  test("`validate` ends with 5 and names the place", async () => {
    const file = says[0]?.replace(/:.*$/, "") ?? "";
    const validated = await site.controller.run("validate", file);
    for (const text of says) expect(validated.stdout).toContain(text);
    expect(validated.code).toBe(5);
  });

  test("the controller names the place in its status and its log", async () => {
    const status = await site.controller.sees(`${name}/dev`, "broken", ({ problems }) => problems.length > 0);
    for (const text of says) expect(status.problems.join("\n")).toContain(text);
    expect(status.state).not.toBe("healthy");
    expect(site.controller.output().includes(says[0] ?? ""), `the log names ${says[0]}`).toBe(true);
  });
});

test("`plan` of any and of all of them ends with 5 and names every place", async () => {
  const [all, one] = [await site.controller.run("plan"), await site.controller.run("plan", "unknown/dev")];
  for (const text of CASES.flatMap(({ says }) => says)) expect(all.stderr).toContain(text);
  expect(one.stderr).toContain("unknown/environments/dev.yaml:2:1");
  expect([all.code, one.code]).toEqual([5, 5]);
});

test("`wait` does not wait for what can never come, and `status` shows why", async () => {
  const waited = await site.controller.run("wait", "broken/dev", "--timeout", "20s");
  expect(waited.code).toBe(5);
  expect(waited.stdout).toContain("broken/environments/dev.yaml:3:");
  expect((await site.controller.run("status", "typed/dev")).stdout).toContain("typed/environments/dev.yaml:3:17");
});

test("broken after it was good: what was good stays in force and stays looked after", async () => {
  const since = await account.now();
  await site.repository.push("a slip", { [shop.path("dev")]: `${shop.manifest("dev", sha)}oops: yes\n` });
  const status = await site.controller.sees("good/dev", "broken", ({ problems }) => problems.length > 0);
  expect(status).toMatchObject({ state: "healthy", healthy: { sha }, git: { sha } });
  expect(status.problems.join("\n")).toMatch(/good\/environments\/dev\.yaml:\d+:1 .*oops/);
  for (let look = 0; look < 3; look += 1) await site.controller.look(shop.cluster("dev"));
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
  const calls = (await account.calls()).filter((call) => call.sequence > since);
  expect(tally(calls.filter((call) => !isRead(call)))).toEqual({});
});

test("of all that was refused, nothing but reads reached AWS", async () => {
  const calls = await account.calls();
  const foreign = calls.filter(({ input }) => CASES.some(({ name }) => JSON.stringify(input).includes(`${name}-dev`)));
  expect(tally(foreign.filter((call) => !isRead(call)))).toEqual({});
});
