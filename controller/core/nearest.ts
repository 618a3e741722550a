// "Did you mean": the word of a list that lies closest to what was written, if it lies close enough.

/** Undefined when nothing is within a third of the word's length (at least one, at most three edits). */
export function nearest<Word extends string>(written: string, words: readonly Word[]): Word | undefined {
  const limit = Math.min(3, Math.max(1, Math.floor(written.length / 3)));
  let best: { readonly word: Word; readonly distance: number } | undefined;
  for (const word of words) {
    const far = distance(written, word);
    if (far <= limit && (best === undefined || far < best.distance)) best = { word, distance: far };
  }
  return best?.word;
}

/** Edits between two words: insert, delete, replace, swap neighbours. Both are cut at 64 characters. */
function distance(from: string, to: string): number {
  const [a, b] = [from.slice(0, 64), to.slice(0, 64)];
  let before: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const replace = (previous[column - 1] ?? 0) + (same ? 0 : 1);
      const swap = swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min((current[column - 1] ?? 0) + 1, (previous[column] ?? 0) + 1, replace, swap));
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
