import { CreateRepositoryCommand, DescribeRepositoriesCommand, ECRClient, PutImageCommand } from "@aws-sdk/client-ecr";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, test, vi } from "vitest";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { openAccount, openHttpAccount, type TestAccount } from "./account.ts";

const create = (ecr: ECRClient, repositoryName: string): Promise<unknown> =>
  ecr.send(new CreateRepositoryCommand({ repositoryName }));

async function names(ecr: ECRClient): Promise<readonly (string | undefined)[]> {
  const { repositories = [] } = await ecr.send(new DescribeRepositoriesCommand({}));
  return repositories.map(({ repositoryName }) => repositoryName);
}

function open(): TestAccount & { readonly ecr: ECRClient } {
  const account = openAccount();
  return { ...account, ecr: new ECRClient(account.config) };
}

async function control(url: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  return (await (await fetch(`${url}/_sandbox/${path}`, init)).json()) as Record<string, unknown>;
}

describe("what a fault does", () => {
  test("throttle and 5xx are worded as each service words them, and take no effect", async () => {
    const { ecr, sandbox, config } = open();
    sandbox.faults.add({ operation: "*", kind: "throttle", count: 3 });
    await expect(create(ecr, "one")).rejects.toMatchObject({
      name: "ThrottlingException",
      message: "Rate exceeded",
      $metadata: { httpStatusCode: 400 },
    });
    await expect(new STSClient(config).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: "Throttling",
    });
    await expect(
      new S3Client({ ...config, forcePathStyle: true }).send(new ListBucketsCommand({})),
    ).rejects.toMatchObject({ name: "SlowDown", $metadata: { httpStatusCode: 503 } });
    sandbox.faults.add({ operation: "ecr:*", kind: "5xx" });
    await expect(create(ecr, "one")).rejects.toMatchObject({
      name: "ServerException",
      $metadata: { httpStatusCode: 500 },
    });
    expect(await names(ecr)).toEqual([]);
  });

  test("before loses the call, after loses only its answer", async () => {
    const { ecr, sandbox } = open();
    sandbox.faults.add({ operation: "CreateRepository", kind: "before", match: { repositoryName: "one" } });
    sandbox.faults.add({ operation: "CreateRepository", kind: "after", match: { repositoryName: "two" } });
    await expect(create(ecr, "one")).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect(create(ecr, "two")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await names(ecr)).toEqual(["two"]);
  });

  test("over real HTTP a lost connection is a lost connection", async () => {
    const { config, sandbox } = await openHttpAccount();
    const ecr = new ECRClient(config);
    sandbox.faults.add({ operation: "ecr:CreateRepository", kind: "after" });
    await expect(create(ecr, "one")).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    expect(await names(ecr)).toEqual(["one"]);
  });

  test("stale answers what the same call answered before", async () => {
    const { ecr, sandbox } = open();
    expect(await names(ecr)).toEqual([]);
    await create(ecr, "one");
    sandbox.faults.add({ operation: "DescribeRepositories", kind: "stale", count: 2 });
    expect(await names(ecr)).toEqual([]);
    expect(await names(ecr)).toEqual([]);
    expect(await names(ecr)).toEqual(["one"]);
  });

  test("denied names who, what and which resource", async () => {
    const { ecr, sandbox } = open();
    sandbox.faults.add({ operation: "CreateRepository", kind: "denied", count: "forever" });
    for (const name of ["one", "two"]) {
      await expect(create(ecr, name)).rejects.toMatchObject({
        name: "AccessDeniedException",
        message: `User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:eu-central-1:111122223333:repository/${name} because no identity-based policy allows the ecr:CreateRepository action`,
      });
    }
  });

  test("slow waits on the sandbox's clock", async () => {
    const clock = createSteppedClock();
    const { config, sandbox } = openAccount({ clock });
    sandbox.faults.add({ operation: "CreateRepository", kind: "slow", delayMs: 5000 });
    const creating = create(new ECRClient(config), "one");
    await vi.waitFor(() => expect(clock.nextAt()).toBe(clock.now() + 5000));
    clock.advanceTo(clock.now() + 5000);
    await creating;
  });
});

describe("which call suffers", () => {
  test("the nth matching one and as many after it as were ordered", async () => {
    const { ecr, sandbox } = open();
    sandbox.faults.add({ operation: "CreateRepository", kind: "throttle", nth: 2, count: 2, match: "team/" });
    const outcomes = await Promise.all(
      ["team/a", "other", "team/b", "team/c", "team/d"].map((name) =>
        create(ecr, name).then(
          () => "done",
          () => "throttled",
        ),
      ),
    );
    expect(outcomes).toEqual(["done", "done", "throttled", "throttled", "done"]);
  });

  test("only in the account and region it was ordered for", async () => {
    const { config, sandbox } = open();
    sandbox.faults.add({ operation: "*", kind: "throttle", account: "111122223333", region: "eu-west-1" });
    await create(new ECRClient(config), "one");
    await expect(create(new ECRClient({ ...config, region: "eu-west-1" }), "one")).rejects.toMatchObject({
      name: "ThrottlingException",
    });
  });
});

