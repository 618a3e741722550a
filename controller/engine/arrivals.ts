// Journals what Git newly asks of an environment, once per commit, and never over the head of a controller that read later.
import type { Memory } from "../core/history.ts";
import type { Ledger } from "./ledger.ts";
import type { Arrival } from "./repository.ts";

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
