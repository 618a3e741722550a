// The deploy step against ECS in the sandbox: errors first, then the good way, then lives that ended in between.
import { describe, expect, it } from "vitest";
import { Fault } from "../../../controller/core/fault.ts";
import type { Service } from "../../../controller/core/environment.ts";
import type { Outcome } from "../../../controller/core/event.ts";
import type { StepOf } from "../../../controller/core/step.ts";
import {
  abortingAfter,
  API,
  deployStep,
  digestOf,
  environment,
  NEW,
  openWorld,
  service,
  type World,
  WORKER,
} from "./world.ts";

interface How {
  readonly service?: Service;
  readonly step?: Partial<StepOf<"deploy">>;
  readonly onFailure?: "rollback" | "stop";
  readonly signal?: AbortSignal;
  readonly guard?: () => void;
}

function deploy(world: World, how: How = {}): Promise<Outcome> {
  const target = how.service ?? service(API, NEW);
  const desired = environment({ services: [target], onFailure: how.onFailure ?? "rollback" });
  const step = deployStep(target, how.step);
  const context = world.context(how.signal, how.guard);
  return world.run(world.ecs().runners.deploy(step, world.turn(desired), context));
}

async function live(world: World, name: string = API): Promise<Readonly<Record<string, unknown>>> {
  const { services } = await world.operations.json("ecs", "DescribeServices", { cluster: "prod", services: [name] });
  return (services as readonly Readonly<Record<string, unknown>>[])[0] ?? {};
}

