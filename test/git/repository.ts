// Real repositories for tests: made with Git's own plumbing, so that they may also hold what no honest client makes.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Sha } from "../../controller/core/brand.ts";
import type { MirrorOptions } from "../../controller/git/mirror.ts";
import { createMirror } from "../../controller/git/mirror.ts";
import type { ManifestFolder, Source } from "../../controller/ports.ts";
import { faultOf } from "../../controller/core/fault.ts";

export const signal = new AbortController().signal;

const folders: string[] = [];

/** A folder that `removeFolders` removes. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "git-"));
  folders.push(path);
  return path;
}

export function removeFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
}

export interface Repository {
  readonly path: string;
  git(argv: readonly string[], input?: string | Uint8Array): string;
  write(path: string, text: string | Uint8Array, mode?: number): void;
  link(path: string, target: string): void;
  commit(message: string): Sha;
}

/** A checkout whose folder also serves as the remote. */
export function repository(path = folder()): Repository {
  const environment = {
    PATH: process.env["PATH"],
    HOME: path,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
  };
  const git = (argv: readonly string[], input: string | Uint8Array = "") =>
    execFileSync("git", argv, { cwd: path, env: environment, input, stdio: "pipe" }).toString().trim();
  git(["init", "--quiet", "--initial-branch=main"]);
  return {
    path,
    git,
    write(name, text, mode = 0o644) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
      chmodSync(join(path, name), mode);
    },
    link(name, target) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      symlinkSync(target, join(path, name));
    },
    commit(message) {
      git(["add", "--all"]);
      git(["commit", "--quiet", "--allow-empty", "-m", message]);
      return Sha.parse(git(["rev-parse", "HEAD"]));
    },
  };
}

/** Code and message of the fault a promise or a call fails with. */
export async function faultIn(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (thrown) {
    const fault = faultOf(thrown);
    return `${fault.code}: ${fault.message}`;
  }
  return "no fault";
}

/** A mirror's processes as they started: the words of each, and the names of what was in its environment. */
export interface Seen {
  readonly commands: string[];
  readonly environments: Readonly<Record<string, string>>[];
  onCommand(argv: readonly string[], environment: Readonly<Record<string, string>>): void;
}

export function seen(): Seen {
  const commands: string[] = [];
  const environments: Readonly<Record<string, string>>[] = [];
  return {
    commands,
    environments,
    onCommand(argv, environment) {
      commands.push(argv.join(" "));
      environments.push(environment);
    },
  };
}

/** The first words of the commands since the last call. */
export function drain({ commands }: Seen): readonly string[] {
  return commands.splice(0).map((line) => line.split(" ")[0] ?? "");
}

export const environment = { PATH: process.env["PATH"] };

export function mirror(address: string, options: Partial<MirrorOptions> = {}): Source {
  return createMirror({ address, branch: "main", folder: folder(), environment, ...options });
}

/** A repository with one application and one environment at its root. */
export function shop(): Repository {
  const made = repository();
  made.write("environments/application.yaml", "application: shop\n");
  made.write("environments/dev.yaml", "sha: 1\n");
  return made;
}

/** `dev.yaml: text` or `dev.yaml: why it was refused` for each file. */
export function summary(folders: readonly ManifestFolder[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    folders.map(({ folder, files }) => [folder, files.map((file) => `${file.path}: ${file.text ?? file.refused}`)]),
  );
}
