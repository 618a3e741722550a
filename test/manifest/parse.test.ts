// What the values of an environment become: defaults, expansions, pins, order, origins.
import { describe, expect, it } from "vitest";
import { OTHER, prodOf, read, SHA, SMALL } from "./support.ts";

const P = `sha: ${SHA}\n`;

function image(template: string): string {
  return `application: shop\nimage: "${template}"\nservices:\n  api:\n`;
}

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
