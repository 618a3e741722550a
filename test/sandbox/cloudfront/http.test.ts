import { Readable } from "node:stream";
import { CloudFrontClient, CreateDistributionCommand, CreateInvalidationCommand } from "@aws-sdk/client-cloudfront";
import { waitUntilInvalidationCompleted } from "@aws-sdk/client-cloudfront";
import { CopyObjectCommand, CreateBucketCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createChance } from "../../../sandbox/chance.ts";
import { createRealClock } from "../../../sandbox/clock.ts";
import { serve, type Edge } from "../../../sandbox/http.ts";
import { createSandbox, type Sandbox } from "../../../sandbox/sandbox.ts";
import { failure } from "../s3/support.ts";
import { distributionConfig } from "./support.ts";

let sandbox: Sandbox;
let edge: Edge;
let s3: S3Client;
let cloudfront: CloudFrontClient;

beforeAll(async () => {
  const runner = {
    start: () => {
      throw new Error("no task is started here");
    },
    close: () => Promise.resolve(),
  };
  sandbox = createSandbox({ clock: createRealClock(1000), chance: createChance(1), runner, region: "us-east-1" });
  edge = await serve(sandbox);
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
  const settings = { endpoint: edge.url, region: "us-east-1", credentials, maxAttempts: 1 };
  s3 = new S3Client({ ...settings, forcePathStyle: true });
  cloudfront = new CloudFrontClient(settings);
  await s3.send(new CreateBucketCommand({ Bucket: "web" }));
});

afterAll(async () => {
  s3.destroy();
  cloudfront.destroy();
  await edge.close();
  await sandbox.close();
});

describe("S3 and CloudFront over HTTP", () => {
  it("keeps awkward keys, streams and bare answers whole on the wire", async () => {
    const keys = ["a+b", "[slug] (1)/x", "größe/🚀", "a//b", "/lead", "50%", "q?x=1&y#z"];
    for (const Key of keys) {
      const Body = Readable.from([Buffer.from("hello "), Buffer.from(Key)]);
      const ContentLength = 6 + Buffer.byteLength(Key);
      await s3.send(new PutObjectCommand({ Bucket: "web", Key, Body, ContentLength }));
      const got = await s3.send(new GetObjectCommand({ Bucket: "web", Key }));
      expect(await got.Body?.transformToString()).toBe(`hello ${Key}`);
      const head = await s3.send(new HeadObjectCommand({ Bucket: "web", Key }));
      expect(head).toMatchObject({ ContentLength, ETag: got.ETag });
      const CopySource = `web/${encodeURIComponent(Key)}`;
      await s3.send(new CopyObjectCommand({ Bucket: "web", Key: `copy/${Key}`, CopySource }));
      const same = s3.send(new GetObjectCommand({ Bucket: "web", Key, IfNoneMatch: got.ETag }));
      expect(await failure(same)).toMatch(/^304/);
    }
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "web", Prefix: "copy/" }));
    expect(new Set(Contents?.map(({ Key }) => Key))).toEqual(new Set(keys.map((key) => `copy/${key}`)));
    expect(await failure(s3.send(new HeadObjectCommand({ Bucket: "web", Key: "none" })))).toBe("404 NotFound");
  });

  it("shows a browser the old page until the SDK's own waiter says the invalidation is completed", async () => {
    const put = (Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: "web", Key: "index.html", Body, ContentType: "text/html" }));
    await put("old");
    const command = new CreateDistributionCommand({ DistributionConfig: distributionConfig() });
    const { Distribution } = await cloudfront.send(command);
    const DistributionId = Distribution?.Id ?? "";
    const { distributions } = await edge.endpoints();
    const page = `${distributions[DistributionId]?.url}/`;
    const see = async () => {
      const response = await fetch(page);
      return `${response.status} ${response.headers.get("x-cache")} ${await response.text()}`;
    };
    expect(await see()).toBe("200 Miss from cloudfront old");
    await put("new");
    expect(await see()).toBe("200 Hit from cloudfront old");
    const InvalidationBatch = { CallerReference: "ref", Paths: { Quantity: 1, Items: ["/"] } };
    const { Invalidation } = await cloudfront.send(
      new CreateInvalidationCommand({ DistributionId, InvalidationBatch }),
    );
    const wait = { client: cloudfront, maxWaitTime: 10, minDelay: 1, maxDelay: 1 };
    const done = await waitUntilInvalidationCompleted(wait, { DistributionId, Id: Invalidation?.Id });
    expect(done.state).toBe("SUCCESS");
    expect(await see()).toBe("200 Miss from cloudfront new");
  });
});
