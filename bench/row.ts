// What one row of the table is: what it measures, what to compare it with, and what came out.
export interface Row {
  /** `P1`: the row of the design's table. */
  readonly id: string;
  readonly measure: string;
  readonly reference: string;
  readonly target: string;
  /** Throws when the scenario itself did not come about; a missed target is a result. */
  run(): Promise<Result>;
}

export interface Result {
  /** One line for the table. */
  readonly measured: string;
  readonly met: boolean;
  /** Everything that was counted, for results.json. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** Lines below the table: what a reader has to know. */
  readonly notes?: readonly string[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Names with how often each occurred, the most frequent first. */
export function tally(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
