import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
} from "@aws-sdk/client-ecs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ContainerStart } from "../../../sandbox/api.ts";
import { createChance } from "../../../sandbox/chance.ts";
import { createRealClock } from "../../../sandbox/clock.ts";
import { createLoopback } from "../../../sandbox/ecs/network.ts";
import { createProcessRunner } from "../../../sandbox/ecs/runner-process.ts";
import { createEcs } from "../../../sandbox/ecs/service.ts";
import { openAccount } from "../account.ts";
import { NETWORK, present } from "./ecs-account.ts";

const DEADLINE = { timeout: 15_000, interval: 20 };

/** A folder with this program in it, gone after the test. */
async function folderWith(program: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-image-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "main.mjs"), program);
  return folder;
}

const CONTAINER = {
  taskArn: "task",
  containerName: "main",
  image: "image",
  command: [],
  environment: {},
  port: undefined,
};

/** Starts one container of this program and records what happens to it. */
async function start(program: string, changes: Partial<ContainerStart> = {}, annotations: Record<string, string> = {}) {
  const runner = createProcessRunner();
  onTestFinished(() => runner.close());
  const seen = { lines: [] as string[], healthy: false, exitCode: undefined as number | undefined };
  const container = runner.start(
    {
      ...CONTAINER,
      manifest: {
        digest: "sha256:0",
        annotations: {
          "sandbox.folder": await folderWith(program),
          "sandbox.entrypoint": '["node","main.mjs"]',
          ...annotations,
        },
      },
      ...changes,
    },
    {
      log: (line) => void seen.lines.push(line),
      healthy: () => void (seen.healthy = true),
      exited: (exitCode) => void (seen.exitCode = exitCode),
    },
  );
  return { runner, seen, container };
}

describe("a container as a process", () => {
  it.each<[string, string, Partial<ContainerStart>, Record<string, string>, number, RegExp]>([
    ["ends with its own exit code", "process.exit(3)", {}, {}, 3, /^$/],
    ["gets its command after the entry point", "console.log(process.argv[2])", { command: ["up"] }, {}, 0, /^up$/],
    ["prints to both streams", "console.error('bad'); console.log('good')", {}, {}, 0, /bad/],
    ["prints a last line without an end", "process.stdout.write('half')", {}, {}, 0, /^half$/],
    [
      "has the task's environment over the image's",
      "console.log(process.env.A, process.env.B, process.env.PORT)",
      { environment: { A: "task" }, port: 4321 },
      { "sandbox.env": '{"A":"image","B":"image"}' },
      0,
      /^task image 4321$/,
    ],
    ["sees nothing of the sandbox's own environment", "console.log(process.env.VITEST)", {}, {}, 0, /^undefined$/],
    [
      "cannot start a program that is not there",
      "",
      {},
      { "sandbox.entrypoint": '["no-such-program"]' },
      127,
      /cannot start/,
    ],
    ["needs something to run", "", {}, { "sandbox.entrypoint": "[]" }, 127, /no sandbox.entrypoint/],
  ])("%s", async (...row) => {
    const [, program, changes, annotations, exitCode, output] = row;
    const { seen } = await start(program, changes, annotations);
    await vi.waitFor(() => expect(seen.exitCode).toBe(exitCode), DEADLINE);
    expect(seen.lines.join("\n")).toMatch(output);
  });

  it("is healthy when it accepts connections, and not before", async () => {
    const port = await createLoopback().pickPort();
    const program = `
      import { createServer } from "node:http";
      console.log("up");
      setTimeout(() => createServer().listen(process.env.PORT, "127.0.0.1", () => console.log("listening")), 300);`;
    const { seen } = await start(program, { port });
    await vi.waitFor(() => expect(seen.lines).toContain("up"), DEADLINE);
    expect(seen.healthy).toBe(false);
    await vi.waitFor(() => expect(seen.healthy).toBe(true), DEADLINE);
    expect(seen.lines).toContain("listening");
  });

  it("may end in its own way on SIGTERM", async () => {
    const { seen, container } = await start(
      `process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); console.log("up");`,
    );
    await vi.waitFor(() => expect(seen.lines).toEqual(["up"]), DEADLINE);
    container.stop(10_000);
    await vi.waitFor(() => expect(seen.exitCode).toBe(5), DEADLINE);
  });

  it("that ignores SIGTERM is killed after the stop timeout", async () => {
    const { seen, container } = await start(
      `process.on("SIGTERM", () => console.log("no")); setInterval(() => {}, 1000); console.log("up");`,
    );
    await vi.waitFor(() => expect(seen.lines).toEqual(["up"]), DEADLINE);
    container.stop(200);
    await vi.waitFor(() => expect(seen.exitCode).toBe(137), DEADLINE);
    expect(seen.lines).toEqual(["up", "no"]);
  });

  it("takes its own children with it, when it ends and when the runner closes", async () => {
    const program = `
      import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
      console.log(child.pid);
      if (process.argv[2] === "end") setTimeout(() => process.exit(0), 50);`;
    // The child's child holds the same pipes: the end of the container is only told when those are closed.
    const ending = await start(program, { command: ["end"] });
    await vi.waitFor(() => expect(ending.seen.exitCode).toBe(0), DEADLINE);

    const staying = await start(program);
    await vi.waitFor(() => expect(staying.seen.lines).toHaveLength(1), DEADLINE);
    await staying.runner.close();
    expect(staying.seen.exitCode).toBe(137);
    const late = { ...CONTAINER, manifest: { digest: "sha256:0", annotations: {} } };
    const silent = { log: () => undefined, healthy: () => undefined, exited: () => undefined };
    expect(() => staying.runner.start(late, silent)).toThrow("the runner is closed");
  });
});

