// The invariants of safety.md about what is journaled: what may start, what may be called a success.
import type { Sha } from "../../controller/core/brand.ts";
import type { EnvironmentEvent, Recorded } from "../../controller/core/event.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Tree } from "./repository.ts";
import type { WatchParts } from "./watch.ts";

export interface StartParts extends WatchParts {
  readonly violate: (invariant: string, what: string) => void;
  readonly seen: () => Sha | undefined;
  readonly chronicleOf: (environment: string) => Chronicle;
}

/** How old knowledge may be when it is acted on: a turn of a machine that was paused in the middle. */
const GRACE_MS = 240_000;

/** Checks one record before the chronicle takes it. */
export function checkRecord(name: string, record: Recorded, of: Chronicle, parts: StartParts): void {
  const event = record.event as EnvironmentEvent;
  const { violate } = parts;
  switch (event.type) {
    case "release-started":
      if (of.open !== undefined) violate("I9", `${name}: #${event.release} starts while #${of.open.number} is open`);
      if (event.release !== of.releases + 1) violate("I9", `${name}: #${event.release} follows #${of.releases}`);
      if (event.kind !== "rollback") checkStart(name, record, of, parts);
      return;
    case "release-succeeded":
      if (of.open?.number !== event.release) violate("I9", `${name}: #${event.release} succeeds and is not open`);
      else if (!of.open.proven) violate("I7", `${name}: #${event.release} succeeds without a proof of health`);
      return;
    case "migration-started": {
      const known = of.migrations.get(event.key);
      if (known?.state === "passed") violate("I2", `${name}: ${event.migration} passed and is started again`);
      if (known?.state === "unknown") violate("I2", `${name}: ${event.migration} is unknown and is started again`);
      if (known?.state === "failed" && of.allowed < known.sequence) {
        violate("I2", `${name}: ${event.migration} failed and is started again by itself`);
      }
      return;
    }
    default:
      return;
  }
}

function checkStart(name: string, record: Recorded, of: Chronicle, parts: StartParts): void {
  const event = record.event;
  if (event.type !== "release-started") return;
  const { violate, repository } = parts;
  const { desired, kind, release } = event;
  const failed = of.failures.get(desired.fingerprint);
  if (failed !== undefined && failed > of.allowed)
    violate("I8", `${name}: #${release} tries a failed fingerprint again`);
  if (!parts.adopts && !of.adopted && of.releases === 0)
    violate("I5", `${name}: #${release} starts before anybody adopted it`);
  const heads = knownHeads(record.writer, parts);
  const told = desired.revision.commit;
  if (!repository.reading(told).environments.some((entry) => entry.environment?.fingerprint === desired.fingerprint)) {
    violate("I6", `${name}: #${release} releases what commit ${told.slice(0, 7)} does not say`);
  }
  const through = (forbids: (head: Sha | undefined) => boolean): boolean => heads.length > 0 && heads.every(forbids);
  if (through((head) => isHeld(treeOf(head, parts), name, record.at)))
    violate("I5", `${name}: #${release} starts while it is held`);
  if (through((head) => isRewritten(head, name, parts)))
    violate("I6", `${name}: #${release} starts on rewritten history`);
  if (through((head) => isUnmanaged(treeOf(head, parts), name)))
    violate("I5", `${name}: #${release} starts while it is unmanaged`);
  const gated = through((head) => isGated(head, parts));
  if (kind === "release" && gated && !of.healthy.has(desired.sha)) checkPromotion(name, desired.sha, release, parts);
}

/** What the writer knew of the head lately: everything it was told within the grace, and the last word before. */
function knownHeads(writer: string, { heads, timeline }: StartParts): readonly (Sha | undefined)[] {
  const told = heads.get(writer) ?? [];
  const sinceMs = timeline.nowMs() - GRACE_MS;
  const before = told.findLastIndex(({ atMs }) => atMs <= sinceMs);
  return before === -1 ? [] : told.slice(before).map(({ head }) => head);
}

function treeOf(head: Sha | undefined, { repository }: StartParts): Tree | undefined {
  return head === undefined ? undefined : repository.tree(head);
}

function isHeld(tree: Tree | undefined, name: string, nowMs: number): boolean {
  const spec = [...(tree?.specs ?? [])].find(([one]) => one === name)?.[1];
  if (tree?.broken === true || spec?.broken === true || spec?.hold === undefined) return false;
  return spec.hold.untilMs === undefined || spec.hold.untilMs > nowMs;
}

/** Only environments whose files differ between the two heads are halted. */
function isRewritten(head: Sha | undefined, name: string, { repository, seen }: StartParts): boolean {
  const last = seen();
  if (last === undefined) return false;
  if (head === undefined) return true;
  if (repository.isAncestor(last, head) || repository.isAncestor(head, last)) return false;
  const [before, after] = [last, head].map(
    (commit) => repository.reading(commit).environments.find(({ id }) => id === `shop/${name}`)?.content,
  );
  return before !== after;
}

function isUnmanaged(tree: Tree | undefined, name: string): boolean {
  return tree !== undefined && tree.broken !== true && ![...tree.specs.keys()].some((one) => one === name);
}

/** Both the head and the commit before it ask for promotion, so that no loosened policy clears its own bump. */
function isGated(head: Sha | undefined, { repository }: StartParts): boolean {
  if (head === undefined || repository.tree(head).broken === true) return false;
  const parent = repository.parent(head);
  return repository.tree(head).pipeline && (parent === undefined || repository.tree(parent).pipeline);
}

function checkPromotion(name: string, sha: Sha, release: number, parts: StartParts): void {
  const { shape, timeline, builds, violate } = parts;
  const previous = shape.environments[shape.environments.findIndex((one) => one === name) - 1];
  if (previous === undefined) return;
  const there = parts.chronicleOf(previous);
  const contains = (other: string): boolean => (builds.commit(other)?.index ?? -1) >= (builds.commit(sha)?.index ?? 0);
  if (there.passed !== undefined && contains(there.passed.sha)) return;
  const recently = [...there.provenMs].some(([other, atMs]) => contains(other) && atMs > timeline.nowMs() - GRACE_MS);
  if (!recently) violate("I5", `${name}: #${release} starts although ${previous} is not healthy on ${sha.slice(0, 7)}`);
}
