// The bare mirror on disk: made whole or not at all, read by object id, thrown away and made anew when damaged.
import { randomBytes } from "node:crypto";
import { access, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../core/fault.ts";
import type { Address } from "./address.ts";
import { addressId } from "./address.ts";
import type { Ended } from "./child.ts";
import { runGit } from "./child.ts";
import type { GitCredentials } from "./credentials.ts";
import type { Variables } from "./environment.ts";
import { environmentOf } from "./environment.ts";
import { brokenFault, mirrorFault, place } from "./faults.ts";
import type { GitLimits } from "./limits.ts";

export interface StoreOptions {
  readonly address: Address;
  /** Folder of all mirrors; each repository has its own below. */
  readonly folder: string;
  readonly credentials: GitCredentials;
  readonly environment: Variables;
  readonly limits: GitLimits;
  /** The mirror holds commits without their files. */
  readonly isPartial: boolean;
  readonly onCommand: (argv: readonly string[], environment: Readonly<Record<string, string>>) => void;
}

export interface Store {
  readonly folder: string;
  /** Makes the mirror unless it is there. Answers how often this process made or met one: what it held before is gone. */
  open(signal: AbortSignal): Promise<number>;
  /** A command that reads the mirror, or writes to it; every exit code is an answer. */
  local(argv: readonly string[], signal: AbortSignal, input?: string): Promise<Ended>;
  /** A command that speaks to the server; it is ended when it brings more than the limit. */
  remote(argv: readonly string[], signal: AbortSignal, timeoutMs: number): Promise<Ended>;
  /** The mirror is damaged: the next `open` makes a new one. */
  discard(): void;
}

/** Leftovers of transfers that a crash ended are removed after this time. */
const LEFTOVER_MS = 3_600_000;
const WATCH_MS = 500;
const MIB = 1024 * 1024;

export function createStore(options: StoreOptions): Store {
  const { address, credentials, limits } = options;
  const folder = join(options.folder, `${addressId(address)}.git`);
  const home = join(options.folder, "home");
  let isDamaged = false;
  let generation = 0;
  let opening: Promise<void> | undefined;

  async function run(argv: readonly string[], isRemote: boolean, signal: AbortSignal, rest: Partial<RunOptions>) {
    const { cwd = folder, timeoutMs = limits.localMs, input } = rest;
    const environment = environmentOf({
      inherited: options.environment,
      home,
      // `init` stands in the folder that becomes the mirror.
      ...(cwd === folder ? { gitDir: folder } : {}),
      ...(isRemote ? { remote: { address, credentials, stallMs: limits.stallMs } } : {}),
      ...(options.isPartial ? { promisor: address } : {}),
    });
    options.onCommand(argv, environment);
    const command = { argv, environment, folder: cwd, timeoutMs, outputBytes: limits.outputBytes };
    try {
      return await runGit(input === undefined ? command : { ...command, input }, signal);
    } catch (thrown) {
      const limit = { time: `${timeoutMs / 1000} s`, output: `${limits.outputBytes / MIB} MiB` };
      throw brokenFault(thrown, address, signal, `${limit.time} or ${limit.output}`);
    }
  }

  async function make(signal: AbortSignal): Promise<void> {
    generation += 1;
    try {
      await mkdir(home, { recursive: true, mode: 0o700 });
      if (isDamaged) await rm(folder, { recursive: true, force: true });
      isDamaged = false;
      if (await isThere(join(folder, "HEAD"))) return await sweep(folder);
      // Two processes may begin at the same time: each makes its own, and a rename lets one of them win.
      const fresh = `${folder}.${randomBytes(8).toString("hex")}`;
      await mkdir(fresh, { mode: 0o700 });
      const ended = await run(["init", "--quiet", "--bare", "--end-of-options", fresh], false, signal, { cwd: fresh });
      if (ended.exit !== 0) throw mirrorFault(ended.stderr, address, fresh);
      await rename(fresh, folder).catch(async (thrown: unknown) => {
        await rm(fresh, { recursive: true, force: true });
        if (!(await isThere(join(folder, "HEAD")))) throw thrown;
      });
    } catch (thrown) {
      if (thrown instanceof Fault || signal.aborted) throw thrown;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Fault("repository-unreachable", `The mirror in ${folder} cannot be made: ${message}`, thrown);
    }
  }

  return {
    folder,
    async open(signal) {
      if (isDamaged || !(await isThere(join(folder, "HEAD")))) opening = undefined;
      opening ??= make(signal).catch((thrown: unknown) => {
        opening = undefined;
        throw thrown;
      });
      await opening;
      return generation;
    },
    local: (argv, signal, input) => run(argv, false, signal, input === undefined ? {} : { input }),
    discard() {
      isDamaged = true;
    },
    async remote(argv, signal, timeoutMs) {
      const watch = watchSize(folder, limits.fetchBytes, signal);
      try {
        return await run(argv, true, watch.signal, { timeoutMs });
      } catch (thrown) {
        if (!watch.isOver() || signal.aborted) throw thrown;
        throw new Fault(
          "repository-unreachable",
          `${place(address)}: sent more than ${limits.fetchBytes / MIB} MiB at once; the transfer was ended`,
        );
      } finally {
        watch.end();
      }
    },
  };
}

interface RunOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly input: string;
}

/** Git has no limit for what it receives, so the pack that grows is looked at while it does. */
function watchSize(folder: string, limitBytes: number, signal: AbortSignal) {
  const over = new AbortController();
  const began = Date.now();
  async function look(): Promise<void> {
    const packs = await temporaryPacks(folder);
    const bytes = packs.reduce((sum, pack) => sum + (pack.writtenMs >= began ? pack.bytes : 0), 0);
    if (bytes > limitBytes) over.abort(new Error("over the limit of size"));
  }
  const timer = setInterval(() => void look(), WATCH_MS);
  const stop = () => over.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  return {
    signal: over.signal,
    isOver: () => over.signal.aborted,
    end() {
      clearInterval(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}

interface TemporaryPack {
  readonly path: string;
  readonly bytes: number;
  readonly writtenMs: number;
}

async function temporaryPacks(folder: string): Promise<readonly TemporaryPack[]> {
  const packs = join(folder, "objects", "pack");
  const names = await readdir(packs).catch(() => []);
  const found = names
    .filter((name) => name.startsWith("tmp_"))
    .map(async (name) => {
      const path = join(packs, name);
      // One that is gone was finished between the two looks.
      const about = await stat(path).catch(() => undefined);
      return about === undefined ? [] : [{ path, bytes: about.size, writtenMs: about.mtimeMs }];
    });
  return (await Promise.all(found)).flat();
}

async function sweep(folder: string): Promise<void> {
  for (const { path, writtenMs } of await temporaryPacks(folder)) {
    if (Date.now() - writtenMs > LEFTOVER_MS) await rm(path, { force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
