import {
  DeregisterTaskDefinitionCommand,
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  type ServiceDeployment,
  StopServiceDeploymentCommand,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { circuitBreaker } from "../../../sandbox/ecs/deployment-configuration.ts";
import type { Outcome } from "../../../sandbox/ecs/script-rules.ts";
import {
  createApi,
  describeApi,
  describeTask,
  type EcsAccount,
  job,
  MINUTE_MS,
  openEcs,
  present,
  register,
  SECOND_MS,
} from "./ecs-account.ts";

const BREAKER = { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } } };

async function deploy(account: EcsAccount, image: string): Promise<string> {
  const taskDefinition = await register(account, "api", image);
  await account.client.send(new UpdateServiceCommand({ cluster: "main", service: "api", taskDefinition }));
  return taskDefinition;
}

/** The records of the service's deployments, newest first. */
async function history({ client }: EcsAccount): Promise<readonly ServiceDeployment[]> {
  const { serviceDeployments = [] } = await client.send(
    new ListServiceDeploymentsCommand({ cluster: "main", service: "api" }),
  );
  const arns = serviceDeployments.map(({ serviceDeploymentArn }) => present(serviceDeploymentArn));
  const described = await client.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: arns }));
  return present(described.serviceDeployments);
}

const BAD: readonly [string, Outcome][] = [
  ["crashes at once", { kind: "exit", exitCode: 1 }],
  ["crashes after a while but before it listens", { kind: "exit", exitCode: 1, afterMs: 1000, healthyAfterMs: 2000 }],
  ["never listens", { kind: "never-healthy" }],
  ["cannot be pulled", { kind: "refused" }],
];

