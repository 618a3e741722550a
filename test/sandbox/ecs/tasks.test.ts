import {
  CreateClusterCommand,
  DescribeClustersCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  StopTaskCommand,
  type Task,
} from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import {
  describeTask,
  digestOf,
  type EcsAccount,
  HOUR_MS,
  job,
  MINUTE_MS,
  NETWORK,
  openEcs,
  present,
  register,
  SECOND_MS,
} from "./ecs-account.ts";

const IMAGE = "shop/migrate:1";

async function run(account: EcsAccount, changes: Partial<RunTaskCommandInput> = {}): Promise<Task> {
  const { tasks } = await account.client.send(command(changes));
  return present(tasks?.[0]);
}

function command(changes: Partial<RunTaskCommandInput> = {}): RunTaskCommand {
  return new RunTaskCommand({
    cluster: "main",
    taskDefinition: "migrate",
    launchType: "FARGATE",
    networkConfiguration: NETWORK,
    ...changes,
  });
}

describe("RunTask refuses", () => {
  it.each<[string, Partial<RunTaskCommandInput>, string, RegExp]>([
    ["an unknown cluster", { cluster: "none" }, "ClusterNotFoundException", /Cluster not found/],
    ["an unknown task definition", { taskDefinition: "none" }, "ClientException", /TaskDefinition not found/],
    ["eleven tasks", { count: 11 }, "InvalidParameterException", /less than or equal to 10/],
    ["a startedBy with a space", { startedBy: "lock step" }, "InvalidParameterException", /startedBy/],
    ["a token of 65 characters", { clientToken: "x".repeat(65) }, "InvalidParameterException", /clientToken/],
    ["propagateTags SERVICE", { propagateTags: "SERVICE" }, "InvalidParameterException", /propagateTags/],
    [
      "an override of a container that is not there",
      { overrides: { containerOverrides: [{ name: "other" }] } },
      "InvalidParameterException",
      /Override for container named other is not a container/,
    ],
    [
      "overrides over 8192 characters",
      { overrides: { containerOverrides: [{ name: "migrate", command: ["x".repeat(8192)] }] } },
      "InvalidParameterException",
      /at most 8192/,
    ],
  ])("%s", async (_, changes, name, message) => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    await expect(account.client.send(command(changes))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it("awsvpc without a network configuration", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    const running = account.client.send(new RunTaskCommand({ cluster: "main", taskDefinition: "migrate" }));
    await expect(running).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    });
  });
});

