import { request } from "node:http";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import type { PublicEndpoint } from "../../sandbox/api.ts";
import { type Edge, type EdgeOptions, serve } from "../../sandbox/http.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { openAccount, openHttpAccount } from "./account.ts";

async function serveWith(change: Partial<Sandbox>, options: EdgeOptions = {}): Promise<Edge> {
  const edge = await serve({ ...openAccount().sandbox, ...change }, options);
  onTestFinished(() => edge.close());
  return edge;
}

/** `fetch` will not send a foreign Host header, a browser tricked by DNS will. */
function statusWith(url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request(`${url}/_sandbox/faults`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asking.once("error", reject).end();
  });
}

test("a body above the limit is refused while it streams in", async () => {
  const edge = await serveWith({}, { bodyLimitBytes: 1000 });
  const response = await fetch(`${edge.url}/bucket/key`, { method: "PUT", body: "x".repeat(1001) });
  expect(response.status).toBe(413);
});

test("a bug in the sandbox is a 500 and is heard of", async () => {
  const heard: unknown[] = [];
  const broken = new Error("broken");
  const edge = await serveWith({ handle: () => Promise.reject(broken) }, { onError: (error) => heard.push(error) });
  const response = await fetch(edge.url);
  expect(response.status).toBe(500);
  expect(heard).toEqual([broken]);
});

test("a web page of another site reaches nothing, by its origin or by a rebound name", async () => {
  const { edge } = await openHttpAccount();
  expect(await statusWith(edge.url, {})).toBe(200);
  expect(await statusWith(edge.url, { origin: edge.url })).toBe(200);
  expect(await statusWith(edge.url, { origin: "https://attacker.example" })).toBe(403);
  expect(await statusWith(edge.url, { host: "attacker.example" })).toBe(403);
});

test("a request nobody signed is answered in its service's words", async () => {
  const { edge } = await openHttpAccount();
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
  };
  const ecr = await fetch(edge.url, { method: "POST", headers, body: "{}" });
  expect(ecr.status).toBe(400);
  expect(await ecr.json()).toMatchObject({ __type: "MissingAuthenticationTokenException" });
  const s3 = await fetch(`${edge.url}/bucket`);
  expect(s3.status).toBe(403);
  expect(await s3.text()).toContain("<Code>AccessDenied</Code>");
});

test("a target that no service has is an unknown operation", async () => {
  const { edge } = await openHttpAccount();
  const response = await fetch(edge.url, {
    method: "POST",
    headers: { "x-amz-target": "DynamoDB_20120810.GetItem" },
    body: "{}",
  });
  expect(await response.json()).toMatchObject({ __type: "UnknownOperationException" });
});

test("a streamed upload arrives without its framing, and comes back as it was", async () => {
  const { config } = await openHttpAccount();
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "web" }));
  const content = Buffer.from("<h1>héllo</h1>".repeat(10_000));
  await s3.send(
    new PutObjectCommand({
      Bucket: "web",
      Key: "a b+[c]/ü.html",
      Body: Readable.from([content.subarray(0, 70_000), content.subarray(70_000)]),
      ContentLength: content.length,
    }),
  );
  const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket: "web", Key: "a b+[c]/ü.html" }));
  expect(ContentLength).toBe(content.length);
  expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).toBe(true);
});

test("public endpoints get a port of their own while they exist", async () => {
  const answering = (text: string): PublicEndpoint => ({
    kind: "service",
    name: "dev/api",
    aliases: [],
    answer: ({ path }) => ({ status: 200, headers: { "x-from": "task" }, body: `${text} ${path}` }),
  });
  const distribution: PublicEndpoint = {
    ...answering("page"),
    kind: "distribution",
    name: "E1",
    aliases: ["shop.example"],
  };
  let current: readonly PublicEndpoint[] = [];
  const edge = await serveWith({ endpoints: () => current });
  expect(await edge.endpoints()).toEqual({ aws: edge.url, services: {}, distributions: {} });
  current = [answering("old"), distribution];
  const before = (await (await fetch(`${edge.url}/_sandbox/endpoints`)).json()) as Awaited<
    ReturnType<Edge["endpoints"]>
  >;
  expect(before.distributions["E1"]?.aliases).toEqual(["shop.example"]);
  const url = before.services["dev/api"] ?? "";
  expect(await (await fetch(`${url}/version`)).text()).toBe("old /version");
  current = [answering("new")];
  expect((await edge.endpoints()).services).toEqual({ "dev/api": url });
  const answer = await fetch(`${url}/version`);
  expect(await answer.text()).toBe("new /version");
  expect(answer.headers.get("x-from")).toBe("task");
  current = [];
  await edge.endpoints();
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

test("a port that is taken is an error of opening", async () => {
  const { edge, sandbox } = await openHttpAccount();
  await expect(serve(sandbox, { port: Number(new URL(edge.url).port) })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
