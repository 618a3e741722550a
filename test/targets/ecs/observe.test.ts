// What the ECS target sees of a service, error paths first: unknown is never absent, and never steady.
import { describe, expect, it } from "vitest";
import { NOTHING } from "../../../controller/core/history.ts";
import { ServiceName, type Sha } from "../../../controller/core/brand.ts";
import { withMarks } from "../../../controller/core/marks.ts";
import { plan } from "../../../controller/core/plan.ts";
import { stepId } from "../../../controller/core/step.ts";
import { createImages } from "../../../controller/targets/artifacts.ts";
import type { Environment } from "../../../controller/core/environment.ts";
import type { Depth, LiveService } from "../../../controller/core/live.ts";
import { API, deployStep, digestOf, environment, NEW, OLD, openWorld, service, type World, WORKER } from "./world.ts";

const GHOST = ServiceName.parse("ghost");

async function observe(
  world: World,
  of: Environment,
  depth: Depth = "glance",
): Promise<ReadonlyMap<ServiceName, LiveService>> {
  return world.run(world.ecs().observe(of, world.memory(), depth, new AbortController().signal));
}

async function one(world: World, depth: Depth = "glance", changes = {}): Promise<LiveService | undefined> {
  const found = await observe(world, environment({ services: [service(API, NEW, changes)] }), depth);
  return found.get(API);
}

describe("what cannot be read", () => {
  it("is absent only after three misses in a row", async () => {
    const world = await openWorld();
    const found = await observe(world, environment({ services: [service(GHOST, NEW), service(API, NEW)] }));
    expect(found.get(GHOST)).toMatchObject({
      state: "absent",
      why: { code: "service-missing", message: "cluster prod has no service ghost" },
    });
    expect(found.get(API)).toMatchObject({ state: "present" });
    expect(world.calls()).toEqual(["DescribeServices", "DescribeServices", "DescribeServices"]);
  });

  it.each([
    ["denied", "denied"],
    ["throttle", "throttled"],
    ["5xx", "unavailable"],
    ["before", "unavailable"],
  ] as const)("is unknown with its fault after %s", async (kind, code) => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind, count: "forever" });
    expect(await one(world)).toMatchObject({ state: "unknown", why: { code } });
  });

  it("is not asked for any more once the controller stops, and leaves no failure behind that nobody hears", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind: "denied", count: "forever" });
    const stopped = AbortSignal.abort(new Error("shutdown"));
    const seen = world.ecs().observe(environment(), world.memory(), "glance", stopped);
    await expect(world.run(seen)).rejects.toThrow("shutdown");
    await world.pass(60_000);
    expect(world.calls()).toEqual([]);
  });

  it("is unknown in a cluster that does not exist", async () => {
    const world = await openWorld();
    const of = environment({ place: { region: "eu-west-1", cluster: "nowhere" } });
    expect((await observe(world, of)).get(API)).toMatchObject({
      state: "unknown",
      why: { code: "cluster-missing", message: expect.stringContaining("in cluster nowhere") },
    });
  });

  it("is unsupported when the service is being deleted, and absent when it is gone", async () => {
    const world = await openWorld();
    await world.operations.json("ecs", "DeleteService", { cluster: "prod", service: "api", force: true });
    expect(await one(world)).toMatchObject({ state: "unknown", why: { code: "service-unsupported" } });
    await world.pass(120_000);
    expect(await one(world)).toMatchObject({ state: "absent", why: { code: "service-missing" } });
  });

  it("is unsupported under another deployment controller", async () => {
    const world = await openWorld();
    await world.operations.json("ecs", "CreateService", {
      cluster: "prod",
      serviceName: "ghost",
      taskDefinition: "shop-worker-prod",
      desiredCount: 0,
      deploymentController: { type: "CODE_DEPLOY" },
      networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } },
    });
    const found = await observe(world, environment({ services: [service(GHOST, NEW)] }));
    expect(found.get(GHOST)).toMatchObject({
      state: "unknown",
      why: { code: "service-unsupported", message: expect.stringContaining("CODE_DEPLOY") },
    });
  });

  it("leaves out who owns the count when the role may not ask, and is unknown when asking fails otherwise", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeScalableTargets", kind: "denied" });
    expect(await one(world, "full", { count: 2 })).not.toHaveProperty("scaled");
    world.fail({ operation: "DescribeScalableTargets", kind: "5xx", count: "forever" });
    expect(await one(world, "full", { count: 2 })).toMatchObject({ state: "unknown", why: { code: "unavailable" } });
    expect(await one(world, "full")).toMatchObject({ state: "present" });
  });
});

