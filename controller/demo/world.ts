// The demo's world: an account, a repository and the controller between them, with what people do in it.
import type { Instant } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { Event } from "../core/event.ts";
import { FAULTS } from "../core/fault.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import type { Clock, Control } from "../ports.ts";
import type { Account } from "./account.ts";
import type { Builds } from "./builds.ts";
import { createBuilds } from "./builds.ts";
import type { Clients } from "./clients.ts";
import { createClients } from "./clients.ts";
import type { Eyes } from "./evidence.ts";
import { createEyes } from "./evidence.ts";
import type { EnvironmentWord } from "./manifests.ts";
import {
  aliasOf,
  APPLICATION,
  APPLICATION_FILE,
  applicationText,
  ENVIRONMENTS,
  environmentText,
  fileOf,
  shaIn,
} from "./manifests.ts";
import type { Changes, Repository } from "./repository.ts";
import { createRepository } from "./repository.ts";

/** The controller, as a door gives it. */
export interface Controller {
  readonly address: string;
  status(): StatusDocument;
  subscribe(listener: (event: Event) => void): () => void;
  readonly control: Control;
}

export interface World {
  readonly account: Account;
  readonly clients: Clients;
  readonly repository: Repository;
  readonly builds: Builds;
  readonly eyes: Eyes;
  readonly controller: Controller;
  readonly clock: Clock;
  /** Aborts when the demo ends. */
  readonly signal: AbortSignal;
  api(environment: string): string;
  site(environment: string): string;
  status(environment: EnvironmentWord): EnvironmentStatus | undefined;
  /** Why the environment cannot come to run this SHA any more, as far as the controller knows. */
  hopeless(environment: EnvironmentWord, sha: string): string | undefined;
  /** Changes an environment's file in one commit and pushes it; answers the commit. */
  edit(environment: EnvironmentWord, message: string, change: (manifest: string) => string): Promise<string>;
  /** Files that say that every environment runs this SHA. */
  wishes(sha: string): Changes;
  /** SHA that an environment's file names. */
  wanted(environment: EnvironmentWord): Promise<string | undefined>;
  /** Waits until the controller has looked at the environment so often again; answers how often it did. */
  looks(environment: EnvironmentWord, times: number): Promise<number>;
  close(): void;
}

export interface WorldParts {
  readonly account: Account;
  /** Everything temporary lies in it. */
  readonly folder: string;
  /** Search path of programs. */
  readonly path: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Starts the controller on the bare repository. */
  readonly start: (bare: string) => Promise<Controller>;
}

const LOOK_MS = 100;
/** A look that does not come is for the checks to show; the story goes on. */
const LOOKS_MS = 10_000;

export const idOf = (environment: EnvironmentWord): EnvironmentId => `${APPLICATION}/${environment}`;

/** An older pipeline's shop runs in the account; the repository holds what the shop is made of, and nobody's wish yet. */
export async function openWorld(parts: WorldParts): Promise<World> {
  const { account, folder, path, clock, signal } = parts;
  const clients = createClients(account);
  const repository = await createRepository({ folder, path });
  await repository.push("Begin the shop", {
    "README.md": "# Acme shop\n\nWhat runs where stands in `environments/`.\n",
    [APPLICATION_FILE]: applicationText(account),
  });
  const first = await repository.push("Sell things", { "CHANGES.md": "Sell things.\n" });
  await account.furnish(ENVIRONMENTS, first);
  const endpoints = await account.endpoints();
  const controller = await parts.start(repository.bare);
  const troubles = new Map<string, string>();
  const unsubscribe = controller.subscribe((event) => keepTrouble(troubles, event));

  const api = (environment: string): string => endpoints.services[`${environment}/api`] ?? "";
  const site = (environment: string): string =>
    Object.values(endpoints.distributions).find(({ aliases }) => aliases.includes(aliasOf(environment)))?.url ?? "";
  const status = (environment: EnvironmentWord): EnvironmentStatus | undefined =>
    controller.status().environments.find(({ id }) => id === idOf(environment));

  return {
    account,
    clients,
    repository,
    builds: createBuilds(account, clients, repository),
    eyes: createEyes(clients, { api, site }),
    controller,
    clock,
    signal,
    api,
    site,
    status,
    hopeless(environment, sha) {
      const trouble = troubles.get(idOf(environment));
      if (trouble !== undefined) return trouble;
      const one = status(environment);
      if (one?.git?.sha !== sha) return undefined;
      return one.state === "failed" || one.state === "blocked" || one.state === "rolled-back" ? one.why : undefined;
    },
    async edit(environment, message, change) {
      const file = fileOf(environment);
      const commit = await repository.push(message, { [file]: change(await repository.read(file)) });
      controller.control.look();
      return commit;
    },
    wishes: (sha) =>
      Object.fromEntries(
        ENVIRONMENTS.map((environment) => {
          const addresses = { api: api(environment), site: site(environment) };
          return [fileOf(environment), environmentText(environment, sha, addresses)];
        }),
      ),
    wanted: async (environment) => shaIn(await repository.read(fileOf(environment))),
    async looks(environment, times) {
      const untilMs = clock.monotonicMs() + LOOKS_MS;
      const seen = new Set<Instant | undefined>([status(environment)?.observedAt]);
      while (seen.size <= times && clock.monotonicMs() < untilMs) {
        controller.control.look();
        await clock.sleep(LOOK_MS, signal);
        seen.add(status(environment)?.observedAt);
      }
      return seen.size - 1;
    },
    close() {
      unsubscribe();
      clients.close();
    },
  };
}

/** Only what stops writing counts: what is retried may still come true. */
function keepTrouble(troubles: Map<string, string>, event: Event): void {
  if (event.durable) return;
  if (event.event.type === "trouble-cleared") troubles.delete(event.event.where);
  if (event.event.type !== "trouble") return;
  const { fault, where } = event.event;
  if (FAULTS[fault.code].consequence === "stop") troubles.set(where, `${fault.code}: ${fault.message}`);
}
