import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TargetVersion } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import { UNKEYED } from "../../controller/core/fingerprint.ts";
import type { FaultValue } from "../../controller/core/fault.ts";
import type { LiveService, LiveState, LiveWeb } from "../../controller/core/live.ts";
import { plan } from "../../controller/core/plan.ts";
import type { Step } from "../../controller/core/step.ts";
import { RANK, stepId } from "../../controller/core/step.ts";
import { PublicationId } from "../../controller/core/brand.ts";
import { A, API, artifactsOf, B, bumped, C, digest, environment, NOW, PUBLICATION, SCHEMA } from "./shop.ts";
import { service, settled, SITE, version, web, WORKER } from "./shop.ts";

const DENIED: FaultValue = { code: "denied", message: "ecs:DescribeServices is not allowed" };
const OTHER = TargetVersion.parse("arn:task-definition/shop-prod-api:99");
const ids = (steps: readonly Step[]): readonly string[] => steps.map(stepId);

function withService(live: LiveState, name: typeof API, change: Partial<Extract<LiveService, { state: "present" }>>) {
  const now = live.services.get(name);
  if (now?.state !== "present") throw new Error("it is present");
  return { ...live, services: new Map(live.services).set(name, { ...now, ...change }) };
}

function withWeb(live: LiveState, change: Partial<Exclude<LiveWeb, { state: "unknown" }>>): LiveState {
  const now = live.webs.get(SITE);
  if (now === undefined || now.state === "unknown") throw new Error("it is known");
  return { ...live, webs: new Map(live.webs).set(SITE, { ...now, ...change }) };
}

describe("What cannot be read or found stands in the way", () => {
  const live = bumped(environment(A), environment(B));
  const unresolved = { state: "unresolved", why: { code: "artifact-missing", message: "no image" } } as const;
  test.each<[string, LiveState, string]>([
    [
      "a service that is absent",
      { ...live, services: new Map(live.services).set(API, { state: "absent", why: DENIED }) },
      "denied",
    ],
    [
      "a service that is unknown",
      { ...live, services: new Map(live.services).set(API, { state: "unknown", why: DENIED }) },
      "denied",
    ],
    ["a page that is unknown", { ...live, webs: new Map([[SITE, { state: "unknown", why: DENIED }]]) }, "denied"],
    [
      "an artifact that is missing",
      { ...live, artifacts: new Map(live.artifacts).set("service/api", unresolved) },
      "artifact-missing",
    ],
  ])("%s", (_, state, code) => {
    expect(plan(environment(B), state).blockers.map((why) => why.code)).toEqual([code]);
  });

  test("a count that autoscaling owns", () => {
    const desired = environment(A, { services: [service(A, API, { count: 4 })] });
    const { blockers } = plan(desired, withService(settled(environment(A)), API, { scaled: true }));
    expect(blockers.map(({ code }) => code)).toEqual(["count-owned-elsewhere"]);
  });

  test("is said once, whoever meets it", () => {
    const both = new Map(live.services)
      .set(API, { state: "unknown", why: DENIED })
      .set(WORKER, { state: "unknown", why: DENIED });
    expect(plan(environment(B), { ...live, services: both }).blockers).toEqual([DENIED]);
  });

  test("is never a difference: nothing is deployed over what is unknown", () => {
    const unknown = { ...live, services: new Map(live.services).set(API, { state: "unknown", why: DENIED } as const) };
    expect(ids(plan(environment(B), unknown).steps)).not.toContain("deploy/api");
  });
});

describe("The plan of an environment at rest", () => {
  test("is empty", () => {
    expect(plan(environment(A), settled(environment(A))).steps).toEqual([]);
  });

  test("is empty at a glance, which resolves no artifact and reads no page", () => {
    const glance = { ...settled(environment(A)), depth: "glance" as const, artifacts: new Map(), webs: new Map() };
    expect(plan(environment(A), glance)).toMatchObject({ steps: [], differences: [], blockers: [] });
  });

  test("ends what was never proven with a proof", () => {
    const { passed: _, ...unproven } = settled(environment(A));
    expect(ids(plan(environment(A), unproven).steps)).toEqual(["verify", "health"]);
  });
});

describe("The plan of a bump", () => {
  const steps = ids(plan(environment(B), bumped(environment(A), environment(B))).steps);

  test("does everything, the page last", () => {
    expect(steps).toEqual(
      "verify migrate/schema stage/site deploy/api deploy/worker publish/site invalidate/site health prune/site".split(
        " ",
      ),
    );
  });

  test("deploys the digests that were resolved, and verifies exactly those", () => {
    const found = plan(environment(B), bumped(environment(A), environment(B))).steps;
    const verify = found.find((step) => step.kind === "verify");
    expect(verify?.artifacts).toEqual([
      { component: "migration/schema", digest: digest("migration/schema", B) },
      { component: "service/api", digest: digest("service/api", B) },
      { component: "service/worker", digest: digest("service/worker", B) },
      { component: "web/site", digest: digest("web/site", B) },
    ]);
  });

  test("moves only the component whose SHA it changes", () => {
    const to = environment(A, { services: [service(B), service(A, WORKER, { after: [API] })] });
    const live = { ...bumped(environment(A), to), migrations: settled(environment(A)).migrations };
    expect(ids(plan(to, live).steps)).toEqual(["verify", "deploy/api", "health"]);
  });

  test("invalidates nothing where no CDN stands in front, and says so", () => {
    const { domain: _, ...bare } = web(B);
    const to = environment(B, { webs: [bare] });
    const found = plan(to, bumped(environment(A), to));
    expect(ids(found.steps)).not.toContain("invalidate/site");
    expect(found.notes).toEqual(["site: no domain and no distribution, so nothing is invalidated"]);
  });
});

