// A nudge that makes no sense now: nothing to retry, nothing to abort. Nobody's mistake, so it is no Fault.

/** Thrown by Control; the API answers 409 with both sentences. */
export interface Refusal extends Error {
  /** What to do instead. */
  readonly next: string;
}

const REFUSAL = Symbol("refusal");

export function refusal(message: string, next: string): Refusal {
  return Object.assign(new Error(message), { [REFUSAL]: true, next });
}

export function isRefusal(thrown: unknown): thrown is Refusal {
  return thrown instanceof Error && REFUSAL in thrown;
}
