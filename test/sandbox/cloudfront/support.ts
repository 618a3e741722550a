// A web bucket behind a distribution: real SDK clients for both, and a browser's requests to the edge.
import { CreateDistributionCommand, CreateInvalidationCommand } from "@aws-sdk/client-cloudfront";
import type { CloudFrontClient, DistributionConfig } from "@aws-sdk/client-cloudfront";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { createCloudFront, type CloudFrontDependencies } from "../../../sandbox/cloudfront/service.ts";
import { createCloudFrontClient, createS3Bench, start, type ClientOptions, type S3Bench } from "../s3/support.ts";

/** A configuration with the members the SDK requires and one S3 origin. */
export function distributionConfig(changes: Partial<DistributionConfig> = {}): DistributionConfig {
  return {
    CallerReference: "site",
    Comment: "site",
    Enabled: true,
    DefaultRootObject: "index.html",
    Origins: {
      Quantity: 1,
      Items: [
        { Id: "bucket", DomainName: "web.s3.us-east-1.amazonaws.com", S3OriginConfig: { OriginAccessIdentity: "" } },
      ],
    },
    DefaultCacheBehavior: { TargetOriginId: "bucket", ViewerProtocolPolicy: "redirect-to-https" },
    ...changes,
  };
}

export interface Site extends Pick<S3Bench, "clock"> {
  readonly cloudfront: CloudFrontClient;
  readonly id: string;
  readonly service: ReturnType<typeof createCloudFront>;
  client(options: ClientOptions): CloudFrontClient;
  put(key: string, body: string, cacheControl?: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Status, X-Cache's first word and body of one GET. */
  see(path: string): Promise<string>;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
  invalidate(...paths: readonly string[]): Promise<string>;
  pass(seconds: number): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function createSite(
  changes: Partial<DistributionConfig> = {},
  dependencies: Partial<CloudFrontDependencies> = {},
): Promise<Site> {
  const { clock, service: s3Service, s3 } = createS3Bench();
  const service = createCloudFront({ clock, readObject: s3Service.readObject, ...dependencies });
  const cloudfront = createCloudFrontClient(service);
  const command = new CreateDistributionCommand({ DistributionConfig: distributionConfig(changes) });
  const { Distribution } = await cloudfront.send(command);
  const id = Distribution?.Id ?? "";
  let references = 0;

  const get: Site["get"] = async (path, headers = {}, method = "GET") => {
    const endpoint = service.publicEndpoints().find(({ name }) => name === id);
    if (endpoint === undefined) throw new Error(`no endpoint for ${id}`);
    const request = { method, path, query: new URLSearchParams(), headers, body: new Uint8Array() };
    const response = await endpoint.answer(request);
    return { ...response, body: Buffer.from(response.body).toString() };
  };

  return {
    clock,
    cloudfront,
    id,
    service,
    client: (options) => createCloudFrontClient(service, options),
    get,
    async put(Key, Body, CacheControl) {
      await s3.send(new PutObjectCommand({ Bucket: "web", Key, Body, CacheControl, ContentType: "text/html" }));
    },
    async remove(Key) {
      await s3.send(new DeleteObjectCommand({ Bucket: "web", Key }));
    },
    async see(path) {
      const { status, headers, body } = await get(path);
      return `${status} ${headers["x-cache"]?.split(" ")[0]} ${body}`;
    },
    async invalidate(...paths) {
      references += 1;
      const Paths = { Quantity: paths.length, Items: [...paths] };
      const InvalidationBatch = { CallerReference: `ref-${references}`, Paths };
      const input = { DistributionId: id, InvalidationBatch };
      const { Invalidation } = await cloudfront.send(new CreateInvalidationCommand(input));
      return Invalidation?.Id ?? "";
    },
    pass: (seconds) => clock.advanceTo(clock.now() + seconds * 1000),
  };
}

export { start };
