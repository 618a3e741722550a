import {
  CreateServiceCommand,
  type CreateServiceCommandInput,
  DeleteServiceCommand,
  DeregisterTaskDefinitionCommand,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  ListServicesCommand,
  ListTagsForResourceCommand,
  ListTasksCommand,
  type Service,
  StopTaskCommand,
  TagResourceCommand,
  UpdateServiceCommand,
  type UpdateServiceCommandInput,
} from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import {
  createApi,
  describeApi,
  describeTask,
  digestOf,
  type EcsAccount,
  HOUR_MS,
  MINUTE_MS,
  NETWORK,
  openEcs,
  present,
  register,
  SECOND_MS,
} from "./ecs-account.ts";

const WHOLE: CreateServiceCommandInput = {
  cluster: "main",
  serviceName: "api",
  taskDefinition: "api",
  desiredCount: 1,
  networkConfiguration: NETWORK,
};

async function update(account: EcsAccount, changes: Partial<UpdateServiceCommandInput>): Promise<Service> {
  const { service } = await account.client.send(
    new UpdateServiceCommand({ cluster: "main", service: "api", ...changes }),
  );
  return present(service);
}

const rollout = ({ deployments = [] }: Service): unknown =>
  deployments.map(({ status, rolloutState, taskDefinition, runningCount }) => [
    status,
    rolloutState,
    taskDefinition?.split("/").at(-1),
    runningCount,
  ]);

