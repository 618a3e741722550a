import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fault } from "../../controller/core/fault.ts";
import { refusal } from "../../controller/core/refusal.ts";
import type { Theatre } from "../server/board.ts";
import { open } from "../server/board.ts";
import { COMMIT, SHOP } from "./shop.ts";
import type { Ran, Session } from "./terminal.ts";
import { lockstep } from "./terminal.ts";

let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(SHOP);
});
afterAll(() => theatre.server.close());

async function nudge(argv: readonly string[], session: Session = {}): Promise<Ran & { readonly asked: unknown }> {
  const count = theatre.asked.length;
  const ran = await lockstep([...argv, "--url", theatre.server.address], session);
  return { ...ran, asked: theatre.asked[count] };
}

const by = { actor: "mia", reason: "the quota was raised" };
const why = ["--reason", by.reason];

describe("each nudge reaches the engine once, with who asked and why", () => {
  test.each<readonly [readonly string[], readonly unknown[]]>([
    [
      ["retry", "prod", ...why],
      ["retry", "shop/prod", by],
    ],
    [
      ["repair", "shop/staging", ...why],
      ["repair", "shop/staging", by],
    ],
    [
      ["adopt", "dev", ...why],
      ["adopt", "shop/dev", by],
    ],
    [
      ["abort", "prod", ...why],
      ["abort", "shop/prod", by],
    ],
    [
      ["resolve", "prod", "--migration", "applied", ...why],
      ["resolve", "shop/prod", { kind: "migration", outcome: "applied" }, by],
    ],
    [
      ["resolve", "prod", "--migration", "not-applied", "--name", "seed", ...why],
      ["resolve", "shop/prod", { kind: "migration", outcome: "not-applied", migration: "seed" }, by],
    ],
    [
      ["resolve", "prod", "--adopt", ...why],
      ["resolve", "shop/prod", { kind: "adopt" }, by],
    ],
    [
      ["accept", COMMIT, ...why],
      ["accept", COMMIT, by],
    ],
    [["refresh"], ["look"]],
    [
      ["retry", "prod"],
      ["retry", "shop/prod", { actor: "mia", reason: "no reason given" }],
    ],
  ])("%j", async (argv, asked) => {
    const ran = await nudge(argv);
    expect(ran.err).toBe("");
    expect(ran).toMatchObject({ code: 0, asked });
    expect(ran.out).toMatch(/^✔ /);
  });

  test("--json says what was asked", async () => {
    const { out } = await nudge(["retry", "prod", "--json"]);
    expect(JSON.parse(out)).toEqual({
      schema: "lockstep/v1",
      type: "nudge",
      action: "retry",
      environment: "shop/prod",
    });
  });
});

describe("what cannot be taken back is asked for first", () => {
  const dangerous: readonly (readonly string[])[] = [
    ["abort", "prod"],
    ["adopt", "prod"],
    ["resolve", "prod", "--migration", "applied"],
    ["accept", COMMIT],
  ];
  const answer = (text: string): Session => ({ tty: true, ask: async () => text });

  test.each(dangerous.map((argv) => [argv] as const))("%j does nothing when the answer is another", async (argv) => {
    expect(await nudge(argv, answer("yes"))).toMatchObject({ code: 130, asked: undefined });
  });

  test.each(dangerous.map((argv) => [argv] as const))("%j goes on with the right answer", async (argv) => {
    const right = argv[0] === "accept" ? COMMIT.slice(0, 7) : "prod";
    expect((await nudge(argv, answer(right))).code).toBe(0);
  });

  test.each(["--yes", "--no-input"])("%s asks nobody", async (flag) => {
    const ask = (): Promise<string> => Promise.reject(new Error("nobody is asked"));
    expect((await nudge(["abort", "prod", flag], { tty: true, ask })).code).toBe(0);
  });

  test("retry and repair are not asked about", async () => {
    const ask = (): Promise<string> => Promise.reject(new Error("nobody is asked"));
    for (const command of ["retry", "repair"])
      expect((await nudge([command, "prod"], { tty: true, ask })).code).toBe(0);
  });
});

describe("a nudge that the engine refuses", () => {
  test("says why and what to do instead", async () => {
    theatre.refuses = refusal("shop/prod: nothing runs that could be aborted", "`lockstep status prod` shows what is.");
    const ran = await nudge(["abort", "prod"]);
    theatre.refuses = undefined;
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toBe(
      "✖ shop/prod: nothing runs that could be aborted\n  next: `lockstep status prod` shows what is.\n",
    );
  });

  test("because the journal is away keeps the fault's sentences", async () => {
    theatre.refuses = new Fault("journal-unavailable", "journal s3://acme/journal: 503");
    const ran = await nudge(["retry", "prod"]);
    theatre.refuses = undefined;
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("journal s3://acme/journal: 503");
    expect(ran.err).toContain("LOCKSTEP_JOURNAL");
  });

  test("names an environment that is not there before anything is asked", async () => {
    const ran = await nudge(["retry", "prd"]);
    expect(ran).toMatchObject({ code: 64, asked: undefined });
    expect(ran.err).toContain("Did you mean prod?");
  });
});
