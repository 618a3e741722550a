// A configuration folder → its environments, each a value or the reasons why not; one bad file never stops its siblings.
import { ApplicationName, type Digest, type EnvironmentName } from "../core/brand.ts";
import type { Environment, Revision } from "../core/environment.ts";
import { digestOf } from "../core/fingerprint.ts";
import { merge, nodeAt, origins, plain, type Mapping, type Position } from "../core/merge.ts";
import type { Signer } from "../core/signer.ts";
import { holds } from "../core/template.ts";
import type { ManifestFile, ManifestFolder } from "../ports.ts";
import { environmentOf, regionOf, type Binding } from "./build.ts";
import { createDraft, type Draft, type MergedManifest } from "./draft.ts";
import { pipelineOf, type Ranks } from "./pipeline.ts";
import { isError, problem, startOf, tidy, withExcerpts, type Problem } from "./problem.ts";
import { readManifestFile } from "./read.ts";
import { taskPath } from "./services.ts";
import type { Expand } from "./shas.ts";
import { signerProblems, signersOf } from "./signers.ts";
import { released } from "./support.ts";
import { nameOf, sorted } from "./sort.ts";
import { readTaskFile, type TaskFile } from "./tasks.ts";

export interface FolderContext {
  /** Where the folder was read. */
  readonly revision: Omit<Revision, "folder">;
  readonly expand: Expand;
  /** Files named by manifests, by path from the root; missing ones are left out. Asked once per folder. */
  files(paths: readonly string[]): Promise<readonly ManifestFile[]>;
  /** What the operator lets an environment reach (operator.ts). */
  place(environment: string, application: string): Binding | { readonly refused: string };
}

export interface FolderReading {
  /** Undefined when application.yaml does not say it. */
  readonly application?: ApplicationName;
  readonly environments: readonly EnvironmentReading[];
  /** `verify.commits`: undefined = none are asked for; `unreadable` = application.yaml does not say. */
  readonly signers?: readonly Signer[] | "unreadable";
  /** What concerns the whole folder: application.yaml, and files that are no manifests. Warnings stop nothing. */
  readonly problems: readonly Problem[];
}

export interface EnvironmentReading {
  readonly name: EnvironmentName;
  /** Path of its file. */
  readonly file: string;
  /** Hash over path and object id of every file that determines it. */
  readonly content: string;
  /** Undefined when a problem of severity error stands in `problems`. */
  readonly environment?: Environment;
  readonly problems: readonly Problem[];
  /** The merged manifest with the place each value came from; undefined when a file could not be read. */
  readonly merged?: { readonly manifest: unknown; readonly origins: ReadonlyMap<string, Position> };
}

/** Total but for faults of `files`. */
export async function readFolder(folder: ManifestFolder, context: FolderContext): Promise<FolderReading> {
  const texts = new Map(folder.files.flatMap(({ path, text }) => (text === undefined ? [] : [[path, text] as const])));
  const tidied = (problems: readonly Problem[]): readonly Problem[] => withExcerpts(tidy(problems), texts);
  const { application: applicationFile, environments: files, problems: strays } = sorted(folder);
  if (applicationFile === undefined) {
    const file =
      folder.folder === "" ? "environments/application.yaml" : `${folder.folder}/environments/application.yaml`;
    const problems = tidied([...strays, problem(startOf(file), "application.yaml is missing")]);
    return { ...broken(files, problems, undefined), signers: "unreadable" };
  }
  const read = readManifestFile("application", applicationFile);
  const pipeline = read.manifest === undefined ? undefined : pipelineOf(read.manifest, files.map(nameOf));
  const unsignable = read.raw === undefined ? [] : signerProblems(read.raw);
  const found = [...read.problems, ...(pipeline?.problems ?? []), ...unsignable];
  const problems = tidied([...strays, ...found]);
  const application = applicationName(read.raw);
  const listed = signersOf(read);
  const signers = listed === undefined ? {} : { signers: listed };
  if (read.manifest === undefined || pipeline === undefined || application === undefined || found.some(isError)) {
    return { ...broken(files, problems, application, applicationFile), ...signers };
  }
  const base = { manifest: read.manifest, application, file: applicationFile, ranks: pipeline.ranks };
  const sketches: Sketch[] = [];
  const breathe = createBreath();
  for (const file of files) {
    sketches.push(sketch(file, base, context));
    await breathe();
  }
  const tasks = await taskFiles(sketches, folder.folder, context);
  const shared = sharedDigest(base.manifest, folder.folder, tasks);
  const environments: EnvironmentReading[] = [];
  for (const each of sketches) {
    const reading = await settle(each, { base, tasks, shared, folder: folder.folder, context });
    environments.push({ ...reading, problems: tidied(reading.problems) });
  }
  return { application, environments, problems, ...signers };
}

/** Every problem of a folder, each said once. */
export function problemsOf(reading: FolderReading): readonly Problem[] {
  return tidy([...reading.problems, ...reading.environments.flatMap(({ problems }) => problems)]);
}