describe("CreateService", () => {
  it.each<[string, Partial<CreateServiceCommandInput>, string, RegExp]>([
    ["an unknown cluster", { cluster: "none" }, "ClusterNotFoundException", /Cluster not found/],
    ["no desired count", { desiredCount: undefined }, "InvalidParameterException", /desiredCount/],
    ["an unknown task definition", { taskDefinition: "none" }, "ClientException", /not found/],
    ["no network", { networkConfiguration: undefined }, "InvalidParameterException", /Network Configuration/],
    ["a daemon", { schedulingStrategy: "DAEMON" }, "UnsupportedFeatureException", /DAEMON/],
    [
      "a strategy that is not imitated",
      { deploymentConfiguration: { strategy: "CANARY" } },
      "UnsupportedFeatureException",
      /CANARY/,
    ],
    [
      "bounds that block every deployment",
      { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 100 } },
      "InvalidParameterException",
      /cannot be 100/,
    ],
    ["a token over 36 characters", { clientToken: "x".repeat(37) }, "InvalidParameterException", /clientToken/],
  ])("refuses %s", async (_, changes, name, message) => {
    const account = await openEcs();
    await register(account, "api", "shop/api:1");
    await expect(account.client.send(new CreateServiceCommand({ ...WHOLE, ...changes }))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it("is idempotent for equal parameters only", async () => {
    const account = await openEcs();
    await register(account, "api", "shop/api:1");
    const first = await account.client.send(new CreateServiceCommand(WHOLE));
    const again = await account.client.send(new CreateServiceCommand(WHOLE));
    expect(again.service?.createdAt).toEqual(first.service?.createdAt);
    await expect(account.client.send(new CreateServiceCommand({ ...WHOLE, desiredCount: 3 }))).rejects.toMatchObject({
      message: "Creation of service was not idempotent.",
    });
  });

  it("brings its tasks up and reads back more than was sent", async () => {
    const account = await openEcs();
    const arn = await register(account, "api", "shop/api:1");
    const { service: fresh } = await account.client.send(
      new CreateServiceCommand({ ...WHOLE, deploymentConfiguration: { maximumPercent: 150 } }),
    );
    expect(fresh).toMatchObject({ status: "ACTIVE", runningCount: 0, pendingCount: 0 });
    account.advance(3 * SECOND_MS);
    expect(await describeApi(account)).toMatchObject({ pendingCount: 1, runningCount: 0 });
    account.advance(MINUTE_MS);
    const service = await describeApi(account);
    expect(service).toMatchObject({
      serviceArn: "arn:aws:ecs:eu-central-1:111122223333:service/main/api",
      taskDefinition: arn,
      runningCount: 1,
      pendingCount: 0,
      schedulingStrategy: "REPLICA",
      propagateTags: "NONE",
      networkConfiguration: { awsvpcConfiguration: { assignPublicIp: "DISABLED", securityGroups: [] } },
      deploymentConfiguration: {
        strategy: "ROLLING",
        maximumPercent: 150,
        minimumHealthyPercent: 100,
        bakeTimeInMinutes: 0,
        alarms: { alarmNames: [], enable: false, rollback: false },
        deploymentCircuitBreaker: {
          enable: false,
          rollback: false,
          resetOnHealthyTask: true,
          thresholdConfiguration: { type: "BOUNDED_PERCENT", value: 50 },
        },
      },
      deployments: [{ status: "PRIMARY", rolloutState: "COMPLETED", runningCount: 1, failedTasks: 0 }],
    });
    expect(service.deployments?.[0]?.id).toMatch(/^ecs-svc\/\d{19}$/);
    expect(service.events?.map(({ message }) => message)).toEqual([
      "(service api) has reached a steady state.",
      expect.stringMatching(/^\(service api\) \(deployment ecs-svc\/\d+\) deployment completed\.$/),
      expect.stringMatching(/^\(service api\) has started 1 tasks: \(task [0-9a-f]{32}\)\.$/),
    ]);
  });

  it("with the CODE_DEPLOY controller is accepted, and UpdateService then refuses to deploy", async () => {
    const account = await openEcs();
    await register(account, "api", "shop/api:1");
    await account.client.send(new CreateServiceCommand({ ...WHOLE, deploymentController: { type: "CODE_DEPLOY" } }));
    expect(await describeApi(account)).toMatchObject({ deploymentController: { type: "CODE_DEPLOY" } });
    await expect(update(account, { taskDefinition: "api" })).rejects.toMatchObject({
      message: expect.stringMatching(/CODE_DEPLOY deployment controller/) as unknown,
    });
  });
});

describe("UpdateService", () => {
  it("with another task definition rolls, old tasks leaving as new ones are healthy", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"));
    const second = await register(account, "api", "shop/api:2");
    await update(account, { taskDefinition: "api" });
    expect(rollout(await describeApi(account))).toEqual([
      ["PRIMARY", "IN_PROGRESS", "api:2", 0],
      ["ACTIVE", "COMPLETED", "api:1", 2],
    ]);
    let least = 2;
    let most = 2;
    for (let step = 0; step < 400; step += 1) {
      account.advance(100);
      const { runningCount = 0, pendingCount = 0 } = await describeApi(account);
      least = Math.min(least, runningCount);
      most = Math.max(most, runningCount + pendingCount);
    }
    expect(least).toBe(2);
    expect(most).toBe(4);
    const service = await describeApi(account);
    expect(service.taskDefinition).toBe(second);
    expect(rollout(service)).toEqual([["PRIMARY", "COMPLETED", "api:2", 2]]);
  });

  it("makes room first when no more tasks than desired may be up", async () => {
    const account = await openEcs();
    const deploymentConfiguration = { maximumPercent: 100, minimumHealthyPercent: 0 };
    await createApi(account, await register(account, "api", "shop/api:1"), {
      deploymentConfiguration,
      desiredCount: 1,
    });
    await update(account, { taskDefinition: await register(account, "api", "shop/api:2") });
    for (let step = 0; step < 300; step += 1) {
      account.advance(100);
      const { client } = account;
      const { taskArns = [] } = await client.send(new ListTasksCommand({ cluster: "main", serviceName: "api" }));
      expect(taskArns.length).toBeLessThanOrEqual(1);
    }
    expect(rollout(await describeApi(account))).toEqual([["PRIMARY", "COMPLETED", "api:2", 1]]);
  });

  it.each<[string, Partial<UpdateServiceCommandInput>, boolean]>([
    ["the same task definition", { taskDefinition: "api:1" }, false],
    ["the same task definition by force", { taskDefinition: "api:1", forceNewDeployment: true }, true],
    ["force alone", { forceNewDeployment: true }, true],
    ["the desired count", { desiredCount: 3 }, false],
    ["the deployment configuration", { deploymentConfiguration: { maximumPercent: 150 } }, false],
    ["the grace period", { healthCheckGracePeriodSeconds: 30 }, false],
    ["tags for new tasks", { propagateTags: "SERVICE" }, false],
    ["execute command", { enableExecuteCommand: true }, false],
    ["the same network", { networkConfiguration: NETWORK }, false],
    ["another network", { networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-2"] } } }, true],
    ["the platform version", { platformVersion: "1.4.0" }, true],
    ["load balancers", { loadBalancers: [{ targetGroupArn: "tg", containerName: "api", containerPort: 8080 }] }, true],
  ])("%s: a new deployment is %s", async (_, changes, isDeployed) => {
    const account = await openEcs();
    const before = await createApi(account, await register(account, "api", "shop/api:1"));
    const after = await update(account, changes);
    expect(after.deployments?.[0]?.id !== before.deployments?.[0]?.id).toBe(isDeployed);
    expect(after.deployments?.[0]?.rolloutState).toBe(isDeployed ? "IN_PROGRESS" : "COMPLETED");
  });

  it("scales without a deployment, down to nothing and up again", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"));
    for (const desiredCount of [4, 1, 0, 2]) {
      await update(account, { desiredCount });
      account.advance(MINUTE_MS);
      const service = await describeApi(account);
      expect(service).toMatchObject({ desiredCount, runningCount: desiredCount, pendingCount: 0 });
      expect(service.deployments).toHaveLength(1);
    }
  });

  it("merges a deployment configuration into what was stored", async () => {
    const account = await openEcs();
    const deploymentCircuitBreaker = { enable: true, rollback: true };
    await createApi(account, await register(account, "api", "shop/api:1"), {
      deploymentConfiguration: { deploymentCircuitBreaker },
    });
    const { deploymentConfiguration } = await update(account, { deploymentConfiguration: { maximumPercent: 150 } });
    expect(deploymentConfiguration).toMatchObject({ maximumPercent: 150, deploymentCircuitBreaker });
  });

  it("refuses an INACTIVE task definition, an unknown service and a deleted one", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"));
    const second = await register(account, "api", "shop/api:2");
    await account.client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: second }));
    await expect(update(account, { taskDefinition: second })).rejects.toMatchObject({
      name: "ClientException",
      message: "TaskDefinition is inactive",
    });
    await expect(update(account, { service: "none" })).rejects.toMatchObject({ name: "ServiceNotFoundException" });
    await account.client.send(new DeleteServiceCommand({ cluster: "main", service: "api", force: true }));
    await expect(update(account, { desiredCount: 1 })).rejects.toMatchObject({ name: "ServiceNotActiveException" });
  });

  it("only changes the capacity provider strategy by force", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"));
    const capacityProviderStrategy = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }];
    await expect(update(account, { capacityProviderStrategy })).rejects.toMatchObject({
      message: expect.stringMatching(/must force a new deployment/) as unknown,
    });
    const forced = await update(account, { capacityProviderStrategy, forceNewDeployment: true });
    expect(forced).toMatchObject({ capacityProviderStrategy });
    expect(forced.launchType).toBeUndefined();
  });
});

