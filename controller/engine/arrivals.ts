// What Git newly asks of an environment: found commit by commit, journaled once, never over a controller that read later.
import type { Sha } from "../core/brand.ts";
import type { Environment, EnvironmentId } from "../core/environment.ts";
import type { Memory } from "../core/history.ts";
import { LIMITS } from "../core/limits.ts";
import type { Reading, Source } from "../ports.ts";
import type { Ledger } from "./ledger.ts";

/** Where an environment's present fingerprint came into force. */
export interface Arrival {
  readonly environment: Environment;
  readonly commit: Sha;
  readonly before?: Environment;
}

/** Appends lost to other writers in a row before the next look has to do it. */
const LOST_MAX = 20;

/**
 * Appends the arrivals that the journal does not hold yet. `basis` is what had arrived before Git was read: once the
 * journal holds another arrival than that, another controller has read Git too, and what was read here may be older.
 * False = so it was, and nothing more was appended.
 */
export async function arrive(
  ledger: Ledger,
  arrivals: readonly Arrival[],
  repository: string,
  basis: Memory["arrival"],
): Promise<boolean> {
  // A look that did not come to its end is done again, and begins with what it has journaled already.
  const known = arrivals.findLastIndex(
    ({ commit, environment }) => commit === basis?.commit && environment.fingerprint === basis.fingerprint,
  );
  let last = basis;
  for (const { environment, commit, before } of arrivals.slice(known + 1)) {
    const { fingerprint, sha } = environment;
    const policy = before === undefined ? {} : { before: before.gates };
    let done = false;
    for (let lost = 0; !done && lost < LOST_MAX; lost += 1) {
      if ((await ledger.refresh()).arrival !== last) return false;
      done = await ledger.claim({ type: "arrived", fingerprint, sha, commit, repository, ...policy });
    }
    if (!done) return false;
    last = ledger.memory().arrival;
  }
  return true;
}

/** Walks the first-parent commits that touch the configuration, so that A → B → A is three arrivals, also when read at once. */
export async function arrivalsBetween(
  { older, newer }: { readonly older: Sha | undefined; readonly newer: Sha },
  source: Source,
  read: (commit: Sha) => Promise<Reading>,
  signal: AbortSignal,
): Promise<readonly Arrival[]> {
  const last = new Map<EnvironmentId, Environment>();
  const found: Arrival[] = [];
  const commits: Sha[] = [];
  if (older !== undefined) {
    const before = await read(older);
    for (const { id, environment } of before.environments) if (environment !== undefined) last.set(id, environment);
    const paths = pathsOf(before, await read(newer));
    commits.push(...(await source.changes(older, newer, paths, LIMITS.arrivals, signal)));
  }
  if (commits.at(-1) !== newer) commits.push(newer);
  for (const commit of commits) {
    for (const { id, environment } of (await read(commit)).environments) {
      if (environment === undefined) continue;
      const before = last.get(id);
      if (before?.fingerprint !== environment.fingerprint) {
        found.push({ environment, commit, ...(before === undefined ? {} : { before }) });
      }
      last.set(id, environment);
    }
  }
  return found;
}

/** Everything that decides what the environments of two readings are: their folders and their task files. */
function pathsOf(...readings: readonly Reading[]): readonly string[] {
  const paths = readings.flatMap(({ environments }) =>
    environments.flatMap(({ environment }) => {
      if (environment === undefined) return [];
      const { folder } = environment.revision;
      const under = (path: string): string => (folder === "" ? path : `${folder}/${path}`);
      const tasks = environment.services.flatMap(({ task }) => (task.kind === "file" ? [under(task.path)] : []));
      return [under("environments"), ...tasks];
    }),
  );
  return paths.length === 0 ? ["environments"] : [...new Set(paths)];
}