describe("a bad version", () => {
  it.each(BAD)("that %s trips the circuit breaker, and the old task definition comes back", async (_, outcome) => {
    const account = await openEcs({ rules: [{ image: "api:bad", outcome }] });
    const good = await register(account, "api", "shop/api:good");
    const before = await createApi(account, good, BREAKER);
    const bad = await deploy(account, "shop/api:bad");
    const failed = present((await describeApi(account)).deployments?.[0]);
    expect(failed.taskDefinition).toBe(bad);
    let leastRunning = 2;
    const states = new Set<string>();
    for (let step = 0; step < 1200; step += 1) {
      account.advance(100);
      const service = await describeApi(account);
      const oldRunning = (service.deployments ?? []).filter(({ taskDefinition }) => taskDefinition === good);
      leastRunning = Math.min(
        leastRunning,
        oldRunning.reduce((sum, { runningCount = 0 }) => sum + runningCount, 0),
      );
      const [newest] = await history(account);
      states.add(present(newest?.status));
    }
    expect(leastRunning).toBe(2);
    const service = await describeApi(account);
    expect(service.taskDefinition).toBe(good);
    expect(service.deployments).toHaveLength(1);
    expect(service.deployments?.[0]).toMatchObject({ rolloutState: "COMPLETED", taskDefinition: good });
    expect([before.deployments?.[0]?.id, failed.id]).not.toContain(service.deployments?.[0]?.id);
    expect([...states]).toEqual(["PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]);
    const [record] = await history(account);
    expect(record).toMatchObject({
      status: "ROLLBACK_SUCCESSFUL",
      statusReason: "Service deployment rolled back because the circuit breaker threshold was exceeded.",
      rollback: { serviceRevisionArn: before.currentServiceRevisions?.[0]?.arn },
      deploymentCircuitBreaker: { status: "TRIGGERED", threshold: 3 },
    });
    const messages = service.events?.map(({ message }) => message).join("\n");
    expect(messages).toContain(`(deployment ${failed.id}) deployment failed: tasks failed to start.`);
    expect(messages).toContain(`rolling back to deployment ${before.deployments?.[0]?.id}.`);
  });

  it("while it is rolled back shows as ACTIVE and FAILED beside the new PRIMARY", async () => {
    const account = await openEcs({ rules: [{ image: "api:bad", outcome: { kind: "never-healthy" } }] });
    const before = await createApi(account, await register(account, "api", "shop/api:good"), BREAKER);
    await deploy(account, "shop/api:bad");
    const seen = async (): Promise<boolean> => (await describeApi(account)).deployments?.[1]?.rolloutState === "FAILED";
    for (let step = 0; step < 1000 && !(await seen()); step += 1) account.advance(100);
    const { deployments } = await describeApi(account);
    expect(deployments?.[0]).toMatchObject({
      status: "PRIMARY",
      rolloutState: "IN_PROGRESS",
      rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${before.deployments?.[0]?.id}.`,
    });
    expect(deployments?.[1]).toMatchObject({
      status: "ACTIVE",
      rolloutState: "FAILED",
      rolloutStateReason: "ECS deployment circuit breaker: tasks failed to start.",
      failedTasks: expect.any(Number) as unknown,
    });
  });

  it("says why its tasks were stopped when they never listened", async () => {
    const account = await openEcs({ rules: [{ outcome: { kind: "never-healthy" } }] });
    await createApi(account, await register(account, "api", "shop/api:bad"), { desiredCount: 1 });
    const { taskArns = [] } = await account.client.send(
      new ListTasksCommand({ cluster: "main", serviceName: "api", desiredStatus: "STOPPED" }),
    );
    expect(await describeTask(account, present(taskArns[0]))).toMatchObject({
      stopCode: "ServiceSchedulerInitiated",
      stoppedReason: expect.stringMatching(/^Task failed ELB health checks/) as unknown,
    });
  });

  it("without a circuit breaker is tried for ever, more and more slowly", async () => {
    const account = await openEcs({ rules: [{ image: "api:bad", outcome: { kind: "exit", exitCode: 1 } }] });
    await createApi(account, await register(account, "api", "shop/api:good"));
    await deploy(account, "shop/api:bad");
    account.advance(10 * MINUTE_MS);
    const { deployments, events } = await describeApi(account);
    expect(deployments).toMatchObject([{ rolloutState: "IN_PROGRESS" }, { runningCount: 2 }]);
    expect(deployments?.[0]?.failedTasks).toBeGreaterThan(6);
    expect(deployments?.[0]?.failedTasks).toBeLessThan(60);
    expect(events?.some(({ message }) => message?.includes("unable to consistently start tasks"))).toBe(true);
  });

  it.each<[string, { enable: boolean; rollback: boolean }, string]>([
    ["the breaker does not roll back", { enable: true, rollback: false }, "STOPPED"],
    ["nothing ever completed", { enable: true, rollback: true }, "STOPPED"],
  ])("fails and stalls when %s", async (why, deploymentCircuitBreaker, status) => {
    const account = await openEcs({ rules: [{ image: "api:bad", outcome: { kind: "exit", exitCode: 1 } }] });
    const isFirst = why.startsWith("nothing");
    const first = await register(account, "api", isFirst ? "shop/api:bad" : "shop/api:good");
    await createApi(account, first, {
      deploymentConfiguration: { deploymentCircuitBreaker },
    });
    if (!isFirst) await deploy(account, "shop/api:bad");
    account.advance(5 * MINUTE_MS);
    const service = await describeApi(account);
    expect(service.deployments?.[0]).toMatchObject({ rolloutState: "FAILED", runningCount: 0 });
    expect(service.runningCount).toBe(isFirst ? 0 : 2);
    const failed = service.deployments?.[0]?.failedTasks;
    account.advance(5 * MINUTE_MS);
    expect((await describeApi(account)).deployments?.[0]?.failedTasks).toBe(failed);
    const [record] = await history(account);
    expect(record?.status).toBe(status);
    expect(record?.stoppedAt).toBeInstanceOf(Date);
  });

  it("cannot be rolled back to a deregistered task definition", async () => {
    const account = await openEcs({ rules: [{ image: "api:bad", outcome: { kind: "exit", exitCode: 1 } }] });
    const good = await register(account, "api", "shop/api:good");
    await createApi(account, good, BREAKER);
    await deploy(account, "shop/api:bad");
    await account.client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: good }));
    account.advance(5 * MINUTE_MS);
    expect((await history(account))[0]).toMatchObject({
      status: "ROLLBACK_FAILED",
      statusReason: expect.stringMatching(/TaskDefinition is inactive/) as unknown,
    });
  });

  it("that now and then succeeds never trips a breaker that resets on a healthy task", async () => {
    const account = await openEcs({
      rules: [{ image: "api:2", times: 2, outcome: { kind: "exit", exitCode: 1 } }],
    });
    await createApi(account, await register(account, "api", "shop/api:1"), BREAKER);
    await deploy(account, "shop/api:2");
    account.advance(5 * MINUTE_MS);
    expect((await describeApi(account)).deployments).toMatchObject([
      { rolloutState: "COMPLETED", failedTasks: 0, runningCount: 2 },
    ]);
  });
});

describe("a rollback", () => {
  const bad = { image: "api:bad", outcome: { kind: "exit", exitCode: 1 } } as const;

  /** Rolls out a bad version until its rollback has begun. */
  async function rollingBack(): Promise<EcsAccount> {
    const account = await openEcs({ rules: [bad] });
    await createApi(account, await register(account, "api", "shop/api:good"), BREAKER);
    await deploy(account, "shop/api:bad");
    while ((await history(account))[0]?.status !== "ROLLBACK_IN_PROGRESS") account.advance(100);
    return account;
  }

  it("whose own tasks fail ends as ROLLBACK_FAILED and stalls", async () => {
    const account = await rollingBack();
    account.runner.setRules([{ outcome: { kind: "exit", exitCode: 1 } }]);
    account.advance(5 * MINUTE_MS);
    expect((await history(account))[0]?.status).toBe("ROLLBACK_FAILED");
    const { deployments, runningCount } = await describeApi(account);
    expect(deployments?.[0]?.rolloutState).toBe("FAILED");
    expect(runningCount).toBe(2);
  });

  it("gives way to a newer deployment", async () => {
    const account = await rollingBack();
    const fixed = await deploy(account, "shop/api:fixed");
    account.advance(MINUTE_MS);
    expect((await history(account)).map(({ status }) => status)).toEqual(["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
    expect((await describeApi(account)).deployments).toMatchObject([
      { taskDefinition: fixed, rolloutState: "COMPLETED", runningCount: 2 },
    ]);
  });
});

describe("a breaker that does not reset", () => {
  it("adds up failures although tasks become healthy in between", async () => {
    const failing = { image: "api:2", times: 1, outcome: { kind: "exit", exitCode: 1 } } as const;
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"), {
      desiredCount: 4,
      deploymentConfiguration: {
        maximumPercent: 125,
        deploymentCircuitBreaker: { enable: true, rollback: true, resetOnHealthyTask: false },
      },
    });
    account.runner.setRules([failing]);
    await deploy(account, "shop/api:2");
    let failures = 0;
    for (let step = 0; step < 1000; step += 1) {
      account.advance(100);
      const { failedTasks = 0, rolloutState } = present((await describeApi(account)).deployments?.[0]);
      if (failedTasks > failures && rolloutState === "IN_PROGRESS") {
        failures = failedTasks;
        // One good task between two bad ones.
        account.runner.setRules([{ image: "api:2", times: 1, outcome: { kind: "serve" } }, failing]);
      }
    }
    expect(failures).toBe(3);
    expect((await history(account))[0]?.status).toBe("ROLLBACK_SUCCESSFUL");
  });
});

describe("a worker without ports", () => {
  it("counts as healthy only after a while, so that a crash loop is a failure", async () => {
    const account = await openEcs({
      rules: [{ image: "worker:bad", outcome: { kind: "exit", exitCode: 1, afterMs: 1000 } }],
    });
    await createApi(
      account,
      await register(account, "api", "shop/worker:good", job("shop/worker:good", "api")),
      BREAKER,
    );
    const taskDefinition = await register(account, "api", "shop/worker:bad", job("shop/worker:bad", "api"));
    await account.client.send(new UpdateServiceCommand({ cluster: "main", service: "api", taskDefinition }));
    account.advance(5 * MINUTE_MS);
    expect((await history(account))[0]?.status).toBe("ROLLBACK_SUCCESSFUL");
    expect(account.ecs.publicEndpoints()).toEqual([]);
  });
});

describe("service deployments", () => {
  it("succeed, and name the revisions they lead from and to", async () => {
    const account = await openEcs();
    const before = await createApi(account, await register(account, "api", "shop/api:1"));
    const taskDefinition = await deploy(account, "shop/api:2");
    const { currentServiceDeployment } = await describeApi(account);
    account.advance(MINUTE_MS);
    const [record] = await history(account);
    expect(record).toMatchObject({
      serviceDeploymentArn: currentServiceDeployment,
      status: "SUCCESSFUL",
      sourceServiceRevisions: [{ arn: before.currentServiceRevisions?.[0]?.arn }],
      deploymentCircuitBreaker: { status: "DISABLED", failureCount: 0 },
    });
    expect(currentServiceDeployment).toMatch(
      /^arn:aws:ecs:eu-central-1:111122223333:service-deployment\/main\/api\/[A-Za-z0-9]{21}$/,
    );
    const revisionArn = present(record?.targetServiceRevision?.arn);
    const { deployments } = await describeApi(account);
    expect(revisionArn).toBe(
      `arn:aws:ecs:eu-central-1:111122223333:service-revision/main/api/${deployments?.[0]?.id?.replace("ecs-svc/", "")}`,
    );
    const { serviceRevisions } = await account.client.send(
      new DescribeServiceRevisionsCommand({ serviceRevisionArns: [revisionArn] }),
    );
    expect(serviceRevisions?.[0]).toMatchObject({ taskDefinition, launchType: "FARGATE" });
  });

  it("are stopped by a newer deployment", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"));
    await deploy(account, "shop/api:2");
    account.advance(2 * SECOND_MS);
    const third = await deploy(account, "shop/api:3");
    const [, old] = await history(account);
    expect(old).toMatchObject({ status: "STOP_REQUESTED", statusReason: "Replaced by a new service deployment" });
    account.advance(MINUTE_MS);
    expect((await history(account)).map(({ status }) => status)).toEqual(["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
    const service = await describeApi(account);
    expect(service.taskDefinition).toBe(third);
    expect(service.deployments).toHaveLength(1);
  });

  it("are rolled back by StopServiceDeployment, once, and not after their end", async () => {
    const account = await openEcs();
    const good = await register(account, "api", "shop/api:1");
    await createApi(account, good);
    await deploy(account, "shop/api:2");
    account.advance(2 * SECOND_MS);
    const [running] = await history(account);
    const stop = new StopServiceDeploymentCommand({
      serviceDeploymentArn: present(running?.serviceDeploymentArn),
      stopType: "ROLLBACK",
    });
    await account.client.send(stop);
    expect((await history(account))[0]?.status).toBe("ROLLBACK_REQUESTED");
    await account.client.send(stop);
    account.advance(MINUTE_MS);
    expect((await history(account))[0]).toMatchObject({ status: "ROLLBACK_SUCCESSFUL" });
    expect((await describeApi(account)).taskDefinition).toBe(good);
    await expect(account.client.send(stop)).rejects.toMatchObject({ name: "ConflictException" });
    const unknown = new StopServiceDeploymentCommand({
      serviceDeploymentArn: "arn:aws:ecs:eu-central-1:111122223333:service-deployment/main/api/none",
    });
    await expect(account.client.send(unknown)).rejects.toMatchObject({ name: "ServiceDeploymentNotFoundException" });
  });

  it("are listed by status and time, a page at a time", async () => {
    const account = await openEcs();
    const createdAt = { after: new Date(account.clock.now() + MINUTE_MS / 2) };
    await createApi(account, await register(account, "api", "shop/api:1"));
    await deploy(account, "shop/api:2");
    await deploy(account, "shop/api:3");
    account.advance(MINUTE_MS);
    const list = async (filter: object): Promise<number | undefined> => {
      const input = { cluster: "main", service: "api", ...filter };
      return (await account.client.send(new ListServiceDeploymentsCommand(input))).serviceDeployments?.length;
    };
    expect(await list({})).toBe(3);
    expect(await list({ status: ["SUCCESSFUL"] })).toBe(2);
    expect(await list({ createdAt })).toBe(2);
    expect(await list({ createdAt: { before: createdAt.after } })).toBe(1);
    expect(await list({ maxResults: 1 })).toBe(1);
  });
});

describe("the circuit breaker's threshold", () => {
  it.each([
    [1, 3],
    [6, 3],
    [25, 13],
    [400, 200],
    [800, 200],
  ])("is for %i desired tasks %i", (desired, threshold) => {
    expect(circuitBreaker({}, desired).threshold).toBe(threshold);
  });

  it("can be a count or a percentage without bounds", () => {
    const configuration = (type: string, value: number): Record<string, unknown> => ({
      deploymentCircuitBreaker: { enable: true, rollback: true, thresholdConfiguration: { type, value } },
    });
    expect(circuitBreaker(configuration("COUNT", 7), 100).threshold).toBe(7);
    expect(circuitBreaker(configuration("UNBOUNDED_PERCENT", 10), 10).threshold).toBe(1);
    expect(circuitBreaker(configuration("BOUNDED_PERCENT", 10), 10).threshold).toBe(3);
  });
});

describe("the same calls", () => {
  it("give the same story, down to every identifier", async () => {
    const story = async (): Promise<string> => {
      const account = await openEcs({ rules: [{ image: ":bad", outcome: { kind: "exit", exitCode: 1 } }] });
      await createApi(account, await register(account, "api", "shop/api:good"), BREAKER);
      await deploy(account, "shop/api:bad");
      account.advance(5 * MINUTE_MS);
      return JSON.stringify([await describeApi(account), await history(account)]);
    };
    expect(await story()).toBe(await story());
  });
});

describe("whatever happens to a service", () => {
  it("its tasks stay within its bounds, and it settles on what was asked last", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("deploy" as const), bad: fc.boolean() }),
      fc.record({ kind: fc.constant("scale" as const), to: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const account = await openEcs({ rules: [{ image: ":bad", outcome: { kind: "exit", exitCode: 1 } }] });
        const good = await register(account, "good", "shop/api:good");
        const bad = await register(account, "bad", "shop/api:bad");
        await createApi(account, good, BREAKER);
        const send = (changes: object): Promise<unknown> =>
          account.client.send(new UpdateServiceCommand({ cluster: "main", service: "api", ...changes }));
        for (const step of steps) {
          if (step.kind === "deploy") await send({ taskDefinition: step.bad ? bad : good });
          else if (step.kind === "scale") await send({ desiredCount: step.to });
          else account.advance(step.ms);
          const { deployments = [], runningCount = 0 } = await describeApi(account);
          expect(deployments.filter(({ status }) => status === "PRIMARY")).toHaveLength(1);
          expect(runningCount).toBeLessThanOrEqual(10);
        }
        await send({ taskDefinition: good, forceNewDeployment: true, desiredCount: 2 });
        account.advance(10 * MINUTE_MS);
        const service = await describeApi(account);
        expect(service).toMatchObject({ taskDefinition: good, runningCount: 2, pendingCount: 0 });
        expect(service.deployments).toMatchObject([{ status: "PRIMARY", rolloutState: "COMPLETED" }]);
      }),
      { numRuns: 25 },
    );
  });
});
