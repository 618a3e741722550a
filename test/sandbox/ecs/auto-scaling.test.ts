import {
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { DescribeCapacityProvidersCommand } from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import { createApi, describeApi, MINUTE_MS, openEcs, register } from "./ecs-account.ts";

const SERVICE = {
  ServiceNamespace: "ecs",
  ScalableDimension: "ecs:service:DesiredCount",
  ResourceId: "service/main/api",
} as const;

describe("a scalable target", () => {
  it("is refused for a service that is not there, without bounds, and with bounds the wrong way round", async () => {
    const account = await openEcs();
    await createApi(account, await register(account, "api", "shop/api:1"));
    for (const changes of [
      { ResourceId: "service/main/none", MinCapacity: 1, MaxCapacity: 2 },
      { MinCapacity: 1 },
      { MinCapacity: 3, MaxCapacity: 2 },
    ]) {
      const registering = account.scaling.send(new RegisterScalableTargetCommand({ ...SERVICE, ...changes }));
      await expect(registering).rejects.toMatchObject({ name: "ValidationException" });
    }
  });

  it("is read back, keeps the count within its bounds without a deployment, and can be removed", async () => {
    const account = await openEcs();
    const before = await createApi(account, await register(account, "api", "shop/api:1"));
    const { scaling } = account;
    await scaling.send(new RegisterScalableTargetCommand({ ...SERVICE, MinCapacity: 3, MaxCapacity: 9 }));
    account.advance(MINUTE_MS);
    const after = await describeApi(account);
    expect(after).toMatchObject({ desiredCount: 3, runningCount: 3 });
    expect(after.deployments?.[0]?.id).toBe(before.deployments?.[0]?.id);
    await scaling.send(new RegisterScalableTargetCommand({ ...SERVICE, MaxCapacity: 12 }));
    const { ScalableTargets } = await scaling.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: "ecs", ResourceIds: [SERVICE.ResourceId] }),
    );
    expect(ScalableTargets).toMatchObject([{ ...SERVICE, MinCapacity: 3, MaxCapacity: 12 }]);
    expect(ScalableTargets?.[0]?.CreationTime).toBeInstanceOf(Date);
    await scaling.send(new DeregisterScalableTargetCommand(SERVICE));
    const none = await scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: "ecs" }));
    expect(none.ScalableTargets).toEqual([]);
    await expect(scaling.send(new DeregisterScalableTargetCommand(SERVICE))).rejects.toMatchObject({
      name: "ObjectNotFoundException",
    });
  });
});

describe("an operation that is not imitated", () => {
  it("is refused by name", async () => {
    const { client } = await openEcs();
    await expect(client.send(new DescribeCapacityProvidersCommand({}))).rejects.toMatchObject({
      name: "UnknownOperationException",
      message: "The sandbox does not imitate ecs DescribeCapacityProviders; see sandbox/ecs.md",
    });
  });
});
