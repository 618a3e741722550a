// The manifests of a local checkout as they lie on disk, for commands that plan and validate without a controller.
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { Sha } from "../core/brand.ts";
import { Fault } from "../core/fault.ts";
import type { ManifestFile, ManifestFolder } from "../ports.ts";
import { runGit } from "./child.ts";
import type { Variables } from "./environment.ts";
import { environmentOf } from "./environment.ts";
import { brokenFault } from "./faults.ts";
import { GIT_LIMITS } from "./limits.ts";
import { configurationFolders, refusal, textOf } from "./listing.ts";

export interface WorkingTree {
  /** The root of the checkout, or the folder itself where there is no repository. */
  readonly root: string;
  /** HEAD; undefined outside a repository and before the first commit. What lies on disk may differ from it. */
  readonly commit?: Sha;
  readonly folders: readonly ManifestFolder[];
}

/** Folders that never hold configuration and may be large. */
const SKIPPED = new Set([".git", "node_modules"]);
/** Entries looked at before a folder is called too large to be a configuration repository. */
const ENTRIES = 500_000;

/**
 * Reads every configuration folder below the root of the checkout that holds `path`. Symbolic links are not followed.
 * Fault `repository-unreachable` when the folder cannot be read.
 */
export async function readWorkingTree(path: string, environment: Variables, signal: AbortSignal): Promise<WorkingTree> {
  const { root, commit } = await checkout(path, environment, signal);
  try {
    const found = configurationFolders(await walk(root, signal));
    const folders: ManifestFolder[] = [];
    for (const [folder, entries] of found) {
      const files = await Promise.all(entries.map((entry) => readEntry(root, entry.path)));
      folders.push({ folder, files: files.flatMap((file) => (file === undefined ? [] : [file])) });
    }
    return { root, folders, ...(commit === undefined ? {} : { commit }) };
  } catch (thrown) {
    throw unreadable(root, thrown, signal);
  }
}

/** Files that manifests name (`task:`), relative to the root of the working tree; missing ones are left out. */
export async function readWorkingFiles(root: string, paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const plain = [...new Set(paths)].sort().filter((path) => {
    const inside = relative(root, resolve(root, path));
    return inside !== "" && inside === path.split("/").join(sep) && !inside.startsWith("..");
  });
  const files = await Promise.all(plain.map((path) => readEntry(root, path)));
  return files.flatMap((file) => (file === undefined ? [] : [file]));
}

async function checkout(
  path: string,
  environment: Variables,
  signal: AbortSignal,
): Promise<{ readonly root: string; readonly commit?: Sha }> {
  const folder = await realpath(path).catch((thrown: unknown) => {
    throw unreadable(path, thrown, signal);
  });
  if (!(await lstat(folder)).isDirectory()) throw unreadable(path, new Error("it is not a folder"), signal);
  const ask = async (argv: readonly string[]) => {
    const { localMs, outputBytes } = GIT_LIMITS;
    const own = environmentOf({ inherited: environment, home: tmpdir() });
    try {
      return await runGit({ argv, environment: own, folder, timeoutMs: localMs, outputBytes }, signal);
    } catch (thrown) {
      throw brokenFault(thrown, { protocol: "file", text: folder }, signal, `${localMs / 1000} s`);
    }
  };
  const top = await ask(["rev-parse", "--show-toplevel"]);
  if (top.exit !== 0) return { root: folder };
  const root = top.stdout.toString("utf8").replace(/\n$/, "");
  const head = (await ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])).stdout.toString("utf8").trim();
  return Sha.is(head) ? { root, commit: head } : { root };
}

async function walk(root: string, signal: AbortSignal): Promise<readonly { readonly path: string }[]> {
  const found: { readonly path: string }[] = [];
  const waiting = [""];
  let seen = 0;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    signal.throwIfAborted();
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      seen += 1;
      if (seen > ENTRIES) throw new Error(`it holds more than ${ENTRIES} files; name the configuration repository`);
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory()) found.push({ path });
      else if (!SKIPPED.has(entry.name)) waiting.push(path);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A file as Git would keep it: its mode and the id of its blob. Undefined when there is none. */
async function readEntry(root: string, path: string): Promise<ManifestFile | undefined> {
  const absolute = join(root, path);
  const parts = path.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const about = await lookAt(join(root, ...parts.slice(0, depth)));
    if (about === undefined) return undefined;
    if (about.isSymbolicLink()) {
      return {
        path,
        mode: "120000",
        id: "",
        refused: `a folder above it, ${parts.slice(0, depth).join("/")}, is a symbolic link`,
      };
    }
  }
  const about = await lookAt(absolute);
  if (about === undefined || about.isDirectory()) return undefined;
  const mode = modeOf(about);
  const refused = refusal({ mode, id: "", path, size: about.size });
  if (refused !== undefined) return { path, mode, id: "", refused };
  const bytes = await readFile(absolute);
  const id = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  return { path, mode, id, ...textOf(bytes) };
}

async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR")) return;
    throw thrown;
  }
}

function modeOf(about: Stats): string {
  if (about.isSymbolicLink()) return "120000";
  // Sockets, pipes and devices have no mode in Git; a pipe would also block the reader.
  if (!about.isFile()) return "special";
  return (about.mode & 0o100) === 0 ? "100644" : "100755";
}

function unreadable(path: string, thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault(
    "repository-unreachable",
    `${path}: ${message}; name a folder of the configuration repository`,
    thrown,
  );
}
