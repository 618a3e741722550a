// "Did you mean": the known word nearest to one that is not known.

/** The nearest candidate within a third of the word's length (at least 1, at most 3 edits); undefined when none is. */
export function nearest<Word extends string>(word: string, candidates: Iterable<Word>): Word | undefined {
  const written = word.slice(0, 64).toLowerCase();
  const limit = Math.min(3, Math.max(1, Math.floor(written.length / 3)));
  let best: Word | undefined;
  let least = limit + 1;
  for (const candidate of candidates) {
    const edits = distance(written, candidate.toLowerCase(), least);
    if (edits < least) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}

/** `; did you mean "strategy"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? "" : `; did you mean ${JSON.stringify(found)}?`;
}

/** Levenshtein distance in which swapping two neighbours counts as one edit; `enough` or more is not told apart. */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? enough;
}
