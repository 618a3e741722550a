// Infrastructure as somebody's Terraform left it: clusters with services that already run, images, a page behind a CDN.
import { createHash } from "node:crypto";
import { imageManifest } from "../sandbox/images.ts";
import type { Operations } from "../sandbox/operations.ts";
import type { Files } from "./model.ts";
import { ACCOUNT, REGION } from "./virtual.ts";

export interface Fleet {
  readonly application: string;
  readonly environments: readonly string[];
  readonly services: readonly string[];
  /** Files of the page of each environment; none without. */
  readonly pages?: number;
  readonly migrates?: boolean;
}

export const OLD = "a".repeat(40);
export const NEW = "b".repeat(40);

const clusterOf = ({ application }: Fleet, environment: string): string => `${application}-${environment}`;
const bucketOf = ({ application }: Fleet, environment: string): string => `acme-${application}-web-${environment}`;
const repositoryOf = ({ application }: Fleet, service: string): string => `${application}/${service}`;
const ARTIFACTS = "acme-artifacts";

/** The manifests: every environment on the SHA. */
export function manifests(fleet: Fleet, sha: string): Files {
  const { application, environments, services } = fleet;
  const [first = ""] = services;
  const lines = [
    `application: ${application}`,
    `aws: { region: ${REGION}, cluster: "${application}-{env}" }`,
    `image: ${ACCOUNT}.dkr.ecr.{region}.amazonaws.com/${application}/{service}:{sha}`,
    "services:",
    ...services.map((service) => `  ${service}: {}`),
    ...(fleet.migrates === true ? [`migrate: { service: ${first}, command: [node, migrate.mjs] }`] : []),
    ...(fleet.pages === undefined
      ? []
      : [
          "web:",
          "  site:",
          `    artifact: "s3://${ARTIFACTS}/${application}-web/releases/{sha}/"`,
          `    bucket: "acme-${application}-web-{env}"`,
          `    domain: "{env}.${application}.acme.dev"`,
        ]),
  ];
  const files = environments.map((name) => [`environments/${name}.yaml`, `sha: ${sha}\n`]);
  return { "environments/application.yaml": `${lines.join("\n")}\n`, ...Object.fromEntries(files) };
}

/** Repositories, buckets, two builds, and every environment running the first. */
export async function build(operations: Operations, fleet: Fleet): Promise<void> {
  for (const service of fleet.services) {
    const repositoryName = repositoryOf(fleet, service);
    await operations.json("ecr", "CreateRepository", { repositoryName, imageTagMutability: "IMMUTABLE" });
    for (const sha of [OLD, NEW]) {
      const manifest = imageManifest({ environment: { GIT_SHA: sha, SERVICE: service } });
      await operations.json("ecr", "PutImage", { repositoryName, imageManifest: manifest, imageTag: sha });
    }
  }
  for (const environment of fleet.environments) {
    await operations.json("ecs", "CreateCluster", { clusterName: clusterOf(fleet, environment) });
    for (const service of fleet.services) await createService(operations, fleet, environment, service);
  }
  if (fleet.pages === undefined) return;
  await createBucket(operations, ARTIFACTS);
  for (const sha of [OLD, NEW]) await pushRelease(operations, fleet, sha, fleet.pages);
  for (const environment of fleet.environments) await createWeb(operations, fleet, environment);
}

async function createService(operations: Operations, fleet: Fleet, environment: string, name: string): Promise<void> {
  const cluster = clusterOf(fleet, environment);
  const family = `${cluster}-${name}`;
  await operations.json("ecs", "RegisterTaskDefinition", {
    family,
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: `arn:aws:iam::${ACCOUNT}:role/ecs-execution`,
    containerDefinitions: [
      {
        name: "app",
        image: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/${repositoryOf(fleet, name)}:${OLD}`,
        essential: true,
        command: ["node", "server.mjs"],
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": `/ecs/${cluster}/${name}`,
            "awslogs-region": REGION,
            "awslogs-stream-prefix": name,
          },
        },
      },
    ],
  });
  await operations.json("logs", "CreateLogGroup", { logGroupName: `/ecs/${cluster}/${name}` });
  await operations.json("ecs", "CreateService", {
    cluster,
    serviceName: name,
    taskDefinition: family,
    desiredCount: 1,
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-0a1b2c3d"], securityGroups: ["sg-0a1b2c3d"] } },
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  });
}

async function createBucket(operations: Operations, bucket: string): Promise<void> {
  const place = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
  await operations.rest("PUT", `/${bucket}`, place);
}

/** A page of so many files, all of them new with every build, and the list of them. */
async function pushRelease(operations: Operations, fleet: Fleet, sha: string, count: number): Promise<void> {
  const assets = Array.from({ length: count - 1 }, (_, index) => {
    const content = `export const part${index} = ${JSON.stringify(sha)};\n`;
    const key = `assets/part${index}-${sha256(content).slice(0, 8)}.js`;
    return { key, content, contentType: "text/javascript", cacheControl: "public, max-age=31536000, immutable" };
  });
  const scripts = assets.map(({ key }) => `<script type="module" src="/${key}"></script>`).join("\n");
  const page = {
    key: "index.html",
    content: `<!doctype html><title>${fleet.application}</title>\n${scripts}\n`,
    contentType: "text/html; charset=utf-8",
    cacheControl: "public, max-age=0, s-maxage=86400",
  };
  const folder = `/${ARTIFACTS}/${fleet.application}-web/releases/${sha}`;
  const files = [...assets, page].map(({ content, ...file }) => {
    return { ...file, size: Buffer.byteLength(content), sha256: sha256(content) };
  });
  for (const { key, content, contentType, cacheControl } of [...assets, page]) {
    const headers = { "content-type": contentType, "cache-control": cacheControl };
    await operations.rest("PUT", `${folder}/${key}`, content, headers);
  }
  const list = JSON.stringify({ files });
  await operations.rest("PUT", `${folder}/lockstep.json`, list, { "content-type": "application/json" });
}

async function createWeb(operations: Operations, fleet: Fleet, environment: string): Promise<void> {
  const bucket = bucketOf(fleet, environment);
  await createBucket(operations, bucket);
  const alias = `${environment}.${fleet.application}.acme.dev`;
  await operations.rest(
    "POST",
    "/2020-05-31/distribution",
    `<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
<CallerReference>${alias}</CallerReference><Comment>${alias}</Comment><Enabled>true</Enabled>
<Aliases><Quantity>1</Quantity><Items><CNAME>${alias}</CNAME></Items></Aliases>
<DefaultRootObject>index.html</DefaultRootObject>
<Origins><Quantity>1</Quantity><Items><Origin><Id>web</Id><DomainName>${bucket}.s3.${REGION}.amazonaws.com</DomainName>
<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin></Items></Origins>
<DefaultCacheBehavior><TargetOriginId>web</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy>
<CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></DefaultCacheBehavior>
</DistributionConfig>`,
    { "content-type": "application/xml" },
  );
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
