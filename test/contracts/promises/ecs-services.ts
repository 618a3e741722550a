// ECS services: what is missing, how many are asked at once, and what a change of version does.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
import {
  CreateServiceCommand,
  DescribeServicesCommand,
  ListServiceDeploymentsCommand,
  ListServicesCommand,
  type Service,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { type Account, failure, present } from "../account.ts";
import type { Contract } from "../contract.ts";
import { cluster, register } from "./ecs-tasks.ts";

interface Deployed {
  readonly cluster: string;
  readonly service: string;
  readonly family: string;
}

/** A service without network settings of a real account, so on EC2 as far as moto is concerned; nothing needs to run. */
async function deployed(account: Account, name = "api"): Promise<Deployed> {
  const [inCluster, family] = [await cluster(account), account.fresh("family")];
  await define(account, family);
  const input = { cluster: inCluster, serviceName: name, taskDefinition: family, desiredCount: 0 };
  await account.ecs.send(new CreateServiceCommand(input));
  return { cluster: inCluster, service: name, family };
}

async function define(account: Account, family: string): Promise<void> {
  await register(account, family, { networkMode: "bridge", requiresCompatibilities: ["EC2"] });
}

async function describe({ ecs }: Account, { cluster: inCluster, service }: Deployed): Promise<Service> {
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster: inCluster, services: [service] }));
  return present(services?.[0]);
}

const revision = (arn = ""): string => arn.slice(arn.lastIndexOf(":") + 1);

export const ECS_SERVICES: readonly Contract[] = [
  {
    name: "a missing service is MISSING in a 200",
    async observe(account) {
      const input = { cluster: await cluster(account), services: ["none"] };
      const { services, failures } = await account.ecs.send(new DescribeServicesCommand(input));
      return [services, failures?.map(({ reason }) => reason)];
    },
    promised: [[], ["MISSING"]],
  },
  {
    name: "a missing cluster is ClusterNotFound, not MISSING",
    observe: ({ ecs }) => failure(ecs.send(new DescribeServicesCommand({ cluster: "contract-none", services: ["a"] }))),
    promised: "400 ClusterNotFoundException",
  },
  {
    name: "at most 10 services are described at once",
    async observe(account) {
      const services = Array.from({ length: 11 }, (_, index) => `service-${index}`);
      return failure(account.ecs.send(new DescribeServicesCommand({ cluster: await cluster(account), services })));
    },
    promised: "400 InvalidParameterException",
    moto: {
      says: "no error",
      evidence:
        '"You may specify up to 10 services to describe in a single operation" (API_DescribeServices); moto does not count them.',
    },
  },
  {
    name: "a service names its task definition by its full ARN, whatever was sent",
    async observe(account) {
      const { taskDefinition } = await describe(account, await deployed(account));
      return /^arn:aws:ecs:eu-west-1:\d{12}:task-definition\/[\w-]+:1$/.test(taskDefinition ?? "");
    },
    promised: true,
  },
  {
    name: "UpdateService of a missing service is ServiceNotFound",
    async observe(account) {
      const input = { cluster: await cluster(account), service: "none", desiredCount: 1 };
      return failure(account.ecs.send(new UpdateServiceCommand(input)));
    },
    promised: "400 ServiceNotFoundException",
  },
  {
    name: "another task definition is a deployment of its own: the PRIMARY one has it",
    async observe(account) {
      const api = await deployed(account);
      await define(account, api.family);
      const { cluster: inCluster, service, family } = api;
      await account.ecs.send(new UpdateServiceCommand({ cluster: inCluster, service, taskDefinition: `${family}:2` }));
      const { deployments = [] } = await describe(account, api);
      return revision(deployments.find(({ status }) => status === "PRIMARY")?.taskDefinition);
    },
    promised: "2",
    moto: {
      says: "1",
      evidence:
        "A new deployment has the task definition it was given (API_UpdateService); moto leaves deployments[] untouched (moto/ecs/models.py, update_service).",
    },
  },
  {
    name: "after an update the service names the new revision by its full ARN",
    async observe(account) {
      const api = await deployed(account);
      await define(account, api.family);
      const { cluster: inCluster, service, family } = api;
      await account.ecs.send(new UpdateServiceCommand({ cluster: inCluster, service, taskDefinition: `${family}:2` }));
      const { taskDefinition = "" } = await describe(account, api);
      return [taskDefinition.startsWith("arn:aws:ecs:"), revision(taskDefinition)];
    },
    promised: [true, "2"],
    moto: {
      says: [false, "2"],
      evidence: "Service.taskDefinition (API_Service) is resolved; moto stores the text as it was sent.",
    },
  },
  {
    name: "a changed count is no deployment",
    async observe(account) {
      const api = await deployed(account);
      const before = (await describe(account, api)).deployments?.[0]?.id;
      await account.ecs.send(new UpdateServiceCommand({ cluster: api.cluster, service: "api", desiredCount: 0 }));
      const { deployments = [] } = await describe(account, api);
      return [deployments.length, deployments[0]?.id === present(before)];
    },
    promised: [1, true],
  },
  {
    name: "forceNewDeployment is a deployment of its own, also of the same version",
    async observe(account) {
      const api = await deployed(account);
      const before = (await describe(account, api)).deployments?.[0]?.id;
      const input = { cluster: api.cluster, service: "api", forceNewDeployment: true };
      await account.ecs.send(new UpdateServiceCommand(input));
      const { deployments = [] } = await describe(account, api);
      return deployments.find(({ status }) => status === "PRIMARY")?.id === present(before);
    },
    promised: false,
  },
  {
    name: "deployment settings are read back as they were set",
    async observe(account) {
      const api = await deployed(account);
      const deploymentConfiguration = { maximumPercent: 150, minimumHealthyPercent: 50 };
      const input = { cluster: api.cluster, service: "api", deploymentConfiguration };
      await account.ecs.send(new UpdateServiceCommand(input));
      const { maximumPercent, minimumHealthyPercent } = present((await describe(account, api)).deploymentConfiguration);
      return { maximumPercent, minimumHealthyPercent };
    },
    promised: { maximumPercent: 150, minimumHealthyPercent: 50 },
  },
  {
    name: "the deployments of a service can be listed",
    async observe(account) {
      const input = { cluster: (await deployed(account)).cluster, service: "api" };
      return failure(account.ecs.send(new ListServiceDeploymentsCommand(input)));
    },
    promised: "no error",
    moto: {
      says: "500 SyntaxError",
      evidence: "API_ListServiceDeployments; moto has not implemented it and answers a page in HTML.",
    },
  },
  {
    name: "ListServices comes in pages of what was asked, 10 unless told",
    async observe(account) {
      const [inCluster, family] = [await cluster(account), account.fresh("family")];
      await define(account, family);
      for (let index = 0; index < 11; index += 1) {
        const input = { cluster: inCluster, serviceName: `s${index}`, taskDefinition: family, desiredCount: 0 };
        await account.ecs.send(new CreateServiceCommand(input));
      }
      const page = await account.ecs.send(new ListServicesCommand({ cluster: inCluster }));
      return [page.serviceArns?.length, typeof page.nextToken];
    },
    promised: [10, "string"],
    moto: {
      says: [11, "undefined"],
      evidence:
        'Without maxResults "ListServices returns up to 10 results and a nextToken value" (API_ListServices); moto has no pages.',
    },
  },
];
