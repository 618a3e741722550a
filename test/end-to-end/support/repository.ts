// A configuration repository: a bare one that the controller reads, and a clone that people push from, by real Git.
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { plainEnvironment } from "./child.ts";

const run = promisify(execFile);

/** Path → content; undefined deletes the file. */
export type Changes = Readonly<Record<string, string | undefined>>;

export interface Repository {
  /** Path of the bare repository. */
  readonly bare: string;
  /** Path of the clone. */
  readonly clone: string;
  /** Commits and pushes; answers the commit. Pushes of several tests follow one another. */
  push(message: string, changes: Changes): Promise<string>;
  /** Puts the branch back to `commit` with other changes on top: history is rewritten. */
  rewrite(commit: string, message: string, changes: Changes): Promise<string>;
  /** A commit that undoes `commit`. */
  revert(commit: string): Promise<string>;
  git(...args: readonly string[]): Promise<string>;
}

export async function createRepository(folder: string): Promise<Repository> {
  const [bare, clone] = [join(folder, "ops.git"), join(folder, "ops")];
  await mkdir(folder, { recursive: true });
  const who = { GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: "ada@acme.dev" };
  const committer = { GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@acme.dev" };
  const env = { ...plainEnvironment(folder), ...who, ...committer, GIT_CONFIG_NOSYSTEM: "1" };
  const inFolder = async (cwd: string, ...args: readonly string[]): Promise<string> =>
    (await run("git", args, { cwd, env })).stdout.trim();
  await inFolder(folder, "init", "--quiet", "--bare", "--initial-branch=main", bare);
  await inFolder(folder, "clone", "--quiet", bare, clone);
  const git = (...args: readonly string[]): Promise<string> => inFolder(clone, ...args);
  await git("checkout", "--quiet", "-B", "main");

  let turn: Promise<unknown> = Promise.resolve();
  function inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const result = turn.then(work);
    turn = result.catch(() => undefined); // Whoever asked hears of it; the next turn must still come.
    return result;
  }

  async function commit(message: string, changes: Changes): Promise<string> {
    for (const [path, content] of Object.entries(changes)) {
      const target = join(clone, path);
      if (content === undefined) {
        await rm(target, { recursive: true });
      } else {
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, content);
      }
    }
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message", message);
    return git("rev-parse", "HEAD");
  }

  return {
    bare,
    clone,
    git,
    push: (message, changes) =>
      inTurn(async () => {
        const sha = await commit(message, changes);
        await git("push", "--quiet", "origin", "main");
        return sha;
      }),
    rewrite: (base, message, changes) =>
      inTurn(async () => {
        await git("reset", "--quiet", "--hard", base);
        const sha = await commit(message, changes);
        await git("push", "--quiet", "--force", "origin", "main");
        return sha;
      }),
    revert: (sha) =>
      inTurn(async () => {
        await git("revert", "--no-edit", sha);
        await git("push", "--quiet", "origin", "main");
        return git("rev-parse", "HEAD");
      }),
  };
}