describe("a service that is there", () => {
  it("is steady with one call at a glance", async () => {
    const world = await openWorld();
    const seen = await one(world);
    expect(seen).toMatchObject({
      state: "present",
      version: expect.stringMatching(/shop-api-prod:1$/),
      replicas: { desired: 2, running: 2, pending: 0 },
      rollout: { state: "steady" },
    });
    expect(world.calls()).toEqual(["DescribeServices"]);
  });

  it("is moving while it rolls, with the version it moves to", async () => {
    const world = await openWorld();
    await world.operations.json("ecs", "UpdateService", { cluster: "prod", service: "api", forceNewDeployment: true });
    expect(await one(world)).toMatchObject({
      rollout: { state: "moving", to: expect.stringContaining("shop-api-prod:1") },
    });
  });

  it("is rolled back when ECS took our version away", async () => {
    const world = await openWorld({ rules: [{ image: digestOf(API, NEW), outcome: { kind: "refused" } }] });
    const of = environment({ services: [service(API, NEW)] });
    await world.run(world.ecs().runners.deploy(deployStep(service(API, NEW)), world.turn(of), world.context()));
    expect(await one(world)).toMatchObject({
      version: expect.stringContaining("shop-api-prod:1"),
      rollout: { state: "rolled-back", why: expect.stringContaining("circuit breaker") },
    });
  });

  it("at full depth says who released it, which image it is and who owns its count", async () => {
    const world = await openWorld();
    const of = environment({ services: [service(API, NEW)] });
    await world.run(world.ecs().runners.deploy(deployStep(service(API, NEW)), world.turn(of), world.context()));
    expect(await one(world, "full", { count: 2 })).toMatchObject({
      tag: { journal: "j0", release: "0".repeat(31) + "1", sha: NEW },
      image: digestOf(API, NEW),
      scaled: false,
    });
    await world.operations.json("autoscaling", "RegisterScalableTarget", {
      ServiceNamespace: "ecs",
      ResourceId: "service/prod/api",
      ScalableDimension: "ecs:service:DesiredCount",
      MinCapacity: 1,
      MaxCapacity: 4,
    });
    expect(await one(world, "full", { count: 2 })).toMatchObject({ scaled: true });
  });

  it("at full depth knows the digest that ECS resolved for a version that names a tag", async () => {
    const world = await openWorld();
    const seen = await one(world, "full");
    expect(seen).toMatchObject({ image: digestOf(API, OLD) });
    expect(seen).not.toHaveProperty("tag");
  });

  it("at full depth names what the template would change by key", async () => {
    const world = await openWorld();
    const { taskDefinition } = await world.operations.json("ecs", "DescribeTaskDefinition", {
      taskDefinition: "shop-api-prod",
    });
    const { cpu: _, containerDefinitions, memory, networkMode } = taskDefinition as Readonly<Record<string, unknown>>;
    const [app] = containerDefinitions as readonly { readonly environment: readonly object[] }[];
    const changed = { ...app, environment: [...(app?.environment ?? []), { name: "LOG_LEVEL", value: "debug" }] };
    await world.operations.json("ecs", "RegisterTaskDefinition", {
      family: "shop-api-prod",
      cpu: "512",
      memory: String(Number(memory) * 2),
      networkMode,
      requiresCompatibilities: ["FARGATE"],
      containerDefinitions: [changed],
    });
    expect(await one(world, "full")).toMatchObject({
      templateChanges: expect.arrayContaining(["app.environment.LOG_LEVEL", "cpu", "memory"]),
    });
  });

  it("shows a template that cannot be used before anything is released", async () => {
    const world = await openWorld();
    expect(await one(world, "full", { task: { kind: "family", family: "nowhere" } })).toMatchObject({
      state: "unknown",
      why: { code: "task-template-invalid", message: expect.stringContaining("nowhere") },
    });
  });
});

