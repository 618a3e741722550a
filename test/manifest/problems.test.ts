// What files that follow their schemas may still get wrong, sentence by sentence.
import { describe, expect, it } from "vitest";
import { Fault } from "../../controller/core/fault.ts";
import { lines, problemsWith, read, SHA, SMALL, type World } from "./support.ts";

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
