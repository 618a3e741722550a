// What a folder of valid files may still get wrong, sentence by sentence, and what its values become.
import { describe, expect, it } from "vitest";
import { Fault } from "../../controller/core/fault.ts";
import { problemsOf } from "../../controller/manifest/parse.ts";
import { lines, OTHER, problemsWith, prodOf, read, SHA, SMALL, type World } from "./support.ts";

const P = `sha: ${SHA}\n`;
const IMAGE = "(such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/{service}:{sha})";
const TEMPLATES = "(templates: {application} {env} {service} {account} {region} {sha} {sha7})";

function image(template: string): string {
  return `application: shop\nimage: "${template}"\nservices:\n  api:\n`;
}

type Row = readonly [
  name: string,
  application: string,
  prod: string,
  expected: readonly string[],
  world?: Partial<World>,
];

const ARTIFACTS: readonly Row[] = [
  [
    "no image at all",
    "application: shop\nservices:\n  api:\n",
    P,
    ["application.yaml:3:3 services.api has no image (set `image:` at the top or for the service)"],
  ],
  [
    "a moving tag",
    image("acme.io/shop:latest"),
    P,
    [`application.yaml:2:8 image: no {sha} or {sha7} in the tag: moving tags are not deployed ${IMAGE}`],
  ],
  [
    "a SHA in the repository and not in the tag",
    image("acme.io/{sha}:latest"),
    P,
    [`application.yaml:2:8 image: no {sha} or {sha7} in the tag: moving tags are not deployed ${IMAGE}`],
  ],
  [
    "no tag",
    image("acme.io:80/{sha}"),
    P,
    [`application.yaml:2:8 image: no {sha} or {sha7} in the tag: moving tags are not deployed ${IMAGE}`],
  ],
  [
    "a template nobody knows",
    image("acme.io/{servce}:{sha}"),
    P,
    [`application.yaml:2:8 image: {servce} is not a template; did you mean {service}? ${TEMPLATES}`],
  ],
  ["a lone brace", image("acme.io/shop:{sha"), P, ['application.yaml:2:8 image: a lone "{" is no template']],
  [
    "an account nobody bound",
    image("{account}.dkr.ecr.x.com/shop:{sha}"),
    P,
    [
      "application.yaml:2:8 image: {account} is not known for prod (write the twelve digits, or bind the account in LOCKSTEP_CONFIG)",
    ],
  ],
  ["no registry", image("shop:{sha}"), P, [`application.yaml:2:8 image must begin with a registry ${IMAGE}`]],
  [
    "a digest",
    image("acme.io/shop@sha256:{sha}"),
    P,
    ["application.yaml:2:8 image names a digest (give a tag with {sha}: Lockstep fixes the digest itself)"],
  ],
  [
    "a repository in capitals",
    image("acme.io/Shop:{sha}"),
    P,
    [`application.yaml:2:8 image: "Shop" is not an image repository ${IMAGE}`],
  ],
  [
    "four wildcards",
    image("acme.io/shop:*a*b*{sha7}*"),
    P,
    ['application.yaml:2:8 image: "*a*b*9f2c1ab*" is not a tag (a tag has at most 128 characters and 3 *)'],
  ],
  [
    "the image of no service",
    `${SMALL}  worker: { image: apy }\n`,
    P,
    [
      'application.yaml:5:20 services.worker.image: there is no service "apy" in prod; did you mean "api"? (services: api, worker)',
    ],
  ],
  [
    "images in a circle",
    `${SMALL}    image: worker\n  worker: { image: api }\n`,
    P,
    [
      "application.yaml:5:12 services.api.image: api → worker → api goes round in a circle",
      "application.yaml:6:20 services.worker.image: worker → api → worker goes round in a circle",
    ],
  ],
  [
    "an artifact that moves",
    `${SMALL}web:\n  site: { artifact: "s3://acme/x/", bucket: bbb }\n`,
    P,
    [
      "application.yaml:6:21 web.site.artifact: no {sha} or {sha7}: moving artifacts are not deployed (such as s3://acme-artifacts/shop-web/releases/{sha}/)",
    ],
  ],
  [
    "an artifact elsewhere than in S3",
    `${SMALL}web:\n  site: { artifact: "https://acme/{sha}/", bucket: bbb }\n`,
    P,
    [
      `application.yaml:6:21 web.site.artifact: "https://acme/${SHA}/" is not a folder in S3 (such as s3://acme-artifacts/shop-web/releases/{sha}/)`,
    ],
  ],
  [
    "a web of nothing",
    `${SMALL}web:\n  site: {}\n`,
    P,
    [
      "application.yaml:6:3 web.site has no artifact (such as s3://acme-artifacts/shop-web/releases/{sha}/)",
      "application.yaml:6:3 web.site has no bucket (name the bucket CloudFront serves)",
    ],
  ],
  [
    "odd names of a web",
    `${SMALL}web:\n  site: { artifact: "s3://a-b/{sha}/", bucket: "{service}", prefix: ../x, distribution: abc, domain: x }\n`,
    P,
    [
      "application.yaml:6:48 web.site.bucket: {service} has no meaning here",
      'application.yaml:6:69 web.site.prefix: "../x" is not a folder in the bucket (such as docs/)',
      'application.yaml:6:89 web.site.distribution: "abc" is not the id of a CloudFront distribution',
      'application.yaml:6:102 web.site.domain: "x" is not a domain name',
    ],
  ],
  [
    "two webs in one place",
    `${SMALL}web:\n  a: { artifact: "s3://a-b/{sha}/", bucket: bbb, prefix: x }\n  b: { artifact: "s3://a-c/{sha}", bucket: bbb, prefix: x/ }\n`,
    P,
    ["application.yaml:7:44 web.b.bucket: web.a has the same bucket and prefix (give one of them a `prefix:`)"],
  ],
];

