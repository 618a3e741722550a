import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { EnvironmentStatus, StatusDocument } from "../../controller/core/status.ts";
import type { Theatre } from "../server/board.ts";
import { open } from "../server/board.ts";
import {
  before,
  blocked,
  converging,
  document,
  DONE,
  EXIT_ONE,
  failed,
  FAILURE,
  healthy,
  NEW,
  NOW,
  OLD,
  release,
  STEPS,
  steps,
  waiting,
} from "./shop.ts";
import type { Ran, Session } from "./terminal.ts";
import { lockstep } from "./terminal.ts";

let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(document());
});
afterAll(() => theatre.server.close());

/** The document as it is when `ms` have passed: Git read and AWS looked at meanwhile. */
function later(ms: number, ...environments: readonly EnvironmentStatus[]): StatusDocument {
  const at = Instant.plus(NOW, ms);
  const all = document(...environments.map((one) => ({ ...one, observedAt: at })));
  return { ...all, at, repositories: all.repositories.map((repository) => ({ ...repository, readAt: at })) };
}

/** Shows one environment after another, one for each second of waiting; the last one stays. */
function story(first: EnvironmentStatus, ...then: readonly EnvironmentStatus[]): Pick<Session, "onSleep"> {
  theatre.show(document(first));
  return {
    onSleep(elapsedMs) {
      const now = then[Math.floor(elapsedMs / 1000) - 1] ?? then.at(-1) ?? first;
      theatre.show(later(elapsedMs, now));
    },
  };
}

function wait(session: Session, ...argv: readonly string[]): Promise<Ran> {
  return lockstep(["wait", "prod", ...argv, "--url", theatre.server.address], session);
}

const old = healthy("prod", { git: { sha: OLD, commit: NEW }, healthy: { sha: OLD, release: 11, at: before(9e6) } });
const undone = failed("prod", {
  state: "rolled-back",
  why: "release #12 of 9f2c1ab failed at deploy/api: no task became healthy; rolled back to 4b825dc. Git still says 9f2c1ab",
  code: "deployment-failed",
});

describe("the exit code of wait", () => {
  test.each<readonly [string, readonly [EnvironmentStatus, ...EnvironmentStatus[]], readonly string[], number]>([
    ["healthy in the end is 0", [converging("prod"), converging("prod"), healthy("prod")], [], 0],
    ["healthy on the SHA asked for is 0 at once", [healthy("prod")], ["--sha", "9f2c1ab"], 0],
    ["healthy on what was there before Git was read is not the end", [old, converging("prod"), healthy("prod")], [], 0],
    [
      "a SHA that Git does not say yet is waited for",
      [old, old, converging("prod"), healthy("prod")],
      ["--sha", NEW],
      0,
    ],
    ["a failed release is 6", [converging("prod"), failed("prod")], [], 6],
    ["a release that was rolled back is 6", [converging("prod"), undone], [], 6],
    ["superseded with --sha is 6", [converging("prod"), old], ["--sha", "9f2c1ab"], 6],
    ["superseded without --sha follows the newer one", [converging("prod"), old], [], 0],
    ["a gate is waited through", [waiting("prod"), waiting("prod"), converging("prod"), healthy("prod")], [], 0],
    ["a gate is 3 with --no-wait-gates", [waiting("prod"), waiting("prod")], ["--no-wait-gates"], 3],
    ["an unknown migration is 3", [converging("prod"), blocked("prod")], [], 3],
    ["a refused call is 4", [converging("prod"), blocked("prod", { code: "denied" })], [], 4],
    ["a SHA nobody knows is 5", [converging("prod"), blocked("prod", { code: "sha-unknown" })], [], 5],
    ["a missing artifact is 1", [converging("prod"), blocked("prod", { code: "artifact-missing" })], [], 1],
    ["a broken manifest is 5", [healthy("prod", { problems: ["environments/prod.yaml:4:5 unknown key"] })], [], 5],
    ["unmanaged is 1", [healthy("prod"), healthy("prod", { state: "none", why: "unmanaged: gone" })], [], 1],
    ["time is up is 7", [converging("prod")], ["--timeout", "5m"], 7],
    ["--timeout 0 looks once: 8 while it runs", [converging("prod")], ["--timeout", "0"], 8],
    ["--timeout 0 looks once: 0 when healthy", [healthy("prod")], ["--timeout", "0"], 0],
    ["unknown is waited through, never green", [healthy("prod", { state: "unknown" })], ["--timeout", "3s"], 7],
  ])("%s", async (_, [first, ...then], argv, code) => {
    const ran = await wait(story(first, ...then), ...argv);
    expect(ran.code, ran.err + ran.out).toBe(code);
  });

  test("Ctrl-C is 130 and says that the release goes on", async () => {
    theatre.show(document(converging("prod")));
    const stopping = new AbortController();
    const ran = await wait({ signal: stopping.signal, onSleep: () => stopping.abort() });
    expect(ran.code).toBe(130);
    expect(ran.out).toBe("");
    expect(ran.err).toContain("The release goes on: lockstep wait shop/prod");
  });

  test("a look is asked for before anything is waited for, and no look for --timeout 0", async () => {
    const count = theatre.asked.length;
    await wait(story(converging("prod")), "--timeout", "0");
    expect(theatre.asked.length).toBe(count);
    await wait(story(converging("prod"), healthy("prod")));
    expect(theatre.asked.slice(count)).toEqual([["look"]]);
  });
});

