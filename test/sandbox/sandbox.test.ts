import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { expect, onTestFinished, test } from "vitest";
import { createChance } from "../../sandbox/chance.ts";
import { createSteppedClock, type SteppedClock } from "../../sandbox/clock.ts";
import { createScriptRunner } from "../../sandbox/ecs/runner-script.ts";
import { createRequestHandler } from "../../sandbox/handler.ts";
import { SANDBOX_CREDENTIALS } from "../../sandbox/identities.ts";
import { createOperations } from "../../sandbox/operations.ts";
import { createSandbox, type Sandbox } from "../../sandbox/sandbox.ts";
import { seed } from "../../sandbox/seed.ts";

const region = "eu-west-1";

async function openShop(chanceSeed: number): Promise<{ sandbox: Sandbox; clock: SteppedClock; ecs: ECSClient }> {
  const clock = createSteppedClock(Date.UTC(2026, 0, 1));
  const sandbox = createSandbox({ clock, chance: createChance(chanceSeed), runner: createScriptRunner(clock), region });
  onTestFinished(() => sandbox.close());
  await seed(createOperations(sandbox.handle, region), { account: "111122223333", region });
  const requestHandler = createRequestHandler(sandbox.handle);
  const ecs = new ECSClient({
    region,
    endpoint: "http://127.0.0.1",
    credentials: SANDBOX_CREDENTIALS,
    requestHandler,
    maxAttempts: 1,
  });
  return { sandbox, clock, ecs };
}

async function rolledOut(ecs: ECSClient): Promise<unknown> {
  const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["api"] }));
  return services.map(({ runningCount, deployments = [] }) => [
    runningCount,
    deployments.map(({ rolloutState }) => rolloutState),
  ]);
}

test("every answer, good or bad, carries the account's own time and the id of its request", async () => {
  const { sandbox, clock } = await openShop(1);
  clock.advanceTo(Date.UTC(2026, 0, 1, 12, 30, 15, 250));
  const ask = (operation: string, input: object): ReturnType<Sandbox["handle"]> =>
    sandbox.handle({
      method: "POST",
      path: "/",
      query: new URLSearchParams(),
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonEC2ContainerServiceV20141113.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=${SANDBOX_CREDENTIALS.accessKeyId}/20260101/${region}/ecs/aws4_request`,
      },
      body: Buffer.from(JSON.stringify(input)),
    });
  const answers = [
    await ask("ListClusters", {}),
    await ask("ListTasks", { cluster: "none" }),
    await ask("Nothing", {}),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 400, expect.any(Number)]);
  for (const { headers } of answers) {
    expect(headers).toMatchObject({
      date: "Thu, 01 Jan 2026 12:30:15 GMT",
      "x-amzn-requestid": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  }
});

test("in process nothing moves until the clock does, and minutes pass at once", async () => {
  const { clock, ecs } = await openShop(1);
  expect(await rolledOut(ecs)).toEqual([[0, ["IN_PROGRESS"]]]);
  clock.advanceTo(clock.now() + 60_000);
  expect(await rolledOut(ecs)).toEqual([[2, ["COMPLETED"]]]);
});

test("one seed gives one run: the same calls, the same identifiers, the same answers", async () => {
  const run = async (chanceSeed: number): Promise<string> => {
    const { sandbox, clock, ecs } = await openShop(chanceSeed);
    clock.advanceTo(clock.now() + 60_000);
    await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "api", forceNewDeployment: true }));
    clock.advanceTo(clock.now() + 1000);
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["api"] }));
    return JSON.stringify([services, sandbox.calls.since(0), sandbox.endpoints()]);
  };
  const first = await run(7);
  expect(await run(7)).toBe(first);
  expect(await run(8)).not.toBe(first);
});

test("a denied deployment names the service, and changes nothing", async () => {
  const { sandbox, clock, ecs } = await openShop(1);
  clock.advanceTo(clock.now() + 60_000);
  sandbox.faults.add({ operation: "ecs:UpdateService", kind: "denied" });
  await expect(
    ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "api", desiredCount: 5 })),
  ).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      "ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:111122223333:service/prod/api",
    ),
  });
  expect(await rolledOut(ecs)).toEqual([[2, ["COMPLETED"]]]);
});