function applicationName(raw: Mapping | undefined): ApplicationName | undefined {
  const name = raw === undefined ? undefined : nodeAt(raw, ["application"]);
  const text = name?.kind === "scalar" ? String(name.value) : "";
  return ApplicationName.is(text) ? text : undefined;
}

/** No environment of a folder can be read without its application.yaml. */
function broken(
  files: readonly ManifestFile[],
  problems: readonly Problem[],
  application: ApplicationName | undefined,
  applicationFile?: ManifestFile,
): FolderReading {
  const first = problems.find((each) => isError(each) && each.file.endsWith("/application.yaml"));
  const at = first ?? startOf("environments/application.yaml");
  const why = problem(at, `application.yaml is broken: ${first?.message ?? "it cannot be read"}`, first?.hint);
  const environments = files.map((file) => ({
    name: nameOf(file),
    file: file.path,
    content: contentOf([file, ...(applicationFile === undefined ? [] : [applicationFile])]),
    problems: [why],
  }));
  return { ...(application === undefined ? {} : { application }), environments, problems };
}

interface Base {
  readonly manifest: Mapping;
  readonly application: ApplicationName;
  readonly file: ManifestFile;
  readonly ranks: Ranks;
}

/** Reading many large files must not keep leases, answers and other environments waiting: in between, they get a turn. */
function createBreath(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
  };
}

const TURN_MS = 50;

/** An environment as far as it can be read without asking anybody. */
interface Sketch {
  readonly file: ManifestFile;
  readonly problems: readonly Problem[];
  readonly draft?: Draft;
  readonly binding?: Binding;
}

function sketch(file: ManifestFile, base: Base, context: FolderContext): Sketch {
  const { manifest, problems } = readManifestFile("environment", file);
  const name = nameOf(file);
  const binding = context.place(name, base.application);
  if ("refused" in binding) return { file, problems: [...problems, problem(startOf(file.path), binding.refused)] };
  if (manifest === undefined) return { file, problems };
  const tree = merge(base.manifest, manifest);
  const region = regionOf((plain(tree) as MergedManifest).aws?.region, binding);
  const { account } = binding;
  const values = { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) };
  return { file, problems, binding, draft: createDraft(base.application, name, tree, values) };
}

/** Task files of all environments, asked for at once. */
async function taskFiles(
  sketches: readonly Sketch[],
  folder: string,
  context: FolderContext,
): Promise<ReadonlyMap<string, TaskFile>> {
  const paths = sketches.flatMap(({ draft }) => (draft === undefined ? [] : taskPaths(draft, folder)));
  if (paths.length === 0) return new Map();
  const files = await context.files([...new Set(paths)].sort());
  return new Map(files.map((file) => [file.path, readTaskFile(file)]));
}

function taskPaths(draft: Draft, folder: string): readonly string[] {
  // What is wrong with a path is said when its service is read.
  const silent = { ...draft, problems: [] };
  return Object.entries(draft.manifest.services ?? {}).flatMap(([name, { task }]) =>
    typeof task === "string" ? (taskPath(silent, name, task, folder) ?? []) : [],
  );
}

/** What application.yaml alone releases, with the task files it names for all environments alike. */
function sharedDigest(application: Mapping, folder: string, tasks: ReadonlyMap<string, TaskFile>): Digest {
  const { services, migrations } = plain(application) as MergedManifest;
  const definitions = Object.entries(services ?? {}).flatMap(([name, { task }]) => {
    if (typeof task !== "string" || holds(task, "env", "account", "region")) return [];
    const path = task.replaceAll("{service}", name);
    return [[name, tasks.get(folder === "" ? path : `${folder}/${path}`)?.definition] as const];
  });
  return digestOf({
    manifest: plain(released("application", application)),
    order: Object.keys(migrations ?? {}),
    definitions: Object.fromEntries(definitions),
  });
}

interface Settling {
  readonly base: Base;
  readonly tasks: ReadonlyMap<string, TaskFile>;
  readonly shared: Digest;
  readonly folder: string;
  readonly context: FolderContext;
}

async function settle(
  { file, problems, draft, binding }: Sketch,
  { base, tasks, shared, folder, context }: Settling,
): Promise<EnvironmentReading> {
  const name = nameOf(file);
  const own = [base.file, file];
  if (draft === undefined || binding === undefined) return { name, file: file.path, content: contentOf(own), problems };
  const used = taskPaths(draft, folder).flatMap((path) => tasks.get(path) ?? []);
  const environment = await environmentOf(draft, {
    revision: { ...context.revision, folder },
    binding,
    ranks: base.ranks,
    shared,
    tasks,
    known: new Set(Object.keys((plain(base.manifest) as MergedManifest).services ?? {})),
    expand: context.expand,
  });
  return {
    name,
    file: file.path,
    content: contentOf([...own, ...used]),
    ...(environment === undefined ? {} : { environment }),
    problems: [...problems, ...draft.problems],
    merged: { manifest: draft.manifest, origins: origins(draft.tree) },
  };
}

function contentOf(files: readonly { readonly path: string; readonly id: string }[]): string {
  return digestOf(files.map(({ path, id }) => [path, id]));
}
