// Manifests for the command line: the work tree around it, or the branch of a repository, with every problem.
import { resolve, relative } from "node:path";
import type { Manifests, Merged, Where } from "../cli/doors.ts";
import { NO_SHA, Sha } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import { Fault } from "../core/fault.ts";
import { readWorkingFiles, readWorkingTree } from "../git/tree.ts";
import type { FolderReading } from "../manifest/parse.ts";
import { problemsOf, readFolder } from "../manifest/parse.ts";
import { spliceSha } from "../manifest/write.ts";
import type { ManifestFile, ManifestFolder, Source } from "../ports.ts";
import type { Place } from "./operator.ts";
import type { Sources } from "./sources.ts";

export interface WhereParts {
  readonly place: Place;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens mirrors; only asked for repositories at a distance and abbreviated SHAs. */
  openSources(address: string, branch: string): Sources;
}

/** Files and commit of whatever was named. */
interface Found {
  readonly from: string;
  readonly root?: string;
  readonly commit: Sha;
  readonly repository: string;
  readonly folders: readonly ManifestFolder[];
  files(paths: readonly string[]): Promise<readonly ManifestFile[]>;
  shas(source: string | undefined): Source;
}

export async function readWhere(where: Where, parts: WhereParts, signal: AbortSignal): Promise<Manifests> {
  const found =
    where.repository === undefined
      ? await workTree(where, parts, signal)
      : await distant(where.repository, where.ref, parts, signal);
  const folders = await bumped(found, where, signal);
  const readings: FolderReading[] = [];
  for (const folder of folders) {
    readings.push(
      await readFolder(folder, {
        revision: { repository: found.repository, commit: found.commit },
        expand: async (prefix, source) => {
          const mirror = found.shas(source);
          await mirror.head(signal);
          return mirror.expand(prefix, signal);
        },
        files: (paths) => found.files(paths),
        place: parts.place,
      }),
    );
  }
  return document(found, folders, readings, where);
}

async function workTree(where: Where, parts: WhereParts, signal: AbortSignal): Promise<Found> {
  const tree = await readWorkingTree(where.cwd, parts.env, signal);
  const { root, commit } = tree;
  return {
    from: commit === undefined ? root : `${root} (work tree at ${commit.slice(0, 7)})`,
    root,
    commit: commit ?? NO_SHA,
    repository: "work-tree",
    folders: tree.folders,
    files: (paths) => readWorkingFiles(root, paths),
    shas(source) {
      const sources = parts.openSources(root, "HEAD");
      const [own] = sources.configured;
      if (own === undefined)
        throw new Fault(
          "repository-unreachable",
          `${root} is no Git repository, so abbreviated SHAs cannot be expanded`,
        );
      return sources.ofShas(source, own);
    },
  };
}

async function distant(
  address: string,
  ref: string | undefined,
  parts: WhereParts,
  signal: AbortSignal,
): Promise<Found> {
  const isCommit = ref !== undefined && Sha.is(ref);
  const sources = parts.openSources(address, ref === undefined || isCommit ? "HEAD" : ref);
  const [source] = sources.configured;
  if (source === undefined) throw new Fault("repository-unreachable", `${address} names no repository`);
  const head = await source.head(signal);
  const commit = isCommit ? ref : head;
  return {
    from: `${source.address} at ${commit.slice(0, 7)}`,
    commit,
    repository: source.id,
    folders: await source.folders(commit, signal),
    files: (paths) => source.files(commit, paths, signal),
    shas: (from) => sources.ofShas(from, source),
  };
}

/** `plan --sha`: the file as it would stand after the bump. */
async function bumped(found: Found, { bump }: Where, signal: AbortSignal): Promise<readonly ManifestFolder[]> {
  if (bump === undefined) return found.folders;
  const sha = await fullSha(found, bump.sha, signal);
  const name = bump.environment.split("/").at(-1) ?? bump.environment;
  return found.folders.map(({ folder, files }) => ({
    folder,
    files: files.map((file) => {
      const isIt = file.path.endsWith(`environments/${name}.yaml`) && file.text !== undefined;
      return isIt && file.text !== undefined ? { ...file, text: spliceSha(file.text, ["sha"], sha) } : file;
    }),
  }));
}

async function fullSha(found: Found, text: string, signal: AbortSignal): Promise<Sha> {
  if (Sha.is(text)) return text;
  const mirror = found.shas(undefined);
  await mirror.head(signal);
  const matches = await mirror.expand(text, signal);
  const [sha, other] = matches;
  if (sha !== undefined && other === undefined) return sha;
  const why = sha === undefined ? "is no commit" : "fits several commits";
  throw new Fault("sha-unknown", `${JSON.stringify(text)} ${why} of ${mirror.address}`);
}

function document(
  found: Found,
  folders: readonly ManifestFolder[],
  readings: readonly FolderReading[],
  where: Where,
): Manifests {
  const wanted = where.files?.map((file) =>
    found.root === undefined ? file : relative(found.root, resolve(where.cwd, file)),
  );
  const all = folders.flatMap(({ files }) => files.map(({ path }) => path)).filter((path) => /\.ya?ml$/i.test(path));
  const problems = readings
    .flatMap((reading) => problemsOf(reading))
    .filter(({ severity, file }) => severity === "error" && (wanted === undefined || wanted.includes(file)));
  const missing = (wanted ?? []).filter((path) => !all.includes(path));
  const strays = missing.map((file) => ({
    file,
    line: 1,
    column: 1,
    message: "is no manifest: manifests stand in a folder `environments` that holds application.yaml",
  }));
  return {
    from: found.from,
    folders: folders.map(({ folder }) => folder),
    files: wanted ?? all,
    environments: readings.flatMap(({ environments }) => environments.flatMap(({ environment }) => environment ?? [])),
    problems: [...problems, ...strays],
    merged: readings.flatMap(mergedOf),
  };
}

function mergedOf({ application, environments }: FolderReading): readonly Merged[] {
  return environments.flatMap(({ name, merged }) => {
    if (application === undefined || merged === undefined) return [];
    const id: EnvironmentId = `${application}/${name}`;
    const origins = [...merged.origins].map(([path, at]) => ({
      path: path.replace(/^\//, "").replaceAll("/", "."),
      value: textAt(merged.manifest, path),
      file: at.file,
      line: at.line,
    }));
    return [{ id, manifest: merged.manifest, origins }];
  });
}

/** The value under a JSON pointer, as one line. */
function textAt(value: unknown, pointer: string): string {
  let at = value;
  for (const key of pointer.split("/").slice(1)) {
    const name = key.replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  return typeof at === "string" ? at : (JSON.stringify(at) ?? "");
}
