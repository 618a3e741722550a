// The demo: the sandbox as its account, the real controller on a repository of its own, everything in one folder.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenSandbox } from "../../sandbox/open.ts";
import { openSandbox } from "../../sandbox/open.ts";
import { imageManifest } from "../../sandbox/images.ts";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";
import { DEFAULT_ACCOUNT, DEFAULT_REGION } from "../../sandbox/sandbox.ts";
import { createServices, createStores, createWeb, pushBuild } from "../../sandbox/seed.ts";
import type { Demo, DemoOptions } from "../cli/doors.ts";
import type { Config } from "../config.ts";
import { cancellation } from "../core/cancel.ts";
import type { Account } from "../demo/account.ts";
import { perform } from "../demo/deeds.ts";
import { tell } from "../demo/story.ts";
import { openWorld } from "../demo/world.ts";
import type { Clock } from "../ports.ts";
import { startController } from "./controller.ts";

export interface DemoParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Divides ECS's delays in the sandbox; the controller's own time stays real. */
const SPEED = 20;

export async function openDemo(options: DemoOptions, { env, clock }: DemoParts): Promise<Demo> {
  const life = new AbortController();
  const leave = (): void => life.abort(cancellation("shutdown"));
  options.signal.addEventListener("abort", leave, { once: true });
  const endings: (() => Promise<unknown>)[] = [];
  /** In reverse order; what ends badly does not keep the rest from ending. */
  async function close(): Promise<void> {
    options.signal.removeEventListener("abort", leave);
    leave();
    for (const end of endings.splice(0).reverse()) await end().catch(() => undefined);
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), "lockstep-demo-"));
    endings.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const sandbox = await openSandbox({ speed: SPEED });
    endings.push(() => sandbox.close());
    const account = accountOf(sandbox, options.faults);
    const start = async (bare: string) => {
      const parts = {
        env: { PATH: env["PATH"], AWS_ENDPOINT_URL: sandbox.url, AWS_REGION: DEFAULT_REGION },
        secrets: { webhook: [] },
        clock,
        credentials: SANDBOX_CREDENTIALS,
      };
      const config = configOf(bare, join(folder, "journal"));
      const running = await startController({ ...options, config, observe: false, signal: life.signal }, parts);
      endings.push(() => running.closed);
      return running;
    };
    const world = await openWorld({ account, folder, path: env["PATH"] ?? "", clock, signal: life.signal, start });
    // Before everything else, so that no check is under way any more when its world ends.
    endings.push(() => Promise.resolve(world.close()));
    return {
      address: world.controller.address,
      bare: world.repository.bare,
      clone: world.repository.clone,
      variables: variablesOf(account),
      story: () => tell(world),
      do: (deed) => perform(world, deed),
      status: () => world.controller.status(),
      async close() {
        leave();
        await close();
      },
    };
  } catch (thrown) {
    leave();
    await close();
    throw thrown;
  }
}

function accountOf({ url, sandbox, edge, operations }: OpenSandbox, faults: DemoOptions["faults"]): Account {
  const place = { account: DEFAULT_ACCOUNT, region: DEFAULT_REGION };
  return {
    id: DEFAULT_ACCOUNT,
    region: DEFAULT_REGION,
    endpoint: url,
    credentials: SANDBOX_CREDENTIALS,
    endpoints: () => edge.endpoints(),
    image: (environment) => imageManifest({ environment }),
    async furnish(environments, sha) {
      await createStores(operations, place);
      await pushBuild(operations, sha, { BEAT_MS: "600000" });
      for (const environment of environments) {
        await createWeb(operations, place, environment, sha);
        await createServices(operations, place, environment, sha);
      }
      for (const fault of faults) sandbox.faults.add({ ...fault, count: "forever" });
    },
  };
}

function configOf(repository: string, journal: string): Config {
  return {
    repository,
    branch: "main",
    poll: "* * * * * *",
    journal: { kind: "directory", path: journal },
    listen: { host: "127.0.0.1", port: 0 },
    hosts: [],
    // The first release needs no permission here: what runs before it is the demo's own.
    adopt: "release",
    logLevel: "info",
    warnings: [],
  };
}

/** An account number stands for a key of that account: nothing that looks like a secret, which would be shown as ***. */
function variablesOf({ id, endpoint, region }: Account): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: "sandbox",
  };
}
