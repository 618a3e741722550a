// A journal that was lost, has gaps or is another's: the engine asks a person, and no migration runs a second time.
import { describe, expect, onTestFinished, test } from "vitest";
import type { Call } from "../../sandbox/calls.ts";
import { openJournal } from "../../controller/compose/journal.ts";
import { systemRandom } from "../../controller/compose/random.ts";
import { createWorld } from "../../controller/compose/world.ts";
import { Sha } from "../../controller/core/brand.ts";
import type { Environment, EnvironmentId } from "../../controller/core/environment.ts";
import { fingerprint } from "../../controller/core/fingerprint.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import type { EnvironmentStatus } from "../../controller/core/status.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { createEngine, type Engine } from "../../controller/engine/engine.ts";
import type { Journal, ReadManifests, Source } from "../../controller/ports.ts";
import { createImages } from "../../controller/targets/artifacts.ts";
import { createProbe } from "../../controller/targets/probe.ts";
import { createWeb } from "../../controller/targets/web/web.ts";
import {
  API,
  environment,
  migration,
  NEW,
  openWorld,
  REGION,
  service,
  WORKER,
  type World,
} from "../targets/ecs/world.ts";

const BUCKET = "acme-lockstep";
const STREAM = "environment/shop/prod";
const ID: EnvironmentId = "shop/prod";
const NEXT = Sha.parse("c".repeat(40));
const BY = { actor: "ada", reason: "the bucket was emptied" };

interface Site {
  readonly world: World;
  /** What Git says from now on. */
  want(sha: Sha): void;
  /** A new life of the controller, which may release at first contact. */
  start(prefix?: string): Promise<Engine>;
  pass(engine: Engine): Promise<EnvironmentStatus | undefined>;
  stop(engine: Engine): Promise<void>;
  journal(prefix?: string): Journal;
  /** Deletes objects of the journal whose keys say so; answers how many. */
  lose(is: (key: string) => boolean): Promise<number>;
  /** Writes to AWS beside the journal since the last question. */
  writes(): readonly string[];
  /** Requests of the journal since the last call of `writes`. */
  requests(): readonly string[];
}

/** Services run the older build, and Git asks for the newer one, with a migration. */
async function openSite(): Promise<Site> {
  const exits = { command: "migrate.mjs", outcome: { kind: "exit" as const, exitCode: 0, afterMs: 5_000 } };
  const world = await openWorld({ rules: [exits] });
  const { operations, aws, clock } = world;
  const place = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
  await operations.rest("PUT", `/${BUCKET}`, place);
  for (const repository of ["shop/api", "shop/worker"]) await world.push(repository, NEXT, `${repository} ${NEXT}`);
  let wanted = NEW;
  let writer = 0;
  let asked = world.sandbox.calls.latest();
  const journal = (prefix = "journal/"): Journal =>
    openJournal({ kind: "s3", bucket: BUCKET, prefix }, { create: true, aws, clock, env: { AWS_REGION: REGION } });

  return {
    world,
    journal,
    want(sha) {
      wanted = sha;
    },
    start: (prefix) =>
      world.run(
        createEngine({
          sources: [sourceOf(() => wanted)],
          read: readerOf(),
          contains: () => Promise.resolve(undefined),
          world: createWorld({
            clock,
            services: world.ecs(),
            images: createImages(aws),
            webs: createWeb({ aws }),
            health: createProbe({ clock }),
          }),
          journal: journal(prefix),
          bus: createBus([]),
          clock,
          random: systemRandom,
          writer: `writer-${(writer += 1)}`,
          leaseTtlMs: LIMITS.leaseTtlMs,
          adopts: true,
          observes: false,
        }),
      ),
    async pass(engine) {
      await world.pass(30_000);
      await world.run(engine.pass());
      return engine.environment(ID);
    },
    stop: (engine) => world.run(Promise.resolve(engine[Symbol.asyncDispose]())),
    async lose(is) {
      const listing = await operations.rest("GET", `/${BUCKET}?list-type=2`, "");
      const keys = [...listing.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key).filter(is);
      for (const key of keys) await operations.rest("DELETE", `/${BUCKET}/${key}`, "");
      return keys.length;
    },
    writes() {
      const since = world.sandbox.calls.since(asked).filter((call) => isOurs(call) && !isJournal(call));
      asked = world.sandbox.calls.latest();
      return since.map(({ operation }) => operation).filter((name) => !/^(Get|List|Describe|Head|BatchGet)/.test(name));
    },
    requests: () =>
      world.sandbox.calls
        .since(asked)
        .filter(isJournal)
        .map(({ operation }) => operation),
  };
}