describe("a deployment that fails", () => {
  it("is failed with the stop reason and the last log line when ECS rolls it back", async () => {
    const image = digestOf(API, NEW);
    const world = await openWorld({
      rules: [{ image, outcome: { kind: "exit", exitCode: 7, afterMs: 500, log: ["starting", "no database"] } }],
    });
    const before = (await live(world))["taskDefinition"];
    const outcome = await deploy(world);
    expect(outcome).toMatchObject({ status: "failed", code: "deployment-failed" });
    expect(outcome).toMatchObject({
      message: expect.stringMatching(
        /service api in cluster prod.*lockstep-shop-prod-api:1.*rolled back.*exited 7.*no database/,
      ),
    });
    expect((await live(world))["taskDefinition"]).toBe(before);
    expect(world.notes.join("\n")).toMatch(/api: \d tasks have failed/);
  });

  it("is failed when the circuit breaker may not roll back", async () => {
    const rules = [{ image: digestOf(API, NEW), outcome: { kind: "refused" as const } }];
    const world = await openWorld({ rules });
    const outcome = await deploy(world, { onFailure: "stop" });
    expect(outcome).toMatchObject({ status: "failed", code: "deployment-failed" });
    expect(outcome).toMatchObject({ message: expect.stringContaining("CannotPullContainerError") });
    expect((await live(world))["taskDefinition"]).toContain("lockstep-shop-prod-api:1");
  });

  it("is failed even when the version that came back is the one that was sent", async () => {
    const world = await openWorld();
    expect(await deploy(world)).toEqual({ status: "done" });
    world.runner.setRules([{ outcome: { kind: "exit", exitCode: 1, afterMs: 200 } }]);
    world.tap(async (request, send) => {
      // Somebody's force makes a new deployment of the same version in the same moment as ours.
      const target = request.headers["x-amz-target"] ?? "";
      if (!target.endsWith(".UpdateService")) return send();
      const body = { ...JSON.parse(Buffer.from(request.body).toString()), forceNewDeployment: true };
      return world.sandbox.handle({ ...request, body: Buffer.from(JSON.stringify(body)) });
    });
    const outcome = await deploy(world, { step: { changes: ["settings"], settings: digestOf(WORKER, NEW) } });
    expect(outcome).toMatchObject({ status: "failed", code: "deployment-failed" });
  });

  it("is timed out with what the tasks said when nothing ends it", async () => {
    const world = await openWorld({ rules: [{ image: digestOf(API, NEW), outcome: { kind: "never-healthy" } }] });
    const outcome = await deploy(world, { service: service(API, NEW, { timeoutMs: 14_000 }) });
    expect(outcome).toMatchObject({ status: "failed", code: "deployment-timeout" });
    expect(outcome).toMatchObject({
      message: expect.stringMatching(/did not settle in 14 s: \d of 2 tasks run; last task stopped/),
    });
  });

  it("is replaced when somebody else deploys meanwhile, and superseded when we do", async () => {
    for (const [signal, expected] of [
      [undefined, { status: "failed", code: "deployment-replaced" }],
      ["superseded", { status: "cancelled", by: "superseded" }],
    ] as const) {
      const world = await openWorld();
      world.stepped.after(6_000, () => {
        void world.operations.json("ecs", "UpdateService", {
          cluster: "prod",
          service: "api",
          forceNewDeployment: true,
        });
      });
      const stop = signal === undefined ? undefined : abortingAfter(world, 6_000, signal);
      expect(await deploy(world, stop === undefined ? {} : { signal: stop })).toMatchObject(expected);
    }
  });

  it("writes nothing for a service that is missing, of another kind, or in a missing cluster", async () => {
    const world = await openWorld();
    await expect(deploy(world, { service: service("ghost" as typeof API, NEW) })).rejects.toMatchObject({
      code: "service-missing",
    });
    expect(world.calls()).toEqual(["DescribeServices", "DescribeServices", "DescribeServices"]);
    await world.operations.json("ecs", "DeleteService", { cluster: "prod", service: "api", force: true });
    await expect(deploy(world)).rejects.toMatchObject({ code: "service-unsupported" });
    expect(world.marks).toEqual([]);
  });

  it("stops without a further write when the role may not update the service", async () => {
    const world = await openWorld();
    world.fail({ operation: "UpdateService", kind: "denied", count: "forever" });
    await expect(deploy(world)).rejects.toMatchObject({
      code: "denied",
      message: expect.stringMatching(
        /UpdateService of service api in cluster prod.*not authorized to perform: ecs:UpdateService/,
      ),
    });
    expect(world.calls().filter((one) => one === "UpdateService")).toHaveLength(1);
  });

  it("sends nothing when the environment is no longer held", async () => {
    const world = await openWorld();
    const guard = (): void => {
      throw new Fault("fenced", "another controller holds it");
    };
    await expect(deploy(world, { guard })).rejects.toMatchObject({ code: "fenced" });
    expect(world.calls()).not.toContain("RegisterTaskDefinition");
    expect(world.calls()).not.toContain("UpdateService");
  });

  it("refuses a template that leaves open which container is meant, naming the choices", async () => {
    const world = await openWorld();
    const definition = {
      containerDefinitions: [
        { name: "web", image: "x" },
        { name: "proxy", image: "y" },
      ],
    };
    const task = { kind: "file", path: "ecs/api.json", definition } as const;
    await expect(deploy(world, { service: service(API, NEW, { task }) })).rejects.toMatchObject({
      code: "task-template-invalid",
      message: expect.stringMatching(/container.*web, proxy/),
    });
  });
});

