// Joins what AWS shows with what only the journal can know: one live state for the plan.
import type { Environment } from "./environment.ts";
import { migrationKey } from "./fingerprint.ts";
import type { Memory, MigrationMemory } from "./history.ts";
import { isReturning } from "./history.ts";
import type { LiveMigration, LiveState, Observation } from "./live.ts";

export function withMarks(observation: Observation, desired: Environment, memory: Memory): LiveState {
  return {
    ...observation,
    migrations: new Map(
      desired.migrations.map((migration) => [
        migration.name,
        liveMigration(memory.migrations.get(migrationKey(desired, migration))),
      ]),
    ),
    deployed: memory.deployed,
    begun: new Set([...memory.intents].flatMap(([name, { accepted }]) => (accepted ? [] : [name]))),
    served: memory.served,
    returning: isReturning(memory, desired.sha),
    ...(memory.passed === undefined ? {} : { passed: memory.passed }),
  };
}

function liveMigration(known: MigrationMemory | undefined): LiveMigration {
  if (known === undefined || known.again) return { state: "absent" };
  switch (known.state) {
    case "refused":
    case "started":
      return { state: "started" };
    case "passed":
      return { state: "passed" };
    case "failed":
    case "unknown":
      return { state: known.state, why: known.message ?? "no reason was recorded" };
  }
}
