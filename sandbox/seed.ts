// Fills the account with a small believable shop, through the operations a person would use.

import { createHash } from "node:crypto";
import { imageManifest } from "./images.ts";
import type { Operations } from "./operations.ts";

export const ENVIRONMENTS = ["dev", "staging", "prod"] as const;
export const ARTIFACT_BUCKET = "acme-artifacts";

/** Builds that exist in the seeded account, oldest first; every environment runs the first. */
export const SEEDED_SHAS: readonly [string, ...string[]] = [
  "9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01",
  "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  "d5f1c30e8b7a46290c4e1f7ab38d52c96e0a7b14",
];

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** Everything: repositories, buckets, the seeded builds, and each environment running the first of them. */
export async function seed(operations: Operations, place: Place): Promise<void> {
  await createStores(operations, place);
  for (const sha of SEEDED_SHAS) await pushBuild(operations, sha);
  for (const environment of ENVIRONMENTS) {
    await createWeb(operations, place, environment, SEEDED_SHAS[0]);
    await createServices(operations, place, environment, SEEDED_SHAS[0]);
  }
}

/** Image repositories and the bucket of web releases. */
export async function createStores(operations: Operations, { region }: Place): Promise<void> {
  for (const repositoryName of ["shop/api", "shop/worker"]) {
    await operations.json("ecr", "CreateRepository", { repositoryName, imageTagMutability: "IMMUTABLE" });
  }
  await createBucket(operations, ARTIFACT_BUCKET, region);
}

/**
 * What CI leaves behind for one commit: an image per service, tagged with the SHA, and a web release under
 * `shop-web/releases/<sha>/`. `environment` is built into the images, such as CRASH_AFTER_MS for a build that crashes or
 * MIGRATE_EXIT for one whose migration fails.
 */
export async function pushBuild(
  operations: Operations,
  sha: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const service of ["api", "worker"]) {
    const built = { GIT_SHA: sha, SERVICE: service, ...environment };
    const manifest = imageManifest({ environment: built });
    await operations.json("ecr", "PutImage", {
      repositoryName: `shop/${service}`,
      imageManifest: manifest,
      imageTag: sha,
    });
  }
  for (const [key, page] of Object.entries(webRelease(sha))) {
    await putObject(operations, `${ARTIFACT_BUCKET}/shop-web/releases/${sha}/${key}`, page);
  }
}

/** The web bucket of an environment with its release, and the distribution in front of it. */
export async function createWeb(
  operations: Operations,
  { region }: Place,
  environment: string,
  sha: string,
): Promise<void> {
  const bucket = `acme-shop-web-${environment}`;
  await createBucket(operations, bucket, region);
  for (const [key, page] of Object.entries(webRelease(sha))) await putObject(operations, `${bucket}/${key}`, page);
  await operations.rest("POST", "/2020-05-31/distribution", distributionConfig(environment, bucket, region), {
    "content-type": "application/xml",
  });
}

/** The cluster of an environment with `api` (behind a port) and `worker`. */
export async function createServices(
  operations: Operations,
  place: Place,
  environment: string,
  sha: string,
): Promise<void> {
  await operations.json("ecs", "CreateCluster", { clusterName: environment });
  for (const [service, port] of [
    ["api", 8080],
    ["worker", undefined],
  ] as const) {
    await operations.json("logs", "CreateLogGroup", { logGroupName: `/ecs/${environment}/${service}` });
    const definition = taskDefinition(place, { environment, service, sha, port });
    await operations.json("ecs", "RegisterTaskDefinition", definition);
    await operations.json("ecs", "CreateService", {
      cluster: environment,
      serviceName: service,
      taskDefinition: definition.family,
      desiredCount: environment === "prod" && service === "api" ? 2 : 1,
      launchType: "FARGATE",
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ["subnet-0a1b2c3d"],
          securityGroups: ["sg-0a1b2c3d"],
          assignPublicIp: "DISABLED",
        },
      },
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true },
        maximumPercent: 200,
        minimumHealthyPercent: 100,
      },
      ...(port === undefined
        ? {}
        : {
            loadBalancers: [
              { targetGroupArn: targetGroup(place, environment), containerName: "app", containerPort: port },
            ],
          }),
    });
  }
}

