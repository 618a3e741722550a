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

export function createWireRepository(shape: Shape): Repository {
  const model = createRepositoryModel(shape);
  const readings = new Map<Sha, Reading>();

  function reading(commit: Sha): Reading {
    const known = readings.get(commit) ?? onTheWire(model.reading(commit));
    readings.set(commit, known);
    return known;
  }

  return { ...model, reading };
}

function onTheWire(reading: Reading): Reading {
  return { ...reading, environments: reading.environments.map(entryOf) };
}

function entryOf(entry: ManifestEntry): ManifestEntry {
  return entry.environment === undefined ? entry : { ...entry, environment: located(entry.environment) };
}

function located(environment: Environment): Environment {
  const { name } = environment;
  const of = (image: string, sha: Sha): Environment["services"][number]["image"] => ({
    registry: REGISTRY,
    repository: `shop/${image}`,
    tag: `${sha}*`,
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
      timeoutMs: 120_000,
    })),
    webs: environment.webs.map((web) => ({
      ...web,
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