const ORDER: readonly Row[] = [
  [
    "after a service nobody knows",
    `${SMALL}  worker: { after: [apii] }\n`,
    P,
    [
      'application.yaml:5:21 services.worker.after[0]: there is no service "apii" in prod; did you mean "api"? (services: api, worker)',
    ],
  ],
  [
    "services that wait for each other",
    `${SMALL}    after: [worker]\n  worker: { after: [api] }\n`,
    P,
    ["application.yaml:5:5 services.api.after: api → worker → api wait for each other"],
  ],
  [
    "a service that waits for itself",
    `${SMALL}    after: [api]\n`,
    P,
    ["application.yaml:5:5 services.api.after: api waits for itself"],
  ],
  [
    "a migration without service",
    `${SMALL}migrate: { command: [x] }\n`,
    P,
    ["application.yaml:5:1 migrate has no service (name the service whose network, roles and template it uses)"],
  ],
  [
    "a migration of no service",
    `${SMALL}migrate: { service: apo, command: [x] }\n`,
    P,
    ['application.yaml:5:21 migrate.service: there is no service "apo" in prod; did you mean "api"? (services: api)'],
  ],
  [
    "a migration without command",
    `${SMALL}migrate: { service: api }\n`,
    P,
    ["application.yaml:5:1 migrate has no command (such as [node, dist/migrate.js])"],
  ],
  [
    "a migration of thirteen hours",
    `${SMALL}migrate: { service: api, command: [x], timeout: 13h }\n`,
    P,
    ["application.yaml:5:49 migrate.timeout must be at most 12h"],
  ],
  [
    "a migration of a removed service",
    `${SMALL}  z:\nmigrate: { service: api, command: [x] }\n`,
    `${P}services: { api: false }\n`,
    ['application.yaml:6:21 migrate.service: there is no service "api" in prod (services: z)'],
  ],
  [
    "an environment of nothing",
    SMALL,
    `${P}services: { api: false }\n`,
    ["prod.yaml:1:1 prod has nothing to release: no services and no web"],
  ],
  [
    "a deployment of no time",
    `${SMALL}    timeout: 0m\n`,
    P,
    ["application.yaml:5:14 services.api.timeout must be longer than nothing"],
  ],
];

