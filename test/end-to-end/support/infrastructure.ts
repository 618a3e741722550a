// What infrastructure code made before Lockstep came: a cluster with two services, and a page behind a CDN.
import { CreateDistributionCommand } from "@aws-sdk/client-cloudfront";
import { CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { type Account, REGION } from "./account.ts";
import { createBucket, put, webRelease } from "./builds.ts";
import { until } from "./until.ts";

export interface Place {
  readonly application: string;
  readonly environment: string;
  /** SHA of what runs at first. */
  readonly sha: string;
}

export const bucketOf = ({ application, environment }: Omit<Place, "sha">): string =>
  `acme-${application}-web-${environment}`;
export const clusterOf = ({ application, environment }: Omit<Place, "sha">): string => `${application}-${environment}`;
export const aliasOf = ({ application, environment }: Omit<Place, "sha">): string =>
  `${environment}.${application}.acme.dev`;

/** How these services were set up: unlike what Lockstep sets, so that putting it back shows. */
export const FOUND_CONFIGURATION = { maximumPercent: 200, minimumHealthyPercent: 50 };

export const SERVICES = ["api", "worker"] as const;
export type ServiceName = (typeof SERVICES)[number];

/** The services are not steady yet. */
export async function createServices(account: Account, place: Place, names: readonly ServiceName[]): Promise<void> {
  const cluster = clusterOf(place);
  await account.ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  for (const service of names) {
    await account.logs.send(new CreateLogGroupCommand({ logGroupName: `/ecs/${cluster}/${service}` }));
    const taskDefinition = await register(account, place, service);
    await account.ecs.send(
      new CreateServiceCommand({
        cluster,
        serviceName: service,
        taskDefinition,
        desiredCount: 1,
        launchType: "FARGATE",
        networkConfiguration: {
          awsvpcConfiguration: { subnets: ["subnet-0a1b2c3d"], securityGroups: ["sg-0a1b2c3d"] },
        },
        deploymentConfiguration: FOUND_CONFIGURATION,
        ...(service === "worker" ? {} : { loadBalancers: [balancer(account, cluster)] }),
      }),
    );
  }
}

function balancer({ id }: Account, cluster: string) {
  const targetGroupArn = `arn:aws:elasticloadbalancing:${REGION}:${id}:targetgroup/${cluster}/0123456789abcdef`;
  return { targetGroupArn, containerName: "app", containerPort: 8080 };
}

async function register(account: Account, place: Place, service: ServiceName): Promise<string> {
  const { application, sha } = place;
  const cluster = clusterOf(place);
  const group = { "awslogs-group": `/ecs/${cluster}/${service}`, "awslogs-region": REGION };
  const { taskDefinition } = await account.ecs.send(
    new RegisterTaskDefinitionCommand({
      family: `iac-${cluster}-${service}`,
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "256",
      memory: "512",
      executionRoleArn: `arn:aws:iam::${account.id}:role/ecs-execution`,
      containerDefinitions: [
        {
          name: "app",
          image: `${account.id}.dkr.ecr.${REGION}.amazonaws.com/${application}/${service}:${sha}`,
          essential: true,
          command: ["node", service === "api" ? "server.mjs" : "worker.mjs"],
          // The worker's own check: without one ECS waits before it believes that a task is well.
          ...(service === "api"
            ? { portMappings: [{ containerPort: 8080 }] }
            : { healthCheck: { command: ["CMD-SHELL", "true"] } }),
          environment: [{ name: "DATABASE_HOST", value: `db.${cluster}.internal` }],
          logConfiguration: { logDriver: "awslogs", options: { ...group, "awslogs-stream-prefix": service } },
        },
      ],
    }),
  );
  return taskDefinition?.taskDefinitionArn ?? "";
}

export async function createWeb(account: Account, place: Place): Promise<void> {
  const [bucket, alias] = [bucketOf(place), aliasOf(place)];
  await createBucket(account, bucket);
  for (const [key, page] of Object.entries(webRelease(place.application, place.sha))) {
    await put(account, bucket, key, page);
  }
  const origin = {
    Id: "web",
    DomainName: `${bucket}.s3.${REGION}.amazonaws.com`,
    S3OriginConfig: { OriginAccessIdentity: "" },
  };
  await account.cloudfront.send(
    new CreateDistributionCommand({
      DistributionConfig: {
        CallerReference: alias,
        Comment: alias,
        Enabled: true,
        Aliases: { Quantity: 1, Items: [alias] },
        DefaultRootObject: "index.html",
        Origins: { Quantity: 1, Items: [origin] },
        DefaultCacheBehavior: {
          TargetOriginId: "web",
          ViewerProtocolPolicy: "redirect-to-https",
          CachePolicyId: "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
      },
    }),
  );
}

/** Resolves when every service of the cluster is one completed deployment. */
export async function steady(account: Account, cluster: string, names: readonly ServiceName[]): Promise<void> {
  await until(`${cluster} to be steady`, async () => {
    const { services = [] } = await account.ecs.send(new DescribeServicesCommand({ cluster, services: [...names] }));
    const settled = services.every(
      ({ deployments = [] }) => deployments.length === 1 && deployments[0]?.rolloutState === "COMPLETED",
    );
    return settled ? true : undefined;
  });
}