describe("a deployment that succeeds", () => {
  it("is one registration and one UpdateService between its two marks, by digest", async () => {
    const world = await openWorld();
    expect(await deploy(world)).toEqual({ status: "done" });
    expect(world.marks.map(({ type }) => type)).toEqual(["deploy-intended", "deploy-accepted"]);
    const [intended, accepted] = world.marks;
    expect(intended).toMatchObject({ version: expect.stringMatching(/:task-definition\/lockstep-shop-prod-api:1$/) });
    expect(accepted).toMatchObject({ deployment: expect.stringMatching(/^ecs-svc\/\d+$/) });
    const calls = world.calls();
    expect(calls.filter((one) => one === "RegisterTaskDefinition")).toHaveLength(1);
    expect(calls.filter((one) => one === "UpdateService")).toHaveLength(1);
    expect(calls).not.toContain("ListServiceDeployments");
    const { taskDefinition, tags } = await world.operations.json("ecs", "DescribeTaskDefinition", {
      taskDefinition: "lockstep-shop-prod-api",
      include: ["TAGS"],
    });
    expect(JSON.stringify(taskDefinition)).toContain(`shop/api@${digestOf(API, NEW)}`);
    expect(JSON.stringify(tags)).toContain(`"lockstep:sha","value":"${NEW}"`);
  });

  it("leaves the desired count alone unless the manifest owns it", async () => {
    const world = await openWorld();
    await world.operations.json("ecs", "UpdateService", { cluster: "prod", service: "api", desiredCount: 3 });
    await world.pass(60_000);
    expect(await deploy(world)).toEqual({ status: "done" });
    expect(await live(world)).toMatchObject({ desiredCount: 3, runningCount: 3 });
    expect(world.marks[0]).not.toHaveProperty("before.count");
  });

  it("changes a count without registering and without a deployment, and judges it by the tasks that run", async () => {
    const world = await openWorld();
    const target = service(API, NEW, { count: 4 });
    expect(await deploy(world, { service: target, step: { changes: ["count"] } })).toEqual({ status: "done" });
    expect(await live(world)).toMatchObject({ desiredCount: 4, runningCount: 4 });
    expect(world.calls()).not.toContain("RegisterTaskDefinition");
    expect(world.marks[1]).not.toHaveProperty("deployment");
    expect(world.marks[0]).toMatchObject({ before: { count: 2 } });
  });

  it("is not proven at a count of zero, and says so", async () => {
    const world = await openWorld();
    const outcome = await deploy(world, { service: service(API, NEW, { count: 0 }) });
    expect(outcome).toEqual({ status: "done", note: "scaled to zero, not proven" });
  });

  it("enables the circuit breaker and keeps the rest of the live configuration", async () => {
    const world = await openWorld();
    const deploymentConfiguration = { maximumPercent: 150, minimumHealthyPercent: 50 };
    await world.operations.json("ecs", "UpdateService", { cluster: "prod", service: "api", deploymentConfiguration });
    await deploy(world, { onFailure: "stop" });
    expect(await live(world)).toMatchObject({
      deploymentConfiguration: {
        maximumPercent: 150,
        minimumHealthyPercent: 50,
        deploymentCircuitBreaker: { enable: true, rollback: false },
      },
    });
  });

  it("registers no second revision of the same content", async () => {
    const world = await openWorld();
    await deploy(world);
    await world.operations.json("ecs", "UpdateService", {
      cluster: "prod",
      service: "api",
      taskDefinition: "shop-api-prod",
    });
    await world.pass(60_000);
    world.calls();
    world.tell({
      type: "adopted",
      services: [{ name: API, version: "x:1" as never, family: "shop-api-prod" }],
      matches: false,
      applied: [],
      by: { actor: "a", reason: "r" },
    });
    expect(await deploy(world, { step: { settings: digestOf(WORKER, NEW) } })).toEqual({ status: "done" });
    expect(world.calls()).not.toContain("RegisterTaskDefinition");
  });

  it("puts a recorded version back without rendering, with the settings it had", async () => {
    const world = await openWorld();
    const before = await live(world);
    await deploy(world, { service: service(API, NEW, { count: 3 }) });
    world.calls();
    const version = before["taskDefinition"] as never;
    const recorded = {
      version,
      restore: { count: 2, deployment: { maximumPercent: 175, minimumHealthyPercent: 100 } },
    };
    const { image: _, ...step } = deployStep(service(API, NEW));
    const target = service(API, NEW, { recorded });
    const outcome = await world.run(
      world
        .ecs()
        .runners.deploy(
          { ...step, settings: digestOf(WORKER, NEW) },
          world.turn(environment({ services: [target] })),
          world.context(),
        ),
    );
    expect(outcome).toEqual({ status: "done" });
    expect(await live(world)).toMatchObject({
      taskDefinition: version,
      desiredCount: 2,
      deploymentConfiguration: { maximumPercent: 175 },
    });
    expect(world.calls()).not.toContain("RegisterTaskDefinition");
    expect(world.calls()).not.toContain("DescribeTaskDefinition");
  });

  it("is done at its timeout when only old tasks drain", async () => {
    const world = await openWorld({
      rules: [{ image: `:${"a".repeat(40)}`, outcome: { kind: "serve", ignoresSigterm: true } }],
    });
    const outcome = await deploy(world, { service: service(API, NEW, { timeoutMs: 25_000 }) });
    expect(outcome).toEqual({ status: "done", note: "draining 2 old tasks" });
  });
});

