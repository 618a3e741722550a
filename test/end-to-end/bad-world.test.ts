// What Git asks for and the account cannot give: each is named with its resource and the next step, and nothing is written.
import { DescribeImagesCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAULTS, type FaultCode } from "../../controller/core/fault.ts";
import { type Account, openAccount } from "./support/account.ts";
import { pushImages } from "./support/builds.ts";
import { isRead, tally } from "./support/calls.ts";
import { openSite, type Site } from "./support/site.ts";
import type { Shop } from "./support/shop.ts";
import { until } from "./support/until.ts";

let account: Account;
let site: Site;
let shop: Shop;

/** What differs from an environment that could be released. */
interface Wrong {
  readonly sha: string;
  readonly region?: string;
  readonly bucket?: string;
  readonly domain?: string;
  readonly tag?: string;
  readonly service?: string;
}

interface Case {
  readonly what: string;
  /** The environment; all of them name the services and the bucket of `dev`, which nobody ever writes. */
  readonly name: string;
  readonly prepare: () => Promise<Wrong>;
  readonly code: FaultCode;
  readonly says: readonly string[];
  /** Exit code of `plan` and `wait`. */
  readonly exit: number;
}

const built = async (differs: Omit<Wrong, "sha"> = {}): Promise<Wrong> => ({ sha: await shop.build(), ...differs });

const CASES: readonly Case[] = [
  {
    what: "a SHA that was never built",
    name: "missing",
    prepare: async () => ({ sha: await site.repository.push("no build", {}) }),
    code: "artifact-missing",
    says: ["service api", "shop/api:"],
    exit: 1,
  },
  {
    what: "two images of one SHA, pushed at the same time",
    name: "ambiguous",
    prepare: async () => ({ sha: await pushedTwice(), tag: "{sha}-*" }),
    code: "artifact-ambiguous",
    says: ["service api", "-second", "-third", "pushed at the same time"],
    exit: 1,
  },
  {
    what: "a web release that lacks a file",
    name: "incomplete",
    prepare: async () => ({ sha: await shop.build({ withoutFiles: ["release.txt"] }) }),
    code: "release-incomplete",
    says: ["incomplete", "release.txt"],
    exit: 1,
  },
  {
    what: "a service that does not exist",
    name: "serviceless",
    prepare: () => built({ service: "billing" }),
    code: "service-missing",
    says: ["billing", "shop-dev"],
    exit: 1,
  },
  {
    what: "a wrong region",
    name: "abroad",
    prepare: () => built({ region: "us-east-1" }),
    code: "cluster-missing",
    says: ["shop-dev", "us-east-1"],
    exit: 1,
  },
  {
    what: "a bucket that does not exist",
    name: "bucketless",
    prepare: () => built({ bucket: "acme-nobody-web" }),
    code: "bucket-missing",
    says: ["acme-nobody-web"],
    exit: 1,
  },
  {
    what: "a domain that no distribution has",
    name: "domainless",
    prepare: () => built({ domain: "nobody.acme.dev" }),
    code: "distribution-missing",
    says: ["nobody.acme.dev"],
    exit: 1,
  },
  {
    what: "a read that the role may not make",
    name: "denied",
    prepare: async () => {
      const wrong = await built();
      await account.fault({ operation: "ecr:*", kind: "denied", count: "forever", match: wrong.sha });
      return wrong;
    },
    code: "denied",
    says: ["ecr:DescribeImages", "arn:aws:iam::111122223333:user/sandbox"],
    exit: 4,
  },
];

/** Two digests of one SHA that ECR took in the very same millisecond. */
async function pushedTwice(): Promise<string> {
  return until("two pushes within one millisecond", async () => {
    const sha = await shop.build({ tags: (one) => [`${one}-first`] });
    const tagged = (word: string) => ({ environment: { WORD: word }, tags: (one: string) => [`${one}-${word}`] });
    await Promise.all(["second", "third"].map((word) => pushImages(account, "shop", sha, tagged(word))));
    const imageIds = ["second", "third"].map((word) => ({ imageTag: `${sha}-${word}` }));
    const question = new DescribeImagesCommand({ repositoryName: "shop/api", imageIds });
    const { imageDetails = [] } = await account.ecr.send(question);
    return new Set(imageDetails.map(({ imagePushedAt }) => imagePushedAt?.getTime())).size === 1 ? sha : undefined;
  });
}