describe("a one-off task", () => {
  it("goes through every status of its life and ends with its exit code", async () => {
    const account = await openEcs({
      rules: [{ image: "migrate", outcome: { kind: "exit", exitCode: 0, afterMs: 5000, log: ["applied 3"] } }],
    });
    await register(account, "migrate", IMAGE, {
      containerDefinitions: [
        {
          name: "migrate",
          image: IMAGE,
          logConfiguration: {
            logDriver: "awslogs",
            options: { "awslogs-group": "/shop", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "m" },
          },
        },
      ],
    });
    const started = await run(account, { startedBy: "lockstep/prod" });
    expect(started).toMatchObject({ lastStatus: "PROVISIONING", desiredStatus: "RUNNING", group: "family:migrate" });
    const taskArn = present(started.taskArn);
    expect(taskArn).toMatch(/^arn:aws:ecs:eu-central-1:111122223333:task\/main\/[0-9a-f]{32}$/);

    const seen: string[] = ["PROVISIONING"];
    while (seen.at(-1) !== "STOPPED") {
      account.clock.advanceTo(present(account.clock.nextAt()));
      const { lastStatus = "" } = await describeTask(account, taskArn);
      if (seen.at(-1) !== lastStatus) seen.push(lastStatus);
    }
    expect(seen).toEqual([
      "PROVISIONING",
      "PENDING",
      "ACTIVATING",
      "RUNNING",
      "DEACTIVATING",
      "DEPROVISIONING",
      "STOPPED",
    ]);
    const task = await describeTask(account, taskArn);
    expect(task).toMatchObject({
      desiredStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
      startedBy: "lockstep/prod",
      containers: [{ name: "migrate", lastStatus: "STOPPED", exitCode: 0, imageDigest: digestOf(IMAGE) }],
    });
    for (const at of [task.createdAt, task.startedAt, task.stoppingAt, task.executionStoppedAt, task.stoppedAt])
      expect(at).toBeInstanceOf(Date);
    expect(account.logged).toEqual([
      { group: "/shop", stream: `m/migrate/${taskArn.split("/").at(-1)}`, line: "applied 3" },
    ]);
  });

  it.each<[string, Parameters<typeof openEcs>[0], object]>([
    [
      "exits with 3",
      { rules: [{ outcome: { kind: "exit", exitCode: 3 } }] },
      { stopCode: "EssentialContainerExited", containers: [{ exitCode: 3 }] },
    ],
    [
      "loses its host",
      { rules: [{ outcome: { kind: "interrupted", afterMs: 10 } }] },
      {
        stopCode: "SpotInterruption",
        stoppedReason: "Your Spot Task was interrupted.",
        containers: [{ exitCode: 143 }],
      },
    ],
  ])("that %s says so", async (_, options, expected) => {
    const account = await openEcs(options);
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn } = await run(account);
    account.advance(MINUTE_MS);
    expect(await describeTask(account, present(taskArn))).toMatchObject({ lastStatus: "STOPPED", ...expected });
  });

  it.each<[string, string, Parameters<typeof openEcs>[0], RegExp]>([
    ["whose image is missing", "shop/missing:1", {}, /^CannotPullContainerError: /],
    [
      "whose pull is refused by the script",
      IMAGE,
      { rules: [{ outcome: { kind: "refused", message: "i/o timeout" } }] },
      /^CannotPullContainerError: i\/o timeout/,
    ],
    [
      "whose secret cannot be read",
      IMAGE,
      { rules: [{ outcome: { kind: "refused", error: "ResourceInitializationError", message: "no secret" } }] },
      /^ResourceInitializationError: no secret/,
    ],
  ])("%s fails to start and has no exit code", async (_, image, options, reason) => {
    const account = await openEcs(options);
    await register(account, "migrate", image, job(image));
    const { taskArn } = await run(account);
    account.advance(MINUTE_MS);
    const task = await describeTask(account, present(taskArn));
    expect(task).toMatchObject({ lastStatus: "STOPPED", stopCode: "TaskFailedToStart" });
    expect(task.stoppedReason).toMatch(reason);
    expect(task.containers?.[0]?.exitCode).toBeUndefined();
    expect(task.startedAt).toBeUndefined();
  });

  it("whose secret is not there fails to start, and with it the secret is in the environment", async () => {
    const account = await openEcs({ resolveSecret: (from) => (from === "arn:good" ? "hunter2" : undefined) });
    const secret = (valueFrom: string): Parameters<typeof register>[3] => ({
      containerDefinitions: [{ name: "migrate", image: IMAGE, secrets: [{ name: "PASSWORD", valueFrom }] }],
    });
    await register(account, "migrate", IMAGE, secret("arn:bad"));
    const bad = await run(account);
    await register(account, "migrate", IMAGE, secret("arn:good"));
    const good = await run(account);
    account.advance(10 * SECOND_MS);
    expect((await describeTask(account, present(bad.taskArn))).stoppedReason).toMatch(/ResourceInitializationError/);
    expect((await describeTask(account, present(good.taskArn))).lastStatus).toBe("RUNNING");
  });

  it("goes on when a sidecar that is not essential ends, and takes the sidecar down with it", async () => {
    const account = await openEcs({
      rules: [
        { container: "sidecar", outcome: { kind: "serve", ignoresSigterm: true } },
        { container: "init", outcome: { kind: "exit", exitCode: 1, afterMs: 10 } },
        { container: "migrate", outcome: { kind: "exit", exitCode: 0, afterMs: 5000 } },
      ],
    });
    await register(account, "migrate", IMAGE, {
      containerDefinitions: [
        { name: "migrate", image: IMAGE },
        { name: "sidecar", image: "proxy:1", stopTimeout: 20 },
        { name: "init", image: "init:1", essential: false },
      ],
    });
    const { taskArn } = await run(account);
    account.advance(6 * SECOND_MS);
    expect((await describeTask(account, present(taskArn))).lastStatus).toBe("RUNNING");
    account.advance(10 * SECOND_MS);
    expect((await describeTask(account, present(taskArn))).lastStatus).toBe("STOPPING");
    account.advance(MINUTE_MS);
    const { containers = [] } = await describeTask(account, present(taskArn));
    expect(Object.fromEntries(containers.map(({ name, exitCode }) => [name, exitCode]))).toEqual({
      migrate: 0,
      sidecar: 137,
      init: 1,
    });
  });

  it("is stopped by SIGTERM, loses its tags, and says who asked", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn } = await run(account, { tags: [{ key: "sha", value: "abc" }] });
    account.advance(10 * SECOND_MS);
    const before = await describeTask(account, present(taskArn));
    await account.client.send(new StopTaskCommand({ cluster: "main", task: taskArn, reason: "timeout" }));
    account.advance(MINUTE_MS);
    const after = await describeTask(account, present(taskArn));
    expect(before.tags).toEqual([{ key: "sha", value: "abc" }]);
    expect(after).toMatchObject({
      stopCode: "UserInitiated",
      stoppedReason: "timeout",
      tags: [],
      containers: [{ exitCode: 143 }],
    });
  });

  it("can be stopped before it runs, and then has no exit code", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn } = await run(account);
    await account.client.send(new StopTaskCommand({ cluster: "main", task: taskArn }));
    account.advance(MINUTE_MS);
    const task = await describeTask(account, present(taskArn));
    expect(task).toMatchObject({ lastStatus: "STOPPED", stopCode: "UserInitiated" });
    expect(task.containers?.[0]?.exitCode).toBeUndefined();
  });

  it("is forgotten an hour after it stopped", async () => {
    const account = await openEcs({ rules: [{ outcome: { kind: "exit" } }] });
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn = "" } = await run(account);
    account.advance(MINUTE_MS);
    account.advance(HOUR_MS - MINUTE_MS);
    expect((await describeTask(account, taskArn)).lastStatus).toBe("STOPPED");
    account.advance(MINUTE_MS);
    const answer = await account.client.send(new DescribeTasksCommand({ cluster: "main", tasks: [taskArn] }));
    expect(answer).toMatchObject({ tasks: [], failures: [{ arn: taskArn, reason: "MISSING" }] });
  });
});

