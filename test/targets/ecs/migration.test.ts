// The migration gate against ECS in the sandbox: what must never run twice, never pass unproven and never be lost.
import { describe, expect, it } from "vitest";
import { Instant } from "../../../controller/core/brand.ts";
import type { Environment, Migration } from "../../../controller/core/environment.ts";
import type { Outcome } from "../../../controller/core/event.ts";
import { Fault } from "../../../controller/core/fault.ts";
import { abortingAfter, environment, MIGRATE, migration, migrateStep, NEW, openWorld, type World } from "./world.ts";

const COMMAND = "migrate.mjs";
const FAMILY = "lockstep-shop-prod-migrate-migrate";

interface How {
  readonly migration?: Partial<Migration>;
  readonly signal?: AbortSignal;
  readonly guard?: () => void;
  /** How far the controller's wall clock is off. */
  readonly skewMs?: number;
}

function desired(how: How = {}): Environment {
  return environment({ migrations: [migration(NEW, how.migration)] });
}

function migrate(world: World, how: How = {}): Promise<Outcome> {
  const of = desired(how);
  const { clock } = world;
  const now = (): Instant => Instant.plus(clock.now(), how.skewMs ?? 0);
  const context = { ...world.context(how.signal, how.guard), clock: { ...clock, now } };
  return world.run(world.ecs().runners.migrate(migrateStep(of), world.turn(of), context));
}

/** How many tasks of the migration ECS ever started. */
function started(world: World): number {
  return world.sandbox.calls.since(0).filter(({ operation, status }) => operation === "RunTask" && status === 200)
    .length;
}

async function tasks(world: World): Promise<readonly string[]> {
  const found: string[] = [];
  for (const desiredStatus of ["RUNNING", "STOPPED"]) {
    const answer = await world.operations.json("ecs", "ListTasks", { cluster: "prod", family: FAMILY, desiredStatus });
    found.push(...(answer["taskArns"] as readonly string[]));
  }
  return found;
}

const exits = (exitCode: number, more: object = {}) => ({
  command: COMMAND,
  outcome: { kind: "exit" as const, exitCode, afterMs: 5_000, ...more },
});

