// A deliberate bug: the promise it breaks, where it is put in, and what must notice it.

export interface Mutation {
  readonly name: string;
  /** What stops being true: an invariant of safety.md by its number, or a rule of release.md. */
  readonly breaks: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly edits: readonly Edit[];
  /** Each of these must fail with the bug in place, and pass without it. */
  readonly caughtBy: readonly Proof[];
}

interface Edit {
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A test file, or so many runs of the simulation. */
export type Proof = string | Simulated;

interface Simulated {
  readonly seeds: number;
  readonly from: string;
}

/** Runs of the decision tier until the first violation. The same seeds for all, so that they are proven sound once. */
export const SIMULATION: Simulated = { seeds: 150, from: "mutant" };

export function proofName(proof: Proof): string {
  return typeof proof === "string" ? proof : `simulate --seeds ${proof.seeds} --from ${proof.from}`;
}

/** The source with the bug in it. Throws when a text to be replaced is not there exactly once: the source has moved on. */
export function mutated(source: string, { name, file, edits }: Mutation): string {
  return edits.reduce((text, { find, replace }) => {
    const count = text.split(find).length - 1;
    if (count !== 1 || find === replace)
      throw new Error(`mutation ${name}: ${file} holds ${JSON.stringify(find.slice(0, 80))} ${count} times, not once`);
    return text.replace(find, () => replace);
  }, source);
}