describe("a client token", () => {
  it("answers the same tasks again, and only their names and states once they stopped", async () => {
    const account = await openEcs({ rules: [{ outcome: { kind: "exit", afterMs: 1000 } }] });
    await register(account, "migrate", IMAGE, job(IMAGE));
    const first = await run(account, { clientToken: "t1" });
    const replay = await run(account, { clientToken: "t1" });
    account.advance(MINUTE_MS);
    const late = await run(account, { clientToken: "t1" });
    expect(replay.taskArn).toBe(first.taskArn);
    expect(replay.containers).toHaveLength(1);
    expect(late).toEqual({ taskArn: first.taskArn, lastStatus: "STOPPED", desiredStatus: "STOPPED" });
  });

  it("with other parameters is a conflict that names the tasks it is bound to", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn } = await run(account, { clientToken: "t1" });
    await expect(account.client.send(command({ clientToken: "t1", startedBy: "other" }))).rejects.toMatchObject({
      name: "ConflictException",
      resourceIds: [taskArn],
    });
  });

  it("is another one in another cluster, and the cluster's ARN is the same as its name", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn } = await run(account, { clientToken: "t1" });
    const byArn = await run(account, {
      clientToken: "t1",
      cluster: "arn:aws:ecs:eu-central-1:111122223333:cluster/main",
    });
    await account.client.send(new CreateClusterCommand({ clusterName: "second" }));
    const elsewhere = await run(account, { clientToken: "t1", cluster: "second" });
    expect(byArn.taskArn).toBe(taskArn);
    expect(elsewhere.taskArn).toMatch(/:task\/second\//);
  });

  it("is forgotten an hour after the task stopped: the same call runs it again", async () => {
    const account = await openEcs({ rules: [{ outcome: { kind: "exit", afterMs: 1000 } }] });
    await register(account, "migrate", IMAGE, job(IMAGE));
    const first = await run(account, { clientToken: "t1" });
    account.advance(HOUR_MS - MINUTE_MS);
    expect((await run(account, { clientToken: "t1" })).taskArn).toBe(first.taskArn);
    account.advance(2 * MINUTE_MS);
    const again = await run(account, { clientToken: "t1" });
    expect(again.taskArn).not.toBe(first.taskArn);
    expect(again.lastStatus).toBe("PROVISIONING");
  });

  it("is forgotten after 24 hours even while the task runs", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    const first = await run(account, { clientToken: "t1" });
    account.advance(24 * HOUR_MS - 1);
    expect((await run(account, { clientToken: "t1" })).taskArn).toBe(first.taskArn);
    account.advance(1);
    expect((await run(account, { clientToken: "t1" })).taskArn).not.toBe(first.taskArn);
  });
});

