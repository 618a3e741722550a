import {
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  ListTaskDefinitionFamiliesCommand,
  ListTaskDefinitionsCommand,
  ListTagsForResourceCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import { NETWORK, openEcs, present, register } from "./ecs-account.ts";

const BASE: RegisterTaskDefinitionCommandInput = {
  family: "api",
  networkMode: "awsvpc",
  cpu: "256",
  memory: "512",
  containerDefinitions: [{ name: "api", image: "shop/api:1" }],
};

describe("RegisterTaskDefinition", () => {
  it.each<[string, Partial<RegisterTaskDefinitionCommandInput>, RegExp]>([
    ["no containers", { containerDefinitions: [] }, /Container list cannot be empty/],
    ["no image", { containerDefinitions: [{ name: "api" }] }, /Container.image should not be null or empty/],
    [
      "no essential container",
      { containerDefinitions: [{ name: "api", image: "a", essential: false }] },
      /at least one container must be essential/,
    ],
    [
      "two containers of one name",
      {
        containerDefinitions: [
          { name: "api", image: "a" },
          { name: "api", image: "b" },
        ],
      },
      /unique/,
    ],
    ["Fargate without awsvpc", { requiresCompatibilities: ["FARGATE"], networkMode: "bridge" }, /awsvpc/],
    [
      "a size Fargate does not have",
      { requiresCompatibilities: ["FARGATE"], memory: "4096" },
      /No Fargate configuration exists/,
    ],
    [
      "more than 64 KiB",
      { containerDefinitions: [{ name: "api", image: "a", command: ["x".repeat(70_000)] }] },
      /Max allowed length is '65536' bytes/,
    ],
  ])("refuses %s", async (_, changes, message) => {
    const { client } = await openEcs();
    await expect(client.send(new RegisterTaskDefinitionCommand({ ...BASE, ...changes }))).rejects.toMatchObject({
      name: "ClientException",
      message: expect.stringMatching(message) as unknown,
    });
  });

  it("refuses an empty list of tags", async () => {
    const { client } = await openEcs();
    await expect(client.send(new RegisterTaskDefinitionCommand({ ...BASE, tags: [] }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });

  it("makes a new revision of equal content each time", async () => {
    const { client } = await openEcs();
    const revisions = [];
    for (let at = 0; at < 3; at += 1) {
      const { taskDefinition } = await client.send(new RegisterTaskDefinitionCommand(BASE));
      revisions.push(taskDefinition?.taskDefinitionArn);
    }
    expect(revisions).toEqual(
      [1, 2, 3].map((revision) => `arn:aws:ecs:eu-central-1:111122223333:task-definition/api:${revision}`),
    );
  });

  it("fills in what AWS fills in", async () => {
    const { client } = await openEcs();
    const { taskDefinition } = await client.send(
      new RegisterTaskDefinitionCommand({
        ...BASE,
        cpu: "1 vCPU",
        memory: "2GB",
        containerDefinitions: [
          {
            name: "api",
            image: "shop/api:1",
            portMappings: [{ containerPort: 8080 }],
            healthCheck: { command: ["CMD", "true"] },
          },
        ],
      }),
    );
    expect(taskDefinition).toMatchObject({
      cpu: "1024",
      memory: "2048",
      status: "ACTIVE",
      volumes: [],
      placementConstraints: [],
      compatibilities: ["EC2", "FARGATE"],
      containerDefinitions: [
        {
          cpu: 0,
          essential: true,
          environment: [],
          mountPoints: [],
          volumesFrom: [],
          systemControls: [],
          portMappings: [{ containerPort: 8080, hostPort: 8080, protocol: "tcp" }],
          healthCheck: { interval: 30, timeout: 5, retries: 3 },
        },
      ],
    });
    expect(taskDefinition?.registeredAt).toBeInstanceOf(Date);
    expect(taskDefinition).not.toHaveProperty("tags");
  });
});

describe("DescribeTaskDefinition", () => {
  it("says so when there is none", async () => {
    const { client } = await openEcs();
    const describing = client.send(new DescribeTaskDefinitionCommand({ taskDefinition: "api" }));
    await expect(describing).rejects.toMatchObject({
      name: "ClientException",
      message: "Unable to describe task definition.",
    });
  });

  it("gives the newest ACTIVE revision for a family, and any revision by number or ARN", async () => {
    const account = await openEcs();
    const { client } = account;
    await register(account, "api", "shop/api:1");
    const second = await register(account, "api", "shop/api:2");
    const third = await register(account, "api", "shop/api:3");
    await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: third }));
    const arns = [];
    for (const reference of ["api", "api:3", third]) {
      const answer = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition: reference }));
      arns.push([answer.taskDefinition?.taskDefinitionArn, answer.taskDefinition?.status]);
    }
    expect(arns).toEqual([
      [second, "ACTIVE"],
      [third, "INACTIVE"],
      [third, "INACTIVE"],
    ]);
  });

  it("gives tags only when they are asked for", async () => {
    const account = await openEcs();
    const arn = await register(account, "api", "shop/api:1", { tags: [{ key: "sha", value: "abc" }] });
    const bare = await account.client.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
    const tagged = await account.client.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: arn, include: ["TAGS"] }),
    );
    expect([bare.tags, tagged.tags]).toEqual([undefined, [{ key: "sha", value: "abc" }]]);
  });

  it("does not keep the order of containers, environment and secrets, but of commands", async () => {
    const account = await openEcs();
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const arn = await register(account, "api", "shop/api:1", {
      containerDefinitions: names.map((name) => ({
        name,
        image: "shop/api:1",
        command: names,
        environment: names.map((key) => ({ name: key, value: key })),
      })),
    });
    const orders = new Set<string>();
    for (let at = 0; at < 4; at += 1) {
      const { taskDefinition } = await account.client.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
      const containers = present(taskDefinition?.containerDefinitions);
      orders.add(containers.map(({ name }) => name).join(""));
      orders.add(present(containers[0]?.environment?.map(({ name }) => name)).join(""));
      expect(new Set(containers.map(({ name }) => name))).toEqual(new Set(names));
      expect(containers[0]?.command).toEqual(names);
    }
    expect(orders.size).toBeGreaterThan(4);
  });
});

