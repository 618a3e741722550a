// The web a step is about, and its marker as the step finds it.
import type { WebName } from "../../core/brand.ts";
import { assert } from "../../core/assert.ts";
import type { Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import type { Context, Turn } from "../../ports.ts";
import { type AwsPlace, sessionOf } from "../aws.ts";
import type { Markers, Seen, Spot } from "./marker.ts";

export function spotOf(name: WebName, turn: Turn, context: Context, signal: AbortSignal): Spot {
  const web = turn.environment.webs.find((one) => one.name === name);
  assert(web !== undefined, `step of an unknown web ${name}`);
  const { region, account, role, externalId } = turn.environment.place;
  const place: AwsPlace = {
    region,
    ...(account === undefined ? {} : { account }),
    ...(role === undefined ? {} : { role }),
    ...(externalId === undefined ? {} : { externalId }),
    session: sessionOf(turn.environment.application, turn.environment.name, turn.release.number),
  };
  return { web, place, context, signal };
}

/**
 * Runs with the marker as it was last seen, and once more with the one that is there, should its first write find out
 * that another one is. Fault: publish-conflict when another journal wrote it since the release began.
 */
export async function withMarker(
  markers: Markers,
  at: Spot,
  turn: Turn,
  run: (seen: Seen) => Promise<Outcome>,
): Promise<Outcome> {
  const seen = await markers.latest(at.web, at.place, at.signal);
  assertOurs(seen, at, turn);
  try {
    return await run(seen);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "publish-conflict") throw error;
    const now = await markers.read(at.web, at.place, at.signal);
    if (now.etag === seen.etag) throw error;
    assertOurs(now, at, turn);
    return run(now);
  }
}

function assertOurs({ marker }: Seen, { web }: Spot, turn: Turn): void {
  const began = turn.memory.open?.startedAt;
  if (marker === undefined || marker.journal === turn.release.journal) return;
  if (began === undefined || marker.writtenAt < began) return;
  const message = `web ${web.name}: journal ${marker.journal} published to s3://${web.bucket}/${web.prefix} during the release`;
  throw new Fault("publish-conflict", message);
}
