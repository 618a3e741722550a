// What the journal's fold knows after a rollback that ECS had already done by itself.
import { expect, test } from "vitest";
import type { Digest } from "../../controller/core/brand.ts";
import {
  ApplicationName,
  EnvironmentName,
  Instant,
  ServiceName,
  Sha,
  TargetVersion,
} from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import type { Durable, Recorded } from "../../controller/core/event.ts";
import { digestOf, serviceKey, settingsKey } from "../../controller/core/fingerprint.ts";
import { lastGood } from "../../controller/core/good.ts";
import type { Memory } from "../../controller/core/history.ts";
import { NOTHING, remember } from "../../controller/core/history.ts";
import type { Observation } from "../../controller/core/live.ts";
import { withMarks } from "../../controller/core/marks.ts";
import { plan } from "../../controller/core/plan.ts";

const API = ServiceName.parse("api");
const GOOD = Sha.parse("b".repeat(40));
const BAD = Sha.parse("d".repeat(40));
const version = (revision: number): TargetVersion =>
  TargetVersion.parse(`arn:aws:ecs:eu-west-1:111122223333:task-definition/lockstep-shop-dev-api:${revision}`);
const image = (sha: Sha): Digest => digestOf({ image: sha });

function environment(sha: Sha): Environment {
  return {
    application: ApplicationName.parse("shop"),
    name: EnvironmentName.parse("dev"),
    revision: { repository: "5eed5eed5eed5eed", commit: sha, folder: "" },
    sha,
    fingerprint: digestOf({ sha }),
    place: { region: "eu-west-1", cluster: "dev" },
    parallel: 4,
    services: [
      {
        name: API,
        sha,
        image: { registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", repository: "shop/api", tag: sha },
        task: { kind: "adopted" },
        after: [],
        timeoutMs: 60_000,
        strategy: { kind: "rolling" },
        paths: [],
      },
    ],
    migrations: [],
    webs: [],
    gates: { promotedFrom: [] },
    drift: "report",
    onFailure: "rollback",
  };
}

function keep(memory: Memory, ...events: readonly Durable[]): Memory {
  return events.reduce<Memory>((folded, event) => {
    const sequence = folded.sequence + 1;
    const record: Recorded = { v: 1, sequence, at: Instant.of(sequence), writer: "a", epoch: 1, nonce: "", event };
    return remember(folded, record);
  }, memory);
}

function started(release: number, desired: Environment, how: "release" | "rollback", undoes?: number): Durable {
  return {
    type: "release-started",
    release,
    releaseId: "0".repeat(32),
    kind: how,
    direction: "forward",
    desired,
    arrival: desired.revision.commit,
    artifacts: {},
    steps: [],
    why: "",
    ...(undoes === undefined ? {} : { undoes }),
  };
}

function deployed(release: number, desired: Environment, revision: number): readonly Durable[] {
  const [service] = desired.services;
  if (service === undefined) throw new Error("no service");
  const key = serviceKey(service, image(desired.sha));
  const intended = { release, service: API, version: version(revision), key, settings: settingsKey(service) };
  return [
    { type: "deploy-intended", ...intended, before: { version: version(revision - 1) } },
    { type: "deploy-accepted", release, service: API, version: version(revision), deployment: `ecs-svc/${revision}` },
  ];
}

function passed(release: number, { fingerprint, sha }: Environment): readonly Durable[] {
  return [
    { type: "health-passed", release, fingerprint, sha, artifacts: { "service/api": image(sha) } },
    { type: "release-succeeded", release },
  ];
}

const [good, bad] = [environment(GOOD), environment(BAD)];
const failed = keep(
  NOTHING,
  started(1, good, "release"),
  ...deployed(1, good, 2),
  ...passed(1, good),
  started(2, bad, "release"),
  ...deployed(2, bad, 3),
  {
    type: "release-failed",
    release: 2,
    step: "deploy/api",
    code: "deployment-failed",
    message: "ECS rolled back",
    undone: true,
  },
);

/** The rollback finds revision 2 running again and has nothing to deploy. */
function rolledBack(): Memory {
  const back = lastGood(failed, bad)?.desired;
  if (back === undefined) throw new Error("nothing to go back to");
  return keep(failed, started(3, back, "rollback", 2), ...passed(3, back), {
    type: "release-rolled-back",
    release: 2,
    to: 3,
  });
}

const running: Observation = {
  observedAt: Instant.of(1000),
  depth: "glance",
  services: new Map([
    [
      API,
      {
        state: "present",
        version: version(2),
        replicas: { desired: 1, running: 1, pending: 0 },
        rollout: { state: "steady" },
      },
    ],
  ]),
  webs: new Map(),
  artifacts: new Map(),
};

test("what ECS put back by itself is what counts as deployed, and is the good one from then on", () => {
  const memory = rolledBack();
  expect(memory.deployed.get(API)?.version).toBe(version(2));
  expect(memory.good?.deployed.get(API)?.version).toBe(version(2));
  expect(lastGood(memory, bad)?.desired.services[0]?.recorded?.version).toBe(version(2));
});

test("Git back at the good SHA then has no difference and is not drift", () => {
  const memory = rolledBack();
  expect(plan(good, withMarks(running, good, memory)).differences).toEqual([]);
});