function manifest({ sha, region = "eu-west-1", service, tag, ...web }: Wrong): string {
  const { bucket = "acme-shop-web-dev", domain = "dev.shop.acme.dev" } = web;
  const registry = `${account.id}.dkr.ecr.eu-west-1.amazonaws.com`;
  const lines = [
    ...(service === undefined ? [] : [`  ${service}: { image: api }`]),
    `aws: { cluster: shop-dev, region: ${region} }`,
    ...(tag === undefined ? [] : [`image: "${registry}/shop/{service}:${tag}"`]),
    `web: { site: { bucket: ${bucket}, domain: ${domain} } }`,
  ];
  return shop.manifest("dev", sha, { lines });
}

beforeAll(async () => {
  account = await openAccount();
  site = await openSite(account, "world");
  shop = await site.shop("shop", { services: ["api"] });
  const files: (readonly [string, string])[] = [];
  for (const { name, prepare } of CASES) files.push([shop.path(name), manifest(await prepare())]);
  await site.repository.push("many wishes", Object.fromEntries(files));
  await site.controller.start();
});
afterAll(() => account.close());

describe.each(CASES)("$what", ({ name, code, says }) => {
  test("is blocked with its code, the resource and the next step", async () => {
    const status = await site.controller.sees(`shop/${name}`, "blocked", ({ state }) => state === "blocked");
    expect(status).toMatchObject({ code, next: FAULTS[code].next });
    for (const text of says) expect(status.why).toContain(text);
    expect(site.controller.output().includes(says[0] ?? ""), "the log says so").toBe(true);
  });
});

test("`plan` of all of them names every resource and ends with the code of the first", async () => {
  const planned = await site.controller.run("plan");
  for (const text of CASES.flatMap(({ says }) => says)) expect(`${planned.stdout}${planned.stderr}`).toContain(text);
  expect(planned.code).toBe(1);
});

test.each(CASES)("`wait` for $name ends with $exit and says why", async ({ name, says, exit }) => {
  const waited = await site.controller.run("wait", `shop/${name}`, "--timeout", "20s");
  for (const text of says) expect(waited.stdout).toContain(text);
  expect(waited.code).toBe(exit);
});

test.each(CASES.filter(({ name }) => name === "missing" || name === "denied"))(
  "`plan` of $name ends with $exit",
  async ({ name, exit }) => {
    expect((await site.controller.run("plan", `shop/${name}`)).code).toBe(exit);
  },
);

test("without a network `plan` ends with 1 and names the endpoint, and with 1 again for a repository that is not there", async () => {
  const unreachable = await openSite(account, "unplugged", {
    cwd: site.repository.clone,
    variables: { AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
  });
  const [planned, elsewhere] = await Promise.all([
    unreachable.controller.run("plan", "shop/missing"),
    site.controller.run("validate", "--repo", `${account.folder}/nowhere.git`),
  ]);
  expect(planned.code).toBe(1);
  expect(`${planned.stdout}${planned.stderr}`).toContain("127.0.0.1:9");
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.stderr).toContain("nowhere.git");
});

test("a controller without a network says what it cannot read, calls nothing healthy, and waits", async () => {
  const unplugged = await openSite(account, "waiting", {
    repository: site.repository.bare,
    cwd: site.repository.clone,
    variables: { AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
  });
  await unplugged.controller.start();
  const status = await unplugged.controller.sees("shop/missing", "unknown", ({ code }) => code === "unavailable");
  expect(status).toMatchObject({ state: "unknown", why: expect.stringContaining("127.0.0.1:9") as string });
  expect(await unplugged.controller.stop()).toBe(0);
});

test("of all that was refused, nothing but reads reached AWS", async () => {
  for (let look = 0; look < 3; look += 1) await site.controller.look("shop-dev");
  expect(tally((await account.calls()).filter((call) => !isRead(call)))).toEqual({});
});
