// Chance that repeats: one seed gives one sequence of numbers, and the identifiers drawn from it.

import type { Chance } from "./api.ts";

/** Numbers in [0, 1) from a 32-bit seed (mulberry32): the same seed, the same sandbox. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Characters drawn from an alphabet. */
export function draw(chance: Chance, length: number, alphabet: string): string {
  let text = "";
  while (text.length < length) text += alphabet.charAt(Math.floor(chance() * alphabet.length));
  return text;
}

/** A version 4 UUID, as AWS request ids look. */
export function uuid(chance: Chance): string {
  const hex = draw(chance, 30, "0123456789abcdef");
  const variant = draw(chance, 1, "89ab");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(12, 15)}`,
    `${variant}${hex.slice(15, 18)}`,
    hex.slice(18, 30),
  ].join("-");
}