describe("a deployment whose controller ended", () => {
  it("is found again wherever the first life stopped, and made once", async () => {
    for (let stopAt = 1; ; stopAt += 1) {
      const world = await openWorld();
      let seen = 0;
      const controller = new AbortController();
      world.tap(async (_, send) => {
        seen += 1;
        const answer = await send();
        // The call took effect, and the process died before it heard so.
        if (seen === stopAt) controller.abort(new Error("killed"));
        return answer;
      });
      const first = await deploy(world, { signal: controller.signal });
      world.tap(undefined);
      if (first.status === "done") break;
      expect(first).toEqual({ status: "cancelled", by: "shutdown" });
      expect(await deploy(world)).toEqual({ status: "done" });
      const { serviceDeployments } = await world.operations.json("ecs", "ListServiceDeployments", {
        cluster: "prod",
        service: "api",
      });
      expect(serviceDeployments).toHaveLength(2);
      const { taskDefinitionArns } = await world.operations.json("ecs", "ListTaskDefinitions", {
        familyPrefix: "lockstep-shop-prod-api",
      });
      expect(taskDefinitionArns).toHaveLength(1);
    }
  });

  it("is failed when it was rolled back meanwhile, and done when it ended well", async () => {
    for (const [rules, expected] of [
      [
        [{ image: digestOf(API, NEW), outcome: { kind: "exit" as const, exitCode: 1, afterMs: 100 } }],
        { status: "failed", code: "deployment-failed" },
      ],
      [[], { status: "done" }],
    ] as const) {
      const world = await openWorld({ rules });
      const first = await deploy(world, { signal: abortingAfter(world, 3_000, "shutdown") });
      expect(first).toEqual({ status: "cancelled", by: "shutdown" });
      await world.pass(300_000);
      world.calls();
      expect(await deploy(world)).toMatchObject(expected);
      expect(world.calls()).not.toContain("UpdateService");
    }
  });

  it("is sent again when the first write never arrived", async () => {
    const world = await openWorld();
    world.fail({ operation: "UpdateService", kind: "before" });
    await expect(deploy(world)).rejects.toMatchObject({ code: "outcome-unknown" });
    expect(await deploy(world)).toEqual({ status: "done" });
    expect(world.marks.map(({ type }) => type)).toEqual(["deploy-intended", "deploy-intended", "deploy-accepted"]);
  });

  it("is not sent again when only the answer was lost", async () => {
    const world = await openWorld();
    world.fail({ operation: "UpdateService", kind: "after" });
    await expect(deploy(world)).rejects.toMatchObject({ code: "outcome-unknown" });
    world.calls();
    expect(await deploy(world)).toEqual({ status: "done" });
    expect(world.calls()).not.toContain("UpdateService");
    expect(world.marks.at(-1)).toMatchObject({
      type: "deploy-accepted",
      deployment: expect.stringContaining("ecs-svc/"),
    });
  });

  it("waits through throttling, server errors and lost connections of its looks", async () => {
    const world = await openWorld();
    world.stepped.after(3_000, () => {
      for (const kind of ["throttle", "5xx", "before", "5xx"] as const)
        world.fail({ operation: "DescribeServices", kind, count: 2 });
    });
    expect(await deploy(world)).toEqual({ status: "done" });
  });

  it("does not believe a stale read that still shows the old deployment", async () => {
    const world = await openWorld();
    world.stepped.after(1, () => world.fail({ operation: "DescribeServices", kind: "stale", count: 4 }));
    expect(await deploy(world)).toEqual({ status: "done" });
  });
});

it("looks at many services of a cluster in one call", async () => {
  const world = await openWorld();
  const targets = [service(API, NEW), service(WORKER, NEW)];
  const desired = environment({ services: targets });
  const ecs = world.ecs();
  const both = targets.map((one) => ecs.runners.deploy(deployStep(one), world.turn(desired), world.context()));
  expect(await world.run(Promise.all(both))).toEqual([{ status: "done" }, { status: "done" }]);
  const looks = world.calls().filter((one) => one === "DescribeServices").length;
  world.marks.splice(0);
  const alone = await openWorld();
  await deploy(alone);
  const single = alone.calls().filter((one) => one === "DescribeServices").length;
  expect(looks).toBeLessThan(single * 2);
});
