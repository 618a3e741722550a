// Each key does to the fingerprint what its schema declares; how a file is written does nothing.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allKeys, explainKey } from "../../controller/manifest/explain.ts";
import { OTHER, prodOf, read, SHA } from "./support.ts";

interface Json {
  readonly [key: string]: unknown;
}

const APPLICATION: Json = {
  version: 1,
  application: "shop",
  source: "acme/shop",
  pipeline: ["dev", "prod"],
  url: "https://{env}.acme.dev",
  aws: { region: "eu-west-1", cluster: "{env}" },
  image: "acme.io/{service}:{sha}",
  parallel: 4,
  services: {
    api: {
      task: { family: "one" },
      container: "app",
      timeout: "15m",
      count: 2,
      strategy: { rolling: {} },
      health: { url: "https://a.b/", status: [200], version: "$.sha", for: "10s", timeout: "5m" },
      paths: ["a/**"],
    },
    worker: { image: "acme.io/w:{sha}", after: [], task: "task.json" },
  },
  migrations: {
    first: { service: "api", image: "acme.io/m:{sha}", container: "app", command: ["a"], timeout: "20m" },
    second: { service: "api", command: ["b"] },
  },
  web: {
    site: {
      artifact: "s3://acme/{sha}/",
      bucket: "site",
      prefix: "p/",
      domain: "a.b",
      distribution: "E1",
      invalidate: ["/x"],
      keep: 10,
      health: { url: "https://a.b/", status: [200], version: "$.sha", for: "10s", timeout: "5m" },
    },
  },
  gates: { promotedFrom: "dev" },
  drift: "report",
  onFailure: "rollback",
};
const PROD: Json = { sha: SHA, hold: { reason: "x", until: "2026-11-03" } };
const HEALTH: Json = { url: "https://c.d/", status: [204], version: "$.a", for: "11s", timeout: "6m" };

/** Another valid value for every key that holds a value; keys below `<name>` are tried on the first name. */
const OTHERWISE: Readonly<Record<string, unknown>> = {
  source: "acme/other",
  pipeline: ["prod"],
  url: "https://x.y",
  "aws.region": "us-east-1",
  "aws.cluster": "c",
  image: "acme.io/x/{service}:{sha}",
  parallel: 5,
  "services.api.image": "acme.io/y:{sha}",
  "services.api.task.family": "two",
  "services.api.task": "task.json",
  "services.api.container": "web",
  "services.worker.after": ["api"],
  "services.api.timeout": "16m",
  "services.api.count": 3,
  "services.api.paths": ["b/**"],
  ...Object.fromEntries(Object.entries(HEALTH).map(([key, value]) => [`services.api.health.${key}`, value])),
  "migrations.first.service": "worker",
  "migrations.first.image": "acme.io/n:{sha}",
  "migrations.first.container": "web",
  "migrations.first.command": ["c"],
  "migrations.first.timeout": "21m",
  "web.site.artifact": "s3://other/{sha}/",
  "web.site.bucket": "other",
  "web.site.prefix": "q/",
  "web.site.domain": "c.d",
  "web.site.distribution": "E2",
  "web.site.invalidate": ["/y"],
  "web.site.keep": 11,
  ...Object.fromEntries(Object.entries(HEALTH).map(([key, value]) => [`web.site.health.${key}`, value])),
  "gates.promotedFrom": "qa",
  "verify.commits": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"],
  drift: "ignore",
  onFailure: "stop",
};
const OTHERWISE_HERE: Readonly<Record<string, unknown>> = {
  sha: OTHER,
  "services.api.sha": OTHER,
  "web.site.sha": OTHER,
  "hold.reason": "y",
  "hold.until": "2026-11-04",
  hold: undefined,
};

const TASK = '{"containerDefinitions":[{"name":"app"},{"name":"web"}]}';

function changed(base: Json, path: string, value: unknown): Json {
  const [key = "", ...rest] = path.split(".");
  const below = (base[key] ?? {}) as Json;
  return { ...base, [key]: rest.length === 0 ? value : changed(below, rest.join("."), value) };
}

async function digests(application: Json | string, prod: Json | string, task = TASK) {
  const text = (value: Json | string): string => (typeof value === "string" ? value : JSON.stringify(value));
  const { fingerprint, shared } = await prodOf(text(application), text(prod), { files: { "task.json": task } });
  return { fingerprint, shared };
}

