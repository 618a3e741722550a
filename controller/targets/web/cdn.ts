// Invalidate: tells CloudFront to forget what a publication changed, once per publication.
import { CreateInvalidationCommand, GetInvalidationCommand } from "@aws-sdk/client-cloudfront";
import { invalidationPaths } from "../../core/assets.ts";
import type { Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import { sha256 } from "../../core/sha256.ts";
import type { Runner, Turn } from "../../ports.ts";
import type { Aws } from "../aws.ts";
import { awsErrorName } from "../aws/faults.ts";
import type { Distributions } from "./distributions.ts";
import type { Marker, Markers, Seen, Spot } from "./marker.ts";
import { patiently, untilEnd } from "./patience.ts";
import { spotOf, withMarker } from "./spot.ts";

/** While too many invalidations are in progress, asked again at this pace. */
const ROOM_MS = 10_000;
const ROOM_ATTEMPTS = 60;
/** Going back, how long the old page is waited for at every edge. It usually takes seconds. */
const COMPLETION_MS = 5 * 60_000;
const POLL_MS = 2_000;

interface Invalidation {
  readonly id: string;
  readonly completed: boolean;
}

export interface Invalidating {
  readonly aws: Aws;
  readonly markers: Markers;
  readonly distributions: Distributions;
}

export function createInvalidate(on: Invalidating): Runner<"invalidate"> {
  return (step, turn, context) =>
    untilEnd(context, (signal) => {
      const at = spotOf(step.web, turn, context, signal);
      return withMarker(on.markers, at, turn, (seen) => invalidate(on, at, turn, seen));
    });
}

async function invalidate(on: Invalidating, at: Spot, turn: Turn, seen: Seen): Promise<Outcome> {
  const { web, place, context, signal } = at;
  const { marker } = seen;
  if (web.domain === undefined && web.distribution === undefined) return { status: "done", note: "no CDN" };
  if (marker?.publication === undefined) return { status: "done", note: "nothing was published" };
  const { publication } = marker;
  if (marker.state !== "served") {
    throw new Fault("publish-conflict", `web ${web.name}: publication ${publication} is not finished`);
  }
  if (marker.invalidated === publication) return { status: "done", note: "was invalidated before" };
  const distribution = await on.distributions.find(web, place, signal);
  const paths = pathsOf(at, marker);
  const made = await create(on, at, distribution, `lockstep-${web.name}-${publication}`, paths);
  // A new page may call an API that is about to go back: nobody may still be given it.
  const completed = turn.memory.open?.direction === "back" ? await completion(on, at, distribution, made) : true;
  const { invalidated: _, ...rest } = marker;
  await on.markers.write(at, seen, { ...rest, invalidated: publication, stale: [] });
  await settle(at, turn, marker);
  await context.record({ type: "invalidated", web: web.name, publication, invalidation: made.id });
  const what = paths.length === 1 ? (paths[0] ?? "") : `${paths.length} paths`;
  const still = completed ? "" : ", still in progress";
  return { status: "done", note: `invalidated ${what} of ${distribution} (${made.id})${still}` };
}

/** A crash after the page was served and before the journal heard of it left this to say. */
async function settle({ context, web }: Spot, turn: Turn, marker: Marker): Promise<void> {
  const known = turn.memory.publications.get(web.name);
  if (known === undefined || known.settled || known.publication !== marker.publication) return;
  const { publication, digest } = known;
  await context.record({
    type: "publication-settled",
    web: web.name,
    publication,
    digest,
    written: 0,
    deleted: 0,
  });
}

/** A bucket's prefix may be the origin's path, which readers do not see, or a folder, which they do: both are named. */
function pathsOf({ web }: Spot, marker: Marker): readonly string[] {
  return web.invalidate ?? invalidationPaths(marker.stale, ["", web.prefix]);
}

/** The same reference and paths give the same invalidation again, so that a lost answer costs nothing. */
async function create(
  on: Invalidating,
  at: Spot,
  distribution: string,
  reference: string,
  paths: readonly string[],
): Promise<Invalidation> {
  const { context, signal, place } = at;
  const send = async (CallerReference: string): Promise<Invalidation> => {
    const Paths = { Quantity: paths.length, Items: [...paths] };
    const command = new CreateInvalidationCommand({
      DistributionId: distribution,
      InvalidationBatch: { CallerReference, Paths },
    });
    const call = {
      place,
      service: "cloudfront",
      operation: "CreateInvalidation",
      resource: `distribution ${distribution}`,
      signal,
      guard: () => context.guard(),
    } as const;
    const { Invalidation: made } = await patiently(context, signal, () =>
      on.aws.write(call, (client, http) => client.send(command, http)),
    );
    return { id: made?.Id ?? "", completed: made?.Status === "Completed" };
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(reference);
    } catch (error) {
      const name = awsErrorName(error);
      if (name === "NoSuchDistribution") on.distributions.forget(place);
      // The manifest names other paths now than when this publication was first invalidated.
      if (name === "InvalidationBatchAlreadyExists")
        return send(`${reference}-${sha256(paths.join("\n")).slice(0, 8)}`);
      if (name !== "TooManyInvalidationsInProgress") throw error;
      if (attempt === ROOM_ATTEMPTS) throw new Fault("throttled", messageOf(error), error);
      if (attempt === 1) context.note(`${distribution}: too many invalidations in progress, waiting for room`);
      await context.clock.sleep(ROOM_MS, signal);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** False when it takes longer than anyone should wait; it goes on by itself (completion is not a condition). */
async function completion(on: Invalidating, at: Spot, distribution: string, made: Invalidation): Promise<boolean> {
  const { context, signal, place, web } = at;
  const startMs = context.clock.monotonicMs();
  const command = new GetInvalidationCommand({ DistributionId: distribution, Id: made.id });
  const resource = `distribution ${distribution}`;
  const call = { place, service: "cloudfront", operation: "GetInvalidation", resource, signal } as const;
  let { completed } = made;
  if (!completed) context.note(`${web.name}: waiting until no reader is given the newer page`);
  while (!completed && context.clock.monotonicMs() - startMs < COMPLETION_MS) {
    await context.clock.sleep(POLL_MS, signal);
    const answer = await patiently(context, signal, () =>
      on.aws.read(call, (client, http) => client.send(command, http)),
    );
    completed = answer.Invalidation?.Status === "Completed";
  }
  return completed;
}