describe("What a crash left half done is finished", () => {
  const at = settled(environment(A));
  const { passed: _, ...open } = at;

  test("a page that is being published is published again", () => {
    expect(ids(plan(environment(A), withWeb(open, { state: "publishing" })).steps)).toContain("publish/site");
  });

  test("a page that was published and not invalidated is invalidated", () => {
    const { invalidated: __, ...stale } = {
      state: "served" as const,
      publication: PUBLICATION,
      invalidated: undefined,
    };
    const live = { ...open, webs: new Map([[SITE, { ...stale, digest: digest("web/site", A) }]]) };
    expect(ids(plan(environment(A), live).steps)).toEqual(["verify", "invalidate/site", "health"]);
  });

  test("a page whose publication before was invalidated, and not this one, is invalidated", () => {
    const earlier = PublicationId.parse("fedcba9876543210");
    const served = { state: "served", publication: PUBLICATION, digest: digest("web/site", A) } as const;
    const live = withWeb(open, { ...served, invalidated: earlier });
    expect(ids(plan(environment(A), live).steps)).toEqual(["verify", "invalidate/site", "health"]);
  });

  test("a deployment of ours that still moves is waited for by its step", () => {
    const moving = { state: "moving", since: NOW, failedTasks: 0, to: version("api", A) } as const;
    expect(ids(plan(environment(A), withService(open, API, { rollout: moving })).steps)).toContain("deploy/api");
  });

  test("a migration that was started and not settled is taken up", () => {
    const live = { ...open, migrations: new Map([[SCHEMA, { state: "started" } as const]]) };
    expect(ids(plan(environment(A), live).steps)).toContain("migrate/schema");
  });
});

describe("Drift", () => {
  test("of a version is the version that we deployed, by its name, without resolving a tag", () => {
    const live = withService({ ...settled(environment(A)), artifacts: new Map() }, API, { version: OTHER });
    const [difference] = plan(environment(A), live).differences;
    expect(difference).toMatchObject({ kind: "service", field: "version", live: "shop-prod-api:99" });
  });

  test("of a count is seen only where the manifest owns it", () => {
    const replicas = { desired: 9, running: 9, pending: 0 };
    const free = withService(settled(environment(A)), API, { replicas });
    expect(plan(environment(A), free).differences).toEqual([]);
    const owning = environment(A, { services: [service(A, API, { count: 2 })], migrations: [], webs: [] });
    const live = withService(settled(owning), API, { replicas });
    expect(plan(owning, live).differences).toMatchObject([{ field: "count", live: "9", desired: "2" }]);
  });

  test("of a page is seen by its marker", () => {
    const live = withWeb(settled(environment(A)), { digest: digest("web/site", C) });
    expect(plan(environment(A), live).differences).toMatchObject([{ kind: "web", desired: digest("web/site", A) }]);
  });
});

describe("Going back", () => {
  const live = { ...bumped(environment(B), environment(A)), returning: true };

  test("never migrates, and says that migrations stay", () => {
    const found = plan(environment(A), live);
    expect(found.direction).toBe("back");
    expect(ids(found.steps)).not.toContain("migrate/schema");
    expect(found.notes).toEqual(["going back: migrations stay applied, none is run"]);
  });

  test("moves the page before the API", () => {
    const found = ids(plan(environment(A), live).steps);
    expect(found.indexOf("invalidate/site")).toBeLessThan(found.indexOf("deploy/api"));
  });

  test("puts a recorded version back without any image", () => {
    const recorded = { version: OTHER };
    const target = environment(A, { services: [service(A, API, { recorded })], webs: [], migrations: [] });
    const found = plan(target, { ...live, artifacts: new Map() }).steps.find((step) => step.kind === "deploy");
    expect(found).toMatchObject({ service: API, key: UNKEYED });
    expect(found).not.toHaveProperty("image");
  });
});