const PLACES: readonly Row[] = [
  [
    "no region",
    SMALL,
    P,
    ["prod.yaml:1:1 aws: no region is known (set aws.region, or AWS_REGION for the controller)"],
    { binding: {} },
  ],
  [
    "a region the operator did not bind",
    SMALL,
    `${P}aws: { region: us-east-1 }\n`,
    [
      "prod.yaml:2:16 aws.region: the operator lets prod reach eu-west-1 only (remove it, or ask the operator of the controller)",
    ],
    { binding: { region: "eu-west-1" } },
  ],
  [
    "an environment the operator did not bind",
    SMALL,
    P,
    ["prod.yaml:1:1 shop/prod is bound to no account"],
    { binding: { refused: "shop/prod is bound to no account" } },
  ],
  [
    "a cluster that moves with the SHA",
    SMALL,
    `${P}aws: { cluster: "{sha}" }\n`,
    ["prod.yaml:2:17 aws.cluster: {sha} has no meaning here"],
  ],
  [
    "a cluster with a blank",
    SMALL,
    `${P}aws: { cluster: a b }\n`,
    ['prod.yaml:2:17 aws.cluster: "a b" is not the name of an ECS cluster'],
  ],
  [
    "more at once than the operator allows",
    SMALL,
    `${P}parallel: 9\n`,
    ["prod.yaml:2:11 parallel is more than the operator allows: at most 2"],
    { binding: { region: "eu-west-1", parallelAtMost: 2 } },
  ],
  [
    "no gate where the operator wants one",
    SMALL,
    `${P}gates: { promotedFrom: false }\n`,
    [
      "prod.yaml:2:24 gates.promotedFrom: the operator wants prod promoted from another environment (put it behind another one in `pipeline`)",
    ],
    { binding: { region: "eu-west-1", mustBePromoted: true } },
  ],
  [
    "promoted from itself",
    SMALL,
    `${P}gates: { promotedFrom: prod }\n`,
    ["prod.yaml:2:24 gates.promotedFrom: prod cannot be promoted from itself"],
  ],
  [
    "a hold until a day that never comes",
    SMALL,
    `${P}hold: { reason: x, until: 2026-02-30 }\n`,
    ['prod.yaml:2:27 hold.until: "2026-02-30" is not a date of the calendar'],
  ],
  [
    "a url that is a program",
    SMALL,
    `${P}url: javascript:alert(1)\n`,
    ['prod.yaml:2:6 url: "javascript:alert(1)" is not an http or https address'],
  ],
];

const SHAS: readonly Row[] = [
  [
    "an abbreviation of nothing",
    SMALL,
    "sha: 9f2c1ab\n",
    ["prod.yaml:1:6 sha: no commit in this repository begins with 9f2c1ab (push the commit, or write all 40 digits)"],
  ],
  [
    "an abbreviation of two commits",
    `${SMALL}source: acme/shop\n`,
    "sha: '9f2c1ab'\n",
    ["prod.yaml:1:6 sha: 9f2c1ab fits several commits in acme/shop (write all 40 digits of the one meant)"],
    { commits: [SHA, SHA.replace(/1$/, "2") as typeof SHA] },
  ],
  ["forty zeros", SMALL, `sha: ${"0".repeat(40)}\n`, ["prod.yaml:1:6 sha: forty zeros are no commit"]],
  [
    "a pin of nothing",
    SMALL,
    `${P}services: { api: { sha: 72225e2 } }\n`,
    [
      "prod.yaml:2:25 services.api.sha: no commit in this repository begins with 72225e2 (push the commit, or write all 40 digits)",
    ],
  ],
];