describe("the control plane", () => {
  test("an order that makes no sense is refused with what would", async () => {
    const { edge } = await openHttpAccount();
    expect(await control(edge.url, "POST", "faults", { operation: "*", kind: "explode" })).toMatchObject({
      message: expect.stringContaining("one of throttle, 5xx"),
    });
    expect(await control(edge.url, "POST", "faults", { kind: "throttle" })).toMatchObject({ error: "ValidationError" });
    expect(await control(edge.url, "POST", "faults", { operation: "*", kind: "throttle", nth: 0 })).toMatchObject({
      error: "ValidationError",
    });
    expect(await control(edge.url, "POST", "nothing")).toMatchObject({ error: "NotFound" });
  });

  test.each([
    ["pause-before", []],
    ["pause-after", ["one"]],
  ])("%s holds a call where a test can see it, until it is released", async (kind, meanwhile) => {
    const { config, edge } = await openHttpAccount();
    const ecr = new ECRClient(config);
    const { id } = await control(edge.url, "POST", "faults", { operation: "ecr:CreateRepository", kind });
    const creating = create(ecr, "one");
    await vi.waitFor(async () =>
      expect(await control(edge.url, "GET", "faults")).toMatchObject({
        held: [{ id, operation: "CreateRepository", input: { repositoryName: "one" } }],
      }),
    );
    expect(await names(ecr)).toEqual(meanwhile);
    expect(await control(edge.url, "POST", "faults/release", {})).toEqual({ released: 1 });
    await creating;
    expect(await names(ecr)).toEqual(["one"]);
    expect(await control(edge.url, "GET", "faults")).toEqual({ orders: [], held: [] });
  });

  test("a call held when the account closes loses its connection and takes no effect", async () => {
    const { ecr, sandbox } = open();
    sandbox.faults.add({ operation: "CreateRepository", kind: "pause-before" });
    const creating = create(ecr, "one");
    await Promise.all([
      expect(creating).rejects.toMatchObject({ code: "ECONNRESET" }),
      vi.waitFor(() => expect(sandbox.faults.status().held).toHaveLength(1)).then(() => sandbox.close()),
    ]);
    expect(await names(ecr)).toEqual([]);
  });

  test("DELETE takes every order back", async () => {
    const { config, edge } = await openHttpAccount();
    await control(edge.url, "POST", "faults", { operation: "*", kind: "5xx", count: "forever" });
    await control(edge.url, "DELETE", "faults");
    await create(new ECRClient(config), "one");
  });

  test("the log shows every call with who, what and how it ended", async () => {
    const { config, edge, sandbox } = await openHttpAccount();
    const ecr = new ECRClient({ ...config, customUserAgent: "lockstep/writer-1" });
    await create(ecr, "one");
    await create(ecr, "one").catch(() => undefined);
    sandbox.faults.add({ operation: "*", kind: "before" });
    await names(ecr).catch(() => undefined);
    const { calls, latest } = await control(edge.url, "GET", "log");
    expect(calls).toMatchObject([
      {
        sequence: 1,
        service: "ecr",
        operation: "CreateRepository",
        input: { repositoryName: "one" },
        account: "111122223333",
        region: "eu-central-1",
        arn: "arn:aws:iam::111122223333:user/sandbox",
        userAgent: expect.stringContaining("lockstep/writer-1"),
        status: 200,
      },
      { sequence: 2, status: 400, error: "RepositoryAlreadyExistsException" },
      { sequence: 3, operation: "DescribeRepositories", fault: expect.stringMatching(/^before /) },
    ]);
    expect(await control(edge.url, "GET", `log?since=${String(latest)}`)).toEqual({ calls: [], latest });
  });

  test("a stepped clock is moved by hand, a real one refuses", async () => {
    const stepped = await openHttpAccount({ clock: createSteppedClock(Date.UTC(2026, 0, 1)) });
    expect(await control(stepped.edge.url, "POST", "clock", { advanceMs: 90_000 })).toEqual({
      now: "2026-01-01T00:01:30.000Z",
      stepped: true,
    });
    const real = await openHttpAccount();
    expect(await control(real.edge.url, "POST", "clock", { advanceMs: 1 })).toMatchObject({ error: "ValidationError" });
  });

  test("a role is registered, shown and removed", async () => {
    const { edge } = await openHttpAccount();
    const role = { arn: "arn:aws:iam::111122223333:role/deploy", externalId: "secret", deny: ["ecs:*"] };
    await control(edge.url, "PUT", "roles", role);
    expect(await control(edge.url, "GET", "roles")).toEqual({ roles: [role] });
    expect(await control(edge.url, "DELETE", "roles", { arn: role.arn })).toEqual({ removed: true });
    expect(await control(edge.url, "PUT", "roles", { arn: "deploy" })).toMatchObject({ error: "ValidationError" });
  });
});

test("throttling empties the published bucket and refills it by the clock, per account and region", async () => {
  const clock = createSteppedClock();
  const { config } = openAccount({ clock, throttling: true });
  const ecr = new ECRClient(config);

  const put = (client: ECRClient): Promise<string> =>
    client.send(new PutImageCommand({ repositoryName: "absent", imageManifest: "{}" })).then(
      () => "done",
      (error: Error) => error.name,
    );
  for (let at = 0; at < 10; at += 1) expect(await put(ecr)).toBe("RepositoryNotFoundException");
  expect(await put(ecr)).toBe("ThrottlingException");
  expect(await put(new ECRClient({ ...config, region: "eu-west-1" }))).toBe("RepositoryNotFoundException");
  clock.advanceTo(clock.now() + 100);
  expect(await put(ecr)).toBe("RepositoryNotFoundException");
  expect(await put(ecr)).toBe("ThrottlingException");
});