/** What the steps of a plan leave behind when each of them does what it says. */
function done(desired: Environment, live: LiveState, steps: readonly Step[]): LiveState {
  const end = settled(desired);
  let now: LiveState = live;
  for (const step of steps) {
    if (step.kind === "migrate") {
      now = { ...now, migrations: new Map(now.migrations).set(step.migration, { state: "passed" }) };
    } else if (step.kind === "deploy") {
      const [ran, kept] = [end.services.get(step.service), end.deployed.get(step.service)];
      if (ran === undefined || kept === undefined) continue;
      const count = desired.services.find(({ name }) => name === step.service)?.count ?? 2;
      const replicas = { desired: count, running: count, pending: 0 };
      now = {
        ...now,
        services: new Map(now.services).set(step.service, { ...ran, replicas } as LiveService),
        deployed: new Map(now.deployed).set(step.service, { ...kept, key: step.key, settings: step.settings }),
      };
    } else if (step.kind === "publish") {
      const before = now.webs.get(step.web);
      const invalidated = before !== undefined && before.state !== "unknown" ? before.invalidated : undefined;
      const publication = `${PUBLICATION}00` as typeof PUBLICATION;
      const page = { state: "served", publication, digest: step.digest } as const;
      now = {
        ...now,
        webs: new Map(now.webs).set(step.web, invalidated === undefined ? page : { ...page, invalidated }),
        served: new Map(now.served).set(step.web, step.digest),
      };
    } else if (step.kind === "invalidate") {
      const before = now.webs.get(step.web);
      if (before === undefined || before.state === "unknown" || before.publication === undefined) continue;
      now = { ...now, webs: new Map(now.webs).set(step.web, { ...before, invalidated: before.publication }) };
    } else if (step.kind === "health") {
      now = { ...now, passed: step.fingerprint };
    }
  }
  return now;
}

describe("For whatever is wanted and whatever runs", () => {
  const sha = fc.constantFrom(A, B, C);
  const wanted = fc.record({ sha, api: sha, page: sha, count: fc.option(fc.integer({ min: 0, max: 4 })) }).map((one) =>
    environment(one.sha, {
      services: [
        service(one.api, API, one.count === null ? {} : { count: one.count }),
        service(one.sha, WORKER, { after: [API] }),
      ],
      webs: [web(one.page)],
    }),
  );
  const situation = fc
    .record({
      from: wanted,
      to: wanted,
      returning: fc.boolean(),
      foreign: fc.boolean(),
      publishing: fc.boolean(),
      depth: fc.constantFrom("full", "glance"),
    })
    .map(({ from, to, returning, foreign, publishing, depth }) => {
      let live: LiveState = { ...bumped(from, to), returning, migrations: settled(from).migrations };
      if (foreign) live = withService(live, API, { version: OTHER, image: digest("service/api", C) });
      if (publishing) live = withWeb(live, { state: "publishing" });
      if (from.sha !== to.sha) live = { ...live, migrations: new Map() };
      return depth === "full" ? { to, live } : { to, live: { ...live, artifacts: new Map(), webs: new Map() } };
    });

  test("the plan is the same when it is made again", () => {
    fc.assert(
      fc.property(situation, ({ to, live }) => {
        expect(plan(to, live)).toEqual(plan(to, live));
      }),
    );
  });

  test("steps come in the order of their ranks", () => {
    fc.assert(
      fc.property(situation, ({ to, live }) => {
        const { steps, direction } = plan(to, live);
        const ranks = steps.map(({ kind }) => RANK[direction][kind]);
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      }),
    );
  });

  test("a plan that does anything begins with verify and has exactly one proof", () => {
    fc.assert(
      fc.property(situation, ({ to, live }) => {
        const { steps } = plan(to, live);
        if (steps.length === 0) return;
        expect(steps[0]?.kind).toBe("verify");
        expect(steps.filter(({ kind }) => kind === "health")).toHaveLength(1);
      }),
    );
  });

  test("a plan that goes back never migrates", () => {
    fc.assert(
      fc.property(situation, ({ to, live }) => {
        const { direction, steps } = plan(to, live);
        expect(direction === "back" && steps.some(({ kind }) => kind === "migrate")).toBe(false);
      }),
    );
  });

  test("the plan after the plan was run is empty", () => {
    fc.assert(
      fc.property(situation, ({ to, live }) => {
        fc.pre(live.artifacts.size > 0);
        const after = done(to, live, plan(to, live).steps);
        expect(ids(plan(to, after).steps)).toEqual([]);
      }),
    );
  });

  test("a plan that stopped anywhere is finished by the next", () => {
    fc.assert(
      fc.property(situation, fc.nat({ max: 12 }), ({ to, live }, stop) => {
        fc.pre(live.artifacts.size > 0);
        const first = plan(to, live).steps;
        const wrote = first.slice(0, stop).some(({ kind }) => kind === "deploy" || kind === "publish");
        const half = done(to, live, first.slice(0, stop));
        const { passed: _, ...unproven } = half;
        const between = wrote && !first.slice(0, stop).some(({ kind }) => kind === "health") ? unproven : half;
        const second = plan(to, between).steps;
        const end = done(to, between, second);
        expect(ids(plan(to, end).steps)).toEqual([]);
      }),
    );
  });
});

test("What is planned names its environment and every difference it removes", () => {
  const found = plan(environment(B), bumped(environment(A), environment(B)));
  expect(found.environment).toBe("shop/prod");
  expect(found.differences.map(({ kind }) => kind)).toEqual(["migration", "service", "service", "web", "health"]);
  expect(artifactsOf(environment(B)).size).toBe(4);
});
