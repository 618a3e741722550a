// A copy of the working tree in a temporary folder, in which one file at a time is mutated.
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Mutation } from "./mutation.ts";
import { mutated } from "./mutation.ts";

export interface Copy {
  readonly folder: string;
  /** Puts one bug in, runs, and takes it out again. */
  with<Value>(mutation: Mutation, run: () => Promise<Value>): Promise<Value>;
  remove(): Promise<void>;
}

/** Every file that Git knows or would add, as it lies there now; packages are shared with the original. */
export async function createCopy(root: string): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-mutations-"));
  const argv = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
  const { stdout } = await promisify(execFile)("git", argv, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  for (const path of stdout.split("\0").filter((one) => one !== "")) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(join(root, path), join(folder, path), constants.COPYFILE_FICLONE).catch(ignoreDeleted);
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));

  return {
    folder,
    async with(mutation, run) {
      const path = join(folder, mutation.file);
      const source = await readFile(path, "utf8");
      await writeFile(path, mutated(source, mutation));
      try {
        return await run();
      } finally {
        await writeFile(path, source);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function ignoreDeleted(thrown: unknown): void {
  if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
}
