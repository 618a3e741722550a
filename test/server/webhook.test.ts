import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHOP } from "../cli/shop.ts";
import type { Theatre } from "./board.ts";
import { open } from "./board.ts";

const [present, next] = ["0123456789abcdef", "fedcba9876543210"];
let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(SHOP, { webhookSecrets: [present, next] });
});
afterAll(() => theatre.server.close());

function sign(body: string, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

async function deliver(body: string, signature?: string): Promise<number> {
  const headers = signature === undefined ? {} : { "x-hub-signature-256": signature };
  const response = await fetch(`${theatre.server.address}/webhook`, { method: "POST", body, headers });
  await response.text();
  return response.status;
}

test("a delivery that is not signed with a secret makes nobody look", async () => {
  for (const signature of [
    undefined,
    "",
    "sha256=",
    sign("{}", "another secret!!"),
    sign("{} ", present),
    sign("{}", present).slice(0, -1),
  ]) {
    expect(await deliver("{}", signature)).toBe(401);
  }
  expect(theatre.asked).toEqual([]);
});

test("a body over 1 MiB is refused before it is read to its end", async () => {
  const body = "x".repeat(1024 * 1024 + 1);
  expect(await deliver(body, sign(body, present))).toBe(413);
  expect(theatre.asked).toEqual([]);
});

test("either secret makes us look, and a recorded delivery only once", async () => {
  for (const [body, secret] of [
    ["first", present],
    ["second", next],
    ["first", present],
  ] as const) {
    expect(await deliver(body, sign(body, secret))).toBe(202);
  }
  expect(theatre.asked).toEqual([["look"], ["look"]]);
});
