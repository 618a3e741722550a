// The heart: what must happen so that live equals Git. Pure; the plan shown is the plan run.
import type { ComponentName, Digest } from "./brand.ts";
import { short } from "./brand.ts";
import type { Difference } from "./difference.ts";
import { differences } from "./differences.ts";
import type { Environment, EnvironmentId, Migration, Service, Web } from "./environment.ts";
import { environmentId } from "./environment.ts";
import type { FaultValue } from "./fault.ts";
import { migrationKey, serviceKey, settingsKey, UNKEYED } from "./fingerprint.ts";
import type { LiveState } from "./live.ts";
import type { Direction, ServiceField, Step } from "./step.ts";
import { RANK, WRITES } from "./step.ts";

export interface Plan {
  readonly environment: EnvironmentId;
  readonly direction: Direction;
  readonly differences: readonly Difference[];
  /** In the order of their ranks; empty = live is what Git says, and its health has passed. */
  readonly steps: readonly Step[];
  /** What stands in the way: each a fault of one resource. A plan with blockers is not run. */
  readonly blockers: readonly FaultValue[];
  /** What a reader should know and nobody needs to do anything about. */
  readonly notes: readonly string[];
}

/** What has to be done so that `live` becomes `desired`, in order. */
export function plan(desired: Environment, live: LiveState): Plan {
  const direction: Direction = live.returning ? "back" : "forward";
  const differs = differences(desired, live);
  const steps = [
    ...desired.migrations.flatMap((migration) => migrate(desired, live, migration, direction)),
    ...desired.services.flatMap((service) => deploy(live, service, differs)),
    ...desired.webs.flatMap((web) => publish(live, web, differs)),
  ];
  const wanting = steps.length > 0 || live.passed !== desired.fingerprint;
  const whole: readonly Step[] = wanting ? [verify(steps), ...steps, health(desired, steps), ...prune(steps)] : [];
  return {
    environment: environmentId(desired),
    direction,
    differences: differs,
    steps: whole.toSorted((a, b) => RANK[direction][a.kind] - RANK[direction][b.kind]),
    blockers: blockers(desired, live),
    notes: notes(desired, live, steps, direction),
  };
}

/** The digest a component resolved to, or undefined when it did not or was not looked at. */
function digest(live: LiveState, component: ComponentName): Digest | undefined {
  const artifact = live.artifacts.get(component);
  return artifact?.state === "resolved" ? artifact.digest : undefined;
}

function migrate(desired: Environment, live: LiveState, migration: Migration, direction: Direction): readonly Step[] {
  const known = live.migrations.get(migration.name);
  const image = digest(live, `migration/${migration.name}`);
  if (direction === "back" || known?.state === "passed" || image === undefined) return [];
  const key = migrationKey(desired, migration);
  const why =
    known === undefined || known.state === "absent"
      ? `${short(migration.sha)} has not been applied here`
      : `${short(migration.sha)} was started and is not known to have passed`;
  return [{ kind: "migrate", migration: migration.name, key, image, why }];
}

function deploy(live: LiveState, service: Service, differs: readonly Difference[]): readonly Step[] {
  const now = live.services.get(service.name);
  const mine = differs.filter((one) => one.kind === "service" && one.service === service.name);
  if (now?.state !== "present" || mine.length === 0) return [];
  const image = digest(live, `service/${service.name}`);
  const key =
    service.recorded === undefined ? image && serviceKey(service, image) : (service.recorded.content ?? UNKEYED);
  if (key === undefined) return [];
  const changes = mine.flatMap((one): readonly ServiceField[] => (one.kind === "service" ? [one.field] : []));
  const step: Step = {
    kind: "deploy",
    service: service.name,
    from: now.version,
    ...(image === undefined ? {} : { image }),
    key,
    settings: settingsKey(service),
    changes,
    why: mine.map((one) => (one.kind === "service" ? `${one.field} ${one.live} → ${one.desired}` : "")).join(", "),
  };
  return [step];
}

