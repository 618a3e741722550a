// Judging a deployment by what ECS shows: only terminal states decide, and what nobody knows yet is waited for.
import type { Deployment, Service, Task } from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import { standing } from "../../../controller/targets/ecs/deployments.ts";
import { hasArrived, isSettled, progress, rolloutOf } from "../../../controller/targets/ecs/rollout.ts";
import { isCapacity, verdict } from "../../../controller/targets/ecs/verdict.ts";
import { familyOf, tagsOf } from "../../../controller/targets/ecs/family.ts";
import { contentOf } from "../../../controller/targets/ecs/task-definition.ts";
import { environment } from "./world.ts";

const AIM = { version: "td:2", deployment: "ecs-svc/2" };

function ours(changes: object = {}): Deployment {
  const base = { id: "ecs-svc/2", status: "PRIMARY", taskDefinition: "td:2", rolloutState: "COMPLETED" } as const;
  return { ...base, desiredCount: 2, runningCount: 2, pendingCount: 0, ...changes };
}

function serviceOf(deployments: readonly Deployment[], changes: Partial<Service> = {}): Service {
  return {
    status: "ACTIVE",
    desiredCount: 2,
    runningCount: 2,
    taskDefinition: "td:2",
    deployments: [...deployments],
    ...changes,
  };
}

describe("the status of a service deployment", () => {
  it.each([
    ["PENDING", "", "moving"],
    ["IN_PROGRESS", "", "moving"],
    ["STOP_REQUESTED", "", "moving"],
    ["ROLLBACK_REQUESTED", "", "moving"],
    ["ROLLBACK_IN_PROGRESS", "", "moving"],
    ["SOMETHING_NEW", "", "moving"],
    ["SUCCESSFUL", "", "succeeded"],
    ["STOPPED", "Replaced by a new service deployment", "deployment-replaced"],
    ["STOPPED", "the circuit breaker threshold was exceeded", "deployment-failed"],
    ["ROLLBACK_SUCCESSFUL", "alarm", "deployment-failed"],
    ["ROLLBACK_FAILED", "alarm", "deployment-failed"],
  ])("%s (%s) is %s", (status, reason, expected) => {
    const found = standing({ status, reason });
    expect(found.state === "ended" ? found.code : found.state).toBe(expected);
  });

  it("that nobody knows yet is told by its name", () => {
    expect(standing({ status: "SOMETHING_NEW", reason: "" })).toMatchObject({
      text: expect.stringContaining("SOMETHING_NEW"),
    });
  });
});

describe("deployments[]", () => {
  it.each<[string, Service, string]>([
    ["ours completed with all tasks", serviceOf([ours()]), "done"],
    ["ours completed with a task missing", serviceOf([ours({ runningCount: 1 })]), "moving"],
    ["ours in progress", serviceOf([ours({ rolloutState: "IN_PROGRESS" })]), "moving"],
    ["an unknown rollout state", serviceOf([ours({ rolloutState: "BAKING" })]), "moving"],
    ["ours behind a Classic Load Balancer", serviceOf([ours({ rolloutState: undefined })]), "done"],
    [
      "the same while old tasks drain",
      serviceOf([ours({ rolloutState: undefined }), ours({ id: "ecs-svc/1", status: "ACTIVE" })]),
      "moving",
    ],
    ["ours failed", serviceOf([ours({ rolloutState: "FAILED" })]), "look"],
    ["another deployment of the same version", serviceOf([ours({ id: "ecs-svc/3" })]), "look"],
    ["ours no longer PRIMARY", serviceOf([ours({ id: "ecs-svc/3" }), ours({ status: "ACTIVE" })]), "look"],
    ["nothing at all", serviceOf([]), "look"],
    ["a count of zero with a task left", serviceOf([ours()], { desiredCount: 0, runningCount: 1 }), "moving"],
    ["a count of zero with none left", serviceOf([ours()], { desiredCount: 0, runningCount: 0 }), "done"],
  ])("with %s", (_, service, expected) => {
    expect(progress(service, AIM).state).toBe(expected);
  });

  it("is looked up in its record when the service counts success early", () => {
    const early = {
      deploymentConfiguration: { earlySuccessCriteria: { enable: true, healthyPercent: 50 } },
    } as Partial<Service>;
    expect(progress(serviceOf([ours({ rolloutState: "IN_PROGRESS" })], early), AIM)).toMatchObject({ early: true });
  });

  it("waits for the count that was sent, and for tasks beyond it to go", () => {
    expect(progress(serviceOf([ours()]), { ...AIM, count: 3 })).toMatchObject({ state: "moving" });
    expect(progress(serviceOf([ours({ runningCount: 3 })]), { ...AIM, count: 2 })).toMatchObject({ state: "moving" });
    expect(progress(serviceOf([ours()]), { ...AIM, count: 2 })).toEqual({ state: "done" });
  });

  it("has arrived when its own tasks run, and not before", () => {
    expect(hasArrived(serviceOf([ours({ rolloutState: "IN_PROGRESS" })]), AIM)).toBe(true);
    expect(hasArrived(serviceOf([ours({ rolloutState: "IN_PROGRESS", pendingCount: 1 })]), AIM)).toBe(false);
    expect(hasArrived(serviceOf([ours({ runningCount: 1 })]), AIM)).toBe(false);
    expect(hasArrived(serviceOf([ours({ rolloutState: "FAILED" })]), AIM)).toBe(false);
  });

  it("is settled only as one completed PRIMARY of the version we know", () => {
    expect(isSettled(serviceOf([ours()]), "td:2")).toBe(true);
    expect(isSettled(serviceOf([ours()]), undefined)).toBe(true);
    expect(isSettled(serviceOf([ours()]), "td:1")).toBe(false);
    expect(isSettled(serviceOf([ours(), ours({ status: "ACTIVE" })]), "td:2")).toBe(false);
    expect(isSettled(serviceOf([ours({ rolloutState: "IN_PROGRESS" })]), "td:2")).toBe(false);
  });

  it("is steady on a foreign version that rests, and moving while ECS rolls back", () => {
    const record = { arn: "", createdAtMs: 0, revision: "", reason: "" };
    expect(rolloutOf(serviceOf([ours()]), { ...record, status: "SUCCESSFUL" })).toEqual({ state: "steady" });
    expect(rolloutOf(serviceOf([ours()]), undefined)).toEqual({ state: "steady" });
    const back = serviceOf([ours({ rolloutState: "IN_PROGRESS" })]);
    expect(rolloutOf(back, { ...record, status: "ROLLBACK_IN_PROGRESS" })).toMatchObject({
      state: "moving",
      to: "td:2",
    });
  });
});

