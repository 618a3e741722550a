// Durations as manifests write them: `500ms 5s 20m 2h 7d`.

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const GRAMMAR = /^(\d{1,9})(ms|s|m|h|d)$/;

/** Milliseconds; undefined for text outside the grammar. */
export function durationMs(text: string): number | undefined {
  const match = GRAMMAR.exec(text);
  if (match === null) return undefined;
  const unit = match[2] as keyof typeof UNITS;
  return Number(match[1]) * UNITS[unit];
}
