// An environment of the shop in the account: how it is made, and what people and infrastructure code do to it by hand.
import type { Digest, ServiceName, WebName } from "../../../controller/core/brand.ts";
import { Digest as DigestOf, TargetVersion, WebName as Web } from "../../../controller/core/brand.ts";
import { createServices } from "../../../sandbox/seed.ts";
import type { Handiwork } from "../people.ts";
import type { Shape } from "../repository.ts";
import { ACCOUNT, REGION, REGISTRY, type Account } from "./account.ts";
import { ARTIFACTS, prefixOf, type WireBuilds } from "./builds.ts";
import type { Containers } from "./containers.ts";

export interface Hands extends Handiwork {
  /** Infrastructure code registers a revision of a service's own family. */
  register(service: string): void;
  /** …and deregisters the one before, as Terraform does when it replaces a task definition. */
  deregister(service: string): void;
  /** The next tasks of migrations find no room. */
  refuse(migration: string, count: number): void;
}

export interface HandsParts {
  readonly account: Account;
  readonly builds: WireBuilds;
  readonly containers: Containers;
  readonly shape: Shape;
  readonly environment: string;
  /** Somebody else writes here. */
  readonly onTouch: () => void;
}

const place = { account: ACCOUNT, region: REGION };

/** Repositories and the bucket of web releases; before the first build. */
export async function openStores({ operations }: Account, shape: Shape): Promise<void> {
  for (const name of [...shape.services, ...shape.migrations]) {
    const input = { repositoryName: `shop/${name}`, imageTagMutability: "MUTABLE" };
    await operations.json("ecr", "CreateRepository", input);
  }
  await createBucket(operations, ARTIFACTS);
}

/** Services, pages and the CDN of one environment, running the first commit. Answers the distribution's id. */
export async function openEnvironment(
  { operations }: Account,
  builds: WireBuilds,
  shape: Shape,
  environment: string,
): Promise<string> {
  const [first] = builds.commits;
  if (first === undefined) throw new Error("there is a first commit");
  await createServices(operations, place, environment, first.sha);
  const bucket = bucketOf(environment);
  await createBucket(operations, bucket);
  for (const web of shape.webs) {
    const [files] = builds.pages(web).values();
    for (const [key, { content, type, cacheControl }] of files ?? []) {
      if (key === "lockstep.json") continue;
      const headers = { "content-type": type, "cache-control": cacheControl };
      await operations.rest("PUT", `/${bucket}/${prefixOf(web)}${key}`, content, headers);
    }
  }
  const made = await operations.rest("POST", "/2020-05-31/distribution", distributionOf(environment), {
    "content-type": "application/xml",
  });
  return /<Id>(\w+)<\/Id>/.exec(made)?.[1] ?? "";
}

