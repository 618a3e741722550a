// AWS and the journal, both only read: what `plan` stands on when no controller is asked.
import type { Foresight, Outlook } from "../cli/doors.ts";
import type { Config } from "../config.ts";
import type { Digest, EnvironmentName } from "../core/brand.ts";
import type { Environment, EnvironmentId } from "../core/environment.ts";
import { environmentId } from "../core/environment.ts";
import { Fault } from "../core/fault.ts";
import type { Memory } from "../core/history.ts";
import { NOTHING, remember } from "../core/history.ts";
import { consider } from "../engine/consider.ts";
import { createWriterId } from "../journal/writer.ts";
import type { Clock, Contains, Journal } from "../ports.ts";
import { openAwsWorld } from "./aws-world.ts";
import type { JournalParts } from "./journal.ts";
import { openJournal } from "./journal.ts";
import { systemRandom } from "./random.ts";

export interface OutlookParts {
  readonly journal: Config["journal"];
  readonly adopts: boolean;
  readonly clock: Clock;
  readonly contains: Contains;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function openOutlook({ journal: place, adopts, clock, contains, env }: OutlookParts): Outlook {
  const { world, aws } = openAwsWorld({ clock, random: systemRandom, writer: createWriterId(), env });
  let remembered: Promise<ReadonlyMap<EnvironmentId, Memory> | undefined> | undefined;

  async function plan(desired: Environment, signal: AbortSignal): Promise<Foresight> {
    remembered ??= recall(place, { create: false, aws, clock, env });
    const memories = await remembered;
    const memory = memories?.get(environmentId(desired)) ?? NOTHING;
    const surroundings = {
      neighbour: (name: EnvironmentName) => memories?.get(`${desired.application}/${name}`),
      pins: () => pinsOf(desired, memories),
    };
    const parts = { world, clock, contains, surroundings, adopts, observes: false };
    const { plan: planned, live, decision } = await consider({ desired, memory, depth: "full" }, parts, signal);
    return { plan: planned, live, decision, memory, journal: memories === undefined ? "unreachable" : "read" };
  }

  return {
    plan,
    close() {
      aws.close();
      return Promise.resolve();
    },
  };
}

/** Every environment the journal knows; undefined when there is no journal to read. */
async function recall(
  place: Config["journal"],
  parts: JournalParts,
): Promise<ReadonlyMap<EnvironmentId, Memory> | undefined> {
  try {
    const journal: Journal = openJournal(place, parts);
    const memories = new Map<EnvironmentId, Memory>();
    for (const stream of await journal.streams()) {
      if (!stream.startsWith("environment/")) continue;
      let memory = NOTHING;
      for await (const record of journal.read(stream, 1)) memory = remember(memory, record);
      memories.set(stream.slice("environment/".length) as EnvironmentId, memory);
    }
    return memories;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "journal-unavailable") return undefined;
    throw thrown;
  }
}

function pinsOf(
  desired: Environment,
  memories: ReadonlyMap<EnvironmentId, Memory> | undefined,
): ReadonlyMap<string, Digest> {
  const pins = new Map<string, Digest>();
  for (const [id, memory] of memories ?? []) {
    if (!id.startsWith(`${desired.application}/`)) continue;
    for (const [component, digest] of memory.pins) if (!pins.has(component)) pins.set(component, digest);
  }
  return pins;
}