describe("the verdict on a migration's task", () => {
  const task = (stopCode: string, containers: object[]): Task =>
    ({ lastStatus: "STOPPED", stopCode, containers }) as Task;
  it.each<[string, Task, string]>([
    ["its container exited 0", task("EssentialContainerExited", [{ name: "m", exitCode: 0 }]), "passed"],
    [
      "a sidecar was killed",
      task("EssentialContainerExited", [
        { name: "s", exitCode: 137 },
        { name: "m", exitCode: 0 },
      ]),
      "passed",
    ],
    ["its container exited 1", task("EssentialContainerExited", [{ name: "m", exitCode: 1 }]), "failed"],
    [
      "only the sidecar exited 0",
      task("EssentialContainerExited", [{ name: "s", exitCode: 0 }, { name: "m" }]),
      "failed",
    ],
    ["there is no exit code", task("TaskFailedToStart", [{ name: "m" }]), "failed"],
    ["there is no such container", task("EssentialContainerExited", []), "failed"],
    ["a person stopped it", task("UserInitiated", [{ name: "m", exitCode: 0 }]), "failed"],
    ["Spot took its host", task("SpotInterruption", [{ name: "m", exitCode: 143 }]), "unknown"],
    ["its host became unhealthy", task("InfrastructureHealth", [{ name: "m", exitCode: 0 }]), "unknown"],
    [
      "it exited 0 and the task ended in a way nobody knows yet",
      task("SomethingNew", [{ name: "m", exitCode: 0 }]),
      "unknown",
    ],
  ])("when %s", (_, stopped, expected) => {
    expect(verdict(stopped, "m").result).toBe(expected);
  });

  it.each([
    ["RESOURCE:MEMORY", true],
    ["AGENT", true],
    ["Capacity is unavailable at this time. Please try again later or in a different availability zone", true],
    ["You've reached the limit on the number of tasks you can run concurrently", true],
    ["MISSING", false],
    ["ATTRIBUTE", false],
    ["The subnet ID 'subnet-1' does not exist", false],
  ])("%s is a want of capacity: %s", (reason, expected) => {
    expect(isCapacity(reason)).toBe(expected);
  });
});

it("reads the family of an ARN, of a name with a revision and of a bare name", () => {
  expect(familyOf("arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-api:7")).toBe("shop-api");
  expect(familyOf("shop-api:7")).toBe("shop-api");
  expect(familyOf("shop-api")).toBe("shop-api");
});

it("keeps an owner's tags, drops AWS's and a foreign journal's, and stays within fifty", () => {
  const turn = { environment: environment(), release: { number: 1, id: "r", journal: "j" } };
  const own = [
    { key: "team", value: "shop" },
    { key: "aws:cloudformation:stack-name", value: "x" },
    { key: "lockstep:journal", value: "foreign" },
    ...Array.from({ length: 60 }, (_, at) => ({ key: `k${at}`, value: "v" })),
  ];
  const tags = tagsOf({ turn, sha: "s", content: contentOf({}), origin: "file:ecs/ä (1)|x.json", own });
  expect(tags).toHaveLength(50);
  expect(tags.filter(({ key }) => key === "lockstep:journal")).toEqual([{ key: "lockstep:journal", value: "j" }]);
  expect(tags).toContainEqual({ key: "team", value: "shop" });
  expect(tags.find(({ key }) => key === "lockstep:template")?.value).toBe("file:ecs/ä _1__x.json");
  expect(tags.some(({ key = "" }) => key.startsWith("aws:"))).toBe(false);
});
