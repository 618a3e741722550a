import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeServicesCommand, DescribeTasksCommand, ECSClient, RunTaskCommand } from "@aws-sdk/client-ecs";
import { expect, onTestFinished, test, vi } from "vitest";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";
import { SEEDED_SHAS } from "../../sandbox/seed.ts";

interface Ready {
  readonly url: string;
  readonly control: string;
  readonly endpoints: {
    readonly services: Record<string, string>;
    readonly distributions: Record<string, { aliases: string[]; url: string }>;
  };
}

const patient = { timeout: 20_000, interval: 50 };

function run(...argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", "sandbox/main.ts", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function ready(child: ChildProcess): Promise<Ready> {
  if (child.stdout === null) throw new Error("the sandbox has no standard output");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return JSON.parse(line) as Ready;
}

async function exitOf(child: ChildProcess): Promise<{ readonly code: unknown; readonly stderr: string }> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, stderr };
}

test("wrong usage ends with 64 and the help, a taken port with 1 and the reason", async () => {
  const wrong = await exitOf(run("--speed", "fast"));
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toContain("--speed: a positive number, not fast");
  const { url } = await ready(run("--port", "0", "--no-seed"));
  const taken = await exitOf(run("--port", new URL(url).port, "--no-seed"));
  expect(taken.code).toBe(1);
  expect(taken.stderr).toContain("EADDRINUSE");
});

test("a seeded account runs its shop: services answer, pages are served, a migration prints and exits with its code, and nothing outlives it", async () => {
  const child = run("--port", "0", "--speed", "20");
  const { url, endpoints } = await ready(child);
  const config = { region: "eu-west-1", endpoint: url, credentials: SANDBOX_CREDENTIALS };
  const ecs = new ECSClient(config);

  await vi.waitFor(async () => {
    for (const cluster of ["dev", "staging", "prod"]) {
      const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: ["api", "worker"] }));
      expect(services.map(({ deployments }) => deployments?.[0]?.rolloutState)).toEqual(["COMPLETED", "COMPLETED"]);
    }
  }, patient);
  const api = endpoints.services["dev/api"] ?? "";
  expect(await (await fetch(`${api}/version`)).json()).toMatchObject({ sha: SEEDED_SHAS[0] });
  expect((await fetch(`${api}/api/ready`)).status).toBe(200);
  const page = Object.values(endpoints.distributions).find(({ aliases }) => aliases.includes("prod.acme.dev"));
  expect(await (await fetch(page?.url ?? "")).text()).toContain(SEEDED_SHAS[0]);

  const overrides = {
    containerOverrides: [
      { name: "app", command: ["node", "migrate.mjs"], environment: [{ name: "MIGRATE_EXIT", value: "3" }] },
    ],
  };
  const networkConfiguration = { awsvpcConfiguration: { subnets: ["subnet-0a1b2c3d"] } };
  const { tasks = [] } = await ecs.send(
    new RunTaskCommand({
      cluster: "dev",
      taskDefinition: "shop-api-dev",
      launchType: "FARGATE",
      networkConfiguration,
      overrides,
    }),
  );
  const taskArn = tasks[0]?.taskArn ?? "";
  await vi.waitFor(async () => {
    const { tasks: [task] = [] } = await ecs.send(new DescribeTasksCommand({ cluster: "dev", tasks: [taskArn] }));
    expect(task).toMatchObject({
      lastStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      containers: [{ exitCode: 3 }],
    });
  }, patient);
  const logs = new CloudWatchLogsClient(config);
  const logGroupName = "/ecs/dev/api";
  const id = taskArn.slice(taskArn.lastIndexOf("/") + 1);
  const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
  const logStreamName = logStreams.map(({ logStreamName: name = "" }) => name).find((name) => name.endsWith(id)) ?? "";
  const { events = [] } = await logs.send(
    new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }),
  );
  expect(events.at(0)?.message).toMatch(/^migrating to 9f2c1ab/);
  expect(events.at(-1)?.message).toContain("ERROR");

  child.kill("SIGTERM");
  expect((await exitOf(child)).code).toBe(0);
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  await expect(fetch(api)).rejects.toThrow("fetch failed");
});