describe("the fingerprint", () => {
  it.each(Object.entries(OTHERWISE))("does what the schema declares for %s", async (path, value) => {
    const before = await digests(APPLICATION, PROD);
    const declared = explainKey(path).entry?.fingerprint;
    const inApplication = await digests(changed(APPLICATION, path, value), PROD);
    expect(inApplication.fingerprint !== before.fingerprint).toBe(declared);
    expect(inApplication.shared !== before.shared).toBe(declared);
    if (["source", "pipeline", "verify.commits"].includes(path)) return;
    const inEnvironment = await digests(APPLICATION, changed(PROD, path, value));
    expect(inEnvironment.fingerprint).toBe(inApplication.fingerprint);
    expect(inEnvironment.shared).toBe(before.shared);
  });

  it.each(Object.entries(OTHERWISE_HERE))(
    "does what the schema declares for %s of an environment",
    async (path, value) => {
      const before = await digests(APPLICATION, PROD);
      const after = await digests(APPLICATION, changed(PROD, path, value));
      expect(after.fingerprint !== before.fingerprint).toBe(explainKey(path).entry?.fingerprint);
      expect(after.shared).toBe(before.shared);
    },
  );

  it("was tried for every key that is supported", () => {
    const generic = (path: string): string => path.replace(/^(services|migrations|web)\.[a-z]+/, "$1.<name>");
    const tried = new Set([...Object.keys(OTHERWISE), ...Object.keys(OTHERWISE_HERE)].map(generic));
    const untried = allKeys().filter((key) => {
      const { entry } = explainKey(key);
      const isLeaf = entry !== undefined && entry.supported && entry.children.length === 0;
      const manifest = entry?.where.includes("LOCKSTEP_CONFIG") === false;
      return isLeaf && manifest && !tried.has(key) && !key.startsWith("migrate.");
    });
    // One value is allowed for the first and the last; maps of names are tried by what is below them.
    expect(untried).toEqual(["version", "application", "services.<name>.strategy.rolling"]);
  });

  it("holds the content of task files, by value", async () => {
    const before = await digests(APPLICATION, PROD);
    const after = await digests(APPLICATION, PROD, '{"containerDefinitions":[{"name":"app","cpu":1}]}');
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(after.shared).not.toBe(before.shared);
    expect(await digests(APPLICATION, PROD, ` ${TASK.replace('"name":"web"', '"name": "web"')}\n`)).toEqual(before);
  });

  it("moves with the order of migrations, which is the order they run in", async () => {
    const { first, second } = APPLICATION["migrations"] as Json;
    const after = await digests({ ...APPLICATION, migrations: { second, first } }, PROD);
    const before = await digests(APPLICATION, PROD);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(after.shared).not.toBe(before.shared);
  });

  it("does not move with short forms, quotes or comments", async () => {
    const long = `application: shop\nimage: acme.io/{service}:{sha}\nservices:\n  api: { health: { url: "https://a.b", status: [200] }, strategy: { rolling: {} } }\n  worker: {}\nmigrations: { migrate: { service: api, command: [x] } }\n`;
    const short = `# c\nimage: "acme.io/{service}:{sha}"\nmigrate: { command: ['x'], service: api }\nx-mine: 1\nservices:\n  worker:\n  api:\n    strategy: rolling # the default\n    health: { status: 200, url: https://a.b }\napplication: 'shop'\n`;
    expect(await digests(short, `sha: "${SHA}"\r\n`)).toEqual(await digests(long, `sha: ${SHA}\n`));
  });

  it("does not move with the order of keys", async () => {
    const before = await digests(APPLICATION, PROD);
    const shuffled = (value: unknown, order: () => number, path: string): unknown => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
      const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member, order, key)] as const);
      const sorted = entries.map((entry) => [order(), entry] as const).sort(([a], [b]) => a - b);
      return Object.fromEntries(path === "migrations" ? entries : sorted.map(([, entry]) => entry));
    };
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), async (stream) => {
        const order = (): number => Number(stream.next().value);
        const application = shuffled(APPLICATION, order, "") as Json;
        expect(await digests(application, shuffled(PROD, order, "") as Json)).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  it("is shared by environments that application.yaml makes alike, whatever their own files say", async () => {
    const files = {
      "environments/application.yaml": JSON.stringify(APPLICATION),
      "environments/dev.yaml": `sha: ${OTHER}\ngates: { promotedFrom: false }\nservices: { api: { count: 1 } }\n`,
      "environments/prod.yaml": JSON.stringify(PROD),
      "task.json": TASK,
    };
    const { environments } = await read({ files });
    const [dev, prod] = environments.map(({ environment }) => environment);
    expect(dev?.shared).toBe(prod?.shared);
    expect(dev?.fingerprint).not.toBe(prod?.fingerprint);
  });
});