describe("reading tasks", () => {
  it("RunTask answers 200 with failures when tasks cannot be placed", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    account.ecs.placement.fail({ reason: "RESOURCE:MEMORY", family: "migrate" });
    const { tasks, failures } = await account.client.send(command({ count: 2 }));
    expect(tasks).toHaveLength(1);
    expect(failures).toMatchObject([{ reason: "RESOURCE:MEMORY" }]);
  });

  it("ListTasks gives RUNNING ones by default, so a stopped task is only found by its family", async () => {
    const account = await openEcs({ rules: [{ outcome: { kind: "exit" } }] });
    await register(account, "migrate", IMAGE, job(IMAGE));
    const { taskArn } = await run(account, { startedBy: "me" });
    const list = async (filter: object): Promise<unknown> =>
      (await account.client.send(new ListTasksCommand({ cluster: "main", ...filter }))).taskArns;
    expect(await list({ startedBy: "me" })).toEqual([taskArn]);
    expect(await list({ startedBy: "other" })).toEqual([]);
    account.advance(MINUTE_MS);
    expect(await list({ startedBy: "me" })).toEqual([]);
    expect(await list({ family: "migrate", desiredStatus: "STOPPED" })).toEqual([taskArn]);
    expect(await list({ desiredStatus: "PENDING" })).toEqual([]);
    await expect(list({ startedBy: "me", family: "migrate" })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  it("ListTasks gives one page at a time", async () => {
    const account = await openEcs();
    await register(account, "migrate", IMAGE, job(IMAGE));
    await account.client.send(command({ count: 3 }));
    const first = await account.client.send(new ListTasksCommand({ cluster: "main", maxResults: 2 }));
    const second = await account.client.send(
      new ListTasksCommand({ cluster: "main", maxResults: 2, nextToken: first.nextToken }),
    );
    expect([first.taskArns?.length, second.taskArns?.length, second.nextToken]).toEqual([2, 1, undefined]);
  });

  it("DescribeTasks takes 100 tasks and no more", async () => {
    const { client } = await openEcs();
    const tasks = Array.from({ length: 101 }, (_, at) => `task${at}`);
    await expect(client.send(new DescribeTasksCommand({ cluster: "main", tasks }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const { failures } = await client.send(new DescribeTasksCommand({ cluster: "main", tasks: tasks.slice(1) }));
    expect(failures).toHaveLength(100);
  });

  it("DescribeClusters reports missing clusters as failures", async () => {
    const { client } = await openEcs();
    const answer = await client.send(new DescribeClustersCommand({ clusters: ["main", "none"] }));
    expect(answer).toMatchObject({
      clusters: [{ clusterName: "main", status: "ACTIVE" }],
      failures: [{ arn: "arn:aws:ecs:eu-central-1:111122223333:cluster/none", reason: "MISSING" }],
    });
  });
});
