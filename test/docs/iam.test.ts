// The policies of docs/iam against the calls of a life: roles that may do no more, and nothing in them that is not used.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";
import { type Account, ARTIFACTS, openAccount, REGION } from "../end-to-end/support/account.ts";
import { createBucket } from "../end-to-end/support/builds.ts";
import type { Call } from "../end-to-end/support/calls.ts";
import type { Variables } from "../end-to-end/support/child.ts";
import { steady } from "../end-to-end/support/infrastructure.ts";
import { openSite, type Site } from "../end-to-end/support/site.ts";
import { askedOf } from "./asked.ts";
import { allows, isMeant, many, readPolicy, type Statement } from "./policy.ts";

const ROLES = {
  controller: "arn:aws:iam::111122223333:role/lockstep-controller",
  environment: "arn:aws:iam::111122223333:role/lockstep-shop-prod",
  plan: "arn:aws:iam::111122223333:role/lockstep-shop-plan",
} as const;
type Role = keyof typeof ROLES;
const JOURNAL = "acme-lockstep-journal";
const EXTERNAL_ID = "2f9a1c7e5d";
/** What a role may do and this life did not: with the reason why it did not. */
const UNUSED: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
  controller: {},
  environment: {
    "Publish s3:DeleteObject":
      "only pages that a release no longer has, and assets that retention lets go, are deleted; no release of this life lost a page",
  },
  plan: { "Services ecs:ListServiceDeployments": "asked while a rollout is under way, and no plan was made then" },
};

let account: Account;
let calls: readonly Call[];
let policies: Readonly<Record<Role, readonly Statement[]>>;

beforeAll(async () => {
  policies = await readPolicies();
  account = await openAccount();
  await createBucket(account, JOURNAL);
  await live();
  calls = await account.calls();
}, 180_000);
afterAll(() => account.close());

async function readPolicies(): Promise<typeof policies> {
  const [own, journal] = [await readPolicy("controller"), await readPolicy("journal")];
  return {
    controller: [...own, ...journal],
    environment: await readPolicy("environment"),
    // `lockstep plan` reads the journal as well.
    plan: [...(await readPolicy("plan")), ...journal.filter(({ Sid }) => Sid !== "Append")],
  };
}

/** The sandbox refuses every action that the policy does not name: a release with too little would fail. */
async function register(role: Role): Promise<void> {
  const named = policies[role].filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => many(Action));
  const externalId = role === "environment" ? { externalId: EXTERNAL_ID } : {};
  const body = JSON.stringify({ arn: ROLES[role], allow: [...new Set(named)], ...externalId });
  const response = await fetch(`${account.variables["AWS_ENDPOINT_URL"]}/_sandbox/roles`, { method: "PUT", body });
  expect(response.ok, await response.text()).toBe(true);
}

async function assume(role: Role): Promise<Variables> {
  const endpoint = account.variables["AWS_ENDPOINT_URL"] ?? "";
  const sts = new STSClient({ region: REGION, endpoint, credentials: SANDBOX_CREDENTIALS });
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: ROLES[role], RoleSessionName: "lockstep" }));
  return {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? "",
    AWS_SESSION_TOKEN: Credentials?.SessionToken ?? "",
  };
}

/**
 * Plans before first contact and between releases, a release with a migration, drift and its repair, a rollback of page
 * and services, a SHA that was never built, migrations that fail and that never end, and a file that goes.
 */
async function live(): Promise<void> {
  for (const role of ["controller", "environment", "plan"] as const) await register(role);
  const config = join(account.folder, "controller.yaml");
  await writeFile(config, `environments:\n  prod: { role: "${ROLES.environment}", externalId: "${EXTERNAL_ID}" }\n`);
  const variables = { ...(await assume("controller")), LOCKSTEP_CONFIG: config };
  const site = await openSite(account, "iam", { journal: `s3://${JOURNAL}/shop`, variables });
  const { controller } = site;
  const shop = await site.shop("shop", {
    environments: ["prod"],
    tag: "{sha}-*",
    migrate: "{ service: api, command: [node, migrate.mjs], timeout: 5s }",
  });
  const bump = (sha: string, ...lines: readonly string[]) => shop.bump("prod", sha, { api: { count: "1" }, lines });
  const built = (environment: Readonly<Record<string, string>> = {}) =>
    shop.build({ environment, tags: (sha) => [`${sha}-20260301`] });

  const good = await built();
  await bump(good);
  const planning = await assume("plan");
  const first = await plan(site, planning);
  expect(first.code, first.said).toBe(0);
  await controller.start();
  await controller.healthy("shop/prod", good);

  const byHand = { cluster: "shop-prod", service: "api", taskDefinition: "iac-shop-prod-api" };
  await account.ecs.send(new UpdateServiceCommand(byHand));
  await steady(account, "shop-prod", ["api"]);
  await controller.sees("shop/prod", "drifted", ({ state }) => state === "drift");
  expect(await controller.run("repair", "shop/prod", "--reason", "seen")).toMatchObject({ code: 0 });
  await controller.healthy("shop/prod", good);

  const nowhere = `web: { site: { health: { url: "${shop.url("prod")}/nowhere", for: 300ms, timeout: 2s } } }`;
  await bump(await built(), nowhere);
  await controller.sees("shop/prod", "rolled back", ({ state }) => state === "rolled-back");
  await bump(await built({ MIGRATE_EXIT: "1" }));
  await controller.sees("shop/prod", "failed", ({ state, code }) => state === "failed" && code === "migration-failed");
  await bump(await built({ MIGRATE_MS: "3600000" }));
  await controller.sees("shop/prod", "failed", ({ code }) => code === "migration-timeout");
  await bump(await site.repository.push("never built", {}));
  await controller.sees("shop/prod", "blocked", ({ code }) => code === "artifact-missing");
  expect(await plan(site, planning)).toMatchObject({ said: expect.stringContaining("artifact-missing") as string });

  const smaller = await built();
  await withoutFile(smaller, "release.txt");
  await bump(smaller);
  await controller.healthy("shop/prod", smaller);
}

