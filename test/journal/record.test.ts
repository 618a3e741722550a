// A record comes back as it was written, and whatever else stands in its place is damage.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { Durable, Recorded } from "../../controller/core/event.ts";
import { Fault } from "../../controller/core/fault.ts";
import { decode, encode } from "../../controller/journal/record.ts";
import { COMMIT } from "./contract.ts";

const WHERE = "journal/000000000007";
const GOOD: Recorded = {
  v: 1,
  sequence: 7,
  at: Instant.of(1_700_000_000_000),
  writer: "writer",
  epoch: 3,
  nonce: "nonce",
  event: { type: "head-seen", commit: COMMIT },
};

function messageOf(line: string): string {
  try {
    decode(line, WHERE, 7);
    return "no fault";
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== "journal-damaged") throw thrown;
    return thrown.message;
  }
}

describe("A record that cannot be trusted is refused with its place and what is wrong", () => {
  const without = (field: string) => JSON.stringify({ ...GOOD, [field]: undefined });
  const holding = (event: unknown) => JSON.stringify({ ...GOOD, event });
  test.each([
    ["an empty file", "", "is empty"],
    ["half a record", encode(GOOD).slice(0, 40), "is not JSON"],
    ["a list", "[]", "is not a record"],
    ["null", "null", "is not a record"],
    ["a newer version", JSON.stringify({ ...GOOD, v: 2 }), "has version 2; this Lockstep reads version 1"],
    ["no version", without("v"), "has version missing"],
    ["another sequence", JSON.stringify({ ...GOOD, sequence: 8 }), "has sequence 8 inside"],
    ["no time", without("at"), "has no time"],
    ["no writer", without("writer"), "has no writer"],
    ["an epoch below zero", JSON.stringify({ ...GOOD, epoch: -1 }), "has no epoch"],
    ["no nonce", without("nonce"), "has no nonce"],
    ["no event", without("event"), "has no event"],
    ["an event of a later release", holding({ type: "teleported" }), 'an event "teleported" that this Lockstep'],
    ["an event named like a property of every object", holding({ type: "toString" }), "that this Lockstep"],
    ["a SHA that is none", holding({ type: "head-seen", commit: "main" }), '`commit` is "main"'],
    ["a missing field", holding({ type: "release-succeeded" }), "`release` is missing"],
    ["an inherited field", '{"__proto__":{"why":"x"},"type":"unmanaged"}', "`why` is missing"],
  ])("%s", (_what, line, message) => {
    const whole = line.startsWith('{"__proto__"') ? encode(GOOD).replace(/"event":.*/, `"event":${line}}`) : line;
    expect(messageOf(whole)).toContain(`${WHERE} `);
    expect(messageOf(whole)).toContain(message);
    expect(messageOf(whole)).toContain("restore the journal from a copy");
  });
});

test("Any bytes at all are either a record or damage, never another error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (line) => {
      expect(messageOf(line)).not.toBe("");
    }),
  );
});

test("A record with any one field replaced by anything is either a record or damage", () => {
  const fields = fc.constantFrom("v", "sequence", "at", "writer", "epoch", "nonce", "event");
  fc.assert(
    fc.property(fields, fc.jsonValue(), (field, value) => {
      expect(messageOf(JSON.stringify({ ...GOOD, [field]: value }))).not.toBe("");
    }),
  );
});

const text = fc.string({ unit: "grapheme" });
const events: fc.Arbitrary<Durable> = fc.oneof(
  fc.record({ type: fc.constant("unmanaged" as const), why: text }),
  fc.record({ type: fc.constant("release-requested" as const), actor: text, reason: text }),
  fc.record({ type: fc.constant("release-succeeded" as const), release: fc.nat() }),
  fc.record({ type: fc.constant("journal-opened" as const), journalId: text }),
  fc.record(
    { type: fc.constant("lease" as const), ttlMs: fc.nat(), released: fc.constant(true as const) },
    { requiredKeys: ["type", "ttlMs"] },
  ),
);

test("What is written comes back equal, in one line", () => {
  const records = fc.record<Recorded>({
    v: fc.constant(1 as const),
    sequence: fc.constant(7),
    at: fc.maxSafeNat().map((ms) => Instant.of(ms)),
    writer: fc.string({ minLength: 1 }),
    epoch: fc.nat(),
    nonce: fc.string({ minLength: 1 }),
    event: events,
  });
  fc.assert(
    fc.property(records, (record) => {
      const line = encode(record);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(decode(line, WHERE, 7)).toEqual(record);
    }),
  );
});

test("A record over the limit is our own mistake, not a file nobody can read", () => {
  const event: Durable = { type: "unmanaged", why: "x".repeat(17 * 1024 * 1024) };
  expect(() => encode({ ...GOOD, event })).toThrow("assertion failed: a record of unmanaged is over");
});
