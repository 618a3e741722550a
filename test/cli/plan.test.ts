import { describe, expect, test } from "vitest";
import type { Doors, Foresight, Manifests, Problem } from "../../controller/cli/doors.ts";
import { EXIT, exitOf } from "../../controller/cli/exit.ts";
import { ServiceName } from "../../controller/core/brand.ts";
import type { Decision } from "../../controller/core/decision.ts";
import type { Difference } from "../../controller/core/difference.ts";
import type { FaultCode } from "../../controller/core/fault.ts";
import { FAULTS } from "../../controller/core/fault.ts";
import { NOTHING } from "../../controller/core/history.ts";
import type { Plan } from "../../controller/core/plan.ts";
import { before, environment, NEW, NOW, OLD, STEPS } from "./shop.ts";
import { lockstep } from "./terminal.ts";

const DIFFERENCES: readonly Difference[] = [
  {
    kind: "service",
    service: ServiceName.parse("api"),
    field: "version",
    live: "shop-api:7",
    desired: "shop/api@sha256:aaaaaaaaaaaa",
  },
];

const PLAN: Plan = {
  environment: "shop/prod",
  direction: "forward",
  differences: DIFFERENCES,
  steps: STEPS,
  blockers: [],
  notes: ["site: no domain and no distribution, so nothing is invalidated"],
};
const EMPTY: Plan = { ...PLAN, differences: [], steps: [], notes: [] };
const ACT: Decision = { kind: "act", as: "release", target: "desired", why: "4b825dc → 9f2c1ab" };
const WAIT: Decision = { kind: "wait", why: "9f2c1ab has not been healthy in staging" };

function foresight(plan: Plan, decision: Decision, journal: Foresight["journal"] = "read"): Foresight {
  const good = { release: 11, at: before(9e6), desired: environment("prod", OLD), artifacts: {}, deployed: new Map() };
  return {
    plan,
    decision,
    journal,
    memory: journal === "read" ? { ...NOTHING, good } : NOTHING,
    live: {
      observedAt: NOW,
      depth: "full",
      services: new Map(),
      artifacts: new Map(),
      webs: new Map(),
      migrations: new Map(),
      deployed: new Map(),
      served: new Map(),
      returning: false,
    },
  };
}

const PROBLEM: Problem = {
  file: "environments/staging.yaml",
  line: 4,
  column: 5,
  message: 'unknown key "strategi" in services.api',
  hint: 'did you mean "strategy"?',
  excerpt: "    strategi: canary",
};

function manifests(also: Partial<Manifests> = {}): Manifests {
  return {
    from: "/nowhere",
    folders: [""],
    files: ["environments/application.yaml", "environments/prod.yaml"],
    environments: [environment("prod")],
    problems: [],
    merged: [
      {
        id: "shop/prod",
        manifest: { application: "shop", services: { api: { count: 6 } } },
        origins: [
          { path: "services.api.count", value: "6", file: "environments/prod.yaml", line: 7 },
          { path: "drift", value: "report" },
        ],
      },
    ],
    ...also,
  };
}

interface Asked {
  where?: Parameters<Doors["readManifests"]>[0];
  closed: number;
}

function doors(seen: Foresight, read = manifests(), asked: Asked = { closed: 0 }): Partial<Doors> {
  return {
    async readManifests(where) {
      asked.where = where;
      return read;
    },
    openWorld: async () => ({
      plan: async () => seen,
      close: async () => {
        asked.closed += 1;
      },
    }),
  };
}

