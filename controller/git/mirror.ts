// A repository at a distance as a Source: one bare mirror, looked at by ls-remote and read by object id.
import { Sha } from "../core/brand.ts";
import { assert } from "../core/assert.ts";
import { Fault } from "../core/fault.ts";
import { sha256 } from "../core/sha256.ts";
import type { ManifestFolder, Source } from "../ports.ts";
import { addressId, checkBranch, parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { createAnswers } from "./answers.ts";
import { createBlobs } from "./blobs.ts";
import type { Ended } from "./child.ts";
import type { GitCredentials } from "./credentials.ts";
import type { Variables } from "./environment.ts";
import { PROMISOR } from "./environment.ts";
import { mirrorFault, place, remoteFault } from "./faults.ts";
import { checkGpgSignature } from "./gpg.ts";
import { createGate } from "./gate.ts";
import type { GitLimits } from "./limits.ts";
import { GIT_LIMITS } from "./limits.ts";
import { configurationFolders, isPlainPath, parseListing } from "./listing.ts";
import type { Entry } from "./listing.ts";
import { distrust } from "./signatures.ts";
import { createStore } from "./store.ts";

export interface MirrorOptions {
  /** As the operator wrote it; see `parseAddress`. */
  readonly address: string;
  /** A branch, or `HEAD` for the one the server calls its default. */
  readonly branch: string;
  /** Folder of the caches of all repositories. */
  readonly folder: string;
  readonly credentials?: GitCredentials;
  /** The controller's own environment, of which PATH, proxies and the CA are handed on. */
  readonly environment: Variables;
  /** Relative addresses begin here. Default: the folder of the process. */
  readonly workingFolder?: string;
  /**
   * `configuration` mirrors one branch with its files; `commits` mirrors the commits of all branches without files,
   * for a repository in which SHAs live.
   */
  readonly purpose?: "configuration" | "commits";
  readonly limits?: Partial<GitLimits>;
  /** Called with the argv and the environment of each Git process: for counting, and for tests. */
  readonly onCommand?: (argv: readonly string[], environment: Readonly<Record<string, string>>) => void;
}

const PATHS_AT_ONCE = 500;
const FETCH = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
const QUIET = "--no-auto-maintenance";

/** Throws Fault `repository-denied` or `branch-missing` at once for an address or a branch outside the grammar. */
export function createMirror(options: MirrorOptions): Source {
  const { credentials = {}, purpose = "configuration", onCommand = () => undefined } = options;
  const address = parseAddress(options.address, options.workingFolder ?? ".");
  const branch = checkBranch(options.branch);
  const limits: GitLimits = { ...GIT_LIMITS, ...options.limits };
  const { folder, environment } = options;
  const store = createStore({
    address,
    folder,
    credentials,
    environment,
    limits,
    onCommand,
    isPartial: purpose === "commits",
  });
  const gate = createGate(limits.processes);
  const oneLook = createGate(1);
  const blobs = createBlobs();
  const kept = createAnswers();
  /** What the server said when everything it named was last in the mirror, and in which mirror. */
  let held = "";
  /** Heads that were in the mirror once; when one cannot be read, the mirror is damaged. */
  const heads = new Set<Sha>();

  /** Output of a command about a commit. When it fails, either the commit is not there or the mirror is damaged. */
  async function read(argv: readonly string[], commit: Sha, signal: AbortSignal, input?: string) {
    await store.open(signal);
    const ended = await gate(() => store.local(argv, signal, input));
    if (ended.exit === 0) return ended.stdout;
    if (!heads.has(commit) && !(await has(commit, signal))) throw missing(address, commit);
    store.discard();
    throw mirrorFault(ended.stderr, address, store.folder);
  }

  async function has(commit: Sha, signal: AbortSignal): Promise<boolean> {
    await store.open(signal);
    return (await gate(() => store.local(["cat-file", "-e", `${commit}^{commit}`], signal))).exit === 0;
  }

  async function look(signal: AbortSignal): Promise<{ readonly head: Sha; readonly said: string }> {
    const name = branch === "HEAD" ? branch : `refs/heads/${branch}`;
    const all = purpose === "commits" ? ["refs/heads/*"] : [];
    const argv = ["ls-remote", "--quiet", "--end-of-options", address.text, name, ...all];
    const ended = await store.remote(argv, signal, limits.lookMs);
    if (ended.exit !== 0) throw remoteFault(ended, address, credentials);
    const said = ended.stdout.toString("utf8");
    // ls-remote also answers names that merely end like the one asked for.
    const sha = said
      .split("\n")
      .map((line) => line.split("\t"))
      .find((parts) => parts[1] === name)?.[0];
    if (sha !== undefined && Sha.is(sha)) return { head: sha, said };
    const empty = said === "" ? ", or the repository is empty" : "";
    throw new Fault("branch-missing", `${place(address)}: there is no branch ${branch}${empty}; check LOCKSTEP_BRANCH`);
  }

  async function fetch(head: Sha, signal: AbortSignal): Promise<Ended> {
    const what =
      purpose === "commits"
        ? ["--filter=tree:0", "--prune", "--end-of-options", PROMISOR, "+refs/heads/*:refs/lockstep/heads/*"]
        : ["--end-of-options", address.text, head];
    return store.remote([...FETCH, QUIET, ...what], signal, limits.fetchMs);
  }

  async function head(signal: AbortSignal): Promise<Sha> {
    for (let attempt = 1; ; attempt += 1) {
      const generation = await store.open(signal);
      const { head, said } = await look(signal);
      const state = `${generation} ${said}`;
      if (state === held) return head;
      // The ref is set only after a fetch whose objects were checked and complete.
      const ref = `refs/lockstep/complete/${sha256(`${purpose} ${branch}`).slice(0, 16)}`;
      const isKept = purpose === "configuration" && (await refOf(ref, signal)) === head;
      const ended = isKept ? undefined : await fetch(head, signal);
      if (ended === undefined || ended.exit === 0) {
        if (ended !== undefined) await settle(ref, head, signal);
        held = state;
        heads.add(head);
        return head;
      }
      // The branch may have moved between the two questions; an old server then refuses the older head.
      if (attempt === 2) throw remoteFault(ended, address, credentials);
    }
  }

  async function refOf(ref: string, signal: AbortSignal): Promise<string> {
    const ended = await store.local(["rev-parse", "--verify", "--quiet", "--end-of-options", ref], signal);
    return ended.stdout.toString("utf8").trim();
  }

  /** Another process on the same mirror may hold the ref or tidy up: then its value is as good, and its work done. */
  async function settle(ref: string, head: Sha, signal: AbortSignal): Promise<void> {
    await store.local(["update-ref", ref, head], signal);
    try {
      await store.local(["gc", "--auto", "--quiet"], signal);
    } catch (thrown) {
      // Tidying that takes too long is tried again after the next fetch; the head is in the mirror all the same.
      if (!(thrown instanceof Fault)) throw thrown;
    }
  }

  async function list(commit: Sha, paths: readonly string[], signal: AbortSignal): Promise<readonly Entry[]> {
    assert(purpose === "configuration", "a mirror of commits holds no files");
    const argv = ["ls-tree", "-l", "-z", "--full-tree", ...(paths.length === 0 ? ["-r"] : []), "--end-of-options"];
    const entries = parseListing((await read([...argv, commit, ...paths], commit, signal)).toString("utf8"));
    return entries ?? incomplete("an object of a listing");
  }

  async function readBlobs(entries: readonly Entry[], commit: Sha, signal: AbortSignal) {
    const ask = (ids: readonly string[]) => read(["cat-file", "--batch"], commit, signal, `${ids.join("\n")}\n`);
    return (await blobs.read(entries, ask)) ?? incomplete("a file");
  }

  function incomplete(what: string): never {
    store.discard();
    throw mirrorFault(`${what} is missing from it`, address, store.folder);
  }

  return {
    id: addressId(address),
    address: address.text,
    branch,
    head: (signal) => oneLook(() => head(signal)),
    async folders(commit, signal) {
      const found = await kept(commit, async () => {
        const entries = [...configurationFolders(await list(commit, [], signal)).values()].flat();
        if (entries.length <= limits.files) return readBlobs(entries, commit, signal);
        const message = `${place(address)}: ${entries.length} files lie in folders called environments; at most ${limits.files} are read`;
        throw new Fault("manifest-invalid", message);
      });
      return [...configurationFolders(found)].map(([folder, files]): ManifestFolder => ({ folder, files }));
    },
    async files(commit, paths, signal) {
      const wanted = [...new Set(paths.filter(isPlainPath))].sort();
      return kept(`${commit} ${wanted.join("\0")}`, async () => {
        const entries: Entry[] = [];
        for (let at = 0; at < wanted.length; at += PATHS_AT_ONCE) {
          entries.push(...(await list(commit, wanted.slice(at, at + PATHS_AT_ONCE), signal)));
        }
        return readBlobs(entries, commit, signal);
      });
    },
    async isAncestor(older, newer, signal) {
      await store.open(signal);
      const ended = await gate(() => store.local(["merge-base", "--is-ancestor", older, newer], signal));
      if (ended.exit <= 1) return ended.exit === 0;
      if (!heads.has(newer) && !(await has(newer, signal))) throw missing(address, newer);
      // The mirror holds all ancestors of what it holds, so what it lacks is none.
      if (!heads.has(older) && !(await has(older, signal))) return false;
      store.discard();
      throw mirrorFault(ended.stderr, address, store.folder);
    },
    async changes(older, newer, paths, limit, signal) {
      const plain = paths.filter(isPlainPath);
      if (plain.length === 0 || limit < 1) return [];
      const argv = ["rev-list", "--first-parent", `--max-count=${limit}`, "--end-of-options", newer, `^${older}`];
      // The newest are asked for and turned round: --reverse would not change which ones are cut off.
      if (!(await has(older, signal))) throw missing(address, older);
      const output = await read([...argv, "--", ...plain], newer, signal);
      return output.toString("utf8").split("\n").filter(isSha).toReversed();
    },
    async expand(prefix, signal) {
      if (!/^[0-9a-f]{4,40}$/.test(prefix)) return [];
      await store.open(signal);
      const named = await gate(() => store.local(["rev-parse", `--disambiguate=${prefix}`], signal));
      const ids = named.stdout.toString("utf8");
      if (ids === "") return [];
      const kinds = await gate(() => store.local(["cat-file", "--batch-check"], signal, ids));
      const commits = kinds.stdout.toString("utf8").split("\n");
      return commits
        .flatMap((line) => /^([0-9a-f]{40}) commit /.exec(line)?.[1] ?? [])
        .filter(isSha)
        .slice(0, 2);
    },
    async distrust(commit, signers, signal) {
      const object = await read(["cat-file", "commit", commit], commit, signal);
      return distrust(commit, object, signers, (signature, payload, packets) =>
        checkGpgSignature({ signature, payload, packets, folder, path: environment["PATH"] }, signal),
      );
    },
  };
}

function missing(address: Address, commit: Sha): Fault {
  return new Fault(
    "sha-unknown",
    `${place(address)}: there is no commit ${commit} in what was fetched; push it, or correct it`,
  );
}

function isSha(text: string): text is Sha {
  return Sha.is(text);
}
