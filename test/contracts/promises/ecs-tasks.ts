// ECS task definitions and tasks: revisions, what AWS fills in, client tokens, and how a task is told.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
import {
  CreateClusterCommand,
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  type RunTaskCommandInput,
  StopTaskCommand,
} from "@aws-sdk/client-ecs";
import { type Account, failure, present } from "../account.ts";
import type { Contract } from "../contract.ts";

export async function cluster({ ecs, fresh }: Account): Promise<string> {
  const clusterName = fresh("contract-cluster");
  await ecs.send(new CreateClusterCommand({ clusterName }));
  return clusterName;
}

/** A task definition for Fargate; its memory stands at the container as well, because moto cannot do without. */
export async function register(
  { ecs }: Account,
  family: string,
  more: Partial<RegisterTaskDefinitionCommandInput> = {},
) {
  const { taskDefinition } = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "256",
      memory: "512",
      containerDefinitions: [{ name: "app", image: "app:1", memory: 512, portMappings: [{ containerPort: 8080 }] }],
      ...more,
    }),
  );
  return present(taskDefinition);
}

/** `family:3`. */
const short = (arn = ""): string => arn.slice(arn.lastIndexOf("/") + 1);

async function run(account: Account, input: Partial<RunTaskCommandInput> & { readonly cluster: string }) {
  const family = account.fresh("family");
  await register(account, family);
  return runAgain(account, { taskDefinition: family, ...input });
}

async function runAgain(account: Account, input: Partial<RunTaskCommandInput>) {
  const { taskDefinition = "", ...more } = input;
  const networkConfiguration = { awsvpcConfiguration: await account.network() };
  return account.ecs.send(new RunTaskCommand({ taskDefinition, launchType: "FARGATE", networkConfiguration, ...more }));
}

