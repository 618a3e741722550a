import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Theatre } from "../server/board.ts";
import { open } from "../server/board.ts";
import {
  before,
  blocked,
  converging,
  document,
  DONE,
  drifted,
  failed,
  FAILURE,
  healthy,
  OLD,
  release,
  SHOP,
  steps,
  waiting,
} from "./shop.ts";
import type { Ran } from "./terminal.ts";
import { lockstep } from "./terminal.ts";

let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(SHOP);
});
afterAll(() => theatre.server.close());

function ask(...argv: readonly string[]): Promise<Ran> {
  return lockstep([...argv, "--url", theatre.server.address]);
}

describe("status", () => {
  test("shows environments by components, then what needs somebody, with the log of a failed migration", async () => {
    theatre.show(SHOP);
    const { code, out, err } = await ask("status");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatchInlineSnapshot(`
      "https://git.example.com/acme/ops.git · main@c0ffee1 · read 8s ago

      shop
                dev           staging     prod
                ✔ healthy 4m  ◆ drift 4m  ✖ failed 10s
        sha     9f2c1ab       9f2c1ab     4b825dc (Git says 9f2c1ab)
        api     ✔ 2/2         ◆ 1/1       ✔ 2/2
        worker  ✔ 1/1         ✔ 1/1       ✔ 1/1
        site    ✔ 9f2c1ab     ✔ 9f2c1ab   ✔ 4b825dc

      ✖ shop/prod  release #12 of 9f2c1ab failed at migrate/migrate: migrate exited 1 after 38s. Git still says 9f2c1ab
        │ applying 20261027_coupons
        │ ERROR: relation "coupons" already exists
        next: revert or fix it in Git, or \`lockstep retry shop/prod\` once the cause is gone

      ◆ shop/staging  drift: api count 1 → 2
        next: \`lockstep diff shop/staging\` shows it, \`lockstep repair shop/staging\` puts back what Git says
      "
    `);
  });

  test("of one environment shows its release step by step", async () => {
    theatre.show(SHOP);
    expect((await ask("status", "prod")).out).toMatchInlineSnapshot(`
      "shop/prod  looked at 2s ago
      ✖ shop/prod  release #12 of 9f2c1ab failed at migrate/migrate: migrate exited 1 after 38s. Git still says 9f2c1ab
        │ applying 20261027_coupons
        │ ERROR: relation "coupons" already exists
        next: revert or fix it in Git, or \`lockstep retry shop/prod\` once the cause is gone

        Git      9f2c1ab at commit c0ffee1
        healthy  4b825dc, release #11, 1d ago
        api      ✔ 2/2  shop-api:7
        worker   ✔ 1/1  shop-worker:7
        site     ✔ 4b825dc
        url      https://prod.acme.dev

      #12 release 4b825dc → 9f2c1ab  ✖ failed  6m30s
        ✔ artifacts           38s  done
        ✖ migrate             38s  failed: migrate exited 1 after 38s
        – stage site               not started
        – deploy api               not started
        – publish site             not started
        – invalidate site          not started
        – health                   not started
      ✖ migrate: migrate exited 1 after 38s

      1 difference
        – api version shop-api:7 → shop/api@sha256:aaaaaaaaaaaa
      "
    `);
  });

  test("of a healthy environment asks nobody for anything", async () => {
    theatre.show(SHOP);
    const { out } = await ask("status", "shop/dev");
    expect(out).toContain("healthy on 9f2c1ab");
    expect(out).not.toContain("next:");
  });

  test("says that there is no application yet", async () => {
    theatre.show(document());
    expect((await ask("status")).out).toContain("No application here yet");
  });

  test("shows a halted and an unreadable repository", async () => {
    const [repository] = SHOP.repositories;
    if (repository === undefined) throw new Error("the shop has a repository");
    theatre.show({
      ...SHOP,
      repositories: [
        { ...repository, halted: "main no longer contains 4b825dc", trouble: "cannot read it since 09:02 (401)" },
      ],
    });
    const { out } = await ask("status");
    expect(out).toContain("▲ halted: main no longer contains 4b825dc");
    expect(out).toContain("? cannot read it since 09:02 (401). What is shown was true when it was last read.");
  });

  test("puts problems of a manifest first, with their place", async () => {
    const problem = 'environments/dev.yaml:4:5 unknown key "strategi"';
    theatre.show(document(failed("prod"), healthy("dev", { problems: [problem] })));
    const { out } = await ask("status");
    expect(out.indexOf(problem)).toBeGreaterThan(0);
    expect(out.indexOf(problem)).toBeLessThan(out.indexOf("✖ shop/prod"));
  });

  test("--json is the document of the API", async () => {
    theatre.show(SHOP);
    const { out } = await ask("status", "--json");
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(SHOP)));
    const one = JSON.parse((await ask("status", "prod", "--json")).out) as typeof SHOP;
    expect(one.environments.map(({ id }) => id)).toEqual(["shop/prod"]);
  });

  test.each([
    [[healthy("dev")], 0],
    [[healthy("dev"), converging("prod")], 8],
    [[converging("dev"), waiting("prod")], 3],
    [[blocked("prod")], 3],
    [[failed("dev"), converging("prod")], 6],
    [[healthy("dev", { state: "unknown" })], 1],
  ])("--check exits by the worst state (%#)", async (environments, code) => {
    theatre.show(document(...environments));
    expect((await ask("status", "--check")).code).toBe(code);
  });

  test("a name that is not there, or in two applications, is 64 with those there are", async () => {
    theatre.show(document(healthy("prod"), { ...healthy("prod"), id: "blog/prod", application: "blog" }));
    expect(await ask("status", "prdo")).toMatchObject({ code: 64 });
    expect((await ask("status", "prdo")).err).toContain("Did you mean prod?");
    const both = await ask("status", "prod");
    expect(both.code).toBe(64);
    expect(both.err).toContain("prod exists in several applications: shop/prod, blog/prod");
    expect((await ask("status", "blog/prod")).code).toBe(0);
  });

  test("text of others cannot move the cursor", async () => {
    theatre.show(document(failed("prod", { log: ["\u001b[2Jgone\u202e", "a\rb"] })));
    const { out } = await ask("status");
    expect(out).toContain("│ ?[2Jgone?");
    expect(out).toContain("│ a b");
  });
});

