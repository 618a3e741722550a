// AWS as the targets see it: every error in our words, patience by our own clock, writes sent once and guarded.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { cancellation } from "../../controller/core/cancel.ts";
import { Fault } from "../../controller/core/fault.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import type { Aws, AwsPlace } from "../../controller/targets/aws.ts";
import { createAws, sessionOf } from "../../controller/targets/aws.ts";
import { type About, awsErrorName, awsFault } from "../../controller/targets/aws/faults.ts";
import { openWorld, REGION, type World } from "./ecs/world.ts";

const ROLE = "arn:aws:iam::111122223333:role/prod";
const PLACE: AwsPlace = { region: REGION };
const NEVER = new AbortController().signal;
const free = (): void => undefined;

function look(aws: Aws, place = PLACE, signal = NEVER): Promise<unknown> {
  const call = { place, service: "ecs", operation: "DescribeServices", resource: "service api", signal } as const;
  return aws.read(call, (ecs, http) => ecs.describeServices({ cluster: "prod", services: ["api"] }, http));
}

function write(aws: Aws, guard: () => void = free, place = PLACE, signal = NEVER): Promise<unknown> {
  const call = { place, service: "ecs", operation: "UpdateService", resource: "service api", signal, guard } as const;
  return aws.write(call, (ecs, http) => ecs.updateService({ cluster: "prod", service: "api", desiredCount: 2 }, http));
}

async function faultOf(world: World, promise: Promise<unknown>): Promise<Fault> {
  const thrown = await world.run(
    promise.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  if (!(thrown instanceof Fault)) throw new Error(`not a fault: ${String(thrown)}`);
  return thrown;
}

describe("an error of AWS", () => {
  const about: About = { operation: "UpdateService", resource: "service api", region: REGION, role: ROLE, write: true };
  const sdk = (name: string, status?: number, more: object = {}): Error =>
    Object.assign(new Error(`${name} in AWS's words`), { name, $metadata: { httpStatusCode: status } }, more);

  it.each([
    ["AccessDeniedException", 400, {}, "denied", "denied"],
    ["AccessDenied", 403, {}, "denied", "denied"],
    ["403", 403, {}, "denied", "denied"],
    ["CredentialsProviderError", undefined, {}, "credentials-missing", "credentials-missing"],
    ["ExpiredTokenException", 400, {}, "credentials-missing", "credentials-missing"],
    ["UnrecognizedClientException", 400, {}, "credentials-missing", "credentials-missing"],
    ["ThrottlingException", 400, {}, "throttled", "throttled"],
    ["SlowDown", 503, {}, "throttled", "throttled"],
    ["Whatever", 429, {}, "throttled", "throttled"],
    ["ServerException", 500, {}, "outcome-unknown", "unavailable"],
    ["ServiceUnavailable", 503, {}, "outcome-unknown", "unavailable"],
    ["Error", undefined, { code: "ECONNRESET" }, "outcome-unknown", "unavailable"],
    ["TimeoutError", undefined, {}, "outcome-unknown", "unavailable"],
    ["SyntaxError", 200, {}, "outcome-unknown", "unavailable"],
    ["Error", undefined, { code: "ECONNREFUSED" }, "unavailable", "unavailable"],
    ["Error", undefined, { code: "EAI_AGAIN" }, "unavailable", "unavailable"],
    ["Error", undefined, { code: "ENOTFOUND" }, "region-wrong", "region-wrong"],
    ["PermanentRedirect", 301, {}, "region-wrong", "region-wrong"],
    ["AuthorizationHeaderMalformed", 400, {}, "region-wrong", "region-wrong"],
    ["ClusterNotFoundException", 400, {}, "cluster-missing", "cluster-missing"],
    ["ServiceNotFoundException", 400, {}, "service-missing", "service-missing"],
    ["NoSuchBucket", 404, {}, "bucket-missing", "bucket-missing"],
    ["NoSuchDistribution", 404, {}, "distribution-missing", "distribution-missing"],
    ["InvalidParameterException", 400, {}, "aws-refused", "aws-refused"],
    ["ClientException", 400, {}, "aws-refused", "aws-refused"],
  ] as const)("%s with status %s and %o is %s to a write and %s to a read", (name, status, more, written, asked) => {
    const thrown = sdk(name, status, more);
    expect(awsFault(thrown, about).code).toBe(written);
    expect(awsFault(thrown, { ...about, write: false }).code).toBe(asked);
    expect(awsErrorName(awsFault(thrown, about))).toBe(name);
  });

  it("names operation, resource, region, account, role and AWS's own words", () => {
    const fault = awsFault(sdk("ClientException", 400), { ...about, account: "111122223333" });
    expect(fault.message).toBe(
      `UpdateService of service api (eu-west-1, account 111122223333, as ${ROLE}): ClientException in AWS's words (ClientException)`,
    );
  });

  it("says so when a write may have taken effect, and clips a proxy's page", () => {
    const fault = awsFault(sdk("x".repeat(5_000), 502), about);
    expect(fault.message).toContain("whether it took effect is not known");
    expect(fault.message.length).toBeLessThan(1_000);
  });
});

describe("a read", () => {
  it("is tried three times, waiting on our clock only", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind: "5xx", count: 2 });
    const startedMs = world.clock.monotonicMs();
    await world.run(look(world.aws));
    expect(world.calls()).toHaveLength(3);
    const waitedMs = world.clock.monotonicMs() - startedMs;
    expect(waitedMs).toBeGreaterThanOrEqual(400);
    expect(waitedMs).toBeLessThan(2_000);
  });

  it("is given up after the third failure", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind: "throttle", count: "forever" });
    expect(await faultOf(world, look(world.aws))).toMatchObject({ code: "throttled" });
    expect(world.calls()).toHaveLength(3);
  });

  it("is not tried again when it is refused", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind: "denied" });
    const fault = await faultOf(world, look(world.aws));
    expect(fault.code).toBe("denied");
    expect(fault.message).toMatch(/user\/sandbox is not authorized to perform: ecs:DescribeServices/);
    expect(world.calls()).toHaveLength(1);
  });

  it("ends when its signal aborts, with the signal's reason", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind: "slow", delayMs: 60_000 });
    const stop = new AbortController();
    world.stepped.after(1_000, () => stop.abort(cancellation("superseded")));
    await expect(world.run(look(world.aws, PLACE, stop.signal))).rejects.toMatchObject({ name: "superseded" });
  });

  it("ends by itself at the time limit of one call", async () => {
    const world = await openWorld();
    world.fail({ operation: "DescribeServices", kind: "slow", delayMs: 3_600_000, count: "forever" });
    const startedMs = world.clock.monotonicMs();
    expect(await faultOf(world, look(world.aws))).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("no answer within 30 s"),
    });
    expect(world.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(3 * LIMITS.callMs);
  });

  it("waits for a token of its account's bucket instead of being throttled", async () => {
    const world = await openWorld({ throttling: true });
    await world.run(Promise.all(Array.from({ length: 260 }, () => look(world.aws))));
    expect(world.sandbox.calls.since(0).some(({ error }) => error === "ThrottlingException")).toBe(false);
  });
});

