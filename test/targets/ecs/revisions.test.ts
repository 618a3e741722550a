// Task definitions are read no more often than their answers can differ.
import { describe, expect, it } from "vitest";
import type { Aws } from "../../../controller/targets/aws.ts";
import { createRevisions, type Revisions } from "../../../controller/targets/ecs/revisions.ts";
import { openWorld, REGION, type World } from "./world.ts";

const PLACE = { region: REGION };
const FAMILY = "shop-api-prod";
const SIGNAL = new AbortController().signal;

async function open(): Promise<{ readonly world: World; readonly revisions: Revisions; readonly aws: Aws }> {
  const world = await openWorld();
  return { world, aws: world.aws, revisions: createRevisions(world.aws, world.clock) };
}

describe("a family's newest revision", () => {
  it("is asked for once by a plan and the step that follows at once", async () => {
    const { world, revisions } = await open();
    const [first, second] = await world.run(
      revisions.read(PLACE, FAMILY, SIGNAL).then(async (one) => [one, await revisions.read(PLACE, FAMILY, SIGNAL)]),
    );
    expect(second).toEqual(first);
    expect(world.calls()).toEqual(["DescribeTaskDefinition"]);
  });

  it("is asked for again a moment later, so that what infrastructure code registered meanwhile is used", async () => {
    const { world, revisions } = await open();
    const before = await world.run(revisions.read(PLACE, FAMILY, SIGNAL));
    const { family, networkMode, cpu, memory, requiresCompatibilities, containerDefinitions, executionRoleArn } =
      before?.definition ?? {};
    await world.operations.json("ecs", "RegisterTaskDefinition", {
      family,
      networkMode,
      cpu,
      memory,
      requiresCompatibilities,
      containerDefinitions,
      executionRoleArn,
    });
    await world.pass(2_000);
    const after = await world.run(revisions.read(PLACE, FAMILY, SIGNAL));
    expect(after?.definition.revision).toBe((before?.definition.revision ?? 0) + 1);
  });

  it("of another role is another question", async () => {
    const { world, revisions } = await open();
    await world.run(revisions.read(PLACE, FAMILY, SIGNAL));
    await world.run(revisions.read({ ...PLACE, role: "arn:aws:iam::111122223333:role/other" }, FAMILY, SIGNAL));
    expect(world.calls().filter((operation) => operation === "DescribeTaskDefinition")).toHaveLength(2);
  });

  it("that is missing is not remembered", async () => {
    const { world, revisions } = await open();
    expect(await world.run(revisions.read(PLACE, "nobody", SIGNAL))).toBeUndefined();
    expect(await world.run(revisions.read(PLACE, "nobody", SIGNAL))).toBeUndefined();
    expect(world.calls()).toEqual(["DescribeTaskDefinition", "DescribeTaskDefinition"]);
  });
});

describe("a revision by ARN", () => {
  it("that was just registered is known without asking", async () => {
    const { world, revisions } = await open();
    const template = await world.run(revisions.read(PLACE, FAMILY, SIGNAL));
    const { networkMode, memory, containerDefinitions } = template?.definition ?? {};
    const registration = { family: "lockstep-shop-prod-api", networkMode, memory, containerDefinitions };
    const tags = [{ key: "lockstep:journal", value: "j0" }];
    const content = `sha256:${"c".repeat(64)}` as Parameters<Revisions["register"]>[0]["content"];
    const version = await world.run(
      revisions.register({ place: PLACE, registration, content, journal: "j0", tags }, world.context()),
    );
    world.calls();
    const known = await world.run(revisions.read(PLACE, version, SIGNAL));
    expect(world.calls()).toEqual([]);
    expect(known?.tags).toEqual(tags);
    const read = await world.run(createRevisions(world.aws, world.clock).read(PLACE, version, SIGNAL));
    expect(known?.definition.containerDefinitions?.length).toEqual(read?.definition.containerDefinitions?.length);
    expect(known?.definition.taskDefinitionArn).toBe(read?.definition.taskDefinitionArn);
  });
});
