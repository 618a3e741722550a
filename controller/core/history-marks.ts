// Folds the marks that steps leave behind into the memory: what was intended, what was accepted, how it ended.
import type { Instant } from "./brand.ts";
import type { Mark } from "./event.ts";
import type { DeployIntent, Memory, MigrationMemory, Publication } from "./memory.ts";

/** The memory after one more mark. */
export function applyMark(memory: Memory, mark: Mark, at: Instant): Memory {
  switch (mark.type) {
    case "migration-started": {
      const { migration, key, attempt, token, taskDefinition, cluster, awsAt } = mark;
      const entry: MigrationMemory = {
        name: migration,
        state: "started",
        attempt,
        token,
        taskDefinition,
        cluster,
        startedAt: at,
        log: [],
        again: false,
        ...(awsAt === undefined ? {} : { awsAt }),
      };
      return { ...written(memory), migrations: new Map(memory.migrations).set(key, entry) };
    }
    case "migration-task": {
      const known = memory.migrations.get(mark.key);
      if (known === undefined) return memory;
      return { ...memory, migrations: new Map(memory.migrations).set(mark.key, { ...known, task: mark.task }) };
    }
    case "migration-settled": {
      const known = memory.migrations.get(mark.key);
      if (known === undefined) return memory;
      const settled: MigrationMemory = {
        ...known,
        state: mark.result,
        message: mark.message,
        log: mark.log,
        settledAt: at,
        ...(mark.exitCode === undefined ? {} : { exitCode: mark.exitCode }),
      };
      return { ...memory, migrations: new Map(memory.migrations).set(mark.key, settled) };
    }
    case "deploy-intended": {
      const { release, service, version, key, settings, before } = mark;
      const intent: DeployIntent = { release, version, key, settings, before, intendedAt: at, accepted: false };
      return {
        ...written(memory),
        intents: new Map(memory.intents).set(service, intent),
        versions: new Map(memory.versions).set(version, key),
      };
    }
    case "deploy-accepted": {
      const intent = memory.intents.get(mark.service);
      if (intent === undefined) return memory;
      const { version, key, settings } = intent;
      const accepted: DeployIntent = {
        ...intent,
        accepted: true,
        ...(mark.deployment === undefined ? {} : { deployment: mark.deployment }),
      };
      return {
        ...memory,
        intents: new Map(memory.intents).set(mark.service, accepted),
        deployed: new Map(memory.deployed).set(mark.service, { version, key, settings }),
      };
    }
    case "publication-started": {
      const { release, web, publication, digest } = mark;
      const begun: Publication = { release, publication, digest, startedAt: at, settled: false, invalidated: false };
      const served = new Map(memory.served);
      served.delete(web);
      return { ...written(memory), served, publications: new Map(memory.publications).set(web, begun) };
    }
    case "publication-settled": {
      const known = memory.publications.get(mark.web);
      if (known === undefined) return memory;
      return {
        ...memory,
        served: new Map(memory.served).set(mark.web, mark.digest),
        publications: new Map(memory.publications).set(mark.web, { ...known, settled: true }),
      };
    }
    case "invalidated": {
      const known = memory.publications.get(mark.web);
      if (known === undefined) return memory;
      return { ...memory, publications: new Map(memory.publications).set(mark.web, { ...known, invalidated: true }) };
    }
  }
}

/** After a write, nothing is proven healthy until health passes again. */
function written(memory: Memory): Memory {
  const { passed: _, ...rest } = memory;
  return rest;
}