const isOurs = ({ userAgent }: Call): boolean => userAgent.includes("lockstep/");
const isJournal = (call: Call): boolean =>
  isOurs(call) && new RegExp(`^/${BUCKET}(/|$)`).test(String(call.input["path"]));

function sourceOf(wanted: () => Sha): Source {
  return {
    id: "0123456789abcdef",
    address: "model:shop",
    branch: "main",
    head: () => Promise.resolve(wanted()),
    isAncestor: () => Promise.resolve(true),
    distrust: () => Promise.resolve(undefined),
    changes: (_older, newer) => Promise.resolve([newer]),
    folders: () => Promise.reject(new Error("manifests are read by the model")),
    files: () => Promise.reject(new Error("manifests are read by the model")),
    expand: () => Promise.reject(new Error("manifests are read by the model")),
  };
}

/** A configuration commit is named like the build that it asks for. */
function readerOf(): ReadManifests {
  return (_source, commit) => {
    const unsigned = environment({
      sha: commit,
      revision: { repository: "0123456789abcdef", commit, folder: "" },
      services: [service(API, commit), service(WORKER, commit)],
      migrations: [migration(commit)],
    });
    const desired: Environment = { ...unsigned, fingerprint: fingerprint(unsigned) };
    return Promise.resolve({
      environments: [{ id: ID, content: commit, environment: desired, problems: [] }],
      problems: [],
    });
  };
}

/** A site whose first release has ended well, and whose controller has stopped. */
async function openReleased(): Promise<Site> {
  const site = await openSite();
  const engine = await site.start();
  expect(await site.pass(engine)).toMatchObject({ state: "healthy", git: { sha: NEW } });
  await site.stop(engine);
  expect(site.writes().filter((name) => name === "RunTask")).toHaveLength(1);
  return site;
}

/** Whatever is started now, and however often it looks. */
async function started(site: Site, prefix?: string): Promise<{ engine: Engine; seen: EnvironmentStatus | undefined }> {
  const engine = await site.start(prefix);
  onTestFinished(() => site.stop(engine));
  let seen = await site.pass(engine);
  for (let passes = 0; passes < 3; passes += 1) seen = await site.pass(engine);
  return { engine, seen };
}

test("A journal that is whole lets the next life go on: nothing is written while nothing changed", async () => {
  const site = await openReleased();
  const { engine, seen } = await started(site);
  expect(seen).toMatchObject({ state: "healthy" });
  expect(site.writes()).toEqual([]);
  await site.pass(engine);
  expect(site.requests()).toEqual(["ListObjectsV2"]);
  site.want(NEXT);
  expect(await site.pass(engine)).toMatchObject({ state: "healthy", git: { sha: NEXT } });
  // A release appends some 23 records: each is two requests, and parallel steps read what they lost to each other.
  const reads = site.requests().filter((name) => name !== "PutObject");
  expect(reads.length).toBeLessThan(25);
  expect(site.writes().filter((name) => name === "RunTask")).toHaveLength(1);
});

describe("A journal that was lost", () => {
  test.each([
    ["and Git did not change", NEW],
    ["and Git asks for the next build", NEXT],
  ])("blocks what runs under our tags, and nothing is written (%s)", async (_name, sha) => {
    const site = await openReleased();
    site.want(sha);
    expect(await site.lose(() => true)).toBeGreaterThan(20);
    const { seen } = await started(site);
    expect(seen).toMatchObject({ state: "blocked", code: "journal-foreign" });
    expect(seen?.why).toMatch(/service api runs .*lockstep-shop-prod-api:\d+, released by journal [0-9a-f]{16}/);
    expect(seen?.next).toContain("lockstep resolve <env> --adopt");
    expect(site.writes()).toEqual([]);
  });

  test("is begun anew from what runs by `resolve --adopt`, without a second migration of it", async () => {
    const site = await openReleased();
    await site.lose(() => true);
    const { engine } = await started(site);
    await site.world.run(engine.control.resolve(ID, { kind: "adopt" }, BY));
    expect(await site.pass(engine)).toMatchObject({ git: { sha: NEW } });
    await site.pass(engine);
    expect(site.writes().filter((name) => name === "RunTask")).toEqual([]);
    site.want(NEXT);
    expect(await site.pass(engine)).toMatchObject({ state: "healthy", git: { sha: NEXT } });
    expect(site.writes().filter((name) => name === "RunTask")).toHaveLength(1);
  });

  test("under a controller that runs stops it, also when Git asks for the next build", async () => {
    const site = await openReleased();
    const { engine } = await started(site);
    await site.lose(() => true);
    site.want(NEXT);
    await site.pass(engine);
    await site.pass(engine);
    expect(site.writes()).toEqual([]);
  });

  test("is not found in another place: a foreign journal blocks like a lost one", async () => {
    const site = await openReleased();
    const opened = { at: site.world.clock.now(), writer: "other", epoch: 0 } as const;
    const event = { type: "journal-opened", journalId: "0123456789abcdef" } as const;
    await site.world.run(site.journal("elsewhere/").append("journal", { ...opened, event }, 0));
    site.want(NEXT);
    const { seen } = await started(site, "elsewhere/");
    expect(seen).toMatchObject({ state: "blocked", code: "journal-foreign" });
    expect(site.writes()).toEqual([]);
  });
});

