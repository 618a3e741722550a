// The shop's repository: a bare one that the controller reads, and a clone that people commit in, by real Git.
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const GIT_MS = 30_000;

/** Path in the repository → content. */
export type Changes = Readonly<Record<string, string>>;

export interface Repository {
  /** Path of the bare repository. */
  readonly bare: string;
  /** Path of the clone. */
  readonly clone: string;
  /** Text of a file as the branch has it now. */
  read(path: string): Promise<string>;
  /** Commits and pushes; answers the commit. */
  push(message: string, changes: Changes): Promise<string>;
  /** A commit that undoes `commit`, pushed. */
  revert(commit: string): Promise<string>;
  /** The last commit that touched one of the paths; undefined when none did. */
  last(paths: readonly string[]): Promise<{ readonly sha: string; readonly message: string } | undefined>;
  /** What `git ls-remote` says of the branch. */
  head(): Promise<string>;
}

export interface RepositoryPlace {
  readonly folder: string;
  /** Search path of programs, from the surroundings. */
  readonly path: string;
}

/** Fault: an Error of execFile with what Git said, when there is no Git or it refuses. */
export async function createRepository({ folder, path }: RepositoryPlace): Promise<Repository> {
  const [bare, clone] = [join(folder, "shop.git"), join(folder, "shop")];
  const env = environmentOf(folder, path);
  const inFolder = async (cwd: string, ...args: readonly string[]): Promise<string> =>
    (await run("git", args, { cwd, env, timeout: GIT_MS })).stdout.trim();
  const git = (...args: readonly string[]): Promise<string> => inFolder(clone, ...args);
  await inFolder(folder, "init", "--quiet", "--bare", "--initial-branch=main", bare);
  await inFolder(folder, "clone", "--quiet", bare, clone);
  await git("checkout", "--quiet", "-B", "main");
  let isEmpty = true;

  /** Somebody at the keyboard may have pushed from a clone of their own. */
  async function catchUp(): Promise<void> {
    if (!isEmpty) await git("pull", "--quiet", "--rebase", "--autostash", "origin", "main");
  }

  async function publish(): Promise<string> {
    await git("push", "--quiet", "origin", "HEAD:main");
    isEmpty = false;
    return git("rev-parse", "HEAD");
  }

  return {
    bare,
    clone,
    async read(file) {
      await catchUp();
      return readFile(join(clone, file), "utf8");
    },
    async push(message, changes) {
      await catchUp();
      for (const [file, content] of Object.entries(changes)) {
        await mkdir(dirname(join(clone, file)), { recursive: true });
        await writeFile(join(clone, file), content);
      }
      await git("add", "--", ...Object.keys(changes));
      await git("commit", "--quiet", "--message", message);
      return publish();
    },
    async revert(commit) {
      await catchUp();
      await git("revert", "--no-edit", commit);
      return publish();
    },
    async last(paths) {
      await catchUp();
      const [sha = "", message = ""] = (await git("log", "-1", "--format=%H%n%s", "--", ...paths)).split("\n");
      return sha === "" ? undefined : { sha, message };
    },
    async head() {
      const line = await git("ls-remote", bare, "refs/heads/main");
      return line.split("\t")[0] ?? "";
    },
  };
}

/** Nothing of the user's own Git settings: no signing, no hooks, no editor, no prompt. */
function environmentOf(home: string, path: string): Readonly<Record<string, string>> {
  const who = { NAME: "Ada Lindqvist", EMAIL: "ada@acme.dev" };
  return {
    PATH: path,
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_EDITOR: "true",
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  };
}