describe("tasks of a service", () => {
  it("are replaced when they crash or are stopped, without a deployment", async () => {
    const account = await openEcs();
    const { deployments } = await createApi(account, await register(account, "api", "shop/api:1"));
    const { client } = account;
    const { taskArns = [] } = await client.send(new ListTasksCommand({ cluster: "main", serviceName: "api" }));
    await client.send(new StopTaskCommand({ cluster: "main", task: taskArns[0] }));
    account.advance(MINUTE_MS);
    const service = await describeApi(account);
    expect(service).toMatchObject({ runningCount: 2, deployments: [{ id: deployments?.[0]?.id, failedTasks: 0 }] });
    const task = await describeTask(account, present(taskArns[1]));
    expect(task).toMatchObject({ startedBy: deployments?.[0]?.id, group: "service:api" });
  });

  it("carry the service's tags when it says so, and the managed ones", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"), {
      tags: [{ key: "team", value: "shop" }],
      propagateTags: "SERVICE",
      enableECSManagedTags: true,
      desiredCount: 1,
    });
    const { taskArns = [] } = await account.client.send(new ListTasksCommand({ cluster: "main", serviceName: "api" }));
    expect((await describeTask(account, present(taskArns[0]))).tags).toEqual([
      { key: "team", value: "shop" },
      { key: "aws:ecs:clusterName", value: "main" },
      { key: "aws:ecs:serviceName", value: "api" },
    ]);
  });

  it("keep the digest their revision resolved first, until a new deployment", async () => {
    const account = await openEcs();
    account.retag("shop/api:1", "build 1");
    const service = await createApi(account, await register(account, "api", "shop/api:1"), { desiredCount: 1 });
    account.retag("shop/api:1", "build 2");
    await update(account, { desiredCount: 2 });
    account.advance(MINUTE_MS);
    const digests = async (): Promise<unknown> => {
      const { taskArns = [] } = await account.client.send(
        new ListTasksCommand({ cluster: "main", serviceName: "api" }),
      );
      const tasks = await Promise.all(taskArns.map((arn) => describeTask(account, arn)));
      return tasks.map(({ containers }) => containers?.[0]?.imageDigest);
    };
    expect(await digests()).toEqual([digestOf("build 1"), digestOf("build 1")]);
    await update(account, { forceNewDeployment: true });
    account.advance(MINUTE_MS);
    expect(await digests()).toEqual([digestOf("build 2"), digestOf("build 2")]);
    const arn = present(service.currentServiceRevisions?.[0]?.arn);
    const { serviceRevisions } = await account.client.send(
      new DescribeServiceRevisionsCommand({ serviceRevisionArns: [arn] }),
    );
    expect(serviceRevisions?.[0]?.containerImages).toEqual([
      { containerName: "api", image: "shop/api:1", imageDigest: digestOf("build 1") },
    ]);
  });

  it("of a container without version consistency follow their tag", async () => {
    const account = await openEcs();
    account.retag("shop/api:1", "build 1");
    const definition = await register(account, "api", "shop/api:1", {
      containerDefinitions: [{ name: "api", image: "shop/api:1", versionConsistency: "disabled" }],
    });
    await createApi(account, definition, { desiredCount: 1 });
    account.retag("shop/api:1", "build 2");
    const { client } = account;
    const { taskArns: [first] = [] } = await client.send(new ListTasksCommand({ cluster: "main", serviceName: "api" }));
    await client.send(new StopTaskCommand({ cluster: "main", task: present(first) }));
    account.advance(MINUTE_MS);
    const { taskArns: [next] = [] } = await client.send(new ListTasksCommand({ cluster: "main", serviceName: "api" }));
    expect((await describeTask(account, present(next))).containers?.[0]?.imageDigest).toBe(digestOf("build 2"));
  });

  it("that cannot be placed are told of in the events and tried again", async () => {
    const account = await openEcs();
    account.ecs.placement.fail({ reason: "RESOURCE:MEMORY", detail: "insufficient memory", count: 2 });
    const service = await createApi(account, await register(account, "api", "shop/api:1"));
    expect(service.runningCount).toBe(2);
    expect(service.events?.map(({ message }) => message)).toContain(
      "(service api) was unable to place a task. Reason: insufficient memory.",
    );
  });

  it("answer behind the service's endpoint in turn, and nobody answers 503", async () => {
    const account = await openEcs();
    await account.client.send(
      new CreateServiceCommand({ ...WHOLE, taskDefinition: await register(account, "api", "shop/api:1") }),
    );
    const [endpoint] = account.ecs.publicEndpoints();
    const request = { method: "GET", path: "/", query: new URLSearchParams(), headers: {}, body: new Uint8Array() };
    expect(endpoint?.name).toBe("main/api");
    expect((await endpoint?.answer(request))?.status).toBe(503);
    account.advance(MINUTE_MS);
    const answer = await endpoint?.answer(request);
    expect(answer?.status).toBe(200);
    expect(JSON.parse(String(answer?.body))).toMatchObject({ image: "shop/api:1" });
  });
});