function publish(live: LiveState, web: Web, differs: readonly Difference[]): readonly Step[] {
  const release = digest(live, `web/${web.name}`);
  const content = differs.some((one) => one.kind === "web" && one.web === web.name);
  const stale = differs.some((one) => one.kind === "invalidation" && one.web === web.name);
  const cdn = web.domain !== undefined || web.distribution !== undefined;
  if (content && release !== undefined) {
    const why = `${short(web.sha)} is not what ${web.bucket} serves`;
    const copying: readonly Step[] = [
      { kind: "stage", web: web.name, digest: release, why },
      { kind: "publish", web: web.name, digest: release, why },
    ];
    return cdn ? [...copying, { kind: "invalidate", web: web.name, why: "the page changes" }] : copying;
  }
  return stale && cdn ? [{ kind: "invalidate", web: web.name, why: "published, and not invalidated since" }] : [];
}

function verify(steps: readonly Step[]): Step {
  const artifacts = steps.flatMap((step): Extract<Step, { kind: "verify" }>["artifacts"] => {
    if (step.kind === "migrate") return [{ component: `migration/${step.migration}` as const, digest: step.image }];
    if (step.kind === "publish") return [{ component: `web/${step.web}` as const, digest: step.digest }];
    if (step.kind === "deploy" && step.image !== undefined)
      return [{ component: `service/${step.service}` as const, digest: step.image }];
    return [];
  });
  return { kind: "verify", artifacts, why: "what was planned must still be what the tags say" };
}

function health(desired: Environment, steps: readonly Step[]): Step {
  const moved = steps.some((step) => WRITES[step.kind]);
  const why = moved
    ? "a release that writes ends with a proof"
    : `${short(desired.sha)} has not been proven healthy here`;
  return { kind: "health", fingerprint: desired.fingerprint, why };
}

function prune(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) =>
    step.kind === "publish"
      ? [{ kind: "prune" as const, web: step.web, why: "assets of old releases end with them" }]
      : [],
  );
}

/** Everything that could not be read, found or resolved. Unknown is never green and never absent. */
function blockers(desired: Environment, live: LiveState): readonly FaultValue[] {
  const services = desired.services.flatMap(({ name }) => {
    const now = live.services.get(name);
    return now !== undefined && now.state !== "present" ? [now.why] : [];
  });
  const counted = desired.services.flatMap((service): readonly FaultValue[] => {
    const now = live.services.get(service.name);
    if (service.count === undefined || now?.state !== "present" || now.scaled !== true) return [];
    const message = `service ${service.name}: the manifest says count ${service.count}, and Application Auto Scaling owns the count of this service`;
    return [{ code: "count-owned-elsewhere", message }];
  });
  const artifacts = [...live.artifacts.values()].flatMap((artifact) =>
    artifact.state === "unresolved" ? [artifact.why] : [],
  );
  const webs = desired.webs.flatMap(({ name }) => {
    const now = live.webs.get(name);
    return now?.state === "unknown" ? [now.why] : [];
  });
  const unique = new Map(
    [...services, ...counted, ...artifacts, ...webs].map((why) => [`${why.code} ${why.message}`, why]),
  );
  return [...unique.values()];
}

function notes(desired: Environment, live: LiveState, steps: readonly Step[], direction: Direction): readonly string[] {
  const pages = desired.webs
    .filter((web) => web.domain === undefined && web.distribution === undefined)
    .filter((web) => steps.some((step) => step.kind === "publish" && step.web === web.name))
    .map((web) => `${web.name}: no domain and no distribution, so nothing is invalidated`);
  const templates = desired.services.flatMap(({ name }) => {
    const now = live.services.get(name);
    const changed = now?.state === "present" ? (now.templateChanges ?? []) : [];
    const deploying = steps.some((step) => step.kind === "deploy" && step.service === name);
    return deploying && changed.length > 0 ? [`${name}: the template changes ${changed.join(", ")}`] : [];
  });
  const artifacts = [...live.artifacts].flatMap(([component, artifact]) =>
    artifact.state === "resolved" && artifact.note !== undefined ? [`${component}: ${artifact.note}`] : [],
  );
  const stays = desired.migrations.length > 0 && direction === "back" && steps.length > 0;
  return [...pages, ...templates, ...artifacts, ...(stays ? ["going back: migrations stay applied, none is run"] : [])];
}
