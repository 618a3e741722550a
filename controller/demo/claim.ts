// A sentence that is proven by looking at the world, again and again until it holds or cannot any more.
import type { EnvironmentId } from "../core/environment.ts";
import type { Evidence, Told } from "../core/told.ts";
import type { Clock } from "../ports.ts";

/** One look: where, what came back, and whether it is what the sentence says. */
export interface Reading extends Evidence {
  readonly holds: boolean;
}

export interface Claim {
  readonly sentence: string;
  /** What must be found for it to be true. */
  readonly expected: string;
  /** All of it must hold at once. */
  readonly look: () => Promise<readonly Reading[]>;
  /** Whose status helps when it is untrue. */
  readonly environment?: EnvironmentId;
  /** Why it cannot become true any more; the world is still looked at once after that. */
  readonly hopeless?: () => string | undefined;
  /** Default 30 s. */
  readonly deadlineMs?: number;
}

export interface Proving {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const LOOK_MS = 150;
const DEADLINE_MS = 30_000;

/** Rejects with the signal's reason when it aborts. */
export async function* prove(claim: Claim, { clock, signal }: Proving): AsyncGenerator<Told> {
  const { sentence, expected, environment, hopeless, deadlineMs = DEADLINE_MS } = claim;
  const startedMs = clock.monotonicMs();
  yield { kind: "claim", sentence };
  for (;;) {
    // Asked before the look, so that what happened meanwhile is given its chance.
    const gone = hopeless?.();
    const late = clock.monotonicMs() - startedMs >= deadlineMs;
    const readings = await looked(claim);
    const evidence = readings.map(({ by, found }) => ({ by, found }));
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    if (readings.length > 0 && readings.every(({ holds }) => holds)) {
      yield { kind: "true", sentence, evidence, tookMs };
      return;
    }
    if (gone !== undefined || late) {
      const why = gone ?? `it had not come true after ${Math.round(deadlineMs / 1000)} s`;
      const help = environment === undefined ? {} : { environment };
      yield { kind: "untrue", sentence, expected, why, evidence: unmet(readings), tookMs, ...help };
      return;
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

/** A look that fails is a look that found an error: it is shown, and tried again. */
async function looked({ look }: Claim): Promise<readonly Reading[]> {
  try {
    return await look();
  } catch (thrown) {
    const found = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return [{ by: "looking", found, holds: false }];
  }
}

/** What does not hold comes first: it is what somebody has to read. */
function unmet(readings: readonly Reading[]): readonly Evidence[] {
  const holding = readings.filter(({ holds }) => holds);
  return [...readings.filter(({ holds }) => !holds), ...holding].map(({ by, found }) => ({ by, found }));
}