describe("a migration that does not pass", () => {
  it("is failed with its exit code and its last log lines, even those that come late", async () => {
    const world = await openWorld({
      rules: [exits(3, { log: ["adding column", "relation exists"] })],
      logIngestDelayMs: 7_000,
    });
    const outcome = await migrate(world);
    expect(outcome).toMatchObject({ status: "failed", code: "migration-failed" });
    expect(outcome).toMatchObject({
      message: expect.stringMatching(/migration migrate of shop\/prod: container app exited 3.*relation exists/),
    });
    expect(world.marks.at(-1)).toMatchObject({
      type: "migration-settled",
      result: "failed",
      code: "migration-failed",
      exitCode: 3,
      log: ["adding column", "relation exists"],
    });
  });

  it("is failed when its container never started: no exit code is not zero", async () => {
    const world = await openWorld({
      rules: [{ command: COMMAND, outcome: { kind: "refused", error: "ResourceInitializationError" } }],
    });
    const outcome = await migrate(world);
    expect(outcome).toMatchObject({ status: "failed", code: "migration-failed" });
    expect(outcome).toMatchObject({ message: expect.stringMatching(/never started.*ResourceInitializationError/) });
  });

  it("is unknown when its host was taken away, and stays so without running again", async () => {
    const world = await openWorld({ rules: [{ command: COMMAND, outcome: { kind: "interrupted", afterMs: 4_000 } }] });
    expect(await migrate(world)).toMatchObject({ status: "failed", code: "migration-unknown" });
    expect(world.marks.at(-1)).toMatchObject({ result: "unknown" });
    expect(await migrate(world)).toMatchObject({ status: "failed", code: "migration-unknown" });
    expect(started(world)).toBe(1);
  });

  it("is stopped once at its timeout and then failed, with a warning about the database", async () => {
    const world = await openWorld({ rules: [{ command: COMMAND, outcome: { kind: "serve", log: ["step 1 of 9"] } }] });
    const outcome = await migrate(world, { migration: { timeoutMs: 60_000 } });
    expect(outcome).toMatchObject({
      status: "failed",
      code: "migration-timeout",
      message: expect.stringMatching(/not done in 60 s.*database may be in between/),
    });
    expect(world.calls().filter((one) => one === "StopTask")).toHaveLength(1);
  });

  it.each(["before", "after", "5xx", "throttle"] as const)(
    "has ended when it is failed, whatever StopTask meets: %s",
    async (kind) => {
      const world = await openWorld({ rules: [{ command: COMMAND, outcome: { kind: "serve" } }] });
      world.fail({ operation: "StopTask", kind, count: 2 });
      expect(await migrate(world, { migration: { timeoutMs: 60_000 } })).toMatchObject({ code: "migration-timeout" });
      const running = { cluster: "prod", family: FAMILY, desiredStatus: "RUNNING" };
      expect(await world.operations.json("ecs", "ListTasks", running)).toEqual({ taskArns: [] });
    },
  );

  it("is failed when SIGTERM makes it exit 0 at its timeout", async () => {
    const world = await openWorld({ rules: [{ command: COMMAND, outcome: { kind: "serve", stopExitCode: 0 } }] });
    expect(await migrate(world, { migration: { timeoutMs: 60_000 } })).toMatchObject({ code: "migration-timeout" });
  });

  it("fails after five attempts without capacity, each with a token of its own and a longer pause", async () => {
    const world = await openWorld();
    const placement = { reason: "RESOURCE:MEMORY", family: FAMILY, count: 5 };
    await place(world, placement);
    const outcome = await migrate(world);
    expect(outcome).toMatchObject({
      status: "failed",
      code: "no-capacity",
      message: expect.stringContaining("RESOURCE:MEMORY"),
    });
    const tokens = world.marks.flatMap((mark) => (mark.type === "migration-started" ? [mark.token] : []));
    expect(new Set(tokens).size).toBe(5);
    expect(
      world.marks.filter((mark) => mark.type === "migration-settled").map((mark) => "result" in mark && mark.result),
    ).toEqual(["refused", "refused", "refused", "refused", "failed"]);
    expect(await tasks(world)).toEqual([]);
  });

  it("is blocked, not failed, when the role may not run tasks, and runs once it may", async () => {
    const world = await openWorld({ rules: [exits(0)] });
    world.fail({ operation: "RunTask", kind: "denied" });
    await expect(migrate(world)).rejects.toMatchObject({ code: "denied" });
    expect(world.marks.at(-1)).toMatchObject({ result: "refused", code: "denied" });
    expect(await migrate(world)).toEqual({ status: "done" });
    expect(await tasks(world)).toHaveLength(1);
  });

  it("sends nothing when the environment is no longer held", async () => {
    const world = await openWorld();
    let guards = 0;
    const guard = (): void => {
      guards += 1;
      if (guards > 1) throw new Fault("fenced", "another controller holds it");
    };
    await expect(migrate(world, { guard })).rejects.toMatchObject({ code: "fenced" });
    expect(world.calls()).not.toContain("RunTask");
  });
});

