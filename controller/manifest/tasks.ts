// `task:` files: JSON in RegisterTaskDefinition form, checked as far as AWS would refuse it by its shape.
import { positionOf, type Position } from "../core/merge.ts";
import type { ManifestFile } from "../ports.ts";
import { didYouMean } from "../core/nearest.ts";
import { problem, quoted, startOf, type Problem } from "./problem.ts";
import { textOf } from "./read.ts";
import { parseYaml } from "./yaml.ts";

export interface TaskFile {
  readonly path: string;
  /** Object id of the blob. */
  readonly id: string;
  /** Undefined when there is a problem. */
  readonly definition?: Readonly<Record<string, unknown>>;
  readonly containers: readonly string[];
  readonly problems: readonly Problem[];
}

/** What DescribeTaskDefinition adds: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html */
const SERVER_SET = [
  "taskDefinitionArn",
  "revision",
  "status",
  "requiresAttributes",
  "compatibilities",
  "registeredAt",
  "registeredBy",
  "deregisteredAt",
  "deleteRequestedAt",
];

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html */
const KNOWN = [
  "containerDefinitions",
  "cpu",
  "enableFaultInjection",
  "ephemeralStorage",
  "executionRoleArn",
  "family",
  "inferenceAccelerators",
  "ipcMode",
  "memory",
  "networkMode",
  "pidMode",
  "placementConstraints",
  "proxyConfiguration",
  "requiresCompatibilities",
  "runtimePlatform",
  "tags",
  "taskRoleArn",
  "volumes",
];

/** Total: what is wrong with the file comes as problems, and no value of it is ever shown. */
export function readTaskFile(file: ManifestFile): TaskFile {
  const text = textOf(file);
  if (typeof text !== "string") return broken(file, [text]);
  const locate = locator(file.path, text);
  const parsed = parsedJson(file.path, text);
  if (!("value" in parsed)) return broken(file, [parsed]);
  if (!isRecord(parsed.value)) return broken(file, [problem(locate([]), "a task definition is a JSON object")]);
  return check(file, parsed.value, locate);
}

function check(file: ManifestFile, written: Readonly<Record<string, unknown>>, locate: Locate): TaskFile {
  if (isRecord(written["taskDefinition"])) {
    const hint = "keep what stands in `taskDefinition`: RegisterTaskDefinition has no such key";
    return broken(file, [problem(locate(["taskDefinition"]), "this is the answer of DescribeTaskDefinition", hint)]);
  }
  const definition = Object.fromEntries(Object.entries(written).filter(([key]) => !SERVER_SET.includes(key)));
  const unknown = Object.keys(definition).filter((key) => !KNOWN.includes(key));
  const problems = unknown.map((key) => {
    const message = `unknown key ${quoted(key)} in a task definition${didYouMean(key, KNOWN)}`;
    return problem(locate([key]), message, "keys are those of RegisterTaskDefinition");
  });
  const { names, problems: found } = containers(definition["containerDefinitions"], locate);
  problems.push(...found);
  if (problems.length > 0) return broken(file, problems);
  return { path: file.path, id: file.id, definition, containers: names, problems };
}

function containers(
  value: unknown,
  locate: Locate,
): { readonly names: readonly string[]; readonly problems: readonly Problem[] } {
  const at = ["containerDefinitions"];
  if (!Array.isArray(value) || value.length === 0) {
    return { names: [], problems: [problem(locate(at), "containerDefinitions must be a list with a container")] };
  }
  const names: string[] = [];
  const problems: Problem[] = [];
  for (const [index, container] of value.entries()) {
    const here = [...at, String(index)];
    const name: unknown = isRecord(container) ? container["name"] : undefined;
    if (typeof name !== "string" || name === "") problems.push(problem(locate(here), "a container has no name"));
    else if (names.includes(name)) problems.push(problem(locate(here), `two containers are called ${quoted(name)}`));
    else names.push(name);
  }
  return { names, problems };
}

function broken(file: ManifestFile, problems: readonly Problem[]): TaskFile {
  return { path: file.path, id: file.id, containers: [], problems };
}

/** The value of a JSON text, or where it stops being one as far as that can be told. */
function parsedJson(file: string, text: string): { readonly value: unknown } | Problem {
  const json = text.replace(/^\uFEFF/, "");
  try {
    return { value: JSON.parse(json) };
  } catch (thrown) {
    return problem(
      brokenAt(file, json, thrown),
      "not valid JSON",
      "a task file is JSON in RegisterTaskDefinition form",
    );
  }
}

/** V8 names the offset of most mistakes, and YAML's parser, which reads JSON as well, finds some of the others. */
function brokenAt(file: string, json: string, thrown: unknown): Position {
  const offset = /at position (\d+)/.exec(thrown instanceof Error ? thrown.message : "")?.[1];
  if (offset === undefined) return parseYaml(file, json).problems[0] ?? startOf(file);
  const before = json.slice(0, Number(offset)).split("\n");
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

type Locate = (path: readonly string[]) => Position;

function locator(file: string, text: string): Locate {
  const { tree } = parseYaml(file, text);
  return (path) => (tree === undefined ? startOf(file) : positionOf(tree, path));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
