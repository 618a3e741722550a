// Config → adapters → engine: the one place where every room is known.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Doors, Where } from "./cli/doors.ts";
import type { Io } from "./cli/io.ts";
import { readConfig } from "./config.ts";
import type { Config, Secrets } from "./config.ts";
import { EXIT } from "./cli/exit.ts";
import { stop } from "./cli/stop.ts";
import { explainKey } from "./manifest/explain.ts";
import type { Operator } from "./manifest/operator.ts";
import { openOperator } from "./compose/operator.ts";
import { readWhere } from "./compose/read-where.ts";
import type { Sources } from "./compose/sources.ts";
import { createSources } from "./compose/sources.ts";

/** Everything commands may ask for. Heavy rooms are loaded only when a door to them is opened. */
export function createDoors({ env, clock, cwd }: Pick<Io, "env" | "clock" | "cwd">): Doors {
  // What `serve` needs and these commands do without must not stop them.
  const lenient = (): { readonly config: Config; readonly secrets: Secrets } => {
    const reading = readConfig({ LOCKSTEP_REPOSITORY: cwd, ...env }, cwd);
    if (reading.config !== undefined) return reading;
    const problems = reading.problems.map(({ name, message }) => `${name} ${message}`);
    throw stop(EXIT.usage, problems.join("\n"), reading.problems[0]?.next);
  };
  const operatorOf = (config: Config): Promise<Operator> => openOperator(config.file, env);

  function openSources(config: Config, secrets: Secrets): (address: string, branch: string) => Sources {
    const { gitSshKey: sshKey, gitKnownHosts: knownHosts } = config;
    const credentials = {
      ...(secrets.gitToken === undefined ? {} : { token: secrets.gitToken }),
      ...(sshKey === undefined ? {} : { sshKey }),
      ...(knownHosts === undefined ? {} : { knownHosts }),
    };
    const folder = join(env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? cwd, ".cache"), "lockstep");
    return (address, branch) => createSources({ repositories: [{ address, branch }], folder, credentials, env });
  }

  return {
    async readManifests(where: Where, signal) {
      const { config, secrets } = lenient();
      const operator = await operatorOf(config);
      return readWhere(where, { place: operator.place, env, openSources: openSources(config, secrets) }, signal);
    },
    async openWorld() {
      const { config, secrets } = lenient();
      const { openOutlook } = await import("./compose/outlook.ts");
      const sources = openSources(config, secrets)(config.repository ?? cwd, "HEAD");
      const { contains } = sources;
      return openOutlook({ journal: config.journal, adopts: config.adopt === "release", clock, contains, env });
    },
    async startController(options) {
      const { startController } = await import("./compose/controller.ts");
      const reading = readConfig(env, cwd);
      // The demo brings a configuration of its own and has no secrets.
      const secrets = reading.config === undefined ? { webhook: [] } : reading.secrets;
      return startController(options, { env, clock, secrets });
    },
    async openDemo(options) {
      const { openDemo } = await import("./compose/demo.ts");
      return openDemo(options, { env, clock });
    },
    explain: (key) => Promise.resolve(explainKey(key)),
    schema: (kind) => readFile(new URL(`../schema/${kind}.schema.json`, import.meta.url), "utf8"),
  };
}
