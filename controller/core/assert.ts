// Our own mistakes: an assertion that fails crashes the turn; the next look goes on from the journal.

/** Crashes on a state that the code says cannot be. Never for what the world or an author may do. */
export function assert(condition: unknown, because: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${because}`);
}

/** Makes a forgotten case of a union fail to compile, and to crash should one arrive from outside the types. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}