export async function createHands(parts: HandsParts): Promise<Hands> {
  const { account, builds, containers, shape, environment, onTouch } = parts;
  const definitions = new Map<string, Readonly<Record<string, unknown>>>();
  const revisions = new Map<string, { newest: number; oldest: number }>();
  for (const service of shape.services) {
    definitions.set(service, await definitionOf(account, familyOf(service)));
    revisions.set(service, { newest: 1, oldest: 1 });
  }

  function familyOf(service: string): string {
    return `shop-${service}-${environment}`;
  }

  function versionOf(service: string, revision: number): TargetVersion {
    return TargetVersion.parse(`arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/${familyOf(service)}:${revision}`);
  }

  function register(service: string, image: string): TargetVersion {
    const known = revisions.get(service) ?? { newest: 1, oldest: 1 };
    known.newest += 1;
    const definition = definitions.get(service) ?? {};
    const [container] = definition["containerDefinitions"] as readonly [Readonly<Record<string, unknown>>];
    const log = [{ name: "LOG_LEVEL", value: `level-${known.newest}` }];
    const variables = [...((container["environment"] as readonly object[] | undefined) ?? []), ...log];
    const containerDefinitions = [{ ...container, image, environment: variables }];
    account.hand((to) => to.json("ecs", "RegisterTaskDefinition", { ...definition, containerDefinitions }));
    return versionOf(service, known.newest);
  }

  function pagesOf(web: string): { assets(): ReadonlySet<Digest>; putPage(digest: Digest): void } {
    const built = builds.pages(web);
    return {
      // What a person can copy by hand without breaking the page: only builds whose assets lie in the bucket.
      assets: () => new Set([...built.keys()].slice(0, 1)),
      putPage(digest) {
        onTouch();
        const files = [...(built.get(digest) ?? [])].filter(([key]) => key !== "lockstep.json");
        account.hand(async (to) => {
          for (const [key, { content, type, cacheControl }] of files) {
            const headers = { "content-type": type, "cache-control": cacheControl };
            await to.rest("PUT", `/${bucketOf(environment)}/${prefixOf(web)}${key}`, content, headers);
          }
        });
      },
    };
  }

  const firstImage = (service: string): string => `${REGISTRY}/shop/${service}:${builds.commits[0]?.sha}`;
  return {
    outage: false,
    tasks: {
      applied: {
        has: (migrationAtSha: string) => containers.applied.has(`${environment} ${migrationAtSha}`),
      },
    },
    pages: new Map<WebName, ReturnType<typeof pagesOf>>(shape.webs.map((web) => [Web.parse(web), pagesOf(web)])),
    cluster: {
      registerByHand: (service: ServiceName, digest: Digest) => ({
        arn: register(service, `${REGISTRY}/shop/${service}@${DigestOf.parse(digest)}`),
      }),
      update(service, { version, count }) {
        onTouch();
        const set = {
          ...(version === undefined ? {} : { taskDefinition: version }),
          ...(count === undefined ? {} : { desiredCount: count }),
        };
        account.hand((to) => to.json("ecs", "UpdateService", { cluster: environment, service, ...set }));
      },
    },
    register: (service) => void register(service, firstImage(service)),
    deregister(service) {
      const known = revisions.get(service);
      if (known === undefined || known.oldest >= known.newest) return;
      const taskDefinition = versionOf(service, known.oldest);
      known.oldest += 1;
      account.hand((to) => to.json("ecs", "DeregisterTaskDefinition", { taskDefinition }));
    },
    refuse(migration, count) {
      const body = JSON.stringify({
        reason: "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        family: `lockstep-shop-${environment}-migrate-${migration}`,
        count,
      });
      account.hand(() =>
        account.send({
          method: "POST",
          path: "/_sandbox/ecs/placement-failures",
          query: new URLSearchParams(),
          headers: { "content-type": "application/json" },
          body: Buffer.from(body),
        }),
      );
    },
  };
}

export function bucketOf(environment: string): string {
  return `shop-web-${environment}`;
}

/** What can be registered again of what is there. */
async function definitionOf({ operations }: Account, family: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await operations.json("ecs", "DescribeTaskDefinition", { taskDefinition: family });
  const whole = answer["taskDefinition"] as Readonly<Record<string, unknown>>;
  const names = [
    "family",
    "networkMode",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "executionRoleArn",
    "taskRoleArn",
  ];
  return Object.fromEntries([...names, "containerDefinitions"].map((name) => [name, whole[name]]));
}

async function createBucket(operations: Account["operations"], bucket: string): Promise<void> {
  const constraint = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
  await operations.rest("PUT", `/${bucket}`, constraint);
}

function distributionOf(environment: string): string {
  return `<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
<CallerReference>shop-${environment}</CallerReference><Comment>shop ${environment}</Comment><Enabled>true</Enabled>
<Aliases><Quantity>1</Quantity><Items><CNAME>${environment}.shop.example</CNAME></Items></Aliases>
<DefaultRootObject>index.html</DefaultRootObject>
<Origins><Quantity>1</Quantity><Items><Origin><Id>web</Id><DomainName>${bucketOf(environment)}.s3.${REGION}.amazonaws.com</DomainName>
<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins>
<DefaultCacheBehavior><TargetOriginId>web</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy>
<CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></DefaultCacheBehavior>
</DistributionConfig>`;
}