describe("a write", () => {
  it.each(["before", "after", "5xx"] as const)("is sent once and its outcome unknown after %s", async (kind) => {
    const world = await openWorld();
    world.fail({ operation: "UpdateService", kind });
    expect(await faultOf(world, write(world.aws))).toMatchObject({ code: "outcome-unknown" });
    expect(world.calls()).toHaveLength(1);
  });

  it("is throttled, not unknown, when AWS asked to slow down", async () => {
    const world = await openWorld();
    world.fail({ operation: "UpdateService", kind: "throttle" });
    expect(await faultOf(world, write(world.aws))).toMatchObject({ code: "throttled" });
    expect(world.calls()).toHaveLength(1);
  });

  it("does not leave when the guard says no, even if it changed its mind while waiting for a token", async () => {
    const world = await openWorld();
    await world.run(Promise.all(Array.from({ length: 50 }, () => write(world.aws))));
    world.calls();
    let held = true;
    const guard = (): void => {
      if (!held) throw new Fault("fenced", "lost");
    };
    world.stepped.after(100, () => {
      held = false;
    });
    expect(await faultOf(world, write(world.aws, guard))).toMatchObject({ code: "fenced" });
    expect(world.calls()).toEqual([]);
  });
});

describe("credentials", () => {
  it("come from the role, with external id and session name, once for many calls", async () => {
    const world = await openWorld();
    world.sandbox.identities.setRole({ arn: ROLE, externalId: "acme" });
    const place = { ...PLACE, role: ROLE, externalId: "acme", session: sessionOf("shop", "prod", 12) };
    await world.run(Promise.all([look(world.aws, place), look(world.aws, place)]));
    await world.run(write(world.aws, free, place));
    const calls = world.sandbox.calls.since(0).filter(({ userAgent }) => userAgent.includes("lockstep/test"));
    expect(calls.filter(({ operation }) => operation === "AssumeRole")).toHaveLength(1);
    expect(calls.at(-1)).toMatchObject({
      operation: "UpdateService",
      arn: expect.stringContaining("assumed-role/prod/shop-prod-12"),
    });
  });

  it("are those of one client for every release when no role is bound, and of one client per release otherwise", async () => {
    const world = await openWorld();
    world.sandbox.identities.setRole({ arn: ROLE });
    const common = { service: "ecs", operation: "DescribeServices", resource: "service api", signal: NEVER } as const;
    const clientOf = (place: AwsPlace, release: number): Promise<unknown> => {
      const session = sessionOf("shop", "prod", release);
      return world.run(world.aws.read({ ...common, place: { ...place, session } }, async (ecs) => ecs));
    };
    expect(await clientOf(PLACE, 1)).toBe(await clientOf(PLACE, 2));
    const bound = { ...PLACE, role: ROLE };
    expect(await clientOf(bound, 1)).not.toBe(await clientOf(bound, 2));
  });

  it("are a denial that names the role when it may not be assumed, and no write is in doubt", async () => {
    const world = await openWorld();
    world.sandbox.identities.setRole({ arn: ROLE, externalId: "acme" });
    const fault = await faultOf(world, write(world.aws, free, { ...PLACE, role: ROLE, externalId: "wrong" }));
    expect(fault).toMatchObject({
      code: "denied",
      message: expect.stringMatching(/AssumeRole of arn:aws:iam::111122223333:role\/prod.*sts:AssumeRole/),
    });
  });

  it("are retried on our clock when STS fails, and then leave a write unsent, not unknown", async () => {
    const world = await openWorld();
    world.fail({ operation: "AssumeRole", kind: "5xx", count: 2 });
    await world.run(look(world.aws, { ...PLACE, role: ROLE }));
    world.fail({ operation: "AssumeRole", kind: "5xx", count: "forever" });
    const other = { ...PLACE, role: `${ROLE}-other` };
    expect(await faultOf(world, write(world.aws, free, other))).toMatchObject({ code: "unavailable" });
  });

  it("are refused before anything is sent when they belong to another account than the operator bound", async () => {
    const world = await openWorld();
    const bound = { ...PLACE, account: "444455556666" };
    for (const place of [bound, { ...bound, role: ROLE }]) {
      const fault = await faultOf(world, write(world.aws, free, place));
      expect(fault).toMatchObject({
        code: "credentials-missing",
        message: expect.stringMatching(/111122223333.*bound .* 444455556666/),
      });
    }
    expect(world.calls()).toEqual(["GetCallerIdentity"]);
    await world.run(write(world.aws, free, { ...PLACE, account: "111122223333" }));
    expect(world.calls()).toEqual(["UpdateService"]);
  });

  it("are fetched again before they end", async () => {
    const world = await openWorld();
    const place = { ...PLACE, role: ROLE };
    await world.run(look(world.aws, place));
    await world.pass(56 * 60_000);
    await world.run(look(world.aws, place));
    expect(world.sandbox.calls.since(0).filter(({ operation }) => operation === "AssumeRole")).toHaveLength(2);
  });
});

