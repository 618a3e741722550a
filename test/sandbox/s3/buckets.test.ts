import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
} from "@aws-sdk/client-s3";
import { GetBucketVersioningCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { createS3Bench, failure } from "./support.ts";

describe("buckets", () => {
  it("refuses names S3 refuses", async () => {
    const { s3 } = createS3Bench();
    for (const Bucket of ["ab", "Upper", "a..b", "127.0.0.1", "-x-"]) {
      expect(await failure(s3.send(new CreateBucketCommand({ Bucket })))).toBe("400 InvalidBucketName");
    }
  });

  it("refuses a name another account has, and one's own outside us-east-1", async () => {
    const bench = createS3Bench();
    const other = bench.client({ account: "222222222222" });
    expect(await failure(other.send(new CreateBucketCommand({ Bucket: "web" })))).toBe("409 BucketAlreadyExists");
    expect(await failure(bench.s3.send(new CreateBucketCommand({ Bucket: "web" })))).toBe("no error");
    const europe = bench.client({ region: "eu-west-1" });
    await europe.send(new CreateBucketCommand({ Bucket: "europe" }));
    const again = europe.send(new CreateBucketCommand({ Bucket: "europe" }));
    expect(await failure(again)).toBe("409 BucketAlreadyOwnedByYou");
  });

  it("refuses a location constraint of another region", async () => {
    const europe = createS3Bench().client({ region: "eu-west-1" });
    const input = { Bucket: "asia", CreateBucketConfiguration: { LocationConstraint: "ap-south-1" } } as const;
    expect(await failure(europe.send(new CreateBucketCommand(input)))).toBe("400 IllegalLocationConstraintException");
  });

  it("redirects requests to another region, with the right region in the answer", async () => {
    const bench = createS3Bench();
    const europe = bench.client({ region: "eu-west-1" });
    const put = europe.send(new PutObjectCommand({ Bucket: "web", Key: "x", Body: "x" }));
    expect(await failure(put)).toBe("301 PermanentRedirect");
    const head = await europe.send(new HeadBucketCommand({ Bucket: "web" })).catch((error: unknown) => error);
    expect(head).toMatchObject({ $metadata: { httpStatusCode: 301 } });
  });

  it("answers a missing bucket with NoSuchBucket, and NotFound without a body to HEAD", async () => {
    const { s3 } = createS3Bench();
    expect(await failure(s3.send(new GetObjectCommand({ Bucket: "none", Key: "x" })))).toBe("404 NoSuchBucket");
    expect(await failure(s3.send(new HeadBucketCommand({ Bucket: "none" })))).toBe("404 NotFound");
  });

  it("refuses to delete a bucket with objects", async () => {
    const { s3 } = createS3Bench();
    await s3.send(new PutObjectCommand({ Bucket: "web", Key: "x", Body: "x" }));
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket: "web" })))).toBe("409 BucketNotEmpty");
  });

  it("says so when a subresource is not imitated", async () => {
    const { s3 } = createS3Bench();
    expect(await failure(s3.send(new GetBucketVersioningCommand({ Bucket: "web" })))).toBe("501 NotImplemented");
  });

  it("lists one's own buckets by name and tells their region", async () => {
    const bench = createS3Bench();
    const europe = bench.client({ region: "eu-west-1" });
    await europe.send(new CreateBucketCommand({ Bucket: "assets" }));
    const { Buckets } = await bench.s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name, BucketRegion }) => `${Name} ${BucketRegion}`)).toEqual([
      "assets eu-west-1",
      "web us-east-1",
    ]);
    const strangers = await bench.client({ account: "222222222222" }).send(new ListBucketsCommand({}));
    expect(strangers.Buckets ?? []).toEqual([]);
    const location = await bench.s3.send(new GetBucketLocationCommand({ Bucket: "assets" }));
    expect(location.LocationConstraint).toBe("eu-west-1");
    expect((await europe.send(new HeadBucketCommand({ Bucket: "assets" }))).BucketRegion).toBe("eu-west-1");
    await europe.send(new DeleteBucketCommand({ Bucket: "assets" }));
    expect(await failure(europe.send(new HeadBucketCommand({ Bucket: "assets" })))).toBe("404 NotFound");
  });
});
