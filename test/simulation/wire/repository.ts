// The configuration repository of the decision tier, with manifests that name things as they are in the account.
import type { Sha } from "../../../controller/core/brand.ts";
import type { Environment } from "../../../controller/core/environment.ts";
import { fingerprint } from "../../../controller/core/fingerprint.ts";
import type { ManifestEntry, Reading } from "../../../controller/ports.ts";
import type { Repository, Shape } from "../repository.ts";
import { createRepositoryModel } from "../repository.ts";
import { REGISTRY } from "./account.ts";
import { ARTIFACTS, prefixOf } from "./builds.ts";
import { bucketOf } from "./hands.ts";

/** With `wildcard` images are found by a template that matches more than one tag. */
export function createWireRepository(shape: Shape, wildcard: boolean): Repository {
  const model = createRepositoryModel(shape);
  const readings = new Map<Sha, Reading>();

  function reading(commit: Sha): Reading {
    const known = readings.get(commit) ?? onTheWire(model.reading(commit), wildcard);
    readings.set(commit, known);
    return known;
  }

  return { ...model, reading };
}

function onTheWire(reading: Reading, wildcard: boolean): Reading {
  const entries = reading.environments.map((entry): ManifestEntry => {
    const { environment } = entry;
    return environment === undefined ? entry : { ...entry, environment: located(environment, wildcard) };
  });
  return { ...reading, environments: entries };
}

function located(environment: Environment, wildcard: boolean): Environment {
  const { name } = environment;
  const of = (image: string, sha: Sha): Environment["services"][number]["image"] => ({
    registry: REGISTRY,
    repository: `shop/${image}`,
    tag: wildcard ? `${sha}*` : sha,
  });
  const there: Environment = {
    ...environment,
    services: environment.services.map(({ health: _, ...service }) => ({
      ...service,
      image: of(service.name, service.sha),
      timeoutMs: 120_000,
      ...(service.name === "api" ? { health: healthOf(name) } : {}),
    })),
    migrations: environment.migrations.map((migration) => ({
      ...migration,
      image: of(migration.name, migration.sha),
      command: ["node", "migrate.mjs"],
      timeoutMs: 60_000,
    })),
    webs: environment.webs.map((web) => ({
      ...web,
      keep: 1,
      artifact: `s3://${ARTIFACTS}/${web.name}/${web.sha}/`,
      bucket: bucketOf(name),
      prefix: prefixOf(web.name),
      domain: `${name}.shop.example`,
    })),
  };
  return { ...there, fingerprint: fingerprint(there) };
}

function healthOf(name: string): NonNullable<Environment["services"][number]["health"]> {
  return { url: `https://${name}.shop.example/api/health`, version: "$.sha", forMs: 3_000, timeoutMs: 30_000 };
}