describe("plan", () => {
  test("says what differs, what is done call by call and why, and sums it up in one line", async () => {
    const asked: Asked = { closed: 0 };
    const { code, out, err } = await lockstep(["plan", "prod"], {
      doors: doors(foresight(PLAN, ACT), manifests(), asked),
    });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatchInlineSnapshot(`
      "shop/prod  4b825dc → 9f2c1ab

      1 difference
        ◆ api version shop-api:7 → shop/api@sha256:aaaaaaaaaaaa

      steps, in this order
         1  artifacts        read 2 artifacts again: service/api sha256:aaaaaaaaaaaa, web/site sha256:cccccccccccc
                             what was planned must still be what the tags say
         2  migrate          ecs:RunTask, one task with image sha256:aaaaaaaaaaaa; nothing else changes unless it exits 0
                             9f2c1ab has not been applied here
         3  stage site       s3:CopyObject of the files that site lacks, from release sha256:cccccccccccc; nothing is replaced
                             9f2c1ab is not what acme-shop-web serves
         4  deploy api       ecs:RegisterTaskDefinition with image sha256:aaaaaaaaaaaa unless registered, ecs:UpdateService
                             version shop-api:7 → shop/api@sha256:aaaaaaaaaaaa
         5  publish site     s3:CopyObject of the files that differ, index.html last; then s3:DeleteObjects of what the release lacks
                             9f2c1ab is not what acme-shop-web serves
         6  invalidate site  cloudfront:CreateInvalidation of the paths that change
                             the page changes
         7  health           ask every health check until all stay green
                             a release that writes ends with a proof

      notes
        site: no domain and no distribution, so nothing is invalidated

      ● releases: 4b825dc → 9f2c1ab
      Plan: 1 migration, 1 service to deploy, 1 page to publish; 7 steps.
      "
    `);
    expect(asked.closed).toBe(1);
  });

  test("of what runs already says that nothing changes", async () => {
    const rest: Decision = { kind: "rest", why: "healthy on 9f2c1ab" };
    const { out } = await lockstep(["plan"], { doors: doors(foresight(EMPTY, rest)) });
    expect(out).toContain("No changes: live is what Git says.");
  });

  test("without the journal asks whether the migration ran, and says so on stderr", async () => {
    const { code, out, err } = await lockstep(["plan"], { doors: doors(foresight(PLAN, ACT, "unreachable")) });
    expect(code).toBe(0);
    expect(err).toBe("? journal not reachable: a migration may already have run\n");
    expect(out).toMatch(/^ +2 +migrate\? /m);
    expect(out).toContain("shop/prod  ? → 9f2c1ab");
  });

  test("with a blocker names it, its code and what to do", async () => {
    const message = "service api: no image shop/api:sha-9f2c1ab-* in ECR";
    const blocked: Plan = { ...PLAN, blockers: [{ code: "artifact-missing", message }] };
    const decision: Decision = { kind: "blocked", code: "artifact-missing", why: message, next: "wait" };
    const { code, out, err } = await lockstep(["plan"], {
      doors: doors(foresight(blocked, decision)),
      env: { GITHUB_ACTIONS: "true" },
    });
    expect(code).toBe(1);
    expect(out).toContain(`▲ ${message}  artifact-missing`);
    expect(out).toContain(`next: ${FAULTS["artifact-missing"].next}`);
    expect(err).toContain(`::error::shop/prod: ${message}`);
  });

  test.each<readonly [string, Plan, Decision, readonly string[], number]>([
    ["differences are 0", PLAN, ACT, [], 0],
    ["differences are 2 with --exit-code", PLAN, ACT, ["--exit-code"], 2],
    ["nothing to do is 0 with --exit-code", EMPTY, { kind: "rest", why: "healthy" }, ["--exit-code"], 0],
    ["a gate is 0", PLAN, WAIT, [], 0],
    ["a gate is 2 with --exit-code", PLAN, WAIT, ["--exit-code"], 2],
    ["a gate is 3 with --gates", PLAN, WAIT, ["--exit-code", "--gates"], 3],
  ])("%s", async (_, plan, decision, argv, code) => {
    expect((await lockstep(["plan", ...argv], { doors: doors(foresight(plan, decision)) })).code).toBe(code);
  });

  test.each(Object.keys(FAULTS) as FaultCode[])("a blocker %s exits as its fault does", async (code) => {
    const plan: Plan = { ...PLAN, blockers: [{ code, message: "it broke" }] };
    const decision: Decision = { kind: "blocked", code, why: "it broke", next: "mend it" };
    expect((await lockstep(["plan"], { doors: doors(foresight(plan, decision)) })).code).toBe(exitOf(code));
  });

  test("shows the plans of sound environments beside the problems of broken ones, and is 5", async () => {
    const { code, out, err } = await lockstep(["plan"], {
      doors: doors(foresight(PLAN, ACT), manifests({ problems: [PROBLEM] })),
    });
    expect(code).toBe(5);
    expect(out).toContain("shop/prod  4b825dc → 9f2c1ab");
    expect(err).toContain("environments/staging.yaml:4:5");
  });

  test("hands SHA, repository and branch to whoever reads the manifests", async () => {
    const asked: Asked = { closed: 0 };
    const session = { doors: doors(foresight(PLAN, ACT), manifests(), asked), cwd: "/somewhere" };
    await lockstep(["plan", "prod", "--sha", "9f2c1ab", "--repo", "ops.git", "--ref", "next"], session);
    expect(asked.where).toEqual({
      cwd: "/somewhere",
      repository: "ops.git",
      ref: "next",
      bump: { environment: "prod", sha: "9f2c1ab" },
    });
  });

  test("--json holds plan and decision, and nothing that a task definition may hide", async () => {
    const { out } = await lockstep(["plan", "--json"], { doors: doors(foresight(PLAN, ACT)) });
    expect(JSON.parse(out)).toEqual({
      schema: "lockstep/v1",
      type: "plan",
      at: NOW,
      problems: [],
      environments: [
        {
          id: "shop/prod",
          sha: NEW,
          from: OLD,
          journal: "read",
          plan: JSON.parse(JSON.stringify(PLAN)),
          decision: ACT,
        },
      ],
    });
  });

  test("closes the world also when looking failed", async () => {
    const asked: Asked = { closed: 0 };
    const session = doors(foresight(PLAN, ACT), manifests(), asked);
    const open = session.openWorld;
    const { code } = await lockstep(["plan"], {
      doors: {
        ...session,
        openWorld: async (signal) => {
          if (open === undefined) throw new Error("there is a door");
          return { ...(await open(signal)), plan: () => Promise.reject(new Error("socket hang up")) };
        },
      },
    });
    expect(code).toBe(EXIT.failed);
    expect(asked.closed).toBe(1);
  });
});

