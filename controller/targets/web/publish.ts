// Stage and publish: new assets beside the old page, then what changes, the entry page last, framed by the marker.
import type { ReleaseFile } from "../../core/assets.ts";
import { copies } from "../../core/assets.ts";
import { PublicationId } from "../../core/brand.ts";
import type { Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import type { StepOf } from "../../core/step.ts";
import { stepId } from "../../core/step.ts";
import type { Runner, Turn } from "../../ports.ts";
import type { Buckets } from "./bucket.ts";
import { copyWave, deleteKeys, type Etags } from "./copy.ts";
import { announced, believed, begun, finished } from "./inventory.ts";
import type { Markers, Seen, Spot } from "./marker.ts";
import { stoppable, untilEnd } from "./patience.ts";
import type { Release, Releases } from "./release.ts";
import { spotOf, withMarker } from "./spot.ts";

export interface Publishing {
  readonly buckets: Buckets;
  readonly markers: Markers;
  readonly releases: Releases;
}

/** ETags that the stage step saw, handed to the publish step of the same life; a later life asks S3 instead. */
interface Handover {
  readonly release: string;
  readonly etags: Etags;
}

/** Publishing without a handover is merely slower. */
const HANDOVERS = 64;

export function createPublishing(on: Publishing): {
  readonly stage: Runner<"stage">;
  readonly publish: Runner<"publish">;
} {
  const handovers = new Map<string, Handover>();

  async function stage(at: Spot, step: StepOf<"stage">, turn: Turn, seen: Seen): Promise<Outcome> {
    const release = await on.releases.planned(at.web, at.place, step.digest, at.signal);
    const serial = (seen.marker?.serial ?? 0) + 1;
    // Resumed while something else stands in the way: what this release has staged is not staged at every look.
    const known = believed(seen.marker, release, stagedBy(turn, step, handovers));
    const { stage: assets } = copies(release.files, known, serial);
    if (assets.length === 0) return { status: "done", note: "no new assets" };
    // Announced first, so that a crash leaves no key behind that pruning does not know of.
    await on.markers.write(at, seen, announced(seen.marker, release, assets, turn.release));
    at.context.note(`${step.web}: copying ${assets.length} new assets`);
    const etags = await copyAll(at, release, [assets], known.inventory);
    handovers.set(`${turn.environment.application}/${turn.environment.name}/${step.web}`, {
      release: turn.release.id,
      etags,
    });
    for (const oldest of [...handovers.keys()].slice(0, -HANDOVERS)) handovers.delete(oldest);
    return { status: "done", note: `${assets.length} new assets copied` };
  }

  async function publish(at: Spot, step: StepOf<"publish">, turn: Turn, seen: Seen): Promise<Outcome> {
    const { context, web } = at;
    const served = await alreadyServed(at, step, turn, seen);
    if (served !== undefined) return served;
    const release = await on.releases.planned(web, at.place, step.digest, at.signal);
    const known = believed(seen.marker, release, stagedBy(turn, step, handovers));
    const work = copies(release.files, known, (seen.marker?.serial ?? 0) + 1);
    const publication = PublicationId.parse(context.random(16));
    const named = { web: step.web, publication, digest: step.digest };
    await context.record({ type: "publication-started", release: turn.release.number, ...named });
    const identity = { publication, journal: turn.release.journal, at: context.clock.now() };
    const begin = await on.markers.write(at, seen, begun(seen.marker, release, work, known, identity));
    const etags = await copyAll(at, release, [work.stage, ...work.publish], known.inventory);
    await deleteKeys(on.buckets, at, work.deletions);
    await on.markers.write(at, begin, finished(begin.marker, release, work, etags));
    const counts = { written: etags.size, deleted: work.deletions.length };
    await context.record({ type: "publication-settled", ...named, ...counts });
    return { status: "done", note: `${counts.written} files copied, ${counts.deleted} deleted` };
  }

  /** Each wave begins when the one before it is there. */
  async function copyAll(
    at: Spot,
    release: Release,
    waves: readonly (readonly ReleaseFile[])[],
    inventory: Parameters<typeof copyWave>[4],
  ): Promise<Etags> {
    const written = new Map<string, string>();
    try {
      for (const wave of waves) {
        const etags = await copyWave(on.buckets, at, release, wave, inventory);
        for (const [key, etag] of etags) written.set(key, etag);
      }
      return written;
    } catch (error) {
      const changed =
        error instanceof Fault && (error.code === "artifact-rebuilt" || error.code === "release-incomplete");
      if (changed) on.releases.forget(at.web, at.place);
      throw error;
    }
  }

  return {
    stage: (step, turn, context) =>
      stoppable(context, (signal) => {
        const at = spotOf(step.web, turn, context, signal);
        return withMarker(on.markers, at, turn, (seen) => stage(at, step, turn, seen));
      }),
    publish: (step, turn, context) =>
      untilEnd(context, (signal) => {
        const at = spotOf(step.web, turn, context, signal);
        return withMarker(on.markers, at, turn, (seen) => publish(at, step, turn, seen));
      }),
  };
}

/** A publication whose last answer was lost: the page is served, only the journal does not know. */
async function alreadyServed(
  { context }: Spot,
  step: StepOf<"publish">,
  turn: Turn,
  { marker }: Seen,
): Promise<Outcome | undefined> {
  const known = turn.memory.publications.get(step.web);
  if (known === undefined || known.settled || known.publication !== marker?.publication) return undefined;
  if (marker.state !== "served" || marker.digest !== step.digest) return undefined;
  const { publication, digest } = known;
  const counts = { written: 0, deleted: 0 };
  await context.record({ type: "publication-settled", web: step.web, publication, digest, ...counts });
  return { status: "done", note: "was published by an earlier life of the controller" };
}

/** What the stage step of this release left: undefined unless the journal says that it ended well. */
function stagedBy(
  turn: Turn,
  step: Pick<StepOf<"stage" | "publish">, "web" | "digest">,
  handovers: ReadonlyMap<string, Handover>,
): Parameters<typeof believed>[2] {
  const id = stepId({ kind: "stage", web: step.web, digest: step.digest, why: "" });
  const record = turn.memory.open?.steps.find((one) => stepId(one.step) === id);
  if (record?.outcome?.status !== "done") return undefined;
  const handover = handovers.get(`${turn.environment.application}/${turn.environment.name}/${step.web}`);
  const etags = handover?.release === turn.release.id ? handover.etags : new Map<string, string>();
  return { release: turn.release.id, etags };
}
