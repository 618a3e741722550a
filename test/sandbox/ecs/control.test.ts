import { DescribeServicesCommand } from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import type { SandboxRequest } from "../../../sandbox/api.ts";
import type { Routes } from "../../../sandbox/control.ts";
import { type EcsAccount, openEcs } from "./ecs-account.ts";

const REQUEST: SandboxRequest = {
  method: "PUT",
  path: "/",
  query: new URLSearchParams(),
  headers: {},
  body: new Uint8Array(),
};

function call(routes: Routes, route: string, body: Readonly<Record<string, unknown>>): unknown {
  return routes[route]?.(REQUEST, body);
}

describe("the script, over the control plane", () => {
  it.each<[string, object]>([
    ["no kind", { rules: [{ outcome: {} }] }],
    ["an unknown kind", { rules: [{ outcome: { kind: "explode" } }] }],
    ["an unknown error", { rules: [{ outcome: { kind: "refused", error: "Other" } }] }],
    ["a negative time", { rules: [{ outcome: { kind: "exit", afterMs: -2 } }] }],
  ])("refuses %s", async (_, body) => {
    const { runner } = await openEcs();
    expect(() => call(runner.routes, "PUT /_sandbox/script", { ...body })).toThrow(/Invalid parameter/);
  });

  it("is read back as it was set", async () => {
    const { runner } = await openEcs();
    const rules = [{ image: "api:bad", times: 2, outcome: { kind: "exit", exitCode: 1, afterMs: 10, log: ["no"] } }];
    call(runner.routes, "PUT /_sandbox/script", { rules });
    expect(call(runner.routes, "GET /_sandbox/script", {})).toEqual({ rules });
  });
});

describe("placement failures, over the control plane", () => {
  it("are used up by the tasks of their family, and can be cleared", async () => {
    const { ecs }: EcsAccount = await openEcs();
    const order = { reason: "AGENT", family: "migrate", count: 2 };
    call(ecs.routes, "POST /_sandbox/ecs/placement-failures", order);
    expect(ecs.placement.take("api")).toBeUndefined();
    expect(ecs.placement.take("migrate")).toMatchObject({ reason: "AGENT" });
    call(ecs.routes, "DELETE /_sandbox/ecs/placement-failures", {});
    expect(ecs.placement.take("migrate")).toBeUndefined();
    expect(() => call(ecs.routes, "POST /_sandbox/ecs/placement-failures", {})).toThrow(/reason/);
  });
});

describe("an identifier", () => {
  it.each([
    ["of another account", "arn:aws:ecs:eu-central-1:999999999999:service/main/api", /Your accountId is 111122223333/],
    ["of another region", "arn:aws:ecs:us-east-1:111122223333:service/main/api", /Identifier is for us-east-1/],
    ["of another kind", "arn:aws:ecs:eu-central-1:111122223333:cluster/main", /no ARN of a service/],
  ])("%s is refused", async (_, reference, message) => {
    const { client } = await openEcs();
    const describing = client.send(new DescribeServicesCommand({ cluster: "main", services: [reference] }));
    await expect(describing).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringMatching(message) as unknown,
    });
  });
});