describe("what wait says", () => {
  const first = converging("prod", { release: release({ steps: steps([DONE]) }) });
  const second = converging("prod", { progress: "2 of 2 tasks healthy" });

  test("one line for each change outside a terminal, and the end on stdout", async () => {
    const ran = await wait(story(first, failed("prod")));
    expect(ran.err).toMatchInlineSnapshot(`
      "14:20:10  ● converging releasing (#12): 4b825dc → 9f2c1ab
      14:20:10  shop/prod release #12  4b825dc → 9f2c1ab
      14:20:10  ✔ done      artifacts  38s
      14:20:10  ● running   migrate
      14:20:10               1 of 2 tasks healthy
      14:20:11  ✖ failed    migrate  38s  failed: migrate exited 1 after 38s
      14:20:11  ✖ failed    release #12 of 9f2c1ab failed at migrate/migrate: migrate exited 1 after 38s. Git still says 9f2c1ab
      "
    `);
    expect(ran.out).toMatchInlineSnapshot(`
      "✖ shop/prod  release #12 of 9f2c1ab failed at migrate/migrate: migrate exited 1 after 38s. Git still says 9f2c1ab
        │ applying 20261027_coupons
        │ ERROR: relation "coupons" already exists
        next: revert or fix it in Git, or \`lockstep retry shop/prod\` once the cause is gone
      "
    `);
    for (const moving of ["\r", "\u001b"]) expect(ran.err).not.toContain(moving);
  });

  test("a heartbeat after 60 quiet seconds, and not before", async () => {
    theatre.show(document(second));
    const ran = await wait({ onSleep: (ms) => theatre.show(later(ms, second)) }, "--timeout", "130s");
    const beats = ran.err.split("\n").filter((line) => line.includes("still"));
    expect(beats.map((line) => line.slice(0, 8))).toEqual(["14:21:10", "14:22:10"]);
    expect(beats[0]).toContain("step 4 of 7: deploy api");
  });

  test("a time-out names the step, the last stop reason and the last log line", async () => {
    const [api] = second.services;
    if (api === undefined) throw new Error("the shop has an api");
    const why = "Task failed ELB health checks";
    const stuck = {
      ...second,
      services: [{ ...api, rollout: { state: "failed" as const, why } }],
      log: ["connect ECONNREFUSED"],
    };
    const { code, out } = await wait(story(stuck), "--timeout", "2s");
    expect(code).toBe(7);
    expect(out).toMatchInlineSnapshot(`
      "● shop/prod: time is up (2s): release #12, step 4 of 7: deploy api for 4m42s: 2 of 2 tasks healthy
        last stop: api: Task failed ELB health checks
        last log line: connect ECONNREFUSED
        The release goes on: lockstep wait shop/prod
      "
    `);
  });

  test("a block of at most 8 lines is redrawn in a terminal, and nothing of it stays", async () => {
    const ran = await wait({ ...story(first, second, healthy("prod")), tty: true });
    const frames = ran.err.split("\u001b[0J");
    expect(frames.length).toBeGreaterThan(3);
    for (const frame of frames) expect(frame.split("\n").length - 1).toBeLessThanOrEqual(8);
    expect(frames.at(-1)).toBe("");
    expect(frames[0]).toContain("Ctrl-C stops watching, not the release");
    expect(ran.out).toContain("shop/prod is healthy on 9f2c1ab");
  });

  test.each([
    ["CI wants lines even in a terminal", { CI: "true" }, [], false],
    ["--progress live wins over CI", { CI: "true" }, ["--progress", "live"], true],
    ["--progress lines wins over a terminal", {}, ["--progress", "lines"], false],
  ] as const)("%s", async (_, env, argv, live) => {
    const ran = await wait({ ...story(first, healthy("prod")), tty: true, env }, ...argv);
    expect(ran.err.includes("\u001b[0J")).toBe(live);
  });

  test.each(["--quiet", "--progress=none"])("%s says only the end", async (flag) => {
    const ran = await wait(story(first, healthy("prod")), flag);
    expect(ran).toEqual({ code: 0, err: "", out: "✔ shop/prod is healthy on 9f2c1ab (release #12, 2m40s).\n" });
  });

  test("--json is one object on each line, the result last", async () => {
    const ran = await wait(story(first, second, failed("prod")), "--json");
    const lines = ran.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.every((line) => line["schema"] === "lockstep/v1" && line["environment"] === "shop/prod")).toBe(true);
    expect(lines.map((line) => line["type"])).toContain("step");
    expect(lines.at(-1)).toMatchObject({ type: "result", state: "failed", exitCode: 6 });
  });

  test("a release that began and ended between two looks is told as well", async () => {
    theatre.releases = [
      release({ number: 13, kind: "rollback", sha: OLD, state: "running", steps: [] }),
      release({ state: "failed", steps: steps([DONE, EXIT_ONE], false), failure: FAILURE }),
    ];
    const rollingBack = converging("prod", { release: release({ number: 13, kind: "rollback", sha: OLD, steps: [] }) });
    const ran = await wait(story(first, rollingBack, undone));
    theatre.releases = undefined;
    expect(ran.err).toContain("migrate  38s  failed: migrate exited 1 after 38s");
    expect(ran.err).toContain("shop/prod rollback #13");
  });

  test("GitHub Actions gets the failure as an annotation that cannot begin another command", async () => {
    const bad = failed("prod", { why: "it failed: 100%\n::add-mask::x" });
    const ran = await wait({ ...story(converging("prod"), bad), env: { GITHUB_ACTIONS: "true" } });
    expect(ran.err).toContain("::error::shop/prod: it failed: 100%25 ::add-mask::x\n");
  });
});

test("a controller that falls silent is waited for; one that stays away is 1", async () => {
  const second = await open(document(converging("prod")));
  const ran = await lockstep(["wait", "prod", "--url", second.server.address], {
    async onSleep(elapsedMs) {
      if (elapsedMs === 1000) await second.server.close();
    },
  });
  expect(ran.code).toBe(1);
  expect(ran.err.match(/trying on/g)).toHaveLength(1);
  expect(ran.err).toContain("Start one with `lockstep serve`");
});

test("every step of a release is told exactly once when it settles", async () => {
  const frames = STEPS.map((_, index) =>
    converging("prod", { release: release({ steps: steps(STEPS.slice(0, index).map(() => DONE)) }) }),
  );
  const [start, ...rest] = frames;
  if (start === undefined) throw new Error("there are steps");
  const ran = await wait(story(start, ...rest, healthy("prod")));
  for (const name of [
    "artifacts",
    "migrate",
    "stage site",
    "deploy api",
    "publish site",
    "invalidate site",
    "health",
  ]) {
    expect(ran.err.match(new RegExp(`done +${name} `, "g"))).toHaveLength(1);
  }
});