describe("validate", () => {
  const broken = { readManifests: async () => manifests({ problems: [PROBLEM] }) };

  test("shows each problem with its line, and is 5", async () => {
    const { code, out, err } = await lockstep(["validate"], { doors: broken });
    expect(code).toBe(5);
    expect(out).toMatchInlineSnapshot(`
      "✖ environments/staging.yaml:4:5  unknown key "strategi" in services.api; did you mean "strategy"?
        4 |     strategi: canary
          |     ^
      "
    `);
    expect(err).toBe("1 error in 1 file.\n");
  });

  test("is 0 when all is well, and says how much was checked", async () => {
    const { code, out } = await lockstep(["validate"], { doors: { readManifests: async () => manifests() } });
    expect({ code, out }).toEqual({ code: 0, out: "✔ 2 files, 1 environment  /nowhere\n" });
  });

  test("annotates files in GitHub Actions", async () => {
    const { err } = await lockstep(["validate"], { doors: broken, env: { GITHUB_ACTIONS: "true" } });
    expect(err).toContain(
      '::error file=environments/staging.yaml,line=4,col=5::unknown key "strategi" in services.api; did you mean "strategy"?\n',
    );
  });

  test("hands over the files it was given", async () => {
    let files: readonly string[] | undefined;
    const readManifests: Doors["readManifests"] = async (where) => {
      files = where.files;
      return manifests();
    };
    await lockstep(["validate", "environments/prod.yaml"], { doors: { readManifests } });
    expect(files).toEqual(["environments/prod.yaml"]);
  });

  test("a place without an application is 5 and says where to go", async () => {
    const { code, err } = await lockstep(["validate"], {
      doors: { readManifests: async () => manifests({ folders: [] }) },
    });
    expect(code).toBe(5);
    expect(err).toContain("no environments/application.yaml in /nowhere");
  });

  test("--json holds every problem as a value", async () => {
    const { code, out } = await lockstep(["validate", "--json"], { doors: broken });
    expect(code).toBe(5);
    expect(JSON.parse(out)).toMatchObject({ schema: "lockstep/v1", valid: false, problems: [PROBLEM] });
  });
});

describe("render", () => {
  const read = { readManifests: async () => manifests() };

  test("prints the merged manifest as YAML", async () => {
    const { out } = await lockstep(["render", "prod"], { doors: read });
    expect(out).toBe("application: shop\nservices:\n  api:\n    count: 6\n");
  });

  test("--origin shows file and line of every value, or that it is a default", async () => {
    const { out } = await lockstep(["render", "prod", "--origin"], { doors: read });
    expect(out).toBe("services.api.count  6       environments/prod.yaml:7\ndrift               report  default\n");
  });

  test("--json holds both", async () => {
    const { out } = await lockstep(["render", "prod", "--origin", "--json"], { doors: read });
    expect(JSON.parse(out)).toMatchObject({
      environment: "shop/prod",
      manifest: { application: "shop" },
      origins: [{ line: 7 }, {}],
    });
  });
});

describe("explain", () => {
  const entry = {
    key: "services.<name>.count",
    type: "integer",
    description: "Tasks that run.",
    where: ["application.yaml", "environment files"],
    examples: ["count: 6"],
    children: [],
  };

  test("prints a key as its schema describes it", async () => {
    const { out } = await lockstep(["explain", "services.api.count"], {
      doors: { explain: async () => ({ entry, near: [] }) },
    });
    expect(out).toMatchInlineSnapshot(`
      "services.<name>.count
      Tasks that run.

        type   integer
        where  application.yaml, environment files

      Examples
        count: 6
      "
    `);
  });

  test("prints a code without opening any door", async () => {
    const { code, out } = await lockstep(["explain", "artifact-rebuilt"]);
    expect(code).toBe(0);
    for (const said of [FAULTS["artifact-rebuilt"].means, FAULTS["artifact-rebuilt"].next]) expect(out).toContain(said);
    const json = JSON.parse((await lockstep(["explain", "artifact-rebuilt", "--json"])).out) as object;
    expect(json).toMatchObject({ code: "artifact-rebuilt", blame: "author", exitCode: 1 });
  });

  test("what is neither is 64 with what is near", async () => {
    const near = { explain: async () => ({ near: ["services"] }) };
    const { code, err } = await lockstep(["explain", "artifact-rebuild"], { doors: near });
    expect(code).toBe(64);
    expect(err).toContain("Did you mean services, artifact-rebuilt?");
  });
});

test("schema prints the schema as it is", async () => {
  const { out } = await lockstep(["schema", "application"], {
    doors: { schema: async (kind) => `{"title":"${kind}"}` },
  });
  expect(out).toBe('{"title":"application"}\n');
});
