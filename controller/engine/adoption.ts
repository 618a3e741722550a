// First contact: what already runs becomes release 0, read-only; what another journal released is not touched.
import type { TargetVersion } from "../core/brand.ts";
import { migrationKey } from "../core/fingerprint.ts";
import type { Environment } from "../core/environment.ts";
import type { AdoptedService, EnvironmentEvent } from "../core/event.ts";
import type { Memory } from "../core/history.ts";
import type { LiveState } from "../core/live.ts";
import type { Considered } from "./consider.ts";

/**
 * The record of the first contact, or undefined when there was one, or when something could not be read. Before the
 * first release it is made anew once Git and live have come to agree.
 */
export function adoption(
  { desired, live, plan }: Considered,
  memory: Memory,
  family: (version: string) => string,
): Extract<EnvironmentEvent, { type: "adopted" }> | undefined {
  if (memory.lastNumber > 0 || plan.blockers.length > 0) return undefined;
  const services: AdoptedService[] = [];
  for (const { name } of desired.services) {
    const now = live.services.get(name);
    if (now?.state !== "present") return undefined;
    const image = now.image === undefined ? {} : { image: now.image };
    services.push({ name, version: now.version, family: family(now.version), ...image });
  }
  const matches = isSame(desired, live);
  if (memory.adoption !== undefined && (memory.adoption.matches || !matches)) return undefined;
  return {
    type: "adopted",
    services,
    matches,
    // Code that runs has had its migrations: running them once more is what must not happen.
    applied: matches ? desired.migrations.map((migration) => migrationKey(desired, migration)) : [],
    by: { actor: "lockstep", reason: matches ? "live equals Git by digest at first contact" : "first contact" },
  };
}

/** Live equals Git by digest: every service runs the artifact, every page serves it. */
function isSame(desired: Environment, live: LiveState): boolean {
  const services = desired.services.every(({ name }) => {
    const now = live.services.get(name);
    const artifact = live.artifacts.get(`service/${name}`);
    return now?.state === "present" && artifact?.state === "resolved" && now.image === artifact.digest;
  });
  const webs = desired.webs.every(({ name }) => {
    const now = live.webs.get(name);
    const artifact = live.artifacts.get(`web/${name}`);
    return now?.state === "served" && artifact?.state === "resolved" && now.digest === artifact.digest;
  });
  return desired.services.length > 0 && services && webs;
}

/**
 * One sentence when something that runs was released by a journal that is not ours and was never adopted, or by this one,
 * which has no record of it: then records were lost, and with them perhaps that a migration ran (invariant I2).
 */
export function foreignJournal(live: LiveState, memory: Memory, journalId: string): string | undefined {
  const isNew = memory.adoption === undefined && memory.lastNumber === 0;
  for (const [name, now] of live.services) {
    if (now.state !== "present" || now.tag === undefined) continue;
    const { journal } = now.tag;
    if (isNew && journal !== journalId)
      return `service ${name} runs ${now.version}, released by journal ${journal}, and this journal (${journalId}) knows nothing of it`;
    if (journal === journalId && !isRecorded(now.version, now.tag.release, memory))
      return `service ${name} runs ${now.version}, released by this journal (${journalId}), which has no record of it: records were lost, or the environment had another name`;
  }
  for (const [name, now] of live.webs) {
    if (isNew && now.state !== "unknown" && now.journal !== undefined && now.journal !== journalId) {
      return `web ${name} was published by journal ${now.journal}, and this journal (${journalId}) knows nothing of it`;
    }
  }
  return undefined;
}

/**
 * Every version is recorded before it is put in place. One that is not may be a copy made by hand, tags and all, of a
 * version whose release has ended here: that is drift.
 */
function isRecorded(version: TargetVersion, release: string, { versions, adoption, releases }: Memory): boolean {
  if (versions.has(version) || adoption?.services.some((one) => one.version === version) === true) return true;
  return releases.some(({ id, state }) => id === release && state !== "running");
}
