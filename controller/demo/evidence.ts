// Looks at AWS, the CDN and the services themselves: each says which call it made and what came back.
import type { Deployment, Service, ServiceDeployment, Task } from "@aws-sdk/client-ecs";
import type { Build } from "./builds.ts";
import type { Reading } from "./claim.ts";
import type { Clients } from "./clients.ts";
import { aliasOf, SERVICES } from "./manifests.ts";

export interface Eyes {
  /** Both services run the build's images, by digest, in one completed deployment. */
  services(environment: string, build: Build): Promise<Reading>;
  /** The service runs this task definition and no other. */
  runs(environment: string, service: string, taskDefinition: string): Promise<Reading>;
  /** What the service is set to run now. */
  taskDefinition(environment: string, service: string): Promise<string>;
  /** The API behind its load balancer says which commit it is. */
  version(environment: string, sha: string): Promise<Reading>;
  /** What a reader gets from the CDN. */
  page(environment: string, sha: string): Promise<Reading>;
  /** The environment's migration tasks so far: how many, and how the last one ended. */
  migrations(environment: string, count: number, exitCode: number): Promise<Reading>;
  /** How many migration tasks have been started, running or not. */
  migrationsBegun(environment: string, count: number): Promise<Reading>;
  migrationLog(environment: string, text: string): Promise<Reading>;
  /** The newest deployments of a service, the newest first. */
  deployments(environment: string, service: string): Promise<readonly ServiceDeployment[]>;
  /** When the CDN was last told to forget. */
  invalidated(environment: string): Promise<{ readonly at: Date; readonly by: string; readonly id: string }>;
}

/** `https://…/` addresses that the account gave out. */
export interface Addressed {
  api(environment: string): string;
  site(environment: string): string;
}

const REQUEST_MS = 5_000;

export function createEyes(clients: Clients, addresses: Addressed): Eyes {
  const { ecs, cloudfront, logs } = clients;

  async function describe(environment: string, ...names: readonly string[]): Promise<readonly Service[]> {
    const { services = [] } = await ecs.describeServices({ cluster: environment, services: [...names] });
    return services;
  }

  async function imageOf(taskDefinition: string | undefined): Promise<string> {
    const { taskDefinition: definition } = await ecs.describeTaskDefinition({ taskDefinition });
    return definition?.containerDefinitions?.[0]?.image ?? "no image";
  }

  async function get(url: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) });
    return { status: response.status, body: await response.text() };
  }

  return {
    async services(environment, { digests }) {
      const by = `aws ecs describe-services --cluster ${environment} --services ${SERVICES.join(" ")}`;
      const found = await describe(environment, ...SERVICES);
      const parts = SERVICES.map(async (name) => {
        const service = found.find(({ serviceName }) => serviceName === name);
        if (service === undefined) return { text: `${name} missing`, holds: false };
        const image = await imageOf(service.taskDefinition);
        const holds = image.endsWith(`/shop/${name}@${digests[name]}`) && isSteady(service);
        const text = `${name} ${revision(service.taskDefinition)} (${imageName(image)}) ${tasks(service)}`;
        return { text, holds };
      });
      const seen = await Promise.all(parts);
      return { by, found: seen.map(({ text }) => text).join(", "), holds: seen.every(({ holds }) => holds) };
    },
    async runs(environment, name, taskDefinition) {
      const by = `aws ecs describe-services --cluster ${environment} --services ${name}`;
      const [service] = await describe(environment, name);
      const image = await imageOf(service?.taskDefinition);
      const found = `task definition ${revision(service?.taskDefinition)} (${imageName(image)}) ${service === undefined ? "" : tasks(service)}`;
      const holds = service !== undefined && service.taskDefinition === taskDefinition && isSteady(service);
      return { by, found, holds };
    },
    async taskDefinition(environment, name) {
      return (await describe(environment, name))[0]?.taskDefinition ?? "";
    },
    async version(environment, sha) {
      const url = `${addresses.api(environment)}/version`;
      const { status, body } = await get(url);
      const holds = status === 200 && body.includes(`"sha":"${sha}"`);
      return { by: `GET ${url}`, found: `${status} ${excerpt(body)}`, holds };
    },
    async page(environment, sha) {
      const url = `${addresses.site(environment)}/`;
      const { status, body } = await get(url);
      const title = /<title>([^<]*)<\/title>/.exec(body)?.[1] ?? "no title";
      const shown = /<code>([0-9a-f]{40})<\/code>/.exec(body)?.[1];
      const said = shown === undefined ? "" : `, “This page is ${shown.slice(0, 7)}”`;
      return {
        by: `GET ${url} (${aliasOf(environment)})`,
        found: `${status} “${title}”${said}`,
        holds: status === 200 && body.includes(sha),
      };
    },
    async migrationsBegun(environment, count) {
      const family = familyOf(environment);
      const by = `aws ecs list-tasks --cluster ${environment} --family ${family}, for RUNNING and STOPPED`;
      const listed = await Promise.all(
        (["RUNNING", "STOPPED"] as const).map((desiredStatus) =>
          ecs.listTasks({ cluster: environment, family, desiredStatus }),
        ),
      );
      const number = listed.flatMap(({ taskArns = [] }) => taskArns).length;
      return { by, found: countOf(number), holds: number === count };
    },
    async migrations(environment, count, exitCode) {
      const family = familyOf(environment);
      const by = `aws ecs list-tasks --cluster ${environment} --family ${family} --desired-status STOPPED, aws ecs describe-tasks`;
      const listed = await ecs.listTasks({ cluster: environment, family, desiredStatus: "STOPPED" });
      const arns = listed.taskArns ?? [];
      if (arns.length === 0) return { by, found: "no task", holds: count === 0 };
      const described = await ecs.describeTasks({ cluster: environment, tasks: arns });
      const last = lastOf(described.tasks ?? []);
      const code = last?.containers?.find(({ name }) => name === "app")?.exitCode;
      const how = `the last one ${last?.lastStatus ?? "unknown"}, ${last?.stopCode ?? "no stop code"}, exit code ${code ?? "none"}`;
      return { by, found: `${countOf(arns.length)}; ${how}`, holds: arns.length === count && code === exitCode };
    },
    async migrationLog(environment, text) {
      const group = `/ecs/${environment}/api`;
      const by = `aws logs filter-log-events --log-group-name ${group} --filter-pattern ${JSON.stringify(text)}`;
      const { events = [] } = await logs.filterLogEvents({ logGroupName: group, filterPattern: `"${text}"` });
      const line = events.at(-1)?.message?.trim();
      return { by, found: line ?? "no such line", holds: line !== undefined };
    },
    async deployments(environment, service) {
      const { serviceDeployments = [] } = await ecs.listServiceDeployments({ cluster: environment, service });
      const arns = serviceDeployments.flatMap(({ serviceDeploymentArn }) => serviceDeploymentArn ?? []);
      if (arns.length === 0) return [];
      const described = await ecs.describeServiceDeployments({ serviceDeploymentArns: arns.slice(0, 20) });
      return [...(described.serviceDeployments ?? [])].sort((a, b) => Number(b.createdAt) - Number(a.createdAt));
    },
    async invalidated(environment) {
      const { DistributionList } = await cloudfront.listDistributions({});
      const found = DistributionList?.Items?.find(({ Aliases }) => Aliases?.Items?.includes(aliasOf(environment)));
      const DistributionId = found?.Id ?? "";
      const { InvalidationList } = await cloudfront.listInvalidations({ DistributionId });
      const newest = [...(InvalidationList?.Items ?? [])].sort(
        (a, b) => Number(b.CreateTime) - Number(a.CreateTime),
      )[0];
      return {
        at: newest?.CreateTime ?? new Date(Number.NaN),
        by: `aws cloudfront list-invalidations --distribution-id ${DistributionId}`,
        id: newest?.Id ?? "none",
      };
    },
  };
}