describe("diff", () => {
  test("shows what differs and how to put it back; 2 only with --exit-code", async () => {
    theatre.show(document(healthy("dev"), drifted("staging")));
    const { code, out } = await ask("diff");
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "shop/dev  looked at 2s ago
        ✔ live equals Git
      shop/staging  looked at 2s ago
        ◆ api count 1 → 2
        Put back what Git says: lockstep repair shop/staging

      1 difference in 2 environments.
      "
    `);
    expect((await ask("diff", "--exit-code")).code).toBe(2);
    expect((await ask("diff", "dev", "--exit-code")).code).toBe(0);
  });

  test("unknown is never said to be equal", async () => {
    theatre.show(document(healthy("dev", { state: "unknown", why: "no answer from ECS" }), waiting("prod")));
    const { out } = await ask("diff");
    expect(out).toContain("? no answer from ECS");
    expect(out).not.toContain("live equals Git");
  });

  test("--json holds differences as values", async () => {
    theatre.show(document(drifted("staging")));
    expect(JSON.parse((await ask("diff", "--json")).out)).toMatchObject({
      schema: "lockstep/v1",
      environments: [
        { id: "shop/staging", differences: [{ kind: "service", field: "count", live: "1", desired: "2" }] },
      ],
    });
  });
});

describe("history", () => {
  const releases = [
    release({
      number: 13,
      kind: "rollback",
      sha: OLD,
      direction: "back",
      state: "succeeded",
      endedAt: before(10_000),
      startedAt: before(60_000),
      steps: [],
    }),
    release({ state: "rolled-back", endedAt: before(60_000), failure: FAILURE }),
    release({ number: 11, state: "succeeded", endedAt: before(900_000), startedAt: before(1_700_000) }),
  ];

  test("lists releases with their cause, the newest first", async () => {
    theatre.show(SHOP);
    theatre.releases = releases;
    const { code, out } = await ask("history", "prod");
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "  #13  ✔ succeeded    4b825dc            rollback  2026-10-30 14:19:10 UTC     50s
        #12  ↩ rolled back  4b825dc → 9f2c1ab  release   2026-10-30 14:13:30 UTC   5m40s  migrate: migrate exited 1 after 38s
        #11  ✔ succeeded    4b825dc → 9f2c1ab  release   2026-10-30 13:51:50 UTC  13m20s
      "
    `);
    expect((await ask("history", "prod", "--limit", "1")).out.trimEnd().split("\n")).toHaveLength(1);
    const json = JSON.parse((await ask("history", "prod", "--json")).out) as { readonly releases: readonly unknown[] };
    expect(json.releases).toHaveLength(3);
    theatre.releases = undefined;
  });

  test("says when nothing was released yet", async () => {
    theatre.show(SHOP);
    theatre.releases = [];
    const { code, out, err } = await ask("history", "prod");
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toContain("Nothing released to shop/prod yet.");
    theatre.releases = undefined;
  });
});

describe("logs", () => {
  const lines = [{ text: "applying 20261027_coupons", at: before(9000) }, { text: "done" }];

  test("prints the lines that are kept; whose they are goes to stderr", async () => {
    theatre.show(SHOP);
    theatre.log = { release: 12, step: "migrate/migrate", running: false, first: 0, lines };
    expect(await ask("logs", "prod")).toEqual({
      code: 0,
      out: "14:20:01 applying 20261027_coupons\ndone\n",
      err: "shop/prod #12 migrate\n",
    });
    expect(JSON.parse((await ask("logs", "prod", "migrate", "--json")).out)).toMatchObject({
      log: { first: 0, lines },
    });
  });

  test("-f goes on until the step has ended, says each line once, and is 6 when the step failed", async () => {
    theatre.show(document(converging("prod")));
    theatre.log = { release: 12, step: "migrate/migrate", running: true, first: 0, lines };
    const ran = await lockstep(["logs", "prod", "-f", "--url", theatre.server.address], {
      onSleep(elapsedMs) {
        if (elapsedMs < 2000) return;
        theatre.show(document(failed("prod")));
        // The first line has been dropped meanwhile: numbers count from the beginning.
        theatre.log = {
          release: 12,
          step: "migrate/migrate",
          running: false,
          first: 1,
          lines: [{ text: "done" }, { text: "ERROR" }],
        };
      },
    });
    expect(ran).toEqual({ code: 6, out: "14:20:01 applying 20261027_coupons\ndone\nERROR\n", err: "" });
  });

  test("says when there is none", async () => {
    theatre.show(SHOP);
    theatre.log = undefined;
    const { code, err } = await ask("logs", "prod", "api");
    expect(code).toBe(0);
    expect(err).toContain("shop/prod: no log of deploy api is kept.");
  });
});

test("a release under way shows the step it is at", async () => {
  theatre.show(document(converging("prod", { release: release({ steps: steps([DONE, DONE, DONE]) }) })));
  expect((await ask("status", "prod")).out).toContain("step 4 of 7: deploy api");
});
