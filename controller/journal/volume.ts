// Whether a folder can hold a journal: one host's own file system, there and writable; says what to do when it is not.
import { mkdir, open, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "../core/fault.ts";

/**
 * File systems of several hosts, by statfs(2) `f_type`: their `link()` may answer "exists" for one's own link or show
 * other hosts an old listing, and process ids of two hosts cannot be compared. EFS is NFS.
 */
const SHARED: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS or EFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x5346414f, "AFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x47504653, "GPFS"],
]);

/** The name of a shared file system, undefined for one of this host alone. */
export function sharedFileSystem(type: number): string | undefined {
  return SHARED.get(type >>> 0);
}

/**
 * Makes sure that `path` is a folder that may hold a journal. With `create` a missing one is made, at most once per
 * journal: a folder that vanishes later is a volume that is gone, not an empty journal.
 */
export async function prepareVolume(path: string, create: boolean, typeOf = fileSystemType): Promise<void> {
  try {
    if (create) await mkdir(path, { recursive: true, mode: 0o750 });
    const found = await stat(path);
    if (!found.isDirectory()) throw new Fault("journal-unavailable", `${path} is not a folder; ${NEXT}`);
    const shared = sharedFileSystem(await typeOf(path));
    if (shared !== undefined) {
      throw new Fault(
        "journal-unavailable",
        `${path} is on ${shared}, where one writer cannot be told from another; use a local disk, or s3://bucket/prefix`,
      );
    }
    if (create) await syncFolder(dirname(path));
  } catch (thrown) {
    throw unavailable(path, thrown);
  }
}

async function fileSystemType(path: string): Promise<number> {
  return (await statfs(path)).type;
}

/** A name survives the loss of power only after its folder was flushed (fsync(2)). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const NEXT = "check LOCKSTEP_JOURNAL and the volume behind it";

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free space or enlarge the volume",
  EDQUOT: "the quota is used up; free space or raise it",
  EROFS: "the file system is read-only; mount it writable",
  EACCES: "this user may not use it; give the folder to the user that runs Lockstep",
  EPERM: "the file system refused it; the journal needs a local disk with hard links",
  ENOTSUP: "the file system has no hard links; use a local disk",
  EOPNOTSUPP: "the file system has no hard links; use a local disk",
  ENOENT: "it does not exist; create it or correct LOCKSTEP_JOURNAL",
  ENOTDIR: "a part of the path is not a folder; correct LOCKSTEP_JOURNAL",
  EIO: "the disk answers with errors; check the volume",
  EMFILE: "too many files are open; raise the limit of open files",
};

export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Any error of the file system as Fault `journal-unavailable` with the path and what to do; faults stay themselves. */
export function unavailable(path: string, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const code = codeOf(thrown);
  const hint = (code === undefined ? undefined : HINTS[code]) ?? NEXT;
  return new Fault("journal-unavailable", `${path}: ${hint}${code === undefined ? "" : ` (${code})`}`, thrown);
}
