// Prune: deletes assets that no retained release lists. It never fails a release.
import { prunable, retainedFrom } from "../../core/assets.ts";
import type { Held } from "../../core/assets.ts";
import type { Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import type { Runner, Turn } from "../../ports.ts";
import type { Buckets } from "./bucket.ts";
import { deleteKeys } from "./copy.ts";
import type { Markers, Seen, Spot } from "./marker.ts";
import { stoppable } from "./patience.ts";
import { spotOf, withMarker } from "./spot.ts";

export interface Pruning {
  readonly buckets: Buckets;
  readonly markers: Markers;
}

export function createPrune(on: Pruning): Runner<"prune"> {
  return (step, turn, context) =>
    stoppable(context, async (signal) => {
      const at = spotOf(step.web, turn, context, signal);
      try {
        return await withMarker(on.markers, at, turn, (seen) => prune(on, at, turn, seen));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Fault)) throw error;
        if (error.code === "fenced") return { status: "cancelled", by: "fenced" };
        return { status: "done", note: `not pruned: ${error.message}` };
      }
    });
}

async function prune(on: Pruning, at: Spot, turn: Turn, seen: Seen): Promise<Outcome> {
  const { web, context } = at;
  const { marker } = seen;
  if (marker?.state !== "served") return { status: "done", note: "nothing is served" };
  if (marker.journal !== turn.release.journal) return { status: "done", note: "another journal published here" };
  const good = turn.memory.good?.artifacts[`web/${web.name}`];
  const now = context.clock.now();
  const retention = { keep: web.keep, now, ...(good === undefined ? {} : { good }) };
  const from = retainedFrom(marker.published, retention);
  const published = marker.published.filter((one) => one.serial >= from);
  const keys = prunable(marker.files, from);
  if (keys.length === 0) return { status: "done", note: "no old assets" };
  // Unknown first, so that a crash cannot leave the marker promising what is deleted; forgotten last, so that it is
  // deleted by a later prune if this one does not get to it.
  const unknown = new Map(marker.files);
  for (const key of keys) unknown.set(key, forgotten(marker.files.get(key)));
  const begun = await on.markers.write(at, seen, { ...marker, files: unknown });
  await deleteKeys(on.buckets, at, keys);
  const files = new Map(begun.marker.files);
  for (const key of keys) files.delete(key);
  await on.markers.write(at, begun, { ...begun.marker, published, files });
  const releases = marker.published.length - published.length;
  return { status: "done", note: `${keys.length} assets of ${releases} old releases deleted` };
}

function forgotten(held: Held | undefined): Held {
  return { last: held?.last ?? 0, fixed: held?.fixed ?? true };
}
