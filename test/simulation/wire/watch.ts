// The invariants of safety.md on the account itself: its call log, its containers, its pages, and the journal beside them.
import type { SandboxRequest } from "../../../sandbox/api.ts";
import type { Call } from "../../../sandbox/calls.ts";
import type { Digest } from "../../../controller/core/brand.ts";
import { NO_SHA } from "../../../controller/core/brand.ts";
import type { Environment } from "../../../controller/core/environment.ts";
import type { Recorded, Stream } from "../../../controller/core/event.ts";
import type { StepKind } from "../../../controller/core/step.ts";
import type { EnvironmentStatus } from "../../../controller/core/status.ts";
import type { SourceCommit } from "../builds.ts";
import type { Chronicle } from "../chronicle.ts";
import { chronicle, createChronicle } from "../chronicle.ts";
import type { Life } from "../life.ts";
import { checkRecord, type StartParts } from "../starts.ts";
import type { WireBuilds } from "./builds.ts";
import type { Containers } from "./containers.ts";
import { type AwsWrite, environmentOf, isAwsWrite, isKnown } from "./operations.ts";
import type { Readers } from "./readers.ts";

export interface WireWatchParts extends Omit<
  StartParts,
  "violate" | "seen" | "chronicleOf" | "actor" | "grounds" | "builds"
> {
  readonly builds: WireBuilds;
  readonly containers: Containers;
  readonly readers: () => Readers;
  /** Environment by distribution id. */
  readonly distributions: ReadonlyMap<string, string>;
}

export interface WireWatch {
  readonly violations: readonly string[];
  violate(invariant: string, what: string): void;
  chronicleOf(environment: string): Chronicle;
  /** Somebody else wrote there: what readers see is no longer ours alone, until health passes again. */
  taint(environment: string): void;
  onRecord(stream: Stream, record: Recorded): void;
  /** A request leaves a life. */
  onSent(life: Life, operation: string, request: SandboxRequest): void;
  /** A call that the account has answered, or whose answer was lost. */
  onCall(call: Call): void;
  onMigration(environment: string, migration: string, commit: SourceCommit): void;
  /** What runs or is shown has changed. */
  onChange(environment: string): void;
  onStatus(status: EnvironmentStatus, isCurrent: boolean): void;
  /** Looks at everything that changed since the last look; time stands still meanwhile. */
  inspect(): Promise<void>;
}

/** Which step may send which write. */
const SENDERS: { readonly [Operation in AwsWrite]: readonly StepKind[] } = {
  "ecs:RegisterTaskDefinition": ["deploy", "migrate"],
  "ecs:UpdateService": ["deploy"],
  "ecs:RunTask": ["migrate"],
  "ecs:StopTask": ["migrate"],
  "s3:PutObject": ["stage", "publish", "invalidate", "prune"],
  "s3:CopyObject": ["stage", "publish"],
  "s3:DeleteObjects": ["publish", "prune"],
  "cloudfront:CreateInvalidation": ["invalidate"],
};

interface Proof {
  readonly name: string;
  readonly desired: Environment;
  readonly artifacts: Readonly<Record<string, Digest>>;
  readonly isRollback: boolean;
}