/** Lockstep's own family of the environment's migration. */
function familyOf(environment: string): string {
  return `lockstep-shop-${environment}-migrate-migrate`;
}

function countOf(tasks: number): string {
  return tasks === 1 ? "1 task" : `${tasks} tasks`;
}

/** One deployment, completed, with every task it should have. */
function isSteady({ deployments = [], runningCount, desiredCount }: Service): boolean {
  const [first] = deployments;
  return deployments.length === 1 && first?.rolloutState === "COMPLETED" && runningCount === desiredCount;
}

function tasks({ runningCount, desiredCount, deployments = [] }: Service): string {
  const primary = deployments.find(({ status }: Deployment) => status === "PRIMARY");
  return `${runningCount ?? 0}/${desiredCount ?? 0} ${primary?.rolloutState ?? "no deployment"}`;
}

/** `lockstep-shop-prod-api:3`. */
export function revision(taskDefinition: string | undefined): string {
  return taskDefinition === undefined ? "none" : taskDefinition.slice(taskDefinition.lastIndexOf("/") + 1);
}

/** `shop/api@sha256:1f2e3d4c5b6a`: without the registry, and of a digest what tells it apart. */
export function imageName(image: string): string {
  return image.slice(image.indexOf("/") + 1).replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1…");
}

function lastOf(tasks: readonly Task[]): Task | undefined {
  return [...tasks].sort((a, b) => Number(b.createdAt) - Number(a.createdAt))[0];
}

const EXCERPT = 110;

function excerpt(body: string): string {
  const line = body.replaceAll(/\s+/g, " ").trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}

/** `12:00:07.412`, in UTC. */
export function clockTime(at: Date | undefined): string {
  return at === undefined || Number.isNaN(Number(at)) ? "never" : at.toISOString().slice(11, 23);
}
