// One container of a task definition: the defaults AWS fills in, and what the sandbox needs of it to run it.

import { type Input, record, records, requiredText, text, texts } from "../members.ts";
import { refused } from "./errors.ts";
import type { ContainerDefinition } from "./model.ts";

const STOP_TIMEOUT_SECONDS = 30;

/** The container as it is read back. Fault: ClientException. */
export function containerDefaults(given: Input, networkMode: string | undefined): Input {
  const name = requiredText(given, "name");
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw refused(`Invalid container name: ${name}. Up to 255 letters, numbers, hyphens and underscores are allowed.`);
  if ((text(given, "image") ?? "") === "") throw refused(`Container.image should not be null or empty.`);
  const log = record(given, "logConfiguration");
  if (log !== undefined) checkLog(log, name);
  const healthCheck = record(given, "healthCheck");
  return {
    cpu: 0,
    essential: true,
    mountPoints: [],
    volumesFrom: [],
    systemControls: [],
    ...given,
    environment: records(given, "environment") ?? [],
    portMappings: (records(given, "portMappings") ?? []).map((mapping) => portDefaults(mapping, networkMode)),
    ...(healthCheck === undefined ? {} : { healthCheck: { interval: 30, timeout: 5, retries: 3, ...healthCheck } }),
  };
}

function portDefaults(mapping: Input, networkMode: string | undefined): Input {
  const containerPort = mapping["containerPort"];
  const hostPort = mapping["hostPort"];
  if (networkMode === "awsvpc" && hostPort !== undefined && hostPort !== 0 && hostPort !== containerPort) {
    throw refused("When networkMode=awsvpc, the host ports and container ports in port mappings must match.");
  }
  const filled = networkMode === "awsvpc" ? containerPort : (hostPort ?? 0);
  return { protocol: "tcp", ...mapping, hostPort: filled };
}

function checkLog(log: Input, name: string): void {
  if (log["logDriver"] !== "awslogs") return;
  const options = record(log, "options") ?? {};
  for (const option of ["awslogs-group", "awslogs-region"]) {
    if (typeof options[option] !== "string")
      throw refused(`Log driver awslogs requires options: ${option} (container '${name}')`);
  }
}

/** A container as the sandbox runs it, from the definition with its defaults. */
export function readContainer(content: Input): ContainerDefinition {
  const mapping = (records(content, "portMappings") ?? [])[0];
  const containerPort = mapping?.["containerPort"];
  return {
    name: requiredText(content, "name"),
    image: requiredText(content, "image"),
    essential: content["essential"] !== false,
    entryPoint: texts(content, "entryPoint"),
    command: texts(content, "command") ?? [],
    environment: pairs(content, "environment", "value"),
    secrets: pairs(content, "secrets", "valueFrom"),
    port: typeof containerPort === "number" ? containerPort : undefined,
    hasHealthCheck: record(content, "healthCheck") !== undefined,
    stopTimeoutMs: (numberOf(content["stopTimeout"]) ?? STOP_TIMEOUT_SECONDS) * 1000,
    pinsDigest: content["versionConsistency"] !== "disabled",
    log: logOf(record(content, "logConfiguration")),
    cpu: numberOf(content["cpu"]) ?? 0,
    memory: numberOf(content["memory"]),
  };
}

/** A list of `{name, …}` as one record; of a name given twice the last one wins. */
export function pairs(content: Input, member: string, value: string): Readonly<Record<string, string>> {
  const list = records(content, member) ?? [];
  return Object.fromEntries(list.map((pair) => [requiredText(pair, "name"), text(pair, value) ?? ""]));
}

function logOf(log: Input | undefined): ContainerDefinition["log"] {
  const options = log === undefined ? undefined : record(log, "options");
  if (options === undefined || log?.["logDriver"] !== "awslogs") return undefined;
  return {
    group: requiredText(options, "awslogs-group"),
    region: requiredText(options, "awslogs-region"),
    prefix: text(options, "awslogs-stream-prefix"),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