describe("a migration that passes", () => {
  it("runs once, pinned, in a family of its own, and leaves three marks", async () => {
    const world = await openWorld({ rules: [exits(0, { log: ["done"] })] });
    expect(await migrate(world)).toEqual({ status: "done" });
    expect(world.marks.map(({ type }) => type)).toEqual(["migration-started", "migration-task", "migration-settled"]);
    expect(world.marks[0]).toMatchObject({
      attempt: 1,
      taskDefinition: expect.stringMatching(/lockstep-shop-prod-migrate-migrate:1$/),
    });
    expect(world.marks[2]).toMatchObject({ result: "passed", exitCode: 0, log: ["done"] });
    const run = world.sandbox.calls.since(0).find(({ operation }) => operation === "RunTask");
    expect(run?.input).toMatchObject({
      launchType: "FARGATE",
      startedBy: expect.stringMatching(/^lockstep\/shop\/prod\/migrate\/[0-9a-f]{12}$/),
      clientToken: expect.stringMatching(/^[0-9a-f]{64}$/),
      networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-0a1b2c3d"] } },
    });
  });

  it("never runs again under its key", async () => {
    const world = await openWorld({ rules: [exits(0)] });
    await migrate(world);
    world.calls();
    expect(await migrate(world)).toMatchObject({ status: "done" });
    expect(world.calls()).toEqual([]);
  });

  it("counts its own container only, not a sidecar that is killed", async () => {
    const world = await openWorld({ rules: [exits(0)] });
    const { taskDefinition } = await world.operations.json("ecs", "DescribeTaskDefinition", {
      taskDefinition: "shop-api-prod",
    });
    const { containerDefinitions, cpu, memory, networkMode } = taskDefinition as Readonly<Record<string, unknown>>;
    const [app] = containerDefinitions as readonly object[];
    const sidecar = {
      name: "proxy",
      image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/worker:" + NEW,
      essential: true,
    };
    await world.operations.json("ecs", "RegisterTaskDefinition", {
      family: "shop-api-prod",
      cpu,
      memory,
      networkMode,
      requiresCompatibilities: ["FARGATE"],
      containerDefinitions: [sidecar, app],
    });
    expect(await migrate(world, { migration: { container: "app" } })).toEqual({ status: "done" });
  });

  it("waits through throttling and server errors", async () => {
    const world = await openWorld({ rules: [exits(0)] });
    world.fail({ operation: "RunTask", kind: "throttle", count: 2 });
    world.fail({ operation: "DescribeTasks", kind: "5xx", nth: 2, count: 5 });
    expect(await migrate(world)).toEqual({ status: "done" });
    expect(await tasks(world)).toHaveLength(1);
  });

  it("runs again under the next attempt after a failure that somebody allowed", async () => {
    const world = await openWorld({ rules: [{ ...exits(1), times: 1 }, exits(0)] });
    expect(await migrate(world)).toMatchObject({ status: "failed" });
    expect(await migrate(world)).toMatchObject({ status: "failed" });
    world.tell({ type: "retry-requested", fingerprint: desired().fingerprint, actor: "a", reason: "r" });
    expect(await migrate(world)).toEqual({ status: "done" });
    expect(world.marks.filter(({ type }) => type === "migration-started")).toMatchObject([
      { attempt: 1 },
      { attempt: 2 },
    ]);
  });

  it("waits for a task that was told to stop and still ends", async () => {
    const world = await openWorld({
      rules: [{ command: COMMAND, times: 1, outcome: { kind: "serve", ignoresSigterm: true } }, exits(0)],
    });
    const other = migrateStep(desired());
    const of = desired({ migration: { timeoutMs: 10_000 } });
    // The process dies right after StopTask and its outcome is lost; a person says that it was not applied.
    const first = world
      .ecs()
      .runners.migrate(other, world.turn(of), world.context(abortingAfter(world, 19_000, "shutdown")));
    expect(await world.run(first)).toEqual({ status: "cancelled", by: "shutdown" });
    world.tell({
      type: "migration-settled",
      migration: MIGRATE,
      key: other.key,
      result: "unknown",
      message: "lost",
      log: [],
    });
    world.tell({
      type: "resolved",
      migration: MIGRATE,
      key: other.key,
      outcome: "not-applied",
      actor: "a",
      reason: "r",
    });
    expect(await migrate(world)).toEqual({ status: "done" });
    expect(world.notes.join("\n")).toMatch(/waiting for task .* of another attempt to end/);
  });
});