describe("A journal with a gap", () => {
  test.each([
    ["its first record", 1],
    ["a record in between", 7],
  ])("is damaged, and nothing is written (%s)", async (_name, sequence) => {
    const site = await openReleased();
    const key = `journal/${STREAM}/${String(sequence).padStart(12, "0")}`;
    expect(await site.lose((one) => one === key)).toBe(1);
    site.want(NEXT);
    const engine = await site.start();
    onTestFinished(() => site.stop(engine));
    const said: string[] = [];
    engine.subscribe((event) => {
      if (!event.durable && event.event.type === "trouble") said.push(event.event.fault.message);
    });
    for (let passes = 0; passes < 3; passes += 1) await site.pass(engine);
    expect(said[0]).toContain(`s3://${BUCKET}/${key} is missing; restore the journal from a copy`);
    expect(site.writes()).toEqual([]);
  });

  test("where its name was does not let a controller start under another one", async () => {
    const site = await openReleased();
    const first = "journal/journal/000000000001";
    await site.lose((key) => key === first);
    await expect(site.start()).rejects.toThrow(/^s3:\/\/acme-lockstep\/journal\/ holds history but not its own name/);
    expect(site.writes()).toEqual([]);
  });
});

describe("A journal restored from a copy that is too old", () => {
  test.each([
    ["before the environment was known", 0],
    ["before its release", 2],
    ["before its migration", 6],
    ["before its migration had ended", 8],
    ["before its services moved", 12],
  ])("blocks what it has no record of, and no migration runs again (%s)", async (_name, kept) => {
    const site = await openReleased();
    const isLater = (key: string): boolean => Number(/shop\/prod\/(\d+)$/.exec(key)?.[1] ?? 0) > kept;
    expect(await site.lose(isLater)).toBe(22 - kept);
    const { engine, seen } = await started(site);
    expect(seen).toMatchObject({ state: "blocked", code: "journal-foreign" });
    expect(seen?.why).toMatch(/released by this journal \([0-9a-f]{16}\), which has no record of it/);
    site.want(NEXT);
    await site.pass(engine);
    expect(site.writes()).toEqual([]);
    site.want(NEW);
    await site.pass(engine);
    await site.world.run(engine.control.resolve(ID, { kind: "adopt" }, BY));
    for (let passes = 0; passes < 3; passes += 1) await site.pass(engine);
    expect(engine.environment(ID)).toMatchObject({ git: { sha: NEW } });
    expect(site.writes().filter((name) => name === "RunTask")).toEqual([]);
  });
});

describe("A journal that does not answer", () => {
  test.each(["5xx", "before", "after", "denied"] as const)(
    "lets nothing be written to AWS, and what was asked for is done once it does (%s)",
    async (kind) => {
      const site = await openReleased();
      const { engine } = await started(site);
      site.want(NEXT);
      site.world.fail({ operation: "s3:*", kind, count: "forever", match: BUCKET });
      for (let passes = 0; passes < 3; passes += 1) await site.pass(engine);
      expect(site.writes()).toEqual([]);
      site.world.sandbox.faults.clear();
      for (let passes = 0; passes < 3; passes += 1) await site.pass(engine);
      expect(engine.environment(ID)).toMatchObject({ state: "healthy", git: { sha: NEXT } });
      expect(site.writes().filter((name) => name === "RunTask")).toHaveLength(1);
    },
  );
});