describe("problems of a manifest as a whole", () => {
  it.each([...ARTIFACTS, ...ORDER, ...PLACES, ...SHAS].map(([name, ...row]) => ({ name, row })))(
    "$name",
    async ({ row }) => {
      const [application, prod, expected, world = {}] = row;
      expect(await problemsWith(application, prod, world)).toEqual(expected);
    },
  );

  it.each([
    ["ftp://x", '"ftp://x" is not an http or https address'],
    ["/api/ready", '"/api/ready" is not an http or https address'],
    [
      "http://169.254.169.254/",
      "169.254.169.254 is a link-local address (it would answer for the controller's own host)",
    ],
    ["http://2852039166/", "169.254.169.254 is a link-local address (it would answer for the controller's own host)"],
    ["http://0xa9.0xfe.1.1/", "169.254.1.1 is a link-local address (it would answer for the controller's own host)"],
    [
      "http://[::ffff:169.254.1.1]/",
      "[::ffff:a9fe:101] is a link-local address (it would answer for the controller's own host)",
    ],
    ["http://[fe80::1]/", "[fe80::1] is a link-local address (it would answer for the controller's own host)"],
    [
      "http://[fd00:ec2::254]/",
      "[fd00:ec2::254] is a link-local address (it would answer for the controller's own host)",
    ],
    ["https://u:p@x.y/", undefined],
  ])("a health check may not ask %s", async (url, why) => {
    const said =
      why === undefined ? " holds a user or password (whoever reads the repository would know it)" : `: ${why}`;
    expect(await problemsWith(`${SMALL}    health: "${url}"\n`, P)).toEqual([
      `application.yaml:5:13 services.api.health.url${said}`,
    ]);
  });

  it("a health check must be green for less time than it has", async () => {
    expect(await problemsWith(`${SMALL}    health: { url: "https://a.b", for: 5m }\n`, P)).toEqual([
      "application.yaml:5:40 services.api.health.for must be shorter than the timeout of the check",
    ]);
  });

  it("a repository that cannot be read now stops only environments that need it", async () => {
    const files = {
      "environments/application.yaml": SMALL,
      "environments/dev.yaml": "sha: 9f2c1ab\n",
      "environments/prod.yaml": P,
    };
    const expand = () => Promise.reject(new Fault("repository-unreachable", "acme/shop did not answer"));
    const { environments } = await read({ files }, { expand });
    expect(environments.map(({ environment }) => environment?.name)).toEqual([undefined, "prod"]);
    expect(lines(environments[0]?.problems ?? [])).toEqual([
      "dev.yaml:1:6 sha: 9f2c1ab cannot be expanded now: acme/shop did not answer (it is tried again; all 40 digits need no expanding)",
    ]);
  });
});