describe("the plan over what is seen", () => {
  async function steps(world: World, of: Environment): Promise<readonly string[]> {
    const services = await observe(world, of, "full");
    const signal = new AbortController().signal;
    const artifacts = await world.run(createImages(world.aws).resolve(of, new Map(), signal));
    const observation = { observedAt: world.clock.now(), depth: "full" as const, services, artifacts, webs: new Map() };
    return plan(of, withMarks(observation, of, world.memory())).steps.map(stepId);
  }

  it("deploys nothing where what ran before Lockstep came is what Git says", async () => {
    const world = await openWorld();
    const of = (sha: Sha): Environment => environment({ services: [service(API, sha)], migrations: [] });
    expect(await steps(world, of(OLD))).toEqual(["verify", "health"]);
    expect(await steps(world, of(NEW))).toEqual(["verify", "deploy/api", "health"]);
  });

  it("deploys nothing again once it was deployed, though AWS echoes more than was sent", async () => {
    const world = await openWorld();
    const of = environment({ services: [service(API, NEW, { count: 3 })], migrations: [] });
    const [target] = of.services;
    if (target === undefined) throw new Error("there is one");
    expect(await steps(world, of)).toEqual(["verify", "deploy/api", "health"]);
    await world.run(world.ecs().runners.deploy(deployStep(target), world.turn(of), world.context()));
    expect(await steps(world, of)).toEqual(["verify", "health"]);
    expect(await one(world, "full", { count: 3 })).not.toHaveProperty("templateChanges");
  });
});

describe("an idle look at many", () => {
  it("takes one call for ten services, however many environments ask in the same moment", async () => {
    const world = await openWorld();
    for (let index = 0; index < 24; index += 1)
      await world.operations.json("ecs", "CreateService", {
        cluster: "prod",
        serviceName: `s${index}`,
        taskDefinition: "shop-worker-prod",
        desiredCount: 0,
        networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } },
      });
    await world.pass(60_000);
    const ecs = world.ecs();
    const environments = Array.from({ length: 12 }, (_, at) =>
      environment({ services: [2 * at, 2 * at + 1].map((index) => service(ServiceName.parse(`s${index}`), NEW)) }),
    );
    const signal = new AbortController().signal;
    const looks = environments.map((of) => ecs.observe(of, NOTHING, "glance", signal));
    const seen = await world.run(Promise.all(looks));
    expect(seen.flatMap((found) => [...found.values()]).every(({ state }) => state === "present")).toBe(true);
    expect(world.calls()).toEqual(["DescribeServices", "DescribeServices", "DescribeServices"]);
  });

  it("asks for each role and region on its own", async () => {
    const world = await openWorld();
    const ecs = world.ecs();
    const signal = new AbortController().signal;
    const roles = ["reader", "other"].map((name) => `arn:aws:iam::111122223333:role/${name}`);
    const looks = roles.map((role) =>
      ecs.observe(environment({ place: { region: "eu-west-1", cluster: "prod", role } }), NOTHING, "glance", signal),
    );
    const seen = await world.run(Promise.all(looks));
    expect(seen.map((found) => [found.get(API)?.state, found.get(WORKER)?.state])).toEqual([
      ["present", "present"],
      ["present", "present"],
    ]);
    expect(world.calls().filter((one) => one === "DescribeServices")).toHaveLength(2);
  });
});
