// A shop to release: one application in a repository, its environments in AWS, its builds, and its manifests.
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import type { Service, TaskDefinition } from "@aws-sdk/client-ecs";
import type { Account } from "./account.ts";
import { type Build, createImageRepositories, pushImages, pushRelease } from "./builds.ts";
import type { Call } from "./calls.ts";
import {
  aliasOf,
  bucketOf,
  clusterOf,
  createServices,
  createWeb,
  type ServiceName,
  SERVICES,
  steady,
} from "./infrastructure.ts";
import type { Changes, Repository } from "./repository.ts";

export interface ShopOptions {
  readonly environments?: readonly string[];
  /** More lines of `application.yaml`, such as `pipeline: [dev, prod]`. */
  readonly lines?: readonly string[];
  /** What stands behind `migrate:`; `false` leaves the migration out. */
  readonly migrate?: string;
  /** Tag of the image template. Default `{sha}`. */
  readonly tag?: string;
  /** Default: api and worker. */
  readonly services?: readonly ServiceName[];
  /** The folder that holds `environments/`; "" is the root. Default: the application's name. */
  readonly folder?: string;
}

export interface Wish {
  /** More keys of `services.api`, such as `{ count: "2" }`. */
  readonly api?: Readonly<Record<string, string>>;
  /** More lines of the environment's manifest, such as `drift: repair`. */
  readonly lines?: readonly string[];
}

export interface Shop {
  readonly application: string;
  /** What ran before Lockstep came. */
  readonly found: string;
  readonly repository: Repository;
  /** `orders/dev`. */
  id(environment: string): string;
  cluster(environment: string): string;
  bucket(environment: string): string;
  /** Id of the CloudFront distribution. */
  distribution(environment: string): string;
  /** Path of a manifest in the repository. */
  path(name: string): string;
  /** A commit of the application and what CI made of it; answers its SHA. */
  build(build?: Build): Promise<string>;
  /** Text of an environment's manifest. */
  manifest(environment: string, sha: string, wish?: Wish): string;
  /** Commits and pushes the manifest; answers the commit. */
  bump(environment: string, sha: string, wish?: Wish): Promise<string>;
  /** The environment's services as AWS describes them. */
  services(environment: string): Promise<Readonly<Record<ServiceName, Service>>>;
  taskDefinition(arn: string | undefined): Promise<TaskDefinition>;
  /** What a browser gets behind the CDN. */
  page(environment: string, path?: string): Promise<string>;
  /** Where the API's load balancer listens. */
  url(environment: string): string;
  /** What the API's load balancer answers for `/version`. */
  version(environment: string): Promise<string>;
  /** Calls of the controller about the environment. */
  calls(environment: string): Promise<readonly Call[]>;
}

/** Pushes `application.yaml` and waits until what infrastructure code made runs. */
export async function openShop(
  account: Account,
  repository: Repository,
  application: string,
  options: ShopOptions = {},
): Promise<Shop> {
  const { environments = ["dev"], folder = application, services: names = SERVICES } = options;
  const path = (name: string): string => `${folder === "" ? "" : `${folder}/`}environments/${name}.yaml`;

  async function build(how: Build = {}): Promise<string> {
    const sha = await repository.push(`${application}: work`, {});
    await Promise.all([pushImages(account, application, sha, how), pushRelease(account, application, sha, how)]);
    return sha;
  }

  await createImageRepositories(account, application);
  await repository.push(`${application}: what it is made of`, {
    [path("application")]: applicationManifest(account, application, options),
  });
  const found = await build();
  const places = environments.map((environment) => ({ application, environment, sha: found }));
  await Promise.all(places.flatMap((place) => [createServices(account, place, names), createWeb(account, place)]));
  await Promise.all(places.map((place) => steady(account, clusterOf(place), names)));
  const endpoints = await account.endpoints();
  const cluster = (environment: string): string => clusterOf({ application, environment });
  const bucket = (environment: string): string => bucketOf({ application, environment });
  const api = (environment: string): string => endpoints.services[`${cluster(environment)}/api`] ?? "";
  const distribution = (environment: string): { readonly id: string; readonly url: string } => {
    const alias = aliasOf({ application, environment });
    const known = Object.entries(endpoints.distributions).find(([, { aliases }]) => aliases.includes(alias));
    return { id: known?.[0] ?? "", url: known?.[1].url ?? "" };
  };

  function manifest(environment: string, sha: string, { api: keys = {}, lines = [] }: Wish = {}): string {
    const health = `{ url: "${api(environment)}/version", version: $.sha, for: 300ms, timeout: 6s }`;
    const own = Object.entries({ health, ...keys }).map(([key, value]) => `    ${key}: ${value}`);
    return [`sha: ${sha}`, "services:", "  api:", ...own, ...lines, ""].join("\n");
  }

  async function ofEnvironment(environment: string): Promise<readonly Call[]> {
    const calls = await account.calls();
    const names = [cluster(environment), bucket(environment), distribution(environment).id];
    return calls.filter(({ input }) => names.some((name) => JSON.stringify(input).includes(name)));
  }

  return {
    application,
    found,
    repository,
    path,
    id: (environment) => `${application}/${environment}`,
    cluster,
    bucket,
    distribution: (environment) => distribution(environment).id,
    build,
    url: api,
    manifest,
    bump: (environment, sha, wish) => {
      const changes: Changes = { [path(environment)]: manifest(environment, sha, wish) };
      return repository.push(`${application}: ${environment} to ${sha.slice(0, 7)}`, changes);
    },
    async services(environment) {
      const { services = [] } = await account.ecs.send(
        new DescribeServicesCommand({ cluster: cluster(environment), services: [...names] }),
      );
      const found = (name: ServiceName): Service => services.find(({ serviceName }) => serviceName === name) ?? {};
      return { api: found("api"), worker: found("worker") };
    },
    async taskDefinition(arn) {
      const { taskDefinition } = await account.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
      if (taskDefinition === undefined) throw new Error(`no task definition ${String(arn)}`);
      return taskDefinition;
    },
    page: async (environment, at = "/") => (await fetch(`${distribution(environment).url}${at}`)).text(),
    version: async (environment) => (await fetch(`${api(environment)}/version`)).text(),
    calls: ofEnvironment,
  };
}

function applicationManifest({ id }: Account, application: string, options: ShopOptions): string {
  const { tag = "{sha}", lines = [], services = SERVICES } = options;
  const { migrate = "{ service: api, command: [node, migrate.mjs], timeout: 20s }" } = options;
  return `application: ${application}
aws: { region: eu-west-1, cluster: "${application}-{env}" }
image: ${id}.dkr.ecr.{region}.amazonaws.com/${application}/{service}:${tag}
services:
${services.map((name) => `  ${name}: { timeout: 30s }`).join("\n")}
${migrate === "false" ? "" : `migrate: ${migrate}`}
web:
  site:
    artifact: "s3://acme-artifacts/${application}-web/releases/{sha}/"
    bucket: "acme-${application}-web-{env}"
    domain: "{env}.${application}.acme.dev"
${lines.join("\n")}
`;
}