const SERVER = `
  import { createServer } from "node:http";
  const server = createServer((request, response) => {
    response.setHeader("x-version", process.env.VERSION);
    response.end(request.method + " " + request.url);
  });
  server.listen(process.env.PORT, "127.0.0.1", () => console.log("listening as " + process.env.VERSION));`;

/** An account whose images are folders, a hundred times faster than the table of delays. */
async function openProcesses(programs: Readonly<Record<string, string>>) {
  const folders = new Map<string, string>();
  for (const [image, program] of Object.entries(programs)) folders.set(image, await folderWith(program));
  const runner = createProcessRunner();
  const logged: string[] = [];
  const ecs = createEcs({
    clock: createRealClock(100),
    chance: createChance(3),
    runner,
    resolveImage: (image) => {
      const folder = folders.get(image.replace(/@.*/, ""));
      if (folder === undefined) return undefined;
      return {
        digest: "sha256:0",
        annotations: { "sandbox.folder": folder, "sandbox.entrypoint": '["node","main.mjs"]' },
      };
    },
    writeLog: ({ stream }, line) => void logged.push(`${stream.replace(/[0-9a-f]{32}$/, "<task>")}: ${line}`),
    account: "111122223333",
    region: "eu-central-1",
  });
  onTestFinished(() => runner.close());
  const client = new ECSClient(openAccount({ services: [ecs] }).config);
  await client.send(new CreateClusterCommand({ clusterName: "main" }));
  const register = async (family: string, image: string): Promise<void> => {
    await client.send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: "awsvpc",
        cpu: "256",
        memory: "512",
        containerDefinitions: [
          {
            name: family,
            image,
            environment: [{ name: "VERSION", value: "1" }],
            portMappings: image.startsWith("server") ? [{ containerPort: 8080 }] : [],
            logConfiguration: {
              logDriver: "awslogs",
              options: { "awslogs-group": "/shop", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "p" },
            },
          },
        ],
      }),
    );
  };
  return { client, ecs, logged, register };
}

describe("ECS with processes", () => {
  it("a service really listens behind its endpoint", async () => {
    const { client, ecs, logged, register } = await openProcesses({ server: SERVER });
    await register("web", "server");
    await client.send(
      new CreateServiceCommand({
        cluster: "main",
        serviceName: "web",
        taskDefinition: "web",
        desiredCount: 2,
        networkConfiguration: NETWORK,
      }),
    );
    await vi.waitFor(async () => {
      const { services } = await client.send(new DescribeServicesCommand({ cluster: "main", services: ["web"] }));
      expect(services?.[0]?.deployments?.[0]?.rolloutState).toBe("COMPLETED");
    }, DEADLINE);
    const answer = await ecs.publicEndpoints()[0]?.answer({
      method: "POST",
      path: "/a%20b",
      query: new URLSearchParams("q=1"),
      headers: { host: "shop" },
      body: Buffer.from("x"),
    });
    expect(answer).toMatchObject({ status: 200, headers: { "x-version": "1" } });
    expect(String(answer?.body)).toBe("POST /a%20b?q=1");
    expect(logged).toEqual(["p/web/<task>: listening as 1", "p/web/<task>: listening as 1"]);
  });

  it("a migration really runs, with its overrides, and its exit code counts", async () => {
    const program = "console.log(process.argv[2], process.env.VERSION); process.exit(4);";
    const { client, logged, register } = await openProcesses({ job: program });
    await register("migrate", "job");
    const { tasks } = await client.send(
      new RunTaskCommand({
        cluster: "main",
        taskDefinition: "migrate",
        networkConfiguration: NETWORK,
        overrides: {
          containerOverrides: [{ name: "migrate", command: ["up"], environment: [{ name: "VERSION", value: "2" }] }],
        },
      }),
    );
    const arn = present(tasks?.[0]?.taskArn);
    await vi.waitFor(async () => {
      const answer = await client.send(new DescribeTasksCommand({ cluster: "main", tasks: [arn] }));
      expect(answer.tasks?.[0]).toMatchObject({ lastStatus: "STOPPED", containers: [{ exitCode: 4 }] });
    }, DEADLINE);
    expect(logged).toEqual(["p/migrate/<task>: up 2"]);
  });
});