export function createWireWatch(parts: WireWatchParts): WireWatch {
  const { timeline, builds, shape, containers, distributions } = parts;
  const violations: string[] = [];
  const chronicles = new Map<string, Chronicle>();
  /** Steps at work by environment. */
  const steps = new Map<string, Map<string, StepKind>>();
  /** What was first proven of a component's SHA: an image's digest, or the build a page names. */
  const pins = new Map<string, { readonly digest: Digest; readonly atMs: number }>();
  const tainted = new Set<string>();
  /** Git asked for an older commit that was never healthy here: that goes forward, and pages may be newer meanwhile. */
  const sideways = new Set<string>();
  const changed = new Set<string>();
  const proofs: Proof[] = [];
  const updates: Call[] = [];
  /** Sent while the sender held the environment, by writer and environment; late when it no longer does. */
  let seen: Environment["sha"] | undefined;

  function violate(invariant: string, what: string): void {
    violations.push(`${invariant} at ${new Date(timeline.nowMs()).toISOString()}: ${what}`);
  }

  function chronicleOf(environment: string): Chronicle {
    const known = chronicles.get(environment) ?? createChronicle();
    chronicles.set(environment, known);
    return known;
  }

  const started: StartParts = {
    ...parts,
    grounds: new Map(),
    actor: () => undefined,
    violate,
    seen: () => seen,
    chronicleOf,
  };

  function migrated(environment: string, what: string, sha: string | undefined): void {
    if (sha === undefined) return;
    for (const migration of shape.migrations) {
      if (containers.applied.has(`${environment} ${migration}@${sha}`)) continue;
      violate("I1", `${environment}: ${what} moves to ${sha.slice(0, 7)}, whose migration ${migration} has not passed`);
    }
  }

  function pinOf(environment: string, component: string): Digest | undefined {
    const pin = pins.get(component);
    const since = chronicleOf(environment).open?.startedMs ?? 0;
    return pin !== undefined && pin.atMs < since ? pin.digest : undefined;
  }

  function follow(name: string, record: Recorded): void {
    const { event } = record;
    const at = steps.get(name) ?? new Map<string, StepKind>();
    steps.set(name, at);
    if (event.type === "step-started") at.set(event.step, event.what.kind);
    if (event.type === "step-settled") at.delete(event.step);
    if (event.type === "release-started") {
      at.clear();
      if (event.direction === "forward" && isOlder(name, event.desired)) sideways.add(name);
    }
    const { open } = chronicleOf(name);
    if (event.type !== "health-passed") return;
    if (open === undefined) return violate("I7", `${name}: health passed without a release`);
    proofs.push({ name, desired: open.desired, artifacts: event.artifacts, isRollback: open.kind === "rollback" });
  }

  function isOlder(name: string, desired: Environment): boolean {
    const index = builds.commit(desired.sha)?.index ?? 0;
    return [...containers.running].some(({ environment, commit }) => environment === name && commit.index > index);
  }

  /** Health passed a moment ago: what runs and what is shown must be what was named. */
  async function prove({ name, desired, artifacts }: Proof): Promise<void> {
    const wrong = await parts.readers().falsehood(desired, "bucket");
    if (wrong !== undefined && !tainted.has(name)) return violate("I7", `${name}: health passed, but ${wrong}`);
    if (wrong !== undefined) return;
    const wasTainted = tainted.delete(name);
    // Going forward nobody waits for the CDN, which shows the newer page until its invalidation is completed.
    if ((await parts.readers().falsehood(desired, "everywhere")) === undefined) sideways.delete(name);
    for (const [component, digest] of Object.entries(artifacts)) {
      const [kind, part = ""] = component.split("/", 2);
      const sha = shaOf(desired, component);
      if (kind === "migration" || sha === undefined || sha === NO_SHA) continue;
      const built = kind === "web" ? await pageOf(name, part) : digest;
      if (built !== undefined && !pins.has(`${component}@${sha}`)) {
        pins.set(`${component}@${sha}`, { digest: built, atMs: timeline.nowMs() });
      }
      if (kind !== "service" || wasTainted) continue;
      const running = [...containers.running].filter((one) => one.environment === name && one.name === part);
      const other = running.find((one) => one.digest !== digest && !one.draining);
      if (other !== undefined)
        violate("I12", `${name}: health passed for ${component} ${brief(digest)}, but ${brief(other.digest)} runs`);
    }
  }

  async function pageOf(name: string, web: string): Promise<Digest | undefined> {
    const pages = await parts.readers().pages(name, web);
    return pages.find(({ from }) => from === "bucket")?.build;
  }

  /** A service was moved: to a digest, of a SHA whose migrations passed, the one that was proven before. */
  async function moved(call: Call): Promise<void> {
    const { cluster, service, taskDefinition } = call.input;
    if (typeof taskDefinition !== "string" || typeof cluster !== "string") return;
    const digest = await parts.readers().imageOf(taskDefinition);
    const commit = digest === undefined ? undefined : builds.builtOf(digest);
    if (!taskDefinition.includes("/lockstep-shop-")) return;
    migrated(cluster, `service ${String(service)}`, commit?.sha);
    const { open } = chronicleOf(cluster);
    const named = open?.artifacts[`service/${String(service)}`];
    if (open !== undefined && open.kind !== "rollback" && named !== undefined && named !== digest)
      violate(
        "I4",
        `${cluster}: the plan named ${brief(named)} for ${String(service)}, and ${brief(digest)} is deployed`,
      );
    const pin = pinOf(cluster, `service/${String(service)}@${commit?.sha}`);
    if (pin !== undefined && pin !== digest)
      violate("I12", `${cluster}: ${String(service)} is deployed with other bytes than those that passed`);
  }

  async function look(environment: string): Promise<void> {
    for (const web of shape.webs) {
      for (const page of await parts.readers().pages(environment, web)) checkPage(environment, web, page);
    }
  }

  function checkPage(environment: string, web: string, page: Awaited<ReturnType<Readers["pages"]>>[number]): void {
    const { from, commit, missing, build } = page;
    if (missing.length > 0) violate("I3", `${environment}: ${web} of the ${from} lacks ${missing.join(", ")}`);
    if (tainted.has(environment)) return;
    if (from === "bucket") {
      migrated(environment, `page ${web}`, commit?.sha);
      const pin = pinOf(environment, `web/${web}@${commit?.sha}`);
      if (pin !== undefined && build !== pin) violate("I12", `${environment}: ${web} is not what passed`);
    }
    if (sideways.has(environment)) return;
    for (const one of containers.running) {
      if (one.environment !== environment || one.isMigration || one.draining) continue;
      if (one.commit.index >= (commit?.index ?? 0)) continue;
      violate(
        "I3",
        `${environment}: ${web} of commit ${commit?.index} (${from}) meets ${one.name} of commit ${one.commit.index}`,
      );
    }
  }

  return {
    violations,
    violate,
    chronicleOf,
    taint: (environment) => void tainted.add(environment),
    onRecord(stream, record) {
      parts.onRecord?.(stream, record);
      const { event } = record;
      if (event.type === "head-seen") seen = event.commit;
      if (event.type === "accepted") seen = event.head;
      if (!stream.startsWith("environment/shop/")) return;
      const name = stream.slice("environment/shop/".length);
      const of = chronicleOf(name);
      checkRecord(name, record, of, started);
      follow(name, record);
      chronicle(of, record, timeline.nowMs());
    },
    onSent(life, operation, request) {
      if (!isKnown(operation)) return violate("I11", `${life.writer} sends ${operation}, which Lockstep does not send`);
      if (!isAwsWrite(operation)) return;
      const environment = environmentOf(request, distributions);
      if (environment === undefined) return violate("I11", `${operation} ${request.path} is about no environment`);
      const { holder, open } = chronicleOf(environment);
      if (open === undefined) return violate("I5", `${environment}: ${operation} leaves, and no release is open`);
      if (holder !== life.writer)
        violate("I9", `${life.writer} sends ${operation} to ${environment}, which ${holder} holds`);
      const at = [...(steps.get(environment)?.values() ?? [])];
      if (!SENDERS[operation].some((kind) => at.includes(kind)))
        violate("I11", `${environment}: ${operation} leaves while ${at.join(", ") || "no step"} is at work`);
    },
    onCall(call) {
      const operation = `${call.service}:${call.operation}`;
      if (!isAwsWrite(operation)) return;
      const took = call.status === undefined ? call.fault?.startsWith("after") === true : call.status < 300;
      if (!took) return;
      const path = typeof call.input["path"] === "string" ? call.input["path"] : "/";
      const environment = environmentOf(asRequest(call, path), distributions);
      if (environment === undefined) return;
      changed.add(environment);
      const writer = /lockstep\/([\w.-]+)/.exec(call.userAgent)?.[1];
      if (writer === undefined) return;
      if (chronicleOf(environment).holder !== writer) return void tainted.add(environment);
      if (operation === "ecs:UpdateService") updates.push(call);
      if (operation === "ecs:RegisterTaskDefinition") checkDigests(environment, call);
    },
    onMigration(environment, migration, commit) {
      const others = [...containers.running].filter((one) => one.environment === environment && one.isMigration);
      if (others.length > 0) violate("I2", `${environment}: two migration tasks run at once`);
      if (containers.passed.has(`${environment} ${migration}@${commit.sha}`))
        violate("I2", `${environment}: ${migration} of ${commit.sha.slice(0, 7)} passed and runs again`);
    },
    onChange: (environment) => void changed.add(environment),
    onStatus(status, isCurrent) {
      if (status.state !== "healthy" || tainted.has(status.environment)) return;
      const { open, passed } = chronicleOf(status.environment);
      if (isCurrent && open === undefined && passed === undefined)
        violate("I7", `${status.id} is called healthy, and nothing is proven`);
    },
    async inspect() {
      for (const call of updates.splice(0)) await moved(call);
      const names = [...changed];
      changed.clear();
      for (const name of names) await look(name);
      for (const proof of proofs.splice(0)) await prove(proof);
      // Looking is no change.
      for (const name of names) changed.delete(name);
    },
  };

  function checkDigests(environment: string, { input }: Call): void {
    const containersOf = (input["containerDefinitions"] ?? []) as readonly { readonly image?: string }[];
    for (const { image = "" } of containersOf) {
      if (!/@sha256:[0-9a-f]{64}$/.test(image))
        violate("I4", `${environment}: ${image} is registered without a digest`);
    }
  }
}

function asRequest(call: Call, path: string): SandboxRequest {
  const isJson = call.service === "ecs";
  return {
    method: "POST",
    path,
    query: new URLSearchParams(),
    headers: isJson ? { "x-amz-target": `.${call.operation}` } : {},
    body: Buffer.from(isJson ? JSON.stringify(call.input) : ""),
  };
}

function shaOf(environment: Environment, component: string): string | undefined {
  const [kind, name] = component.split("/", 2);
  const all = kind === "service" ? environment.services : kind === "web" ? environment.webs : environment.migrations;
  return all.find((one) => one.name === name)?.sha;
}

function brief(digest: Digest | undefined): string {
  return digest?.slice(7, 14) ?? "nothing";
}