export const ECS_TASKS: readonly Contract[] = [
  {
    name: "every registration is a new revision, also of equal content",
    async observe(account) {
      const family = account.fresh("family");
      return [(await register(account, family)).revision, (await register(account, family)).revision];
    },
    promised: [1, 2],
  },
  {
    name: "a registered container has essential, cpu and empty lists filled in",
    async observe(account) {
      const { containerDefinitions: [container] = [] } = await register(account, account.fresh("family"));
      const { essential, cpu, environment, mountPoints, volumesFrom } = present(container);
      return { essential, cpu, environment, mountPoints, volumesFrom };
    },
    promised: { essential: true, cpu: 0, environment: [], mountPoints: [], volumesFrom: [] },
  },
  {
    name: "a mapped port has its protocol and, under awsvpc, its host port filled in",
    async observe(account) {
      const { containerDefinitions: [container] = [] } = await register(account, account.fresh("family"));
      return container?.portMappings;
    },
    promised: [{ containerPort: 8080, hostPort: 8080, protocol: "tcp" }],
    moto: {
      says: [{ containerPort: 8080 }],
      evidence:
        "PortMapping: the default protocol is tcp; under awsvpc hostPort is the containerPort (API_PortMapping); moto fills in neither.",
    },
  },
  {
    name: "a registered task definition says when it was registered",
    async observe(account) {
      return (await register(account, account.fresh("family"))).registeredAt instanceof Date;
    },
    promised: true,
    moto: {
      says: false,
      evidence: "TaskDefinition.registeredAt (API_TaskDefinition); moto has no such member.",
    },
  },
  {
    name: "a family alone means its newest revision; family:revision means that one",
    async observe(account) {
      const family = account.fresh("family");
      await register(account, family);
      await register(account, family);
      const ask = async (taskDefinition: string) =>
        (await account.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }))).taskDefinition?.revision;
      return [await ask(family), await ask(`${family}:1`)];
    },
    promised: [2, 1],
  },
  {
    name: "tags of a task definition come only when they are asked for",
    async observe(account) {
      const family = account.fresh("family");
      await register(account, family, { tags: [{ key: "sha", value: "9f2c1ab" }] });
      const plain = await account.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: family }));
      const tagged = await account.ecs.send(
        new DescribeTaskDefinitionCommand({ taskDefinition: family, include: ["TAGS"] }),
      );
      return [plain.tags ?? [], tagged.tags];
    },
    promised: [[], [{ key: "sha", value: "9f2c1ab" }]],
  },
  {
    name: "an unknown task definition is a ClientException",
    observe: ({ ecs }) => failure(ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: "contract-none" }))),
    promised: "400 ClientException",
  },
  {
    name: "a deregistered revision is INACTIVE and still described",
    async observe(account) {
      const family = account.fresh("family");
      await register(account, family);
      const taskDefinition = `${family}:1`;
      await account.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
      return (await account.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }))).taskDefinition?.status;
    },
    promised: "INACTIVE",
  },
  {
    name: "ListTaskDefinitions lists the revisions of one family in order, and newest first when asked",
    async observe(account) {
      const family = account.fresh("family");
      for (let revision = 1; revision <= 3; revision += 1) await register(account, family);
      const list = async (sort: "ASC" | "DESC") => {
        const answer = await account.ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: family, sort }));
        return answer.taskDefinitionArns?.map((arn) => short(arn).split(":")[1]);
      };
      return [await list("ASC"), await list("DESC")];
    },
    promised: [
      ["1", "2", "3"],
      ["3", "2", "1"],
    ],
    moto: {
      says: [
        ["1", "2", "3"],
        ["1", "2", "3"],
      ],
      evidence: "sort DESC lists the newest first (API_ListTaskDefinitions); moto does not read it.",
    },
  },
  {
    name: "ListTaskDefinitions comes in pages of what was asked",
    async observe(account) {
      const family = account.fresh("family");
      for (let revision = 1; revision <= 3; revision += 1) await register(account, family);
      const input = { familyPrefix: family, maxResults: 2 };
      const first = await account.ecs.send(new ListTaskDefinitionsCommand(input));
      const { nextToken = "none" } = first;
      const second =
        first.nextToken === undefined
          ? undefined
          : await account.ecs.send(new ListTaskDefinitionsCommand({ ...input, nextToken }));
      return [first, second].map((page) => page?.taskDefinitionArns?.length);
    },
    promised: [2, 1],
    moto: {
      says: [3, undefined],
      evidence: "maxResults and nextToken (API_ListTaskDefinitions); moto has no pages.",
    },
  },
  {
    name: "a cluster that exists is created again as it is; a missing one is MISSING in a 200",
    async observe(account) {
      const name = await cluster(account);
      const again = await account.ecs.send(new CreateClusterCommand({ clusterName: name }));
      const { failures = [] } = await account.ecs.send(new DescribeClustersCommand({ clusters: ["contract-none"] }));
      return [again.cluster?.clusterName === name, failures.map(({ reason }) => reason)];
    },
    promised: [true, ["MISSING"]],
  },
  {
    name: "RunTask in a missing cluster is ClusterNotFound",
    observe: (account) => failure(run(account, { cluster: "contract-none" })),
    promised: "400 ClusterNotFoundException",
  },
  {
    name: "RunTask with the same client token and parameters answers the task it began",
    async observe(account) {
      const input = { cluster: await cluster(account), clientToken: account.fresh("token") };
      const { tasks: [first] = [] } = await run(account, input);
      const [taskDefinition = ""] = short(first?.taskDefinitionArn).split(":");
      const { tasks: [second] = [] } = await runAgain(account, { ...input, taskDefinition });
      return second?.taskArn === present(first?.taskArn);
    },
    promised: true,
    moto: {
      says: false,
      evidence:
        "The same token and parameters answer the result of the original request (ECS_Idempotency); moto never reads clientToken and starts another task.",
    },
  },
  {
    name: "RunTask with the same client token and other parameters is a ConflictException",
    async observe(account) {
      const input = { cluster: await cluster(account), clientToken: account.fresh("token") };
      await run(account, input);
      return failure(run(account, input));
    },
    promised: "400 ConflictException",
    moto: {
      says: "no error",
      evidence:
        "The same token with other parameters is a ConflictException (ECS_Idempotency); moto never reads clientToken.",
    },
  },
  {
    name: "a task that was just started has no exit code",
    async observe(account) {
      const { tasks: [task] = [] } = await run(account, { cluster: await cluster(account) });
      return task?.containers?.map(({ exitCode }) => exitCode);
    },
    promised: [undefined],
    moto: {
      says: [0],
      evidence:
        "Container.exitCode is there once the container has stopped (API_Container); moto answers 0 from the first second (moto/ecs/models.py, Task).",
    },
  },
  {
    name: "DescribeTasks tells a missing task in failures of a 200",
    async observe(account) {
      const input = { cluster: await cluster(account), tasks: ["0123456789abcdef0123456789abcdef"] };
      const { tasks, failures } = await account.ecs.send(new DescribeTasksCommand(input));
      return [tasks, failures?.map(({ reason }) => reason)];
    },
    promised: [[], ["MISSING"]],
    moto: {
      says: [[], []],
      evidence:
        "Failure reasons name MISSING for DescribeTasks (ECS user guide, api_failures_messages); moto leaves failures empty.",
    },
  },
  {
    name: "StopTask of a task that is not there is refused as invalid",
    async observe(account) {
      const input = { cluster: await cluster(account), task: "0123456789abcdef0123456789abcdef" };
      return failure(account.ecs.send(new StopTaskCommand(input)));
    },
    promised: "400 InvalidParameterException",
    moto: {
      says: "500 SyntaxError",
      evidence:
        "StopTask has InvalidParameterException (API_StopTask); moto raises a plain Exception, which is a page in HTML with status 500.",
    },
  },
  {
    name: "ListTasks finds a task by who started it",
    async observe(account) {
      const name = await cluster(account);
      const { tasks: [task] = [] } = await run(account, { cluster: name, startedBy: "lockstep/9f2c1ab" });
      await run(account, { cluster: name, startedBy: "somebody" });
      const { taskArns } = await account.ecs.send(
        new ListTasksCommand({ cluster: name, startedBy: "lockstep/9f2c1ab" }),
      );
      return taskArns?.length === 1 && taskArns[0] === task?.taskArn;
    },
    promised: true,
  },
];