describe("a migration whose controller ended", () => {
  it("is started once, wherever the first life stopped", async () => {
    for (let stopAt = 1; ; stopAt += 1) {
      const world = await openWorld({ rules: [exits(0)] });
      let seen = 0;
      const controller = new AbortController();
      world.tap(async (_, send) => {
        seen += 1;
        const answer = await send();
        if (seen === stopAt) controller.abort(new Error("killed"));
        return answer;
      });
      const first = await migrate(world, { signal: controller.signal });
      world.tap(undefined);
      if (first.status === "done") break;
      expect(first).toEqual({ status: "cancelled", by: "shutdown" });
      expect(await migrate(world)).toMatchObject({ status: "done" });
      expect(await tasks(world)).toHaveLength(1);
    }
  });

  it("is judged by its stored ARN, and asked for no new task", async () => {
    const world = await openWorld({ rules: [exits(4)] });
    await migrate(world, { signal: abortingAfter(world, 2_500, "shutdown") });
    await world.pass(30 * 60_000);
    expect(await migrate(world)).toMatchObject({ status: "failed", code: "migration-failed" });
    expect(started(world)).toBe(1);
  });

  it("is unknown when ECS has forgotten its task, after 61 minutes and after 25 hours", async () => {
    for (const ms of [61 * 60_000 + 60_000, 25 * 3_600_000]) {
      const world = await openWorld({ rules: [exits(0)] });
      await migrate(world, { signal: abortingAfter(world, 2_500, "shutdown") });
      await world.pass(ms);
      expect(await migrate(world)).toMatchObject({ status: "failed", code: "migration-unknown" });
      expect(started(world)).toBe(1);
    }
  });

  it.each([
    ["before", 1 * 60_000, { status: "done" }, 1],
    ["after", 1 * 60_000, { status: "done" }, 1],
    ["after", 44 * 60_000, { status: "done" }, 1],
    ["before", 46 * 60_000, { status: "failed", code: "migration-unknown" }, 0],
    ["after", 46 * 60_000, { status: "done" }, 1],
    ["after", 65 * 60_000, { status: "failed", code: "migration-unknown" }, 1],
  ] as const)(
    "whose answer was lost %s the effect is resolved by reads, then by its token, %d ms later",
    async (kind, downMs, expected, count) => {
      const world = await openWorld({ rules: [exits(0)] });
      world.fail({ operation: "RunTask", kind });
      const controller = new AbortController();
      world.tap(async (request, send) => {
        const isRun = request.headers["x-amz-target"]?.endsWith(".RunTask") === true;
        try {
          return await send();
        } finally {
          if (isRun) controller.abort(new Error("killed"));
        }
      });
      expect(await migrate(world, { signal: controller.signal })).toMatchObject({ status: "cancelled" });
      world.tap(undefined);
      await world.pass(downMs);
      expect(await migrate(world)).toMatchObject(expected);
      const ran = world.sandbox.calls
        .since(0)
        .filter(
          ({ operation, fault, status }) => operation === "RunTask" && (status === 200 || fault?.startsWith("after")),
        );
      const tokens = new Set(ran.map(({ input }) => input["clientToken"]));
      expect(tokens.size).toBe(count);
    },
  );

  it("is told by AWS's clock how old its token is, on a machine whose own clock is an hour behind", async () => {
    const world = await openWorld({ rules: [exits(0)] });
    const controller = new AbortController();
    world.tap(async (request, send) => {
      const answer = await send();
      if (request.headers["x-amz-target"]?.endsWith(".RunTask") === true) controller.abort(new Error("killed"));
      return answer;
    });
    await migrate(world, { signal: controller.signal });
    world.tap(undefined);
    await world.pass(65 * 60_000);
    const outcome = await migrate(world, { skewMs: -3_600_000 });
    expect(outcome).toMatchObject({ status: "failed", code: "migration-unknown" });
    expect(started(world)).toBe(1);
  });

  it("adopts the task its token stands for when the service's network has changed since", async () => {
    const world = await openWorld({ rules: [exits(0)] });
    const controller = new AbortController();
    world.tap(async (request, send) => {
      const answer = await send();
      if (request.headers["x-amz-target"]?.endsWith(".RunTask") === true) controller.abort(new Error("killed"));
      return answer;
    });
    await migrate(world, { signal: controller.signal });
    // Reads lag: the lists do not show the task, and the token says which one it is.
    world.tap(async (request, send) => {
      if (request.headers["x-amz-target"]?.endsWith(".ListTasks") !== true) return send();
      return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body: '{"taskArns":[]}' };
    });
    const subnets = { awsvpcConfiguration: { subnets: ["subnet-9"], securityGroups: ["sg-9"] } };
    await world.operations.json("ecs", "UpdateService", {
      cluster: "prod",
      service: "api",
      networkConfiguration: subnets,
    });
    expect(await migrate(world)).toEqual({ status: "done" });
    expect(await tasks(world)).toHaveLength(1);
  });

  it("writes nothing when it is told to shut down while the task runs", async () => {
    const world = await openWorld({ rules: [exits(0, { afterMs: 60_000 })] });
    const outcome = await migrate(world, { signal: abortingAfter(world, 10_000, "shutdown") });
    expect(outcome).toEqual({ status: "cancelled", by: "shutdown" });
    expect(world.marks.map(({ type }) => type)).toEqual(["migration-started", "migration-task"]);
    expect(world.calls()).not.toContain("StopTask");
  });
});

async function place(world: World, order: object): Promise<void> {
  const body = Buffer.from(JSON.stringify(order));
  const headers = { "content-type": "application/json" };
  const path = "/_sandbox/ecs/placement-failures";
  const answer = await world.sandbox.handle({ method: "POST", path, query: new URLSearchParams(), headers, body });
  expect(answer.status).toBeLessThan(300);
}