/** Takes a file out of a web release: out of its list. */
async function withoutFile(sha: string, key: string): Promise<void> {
  const at = { Bucket: ARTIFACTS, Key: `shop-web/releases/${sha}/lockstep.json` };
  const { Body } = await account.s3.send(new GetObjectCommand(at));
  const { files } = JSON.parse((await Body?.transformToString()) ?? "{}") as { files: readonly { key: string }[] };
  const rest = JSON.stringify({ files: files.filter((file) => file.key !== key) });
  await account.s3.send(new PutObjectCommand({ ...at, Body: rest, ContentType: "application/json" }));
}

/** `lockstep plan` as a pipeline runs it: beside the controller, under the plan's role. */
async function plan(
  { repository }: Site,
  credentials: Variables,
): Promise<{ readonly code: number | string; readonly said: string }> {
  const ours = { LOCKSTEP_JOURNAL: `s3://${JOURNAL}/shop`, LOCKSTEP_REPOSITORY: repository.bare, NO_COLOR: "1" };
  const env = { ...account.variables, ...credentials, ...ours };
  const child = account.start("controller/main.ts", ["plan", "prod"], env, repository.clone);
  const code = await child.ended;
  return { code, said: `${child.stdout()}${child.stderr()}` };
}

/** The role that signed a call. */
function roleOf({ arn = "" }: Call): Role | undefined {
  const name = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
  return (Object.keys(ROLES) as Role[]).find((role) => ROLES[role].endsWith(`/${name}`));
}

/** What the policies call the distribution, which has another id in each account. */
function asDocumented<Value>(value: Value): Value {
  const text = JSON.stringify(value);
  return JSON.parse(text.replaceAll(/distribution\/[A-Z0-9]+/g, "distribution/E2EXAMPLE1ABCD")) as Value;
}

describe.each(["controller", "environment", "plan"] as const)("the %s's role", (role) => {
  test("is allowed every call that was seen, by action, resource and condition", () => {
    const own = calls.filter((call) => roleOf(call) === role);
    expect(own.length).toBeGreaterThan(0);
    const refused = own
      .flatMap(askedOf)
      .map(asDocumented)
      .filter((asked) => !allows(policies[role], asked));
    expect(refused).toEqual([]);
    expect(own.filter(({ error = "" }) => error.startsWith("AccessDenied"))).toEqual([]);
  });

  test("is allowed nothing that was not used, save what is listed with a reason", () => {
    const asked = calls
      .filter((call) => roleOf(call) === role)
      .flatMap(askedOf)
      .map(asDocumented);
    const unused = policies[role]
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap((statement) => many(statement.Action).map((Action) => ({ ...statement, Action })))
      .filter((statement) => !asked.some((one) => isMeant(statement, one)))
      .map(({ Sid, Action }) => `${Sid} ${Action}`);
    expect(unused).toEqual(Object.keys(UNUSED[role]));
  });
});

test("every call of Lockstep was signed by one of the roles", () => {
  const strangers = calls.filter((call) => roleOf(call) === undefined);
  expect(strangers.map(({ operation, arn }) => `${operation} ${arn}`)).toEqual([]);
});

test("the controller's role does nothing but assume and keep its journal", () => {
  const done = calls.filter((call) => roleOf(call) === "controller").map(({ service }) => service);
  expect([...new Set(done)].toSorted()).toEqual(["s3", "sts"]);
});

test("every action has a reason on the page", async () => {
  const page = await readFile(new URL("../../docs/iam/README.md", import.meta.url), "utf8");
  const named = [...page.matchAll(/^\| `([\w-]+:\w+)`/gm)].map(([, action = ""]) => action).toSorted();
  const all = Object.values(policies).flatMap((policy) => policy.flatMap(({ Action }) => many(Action)));
  expect([...new Set(named)]).toEqual([...new Set(all)].toSorted());
});
