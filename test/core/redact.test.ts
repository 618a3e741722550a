import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../controller/core/redact.ts";

const CANARY = 'c4nary "quoted"/+=&<s3cret>';

describe("known secrets", () => {
  const redact = createRedactor([CANARY, "short", ""]);

  test.each([
    ["as they are", CANARY],
    ["in a URL", encodeURIComponent(CANARY)],
    ["in JSON", JSON.stringify({ value: CANARY })],
    ["in base64", Buffer.from(CANARY).toString("base64")],
    ["twice", `${CANARY} and ${CANARY}`],
  ])("are hidden %s", (_, text) => {
    const shown = redact(`before ${text} after`);
    expect(shown).not.toContain("c4nary");
    expect(shown).not.toContain(Buffer.from(CANARY).toString("base64").replace(/=+$/, ""));
    expect(shown).toMatch(/^before .* after$/);
  });

  test("shorter than 6 characters would hide ordinary words, and are not looked for", () => {
    expect(redact("a short text")).toBe("a short text");
  });

  test("are hidden in every string of a value, and its shape stays", () => {
    const value = { list: [CANARY, 7, true], map: new Map([["key", CANARY]]), none: undefined, text: "fine" };
    expect(redact.deep(value)).toEqual({ list: ["***", 7, true], map: { key: "***" }, none: undefined, text: "fine" });
  });

  test("of any text never survive, wherever they stand", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6, maxLength: 60 }), fc.string(), fc.string(), (secret, before, after) => {
        // A secret of asterisks would look like the mask itself.
        fc.pre(!"***".includes(secret.slice(0, 3)) && !secret.includes("***"));
        expect(createRedactor([secret])(`${before}${secret}${after}`)).not.toContain(secret);
      }),
    );
  });
});

describe("what looks like a credential", () => {
  const redact = createRedactor([]);

  test.each([
    ["https://mia:hunter2@git.example.com/ops.git", "https://***@git.example.com/ops.git"],
    [
      "fatal: https://x-token:abc@git.example.com/ops.git not found",
      "fatal: https://***@git.example.com/ops.git not found",
    ],
    ["postgres://shop:pa55@db.example:5432/shop", "postgres://***@db.example:5432/shop"],
    ["key AKIAIOSFODNN7EXAMPLE used", "key *** used"],
    ["ASIAIOSFODNN7EXAMPLE", "***"],
    ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY=***"],
    ['{"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG"}', '{"SecretAccessKey":"***"}'],
    [`ghp_${"a".repeat(36)}`, "***"],
    [`github_pat_${"a".repeat(40)}`, "***"],
    ["Authorization: Bearer abc.def", "Authorization: Bearer ***"],
    ["https://b.s3.amazonaws.com/k?X-Amz-Signature=abc123&x=1", "https://b.s3.amazonaws.com/k?X-Amz-Signature=***&x=1"],
    ["DB_PASSWORD=hunter2 node migrate", "DB_PASSWORD=*** node migrate"],
    ['{"password":"hunter2"}', '{"password":"***"}'],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "-----***-----"],
    [`eyJhbGciOiJI.eyJzdWIiOiIx.${"a".repeat(10)}`, "***"],
  ])("%s", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  test.each([
    "9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01",
    `sha256:${"a".repeat(64)}`,
    "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-api:7",
    "check LOCKSTEP_GIT_TOKEN or the SSH key",
    "https://git.example.com/acme/ops.git",
    "git@git.example.com:acme/ops.git",
    'migrate exited 1: relation "coupons" already exists',
  ])("%s is left as it is", (text) => {
    expect(redact(text)).toBe(text);
  });

  test("takes time in proportion to the text, also for hostile ones", () => {
    for (const piece of [
      "https://",
      "-----BEGIN PRIVATE KEY-----",
      "eyJaaaaaaaa.",
      "password=",
      "a_",
      "authorization:",
    ]) {
      const text = piece.repeat(20_000);
      const started = performance.now();
      redact(text);
      expect(performance.now() - started, piece).toBeLessThan(2000);
    }
  });
});
