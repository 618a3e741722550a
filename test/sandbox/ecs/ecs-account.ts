// An ECS account for a test: real SDK clients, a clock that is moved by hand, and containers that follow a script.

import { createHash } from "node:crypto";
import { ApplicationAutoScalingClient } from "@aws-sdk/client-application-auto-scaling";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  type CreateServiceCommandInput,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  type Service,
  type Task,
} from "@aws-sdk/client-ecs";
import type { ResolveImage } from "../../../sandbox/api.ts";
import { createChance } from "../../../sandbox/chance.ts";
import { createSteppedClock, type SteppedClock } from "../../../sandbox/clock.ts";
import { createAutoScaling } from "../../../sandbox/ecs/auto-scaling.ts";
import type { Delays } from "../../../sandbox/ecs/delays.ts";
import { createScriptRunner, type ScriptRunner } from "../../../sandbox/ecs/runner-script.ts";
import type { ScriptRule } from "../../../sandbox/ecs/script-rules.ts";
import { createEcs, type Ecs } from "../../../sandbox/ecs/service.ts";
import { openAccount } from "../account.ts";

export const SECOND_MS = 1000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

export const NETWORK = { awsvpcConfiguration: { subnets: ["subnet-1"] } };

export interface EcsAccount {
  readonly client: ECSClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly clock: SteppedClock;
  readonly runner: ScriptRunner;
  readonly ecs: Ecs;
  readonly logged: { readonly group: string; readonly stream: string; readonly line: string }[];
  /** Moves an image's tag: what it resolves to from now on. Undefined = not in the registry. */
  retag(image: string, content: string | undefined): void;
  advance(byMs: number): void;
}

interface Options {
  readonly rules?: readonly ScriptRule[];
  readonly delays?: Partial<Delays>;
  readonly resolveSecret?: (valueFrom: string) => string | undefined;
}

/** An account with the cluster `main`. Images resolve, whatever they are called, unless their name contains "missing". */
export async function openEcs(options: Options = {}): Promise<EcsAccount> {
  const clock = createSteppedClock();
  const chance = createChance(7);
  const runner = createScriptRunner(clock, options.rules ?? []);
  const logged: EcsAccount["logged"] = [];
  const tags = new Map<string, string | undefined>();
  const resolveImage: ResolveImage = (image) => {
    if (image.includes("missing") || (tags.has(image) && tags.get(image) === undefined)) return undefined;
    const [, digest] = image.split("@");
    return { digest: digest ?? digestOf(tags.get(image) ?? image), annotations: {} };
  };
  const ecs = createEcs({
    clock,
    chance,
    runner,
    resolveImage,
    writeLog: ({ group, stream }, line) => void logged.push({ group, stream, line }),
    account: "111122223333",
    region: "eu-central-1",
    ...(options.delays === undefined ? {} : { delays: options.delays }),
    ...(options.resolveSecret === undefined ? {} : { resolveSecret: options.resolveSecret }),
  });
  const services = [ecs, createAutoScaling({ clock, chance, ecs })];
  const { config } = openAccount({ clock, services });
  const client = new ECSClient(config);
  await client.send(new CreateClusterCommand({ clusterName: "main" }));
  return {
    client,
    scaling: new ApplicationAutoScalingClient(config),
    clock,
    runner,
    ecs,
    logged,
    retag: (image, content) => void tags.set(image, content),
    advance: (byMs) => clock.advanceTo(clock.now() + byMs),
  };
}

export function digestOf(content: string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Registers a Fargate task definition with one container of this image; answers its ARN. */
export async function register(
  { client }: EcsAccount,
  family: string,
  image: string,
  changes: Partial<RegisterTaskDefinitionCommandInput> = {},
): Promise<string> {
  const { taskDefinition } = await client.send(
    new RegisterTaskDefinitionCommand({
      family,
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "256",
      memory: "512",
      containerDefinitions: [{ name: family, image, portMappings: [{ containerPort: 8080 }] }],
      ...changes,
    }),
  );
  return present(taskDefinition?.taskDefinitionArn);
}

/** A one-off's containers: without ports. */
export function job(image: string, name = "migrate"): Partial<RegisterTaskDefinitionCommandInput> {
  return { containerDefinitions: [{ name, image }] };
}

/** A service `api` with this task definition, rolled out. */
export async function createApi(
  account: EcsAccount,
  taskDefinition: string,
  changes: Partial<CreateServiceCommandInput> = {},
): Promise<Service> {
  await account.client.send(
    new CreateServiceCommand({
      cluster: "main",
      serviceName: "api",
      taskDefinition,
      desiredCount: 2,
      launchType: "FARGATE",
      networkConfiguration: NETWORK,
      ...changes,
    }),
  );
  account.advance(MINUTE_MS);
  return describeApi(account);
}

export async function describeApi({ client }: EcsAccount): Promise<Service> {
  const { services } = await client.send(
    new DescribeServicesCommand({ cluster: "main", services: ["api"], include: ["TAGS"] }),
  );
  return present(services?.[0]);
}

export async function describeTask({ client }: EcsAccount, taskArn: string): Promise<Task> {
  const { tasks } = await client.send(
    new DescribeTasksCommand({ cluster: "main", tasks: [taskArn], include: ["TAGS"] }),
  );
  return present(tasks?.[0]);
}

/** What a test relies on being there. */
export function present<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("the answer lacks what the test needs");
  return value;
}