describe("reading and deleting services", () => {
  it("DescribeServices takes ten, says MISSING for what never was", async () => {
    const { client } = await openEcs();
    const services = Array.from({ length: 11 }, (_, at) => `service${at}`);
    await expect(client.send(new DescribeServicesCommand({ cluster: "main", services }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const answer = await client.send(new DescribeServicesCommand({ cluster: "main", services: ["none"] }));
    expect(answer).toMatchObject({
      services: [],
      failures: [{ arn: "arn:aws:ecs:eu-central-1:111122223333:service/main/none", reason: "MISSING" }],
    });
  });

  it("ListServices gives ten at a time", async () => {
    const account = await openEcs();
    await register(account, "api", "shop/api:1");
    for (let at = 0; at < 12; at += 1)
      await account.client.send(new CreateServiceCommand({ ...WHOLE, serviceName: `s${at}`, desiredCount: 0 }));
    const first = await account.client.send(new ListServicesCommand({ cluster: "main" }));
    const second = await account.client.send(new ListServicesCommand({ cluster: "main", nextToken: first.nextToken }));
    expect([first.serviceArns?.length, second.serviceArns?.length]).toEqual([10, 2]);
  });

  it("a deleted service drains, is INACTIVE for a while, then was never there; its name is free again", async () => {
    const account = await openEcs();
    const { client } = account;
    await createApi(account, await register(account, "api", "shop/api:1"));
    await expect(client.send(new DeleteServiceCommand({ cluster: "main", service: "api" }))).rejects.toMatchObject({
      message: "The service cannot be stopped while it is scaled above 0.",
    });
    const { service } = await client.send(new DeleteServiceCommand({ cluster: "main", service: "api", force: true }));
    expect(service?.status).toBe("DRAINING");
    await expect(client.send(new CreateServiceCommand(WHOLE))).rejects.toMatchObject({
      message: "Unable to Start a service that is still Draining.",
    });
    account.advance(MINUTE_MS);
    expect(await describeApi(account)).toMatchObject({ status: "INACTIVE", runningCount: 0 });
    account.advance(HOUR_MS);
    const gone = await client.send(new DescribeServicesCommand({ cluster: "main", services: ["api"] }));
    expect(gone.failures).toMatchObject([{ reason: "MISSING" }]);
    const { service: next } = await client.send(new CreateServiceCommand(WHOLE));
    expect(next?.status).toBe("ACTIVE");
  });

  it("tags of a service can be read and changed", async () => {
    const account = await openEcs();
    const service = await createApi(account, await register(account, "api", "shop/api:1"));
    const resourceArn = present(service.serviceArn);
    await account.client.send(new TagResourceCommand({ resourceArn, tags: [{ key: "a", value: "1" }] }));
    const { tags } = await account.client.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual([{ key: "a", value: "1" }]);
    expect((await describeApi(account)).tags).toEqual(tags);
  });

  it("keeps the newest hundred events", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"), { desiredCount: 1 });
    for (let at = 0; at < 60; at += 1) {
      await update(account, { desiredCount: (at % 2) + 1 });
      account.advance(MINUTE_MS);
    }
    const { events = [] } = await describeApi(account);
    const times = events.map(({ createdAt }) => present(createdAt).getTime());
    expect(events).toHaveLength(100);
    expect([...times].sort((left, right) => right - left)).toEqual(times);
  });
});
