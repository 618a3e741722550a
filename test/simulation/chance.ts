// Chance that a seed repeats: every decision of a simulated run is drawn from here, in order.
import { sha256 } from "../../controller/core/sha256.ts";

export interface Chance {
  /** A number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  between(low: number, high: number): number;
  is(probability: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  hex(bytes: number): string;
  /** Another stream of chance that does not disturb this one. */
  fork(name: string): Chance;
}

/** The generator sfc32: small, fast, and good enough to choose faults. */
export function createChance(seed: string): Chance {
  const digest = sha256(seed);
  const word = (index: number): number => Number.parseInt(digest.slice(index * 8, index * 8 + 8), 16) | 0;
  let [a, b, c, counter] = [word(0), word(1), word(2), word(3)];

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  for (let round = 0; round < 12; round += 1) next();

  return {
    below: (limit) => Math.floor(next() * limit),
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    is: (probability) => next() < probability,
    pick(values) {
      const value = values[Math.floor(next() * values.length)];
      if (value === undefined) throw new RangeError("nothing to pick from");
      return value;
    },
    hex(bytes) {
      let text = "";
      for (let count = 0; count < bytes; count += 1) {
        text += Math.floor(next() * 256)
          .toString(16)
          .padStart(2, "0");
      }
      return text;
    },
    fork: (name) => createChance(`${seed}/${name}`),
  };
}
