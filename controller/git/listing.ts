// What a commit holds, by its listing: which files belong to configuration folders, and which of them may be read.
import { LIMITS } from "../core/limits.ts";

/** One line of `ls-tree -r -l -z`. */
export interface Entry {
  readonly mode: string;
  readonly id: string;
  /** Bytes of a blob; undefined for a submodule. */
  readonly size?: number;
  readonly path: string;
}

const ENTRY = /^([0-7]{6}) (?:blob|commit) ([0-9a-f]{40}) +([0-9]+|-)\t(.+)$/s;
const CONFIGURATION = /^(?:(.+)\/)?environments\/application\.yaml$/s;

/**
 * Reads `ls-tree -l -z`. Folders are left out. Undefined when a line is anything else, as when the mirror lacks an
 * object and Git writes `BAD` for its size: a file that is left out would look like one that was deleted.
 */
export function parseListing(output: string): readonly Entry[] | undefined {
  const lines = output.split("\0").filter((line) => line !== "" && !line.startsWith("040000 tree "));
  const entries = lines.flatMap((line): readonly Entry[] => {
    const [, mode, id, size, path] = ENTRY.exec(line) ?? [];
    if (mode === undefined || id === undefined || path === undefined) return [];
    return [{ mode, id, path, ...(size === undefined || size === "-" ? {} : { size: Number(size) }) }];
  });
  return entries.length === lines.length ? entries : undefined;
}

/**
 * Folders that hold `environments/application.yaml`, each with what lies directly in `environments/`. Without that
 * file, a folder of this name belongs to somebody else. Sorted, so that the same commit always reads the same.
 */
export function configurationFolders<File extends { readonly path: string }>(
  entries: readonly File[],
): ReadonlyMap<string, readonly File[]> {
  const folders = new Map<string, File[]>();
  for (const { path } of entries) {
    const match = CONFIGURATION.exec(path);
    if (match !== null) folders.set(match[1] ?? "", []);
  }
  for (const entry of entries) folders.get(ownerOf(entry.path) ?? "\0")?.push(entry);
  return new Map([...folders].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The folder in whose `environments/` a file lies directly. */
function ownerOf(path: string): string | undefined {
  const parts = path.split("/");
  return parts.at(-2) === "environments" ? parts.slice(0, -2).join("/") : undefined;
}

/** Why a file is not read, in words for its author; undefined when it may be. */
export function refusal({ mode, size = 0, path }: Entry): string | undefined {
  if (path.includes("\ufffd")) return "its name is not UTF-8";
  if (mode === "120000") return "it is a symbolic link, which is never followed; put the file itself here";
  if (mode === "160000") return "it is a submodule, which is never read; put the file itself here";
  if (mode !== "100644" && mode !== "100755") return `it has the mode ${mode}; only plain files are read`;
  if (size > LIMITS.manifestBytes) return tooLarge(size);
  return undefined;
}

function tooLarge(size: number): string {
  return `it is ${size} bytes long; at most ${LIMITS.manifestBytes} are read`;
}

/** The text of a file's bytes, or why it has none. */
export function textOf(bytes: Uint8Array): { readonly text: string } | { readonly refused: string } {
  if (bytes.length > LIMITS.manifestBytes) return { refused: tooLarge(bytes.length) };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { refused: "it is not UTF-8" };
  }
}

/** Relative to the root, without a way out of it. */
export function isPlainPath(path: string): boolean {
  const parts = path.split("/");
  return !path.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..");
}