interface TaskDefinition {
  readonly family: string;
}

function taskDefinition(
  { account, region }: Place,
  { environment, service, sha, port }: { environment: string; service: string; sha: string; port: number | undefined },
): TaskDefinition & Readonly<Record<string, unknown>> {
  return {
    family: `shop-${service}-${environment}`,
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: `arn:aws:iam::${account}:role/ecs-execution`,
    taskRoleArn: `arn:aws:iam::${account}:role/shop-${environment}`,
    containerDefinitions: [
      {
        name: "app",
        image: `${account}.dkr.ecr.${region}.amazonaws.com/shop/${service}:${sha}`,
        essential: true,
        command: ["node", service === "api" ? "server.mjs" : "worker.mjs"],
        // The worker's own check: without one ECS waits before it believes that a task is well.
        ...(port === undefined
          ? { healthCheck: { command: ["CMD-SHELL", "true"] } }
          : { portMappings: [{ containerPort: port, protocol: "tcp" }] }),
        environment: [
          { name: "ENVIRONMENT", value: environment },
          { name: "DATABASE_HOST", value: `db.${environment}.internal` },
        ],
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": `/ecs/${environment}/${service}`,
            "awslogs-region": region,
            "awslogs-stream-prefix": service,
          },
        },
      },
    ],
  };
}

function targetGroup({ account, region }: Place, environment: string): string {
  return `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/shop-api-${environment}/0123456789abcdef`;
}

interface Page {
  readonly content: string;
  readonly type: string;
  readonly cacheControl: string;
}

/** A page with two hashed assets, as a front end's build writes them. */
function webRelease(sha: string): Readonly<Record<string, Page>> {
  const script = `document.title = ${JSON.stringify(`Acme shop ${sha.slice(0, 7)}`)};\n`;
  const hue = Number.parseInt(sha.slice(0, 4), 16) % 360;
  const style = `body { font: 2rem system-ui; background: hsl(${hue} 60% 92%); }\n`;
  const scriptKey = `assets/app-${hash(script)}.js`;
  const styleKey = `assets/app-${hash(style)}.css`;
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Acme shop</title><link rel="stylesheet" href="/${styleKey}"></head>
<body><h1>Acme shop</h1><p>This page is <code>${sha}</code>.</p><script src="/${scriptKey}"></script></body>
</html>
`;
  const forever = "public, max-age=31536000, immutable";
  return {
    [scriptKey]: { content: script, type: "text/javascript", cacheControl: forever },
    [styleKey]: { content: style, type: "text/css", cacheControl: forever },
    "index.html": {
      content: html,
      type: "text/html; charset=utf-8",
      cacheControl: "public, max-age=0, s-maxage=86400",
    },
  };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

async function createBucket(operations: Operations, bucket: string, region: string): Promise<void> {
  const place = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  await operations.rest("PUT", `/${bucket}`, region === "us-east-1" ? "" : place);
}

async function putObject(operations: Operations, path: string, { content, type, cacheControl }: Page): Promise<void> {
  await operations.rest("PUT", `/${path}`, content, { "content-type": type, "cache-control": cacheControl });
}

function distributionConfig(environment: string, bucket: string, region: string): string {
  return `<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
<CallerReference>shop-${environment}</CallerReference><Comment>shop ${environment}</Comment><Enabled>true</Enabled>
<Aliases><Quantity>1</Quantity><Items><CNAME>${environment}.acme.dev</CNAME></Items></Aliases>
<DefaultRootObject>index.html</DefaultRootObject>
<Origins><Quantity>1</Quantity><Items><Origin><Id>web</Id><DomainName>${bucket}.s3.${region}.amazonaws.com</DomainName>
<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins>
<DefaultCacheBehavior><TargetOriginId>web</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy>
<CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></DefaultCacheBehavior>
</DistributionConfig>`;
}
