// What RegisterTaskDefinition checks, and the defaults it fills in.

import { type Input, records, requiredText, text, texts } from "../members.ts";
import { containerDefaults } from "./container-definitions.ts";
import { invalid, refused } from "./errors.ts";
import { CONTAINERS_PER_TASK_DEFINITION, TASK_DEFINITION_BYTES } from "./limits.ts";

/**
 * The task definition as AWS reads it back, less what its registration adds (ARN, revision, status, times).
 * Faults: ClientException, InvalidParameterException.
 */
export function taskDefinitionContent(input: Input): Input {
  const { tags: _tags, ...given } = input;
  const bytes = Buffer.byteLength(JSON.stringify(given), "utf8");
  if (bytes > TASK_DEFINITION_BYTES)
    throw refused(`Actual length: '${bytes}'. Max allowed length is '${TASK_DEFINITION_BYTES}' bytes.`);
  const family = requiredText(input, "family");
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(family))
    throw refused("Family should be of form [a-zA-Z0-9_-]{1,255} and must not exceed 255 characters.");
  const networkMode = text(input, "networkMode");
  const cpu = normalCpu(text(input, "cpu"));
  const memory = normalMemory(text(input, "memory"));
  const compatibilities = compatibilitiesOf(input, networkMode, cpu, memory);
  const containers = containersOf(input, networkMode, memory);
  return dropAbsent({
    volumes: [],
    placementConstraints: [],
    ...given,
    family,
    containerDefinitions: containers,
    cpu,
    memory,
    compatibilities,
    requiresAttributes: requiresAttributes(containers, networkMode),
  });
}

function containersOf(input: Input, networkMode: string | undefined, memory: string | undefined): readonly Input[] {
  const given = records(input, "containerDefinitions") ?? [];
  if (given.length === 0) throw refused("Container list cannot be empty.");
  if (given.length > CONTAINERS_PER_TASK_DEFINITION)
    throw refused(`Task definition has more than ${CONTAINERS_PER_TASK_DEFINITION} containers.`);
  const containers = given.map((container) => containerDefaults(container, networkMode));
  const names = containers.map((container) => text(container, "name"));
  if (new Set(names).size !== names.length) throw refused("Container names must be unique within a task definition.");
  if (!containers.some((container) => container["essential"] === true))
    throw refused("Invalid container definitions: at least one container must be essential.");
  for (const container of containers) {
    if (memory === undefined && container["memory"] === undefined && container["memoryReservation"] === undefined) {
      const name = String(container["name"]);
      throw refused(
        `Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`,
      );
    }
  }
  return containers;
}

/** Fargate wants awsvpc and one of its sizes; https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html */
function compatibilitiesOf(
  input: Input,
  networkMode: string | undefined,
  cpu: string | undefined,
  memory: string | undefined,
): readonly string[] {
  const isFargateSize = cpu !== undefined && memory !== undefined && fargateSize(Number(cpu), Number(memory));
  const required = texts(input, "requiresCompatibilities") ?? [];
  if (required.includes("FARGATE")) {
    if (networkMode !== "awsvpc") throw refused("Fargate only supports network mode ‘awsvpc’.");
    if (cpu === undefined || memory === undefined)
      throw refused("Fargate requires that 'cpu' and 'memory' be defined at the task level.");
    if (!isFargateSize)
      throw refused(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`);
  }
  return networkMode === "awsvpc" && isFargateSize ? ["EC2", "FARGATE"] : ["EC2"];
}

/** CPU units to the least and most memory in MiB, and its step. */
const FARGATE_SIZES: Readonly<Record<number, readonly [least: number, most: number, step: number]>> = {
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
};

function fargateSize(cpu: number, memory: number): boolean {
  if (cpu === 256) return memory === 512 || memory === 1024 || memory === 2048;
  const size = FARGATE_SIZES[cpu];
  if (size === undefined) return false;
  const [least, most, step] = size;
  return memory >= least && memory <= most && memory % step === 0;
}

/** "1 vCPU" and "1024" are both read back as "1024". */
function normalCpu(cpu: string | undefined): string | undefined {
  if (cpu === undefined || /^\d+$/.test(cpu)) return cpu;
  const [, amount] = /^(\d*\.?\d+)\s*vcpu$/i.exec(cpu.trim()) ?? [];
  if (amount === undefined) throw refused(`Invalid 'cpu' setting for task: ${cpu}`);
  return String(Math.round(Number(amount) * 1024));
}

/** "2GB" and "2048" are both read back as "2048". */
function normalMemory(memory: string | undefined): string | undefined {
  if (memory === undefined || /^\d+$/.test(memory)) return memory;
  const [, amount] = /^(\d*\.?\d+)\s*gb$/i.exec(memory.trim()) ?? [];
  if (amount === undefined) throw refused(`Invalid 'memory' setting for task: ${memory}`);
  return String(Math.round(Number(amount) * 1024));
}

function requiresAttributes(containers: readonly Input[], networkMode: string | undefined): readonly Input[] {
  const names = [
    ...(networkMode === "awsvpc" ? ["ecs.capability.task-eni"] : []),
    ...(containers.some(({ logConfiguration }) => logConfiguration !== undefined)
      ? ["com.amazonaws.ecs.capability.logging-driver.awslogs"]
      : []),
    "com.amazonaws.ecs.capability.docker-remote-api.1.18",
  ];
  return names.map((name) => ({ name }));
}

function dropAbsent(value: Input): Input {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && member !== null));
}

/** Fault: InvalidParameterException for a network mode ECS does not know. */
export function checkNetworkMode(input: Input): void {
  const mode = text(input, "networkMode");
  if (mode !== undefined && !["bridge", "host", "awsvpc", "none"].includes(mode))
    throw invalid(`Invalid network mode: ${mode}`);
}