describe("over real HTTP", () => {
  async function serve(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function open(world: World, endpoint: string): Aws {
    const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" };
    const aws = createAws({ clock: world.clock, random: () => "8000", writerId: "real", endpoint, credentials });
    onTestFinished(() => aws.close());
    return aws;
  }

  it("a proxy's page is no answer, and leaves a write in doubt", async () => {
    const world = await openWorld();
    const aws = open(world, await serve(200, "<!doctype html><title>Sign in</title>", { "content-type": "text/html" }));
    await expect(write(aws)).rejects.toMatchObject({ code: "outcome-unknown" });
  });

  it("a bucket in another region is told as that", async () => {
    const world = await openWorld();
    const xml = "<Error><Code>PermanentRedirect</Code><Message>Use another endpoint.</Message></Error>";
    const aws = open(world, await serve(301, xml, { "content-type": "application/xml" }));
    const call = { place: PLACE, service: "s3", operation: "GetObject", resource: "s3://b/k", signal: NEVER } as const;
    const reading = aws.read(call, (s3, http) => s3.getObject({ Bucket: "b", Key: "k" }, http));
    await expect(reading).rejects.toMatchObject({ code: "region-wrong" });
  });

  it("AWS's clock is what its last answer said, good or bad", async () => {
    const world = await openWorld();
    const date = "Sat, 07 Mar 2026 10:00:00 GMT";
    const aws = open(
      world,
      await serve(400, '{"__type":"ClientException","message":"no"}', {
        date,
        "content-type": "application/x-amz-json-1.1",
      }),
    );
    expect(aws.date()).toBeUndefined();
    await expect(write(aws)).rejects.toMatchObject({ code: "aws-refused" });
    expect(aws.date()).toBe(Date.parse(date));
  });

  it("nobody listening is unavailable, even to a write: nothing was sent", async () => {
    const world = await openWorld();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(write(open(world, `http://127.0.0.1:${port}`))).rejects.toMatchObject({ code: "unavailable" });
  });
});

it("names the session of a release within AWS's grammar and 64 characters", () => {
  expect(sessionOf("shop", "prod", 12)).toBe("shop-prod-12");
  const long = sessionOf("a".repeat(32), "b".repeat(32), 123_456);
  expect(long).toMatch(/^[\w+=,.@-]{2,64}$/);
  expect(long.endsWith("-123456")).toBe(true);
});
