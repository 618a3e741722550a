// The sample in environments/ is valid, complete, and means what its comments say.
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { problemsOf } from "../../controller/manifest/parse.ts";
import { read, SHA } from "./support.ts";

const FOLDER = new URL("../../environments/", import.meta.url);

async function sample(): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(FOLDER);
  const texts = names.map(async (name) => [`environments/${name}`, await readFile(new URL(name, FOLDER), "utf8")]);
  return Object.fromEntries(await Promise.all(texts)) as Readonly<Record<string, string>>;
}

describe("the sample manifests", () => {
  it("have no problem and no warning", async () => {
    const reading = await read({ files: await sample() });
    expect(problemsOf(reading)).toEqual([]);
    expect(reading.environments.map(({ name }) => name)).toEqual(["dev", "prod", "staging"]);
  });

  it("name their schema for editors", async () => {
    for (const [path, text] of Object.entries(await sample())) {
      const kind = path.endsWith("application.yaml") ? "application" : "environment";
      expect(text.split("\n")[0]).toBe(`# yaml-language-server: $schema=../schema/${kind}.schema.json`);
    }
  });

  it("merge application and environment", async () => {
    const reading = await read({ files: await sample() });
    const prod = reading.environments.find(({ name }) => name === "prod")?.environment;
    expect(prod).toMatchObject({
      application: "shop",
      name: "prod",
      sha: SHA,
      place: { region: "eu-west-1", cluster: "prod" },
      parallel: 4,
      gates: { promotedFrom: ["staging"] },
      drift: "report",
      onFailure: "rollback",
      url: "https://prod.acme.dev",
      migrations: [{ name: "migrate", service: "api", container: "app", timeoutMs: 1_200_000 }],
      webs: [{ name: "site", bucket: "acme-shop-web-prod", prefix: "", domain: "prod.acme.dev", keep: 10 }],
    });
    expect(prod?.services.map(({ name, count, after }) => ({ name, count, after }))).toEqual([
      { name: "api", count: 2, after: [] },
      { name: "worker", count: undefined, after: ["api"] },
    ]);
    expect(prod?.services[0]).toMatchObject({
      image: { registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", repository: "shop/api", tag: SHA },
      task: { kind: "adopted" },
      health: { url: "https://prod.acme.dev/version", version: "$.sha", forMs: 60_000, timeoutMs: 300_000 },
    });
  });
});