describe("the values of an environment", () => {
  it("abbreviations are expanded, capitals lowered, pins kept", async () => {
    const prod = `sha: ${SHA.slice(0, 7).toUpperCase()}\nservices: { api: { sha: ${OTHER} } }\n`;
    const found = await prodOf(
      `${SMALL}  worker: { image: api }\n  other:\nmigrate: { service: api, command: [x] }\n`,
      prod,
      { commits: [SHA, OTHER] },
    );
    expect(found.sha).toBe(SHA);
    expect(found.services.map(({ name, sha, image: { repository, tag } }) => [name, sha, repository, tag])).toEqual([
      ["api", OTHER, "shop/api", OTHER],
      ["other", SHA, "shop/other", SHA],
      ["worker", OTHER, "shop/api", OTHER],
    ]);
    expect(found.migrations.map(({ sha, image: { tag } }) => [sha, tag])).toEqual([[OTHER, OTHER]]);
  });

  it("the wildcard stays in the tag", async () => {
    const found = await prodOf(image("acme.io/{service}:sha-{sha7}-*"), P);
    expect(found.services[0]?.image).toEqual({ registry: "acme.io", repository: "api", tag: "sha-9f2c1ab-*" });
  });

  it("defaults are those of the manual", async () => {
    const found = await prodOf(`${SMALL}    health: https://x.y/\nmigrate: { service: api, command: [x] }\n`, P);
    expect(found).toMatchObject({
      place: { region: "eu-west-1", cluster: "prod" },
      parallel: 4,
      drift: "report",
      onFailure: "rollback",
      gates: { promotedFrom: [] },
    });
    expect(found.services[0]).toMatchObject({
      task: { kind: "adopted" },
      after: [],
      timeoutMs: 900_000,
      strategy: { kind: "rolling" },
      paths: [],
      health: { url: "https://x.y/", forMs: 10_000, timeoutMs: 300_000 },
    });
    expect(found.migrations[0]?.timeoutMs).toBe(1_200_000);
    for (const absent of ["hold", "url", "source"]) expect(found).not.toHaveProperty(absent);
  });

  it("account, role and region come from the operator", async () => {
    const binding = {
      account: "111122223333",
      role: "arn:aws:iam::111122223333:role/x",
      externalId: "id",
      region: "us-east-1",
    };
    const found = await prodOf(image("{account}.dkr.ecr.{region}.amazonaws.com/shop:{sha}"), P, { binding });
    expect(found.place).toEqual({ ...binding, cluster: "prod" });
    expect(found.services[0]?.image.registry).toBe("111122223333.dkr.ecr.us-east-1.amazonaws.com");
  });

  it("a hold ends at the first minute of its day in UTC", async () => {
    expect((await prodOf(SMALL, `${P}hold: { reason: x, until: 2026-11-03 }\n`)).hold).toEqual({
      reason: "x",
      until: Date.UTC(2026, 10, 3),
    });
    expect((await prodOf(SMALL, `${P}hold: { reason: x, until: "2026-11-03T09:00+01:00" }\n`)).hold?.until).toBe(
      Date.UTC(2026, 10, 3, 8),
    );
  });

  it("after a service that this environment removed there is nothing to wait for", async () => {
    const found = await prodOf(`${SMALL}  worker: { after: [api] }\n`, `${P}services: { api: false }\n`);
    expect(found.services.map(({ name, after }) => [name, after])).toEqual([["worker", []]]);
  });

  it("migrations run in the order written, the short form first", async () => {
    const found = await prodOf(
      `${SMALL}migrations:\n  z: { service: api, command: [z] }\n  a: { service: api, command: [a] }\nmigrate: { service: api, command: [m] }\n`,
      P,
    );
    expect(found.migrations.map(({ name }) => name)).toEqual(["migrate", "z", "a"]);
    expect(
      (await prodOf(`${SMALL}migrate: { service: api, command: [m] }\n`, `${P}migrate: false\n`)).migrations,
    ).toEqual([]);
  });

  it("promotedFrom is the rank before, and an inner list is one rank", async () => {
    const files = {
      "environments/application.yaml": `${SMALL}pipeline: [dev, [eu, us], prod]\n`,
      ...Object.fromEntries(["dev", "eu", "us", "prod"].map((name) => [`environments/${name}.yaml`, P])),
    };
    const { environments, problems } = await read({ files });
    expect(problems).toEqual([]);
    const from = environments.map(({ name, environment }) => [name, environment?.gates.promotedFrom]);
    expect(Object.fromEntries(from)).toEqual({ dev: [], eu: ["dev"], us: ["dev"], prod: ["eu", "us"] });
  });

  it("the gate of an environment goes before the pipeline", async () => {
    const application = `${SMALL}pipeline: [dev, prod]\n`;
    expect((await prodOf(application, P)).gates.promotedFrom).toEqual(["dev"]);
    expect((await prodOf(application, `${P}gates: { promotedFrom: [qa, dev, qa] }\n`)).gates.promotedFrom).toEqual([
      "qa",
      "dev",
    ]);
    expect((await prodOf(application, `${P}gates: { promotedFrom: false }\n`)).gates.promotedFrom).toEqual([]);
  });

  it("every value knows the line it came from", async () => {
    const files = {
      "environments/application.yaml": `${SMALL}    count: 1\n    timeout: 5m\n`,
      "environments/prod.yaml": `${P}services: { api: { count: 3 } }\n`,
    };
    const merged = (await read({ files })).environments[0]?.merged;
    expect(merged?.manifest).toMatchObject({ services: { api: { count: 3, timeout: "5m" } } });
    expect(merged?.origins.get("/services/api/count")).toEqual({ file: "environments/prod.yaml", line: 2, column: 27 });
    expect(merged?.origins.get("/services/api/timeout")).toEqual({
      file: "environments/application.yaml",
      line: 6,
      column: 14,
    });
  });
});

