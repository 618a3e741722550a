// Compares Git with live, component by component. What was not looked at, or cannot be read, makes no difference here.
import type { Difference } from "./difference.ts";
import type { Environment, Service, Web } from "./environment.ts";
import { serviceKey, settingsKey, UNKEYED } from "./fingerprint.ts";
import type { LiveState } from "./live.ts";

export function differences(desired: Environment, live: LiveState): readonly Difference[] {
  const resting = live.passed === desired.fingerprint;
  return [
    ...(live.returning
      ? []
      : desired.migrations.flatMap((migration) => migrationDifference(migration.name, live, resting))),
    ...desired.services.flatMap((service) => serviceDifferences(service, live, resting)),
    ...desired.webs.flatMap((web) => webDifferences(web, live)),
    ...(resting
      ? []
      : [{ kind: "health" as const, live: live.passed ?? "never proven", desired: desired.fingerprint }]),
  ];
}

function migrationDifference(
  name: Environment["migrations"][number]["name"],
  live: LiveState,
  resting: boolean,
): readonly Difference[] {
  const known = live.migrations.get(name)?.state ?? "absent";
  if (resting || known === "passed") return [];
  return [{ kind: "migration", migration: name, live: known, desired: "passed" }];
}

function serviceDifferences(service: Service, live: LiveState, resting: boolean): readonly Difference[] {
  const now = live.services.get(service.name);
  if (now?.state !== "present") return [];
  const found: Difference[] = [];
  const version = versionDifference(service, live, resting);
  if (version !== undefined) found.push({ kind: "service", service: service.name, field: "version", ...version });
  const count = service.count ?? service.recorded?.restore?.count;
  if (count !== undefined && now.replicas.desired !== count) {
    const [from, to] = [String(now.replicas.desired), String(count)];
    found.push({ kind: "service", service: service.name, field: "count", live: from, desired: to });
  }
  const settings = live.deployed.get(service.name)?.settings;
  const restored = service.recorded?.restore?.deployment !== undefined && version !== undefined;
  if (!resting && ((settings !== undefined && settings !== UNKEYED && settings !== settingsKey(service)) || restored)) {
    found.push({
      kind: "service",
      service: service.name,
      field: "settings",
      live: "as released before",
      desired: "as in Git",
    });
  }
  return found;
}

function versionDifference(
  service: Service,
  live: LiveState,
  resting: boolean,
): { live: string; desired: string } | undefined {
  const now = live.services.get(service.name);
  if (now?.state !== "present") return undefined;
  const deployed = live.deployed.get(service.name);
  const name = versionName(now.version);
  if (service.recorded !== undefined) {
    const same = now.version === service.recorded.version && !isMovingElsewhere(now.rollout, service.recorded.version);
    return same ? undefined : { live: name, desired: versionName(service.recorded.version) };
  }
  if (resting) {
    if (deployed === undefined || deployed.version === now.version) return undefined;
    return { live: name, desired: versionName(deployed.version) };
  }
  const artifact = live.artifacts.get(`service/${service.name}`);
  if (artifact?.state !== "resolved") return undefined;
  const settled = now.rollout.state === "steady";
  const ours = deployed?.version === now.version && deployed.key === serviceKey(service, artifact.digest);
  // What ran before Lockstep came has no key: the image it names by digest tells whether it is what Git says.
  const unkeyed = deployed === undefined || deployed.key === UNKEYED;
  // What a life that was killed sent is not that: its step must run again, to say what stands and to wait for its end.
  const adopted = unkeyed && live.begun?.has(service.name) !== true && now.image === artifact.digest;
  if (settled && (ours || adopted)) return undefined;
  return {
    live: ours ? `${name}, still moving` : name,
    desired: `${service.image.repository}@${artifact.digest.slice(0, 19)}`,
  };
}

function isMovingElsewhere(rollout: { readonly state: string; readonly to?: string }, version: string): boolean {
  return rollout.state === "moving" && rollout.to !== version;
}

function webDifferences(web: Web, live: LiveState): readonly Difference[] {
  const now = live.webs.get(web.name);
  const artifact = live.artifacts.get(`web/${web.name}`);
  if (now === undefined || now.state === "unknown") return [];
  // At rest artifacts are not resolved; the page must then be the one that was last seen served.
  const desired =
    artifact?.state === "resolved" ? artifact.digest : artifact === undefined ? live.served.get(web.name) : undefined;
  const cdn = web.domain !== undefined || web.distribution !== undefined;
  const found: Difference[] = [];
  if (desired !== undefined && !(now.state === "served" && now.digest === desired)) {
    const live_ = now.state === "none" ? "nothing published" : `${now.digest?.slice(0, 19) ?? "unknown"}, ${now.state}`;
    found.push({ kind: "web", web: web.name, live: live_, desired });
  } else if (cdn && now.publication !== undefined && now.invalidated !== now.publication) {
    found.push({ kind: "invalidation", web: web.name, live: now.invalidated ?? "never", desired: now.publication });
  }
  return found;
}

/** `shop-api:7` of a task-definition ARN; anything else as it is. */
function versionName(version: string): string {
  return version.slice(version.lastIndexOf("/") + 1);
}
