// The controller as people run it: `serve` as a process that can be killed and started again, and its command line.
import type { EnvironmentStatus } from "../../../controller/core/status.ts";
import type { Account } from "./account.ts";
import { accepted } from "./calls.ts";
import type { Child, Variables } from "./child.ts";
import { until } from "./until.ts";

export interface Ran {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Controller {
  start(): Promise<void>;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | NodeJS.Signals>;
  /** What it printed in this life and those before. */
  output(): string;
  status(id: string): Promise<EnvironmentStatus | undefined>;
  /** Waits until the environment looks as wanted. */
  sees(id: string, what: string, is: (status: EnvironmentStatus) => boolean): Promise<EnvironmentStatus>;
  healthy(id: string, sha: string): Promise<EnvironmentStatus>;
  /** One more look, seen in the account: the services of the cluster were described once more. */
  look(cluster: string): Promise<void>;
  /** Runs a command of the command line against this controller. */
  run(...args: readonly string[]): Promise<Ran>;
}

export interface ControllerOptions {
  readonly repository: string;
  readonly journal: string;
  readonly variables?: Variables;
  /** Where commands run: the clone, as a person would. */
  readonly cwd: string;
}

export function createController(account: Account, options: ControllerOptions): Controller {
  const { repository, journal, cwd } = options;
  const env: Variables = {
    ...account.variables,
    LOCKSTEP_REPOSITORY: repository,
    LOCKSTEP_JOURNAL: journal,
    LOCKSTEP_LISTEN: "127.0.0.1:0",
    LOCKSTEP_POLL: "* * * * * *",
    LOCKSTEP_ADOPT: "release",
    LOCKSTEP_LOG_LEVEL: "debug",
    ...options.variables,
  };
  let child: Child | undefined;
  let address = "http://127.0.0.1:9";
  let before = "";

  async function ended(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    if (child === undefined) throw new Error("serve was not started");
    child.kill(signal);
    const how = await child.ended;
    before += `${child.stdout()}${child.stderr()}`;
    child = undefined;
    return how;
  }

  const output = (): string => `${before}${child?.stdout() ?? ""}${child?.stderr() ?? ""}`;

  async function status(id: string): Promise<EnvironmentStatus | undefined> {
    const response = await fetch(`${address}/api/v1/environments/${id}`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`GET ${id}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { environment: EnvironmentStatus }).environment;
  }

  async function sees(
    id: string,
    what: string,
    is: (status: EnvironmentStatus) => boolean,
  ): Promise<EnvironmentStatus> {
    let last: EnvironmentStatus | undefined;
    const seen = (): string => `${JSON.stringify(last, undefined, 1).slice(0, 3000)}\n${output().slice(-4000)}`;
    const probe = async (): Promise<EnvironmentStatus | undefined> => {
      last = await status(id);
      return last !== undefined && is(last) ? last : undefined;
    };
    return until(`${id} to be ${what}`, probe, { seen });
  }

  return {
    output,
    status,
    sees,
    async start() {
      child = account.start("controller/main.ts", ["serve"], env, cwd);
      const [, found = ""] = await child.says(/listens at (http:\/\/127\.0\.0\.1:\d+)/);
      address = found;
    },
    kill: async () => void (await ended("SIGKILL")),
    stop: () => ended("SIGTERM"),
    healthy: (id, sha) =>
      sees(
        id,
        `healthy on ${sha}`,
        (one) => one.state === "healthy" && one.git?.sha === sha && one.healthy?.sha === sha,
      ),
    async look(cluster) {
      const looks = async (): Promise<number> => accepted(await account.calls(cluster), "ecs:DescribeServices").length;
      const count = await looks();
      const headers = { "content-type": "application/json", "lockstep-request": "1", "lockstep-actor": "test" };
      const response = await fetch(`${address}/api/v1/refresh`, { method: "POST", headers, body: "{}" });
      if (!response.ok) throw new Error(`POST refresh: ${response.status} ${await response.text()}`);
      await until(`another look at ${cluster}`, async () => ((await looks()) > count ? true : undefined));
    },
    async run(...args) {
      const one = account.start("controller/main.ts", args, { ...env, LOCKSTEP_URL: address, NO_COLOR: "1" }, cwd);
      const code = await one.ended;
      return { code, stdout: one.stdout(), stderr: one.stderr() };
    },
  };
}