describe("deregistered and listed task definitions", () => {
  it("an INACTIVE revision cannot be run, and its number does not come again", async () => {
    const account = await openEcs();
    const arn = await register(account, "api", "shop/api:1");
    await account.client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: arn }));
    const running = account.client.send(
      new RunTaskCommand({ cluster: "main", taskDefinition: arn, networkConfiguration: NETWORK }),
    );
    await expect(running).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "TaskDefinition is inactive",
    });
    expect(await register(account, "api", "shop/api:1")).toMatch(/api:2$/);
  });

  it("lists by exact family, newest first on demand, a page at a time, ACTIVE unless asked otherwise", async () => {
    const account = await openEcs();
    const { client } = account;
    const arns = [];
    for (let at = 0; at < 3; at += 1) arns.push(await register(account, "api", "shop/api:1"));
    await register(account, "api-v2", "shop/api:1");
    await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: "api:2" }));
    const first = await client.send(
      new ListTaskDefinitionsCommand({ familyPrefix: "api", sort: "DESC", maxResults: 1 }),
    );
    const second = await client.send(
      new ListTaskDefinitionsCommand({ familyPrefix: "api", sort: "DESC", maxResults: 1, nextToken: first.nextToken }),
    );
    const inactive = await client.send(new ListTaskDefinitionsCommand({ familyPrefix: "api", status: "INACTIVE" }));
    const families = await client.send(new ListTaskDefinitionFamiliesCommand({ familyPrefix: "api" }));
    expect(first.taskDefinitionArns).toEqual([arns[2]]);
    expect(second.taskDefinitionArns).toEqual([arns[0]]);
    expect(second.nextToken).toBeUndefined();
    expect(inactive.taskDefinitionArns).toEqual([arns[1]]);
    expect(families.families).toEqual(["api", "api-v2"]);
  });

  it("tags of a revision can change although the revision cannot", async () => {
    const account = await openEcs();
    const resourceArn = await register(account, "api", "shop/api:1", { tags: [{ key: "a", value: "1" }] });
    await account.client.send(
      new TagResourceCommand({
        resourceArn,
        tags: [
          { key: "a", value: "2" },
          { key: "b", value: "3" },
        ],
      }),
    );
    await account.client.send(new UntagResourceCommand({ resourceArn, tagKeys: ["b"] }));
    const { tags } = await account.client.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual([{ key: "a", value: "2" }]);
  });
});