describe("a folder", () => {
  it("one bad environment does not stop its siblings", async () => {
    const files = {
      "environments/application.yaml": SMALL,
      "environments/dev.yaml": "sha: [\n",
      "environments/prod.yaml": P,
    };
    const { environments, problems } = await read({ files });
    expect(problems).toEqual([]);
    expect(environments.map(({ name, environment }) => [name, environment?.sha])).toEqual([
      ["dev", undefined],
      ["prod", SHA],
    ]);
  });

  it("a broken application.yaml stops all its environments, and they say why", async () => {
    const files = {
      "environments/application.yaml": `${SMALL}servces: {}\n`,
      "environments/dev.yaml": P,
      "environments/prod.yaml": P,
    };
    const { application, environments } = await read({ files });
    expect(application).toBe("shop");
    for (const { environment, problems } of environments) {
      expect(environment).toBeUndefined();
      expect(lines(problems)).toEqual([
        'application.yaml:5:1 application.yaml is broken: unknown key "servces"; did you mean "services"?',
      ]);
    }
  });

  it("files that look like manifests and cannot be any are problems, others are not", async () => {
    const files = {
      "environments/application.yaml": SMALL,
      "environments/prod.yaml": P,
      "environments/dev.yml": P,
      "environments/QA.YAML": P,
      "environments/Dev.yaml": P,
      "environments/README.md": "x",
      "environments/a_b.yaml": P,
    };
    const { environments, problems } = await read({ files });
    const name = "(a name is a lower-case letter, then up to 31 lower-case letters, digits and dashes)";
    expect(environments.map((each) => each.name)).toEqual(["prod"]);
    expect(lines(problems)).toEqual([
      `Dev.yaml:1:1 "Dev" is not the name of an environment ${name}`,
      "QA.YAML:1:1 manifests end in .yaml (rename it to QA.yaml)",
      `a_b.yaml:1:1 "a_b" is not the name of an environment ${name}`,
      "dev.yml:1:1 manifests end in .yaml (rename it to dev.yaml)",
    ]);
  });

  it("a pipeline of unknown, missing, doubled and reserved names says so", async () => {
    expect(await problemsWith(`${SMALL}pipeline: [dev, [dev, application]]\n`, P)).toEqual([
      "application.yaml:5:1 pipeline: prod is not in it, so nothing has to be healthy before prod",
      "application.yaml:5:12 pipeline: dev has no file yet (add dev.yaml beside application.yaml)",
      'application.yaml:5:18 pipeline: "dev" stands there twice',
      "application.yaml:5:23 pipeline: no environment can be called application: its file is application.yaml",
      'application.yaml:5:18 application.yaml is broken: pipeline: "dev" stands there twice',
    ]);
  });

  it("a problem shows its source line, and one of application.yaml is said once", async () => {
    const application = image("acme.io/shop:latest");
    const reading = await read({
      files: { "environments/application.yaml": application, "environments/dev.yaml": P, "environments/prod.yaml": P },
    });
    expect(problemsOf(reading)).toMatchObject([{ line: 2, column: 8, excerpt: 'image: "acme.io/shop:latest"' }]);
  });

  it("the content of an environment changes with each file that determines it and with no other", async () => {
    const files = {
      "shop/environments/application.yaml": `${SMALL}    task: api.json\n`,
      "shop/environments/prod.yaml": P,
      "shop/environments/dev.yaml": P,
      "shop/api.json": '{"containerDefinitions":[{"name":"app"}]}',
    };
    const content = async (changed: Readonly<Record<string, string>>): Promise<string | undefined> =>
      (await read({ folder: "shop", files: { ...files, ...changed } })).environments.find(({ name }) => name === "prod")
        ?.content;
    const before = await content({});
    for (const path of [
      "shop/environments/application.yaml",
      "shop/environments/prod.yaml",
      "shop/api.json",
    ] as const) {
      expect(await content({ [path]: `${files[path]} ` })).not.toBe(before);
    }
    expect(await content({ "shop/environments/dev.yaml": `${P} `, "shop/other.json": "{}" })).toBe(before);
  });
});
