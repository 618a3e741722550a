// Joins the targets into one world: each looks at its own part, and only here they meet.
import type { ComponentName, Digest, Instant, ServiceName, WebName } from "../core/brand.ts";
import type { Environment, Service } from "../core/environment.ts";
import type { Outcome } from "../core/event.ts";
import type { Memory } from "../core/history.ts";
import type { Artifact, Depth, LiveService, LiveWeb } from "../core/live.ts";
import type { Clock, Runner, Runners, World } from "../ports.ts";

type Pins = ReadonlyMap<string, Digest>;
type Artifacts = ReadonlyMap<ComponentName, Artifact>;

export interface WorldParts {
  readonly clock: Clock;
  readonly services: {
    observe(
      environment: Environment,
      memory: Memory,
      depth: Depth,
      signal: AbortSignal,
    ): Promise<ReadonlyMap<ServiceName, LiveService>>;
    readonly runners: Pick<Runners, "deploy" | "migrate">;
    family(version: string): string;
  };
  readonly images: { resolve(environment: Environment, pins: Pins, signal: AbortSignal): Promise<Artifacts> };
  readonly webs: {
    observe(
      environment: Environment,
      memory: Memory,
      depth: Depth,
      signal: AbortSignal,
    ): Promise<ReadonlyMap<WebName, LiveWeb>>;
    artifacts(environment: Environment, pins: Pins, signal: AbortSignal): Promise<Artifacts>;
    readonly runners: Pick<Runners, "stage" | "publish" | "invalidate" | "prune">;
  };
  readonly health: {
    readonly runner: Runner<"health">;
    checkService(service: Service, signal: AbortSignal, note: (text: string) => void): Promise<Outcome>;
  };
}

export function createWorld(parts: WorldParts): World {
  const { clock, services, webs, images, health } = parts;

  async function resolve(environment: Environment, pins: Pins, signal: AbortSignal): Promise<Artifacts> {
    const [ofImages, ofWebs] = await Promise.all([
      images.resolve(environment, pins, signal),
      webs.artifacts(environment, pins, signal),
    ]);
    return new Map([...ofImages, ...ofWebs]);
  }

  return {
    family: (version) => services.family(version),
    async observe(environment, { memory, pins }, depth, signal) {
      const observedAt: Instant = clock.now();
      const [ofServices, ofWebs, artifacts] = await Promise.all([
        services.observe(environment, memory, depth, signal),
        depth === "glance" ? new Map<WebName, LiveWeb>() : webs.observe(environment, memory, depth, signal),
        depth === "full" ? resolve(environment, pins, signal) : new Map<ComponentName, Artifact>(),
      ]);
      return { observedAt, depth, services: ofServices, webs: ofWebs, artifacts };
    },
    runners: {
      ...services.runners,
      ...webs.runners,
      health: health.runner,
      verify: verify(resolve),
      async deploy(step, turn, context) {
        const outcome = await services.runners.deploy(step, turn, context);
        const service = turn.environment.services.find(({ name }) => name === step.service);
        if (outcome.status !== "done" || service === undefined) return outcome;
        const checked = await health.checkService(service, context.signal, (text) => context.note(text));
        return checked.status === "done" ? outcome : checked;
      },
    },
  };
}

/** What was planned must still be what the tags say: a tag that moved meanwhile fails the release before any write. */
function verify(
  resolve: (environment: Environment, pins: Pins, signal: AbortSignal) => Promise<Artifacts>,
): Runner<"verify"> {
  return async (step, { environment, pins }, { signal }) => {
    const now = await resolve(environment, pins, signal);
    for (const { component, digest } of step.artifacts) {
      const artifact = now.get(component);
      if (artifact?.state === "unresolved") return { status: "failed", ...artifact.why };
      if (artifact === undefined || artifact.digest === digest) continue;
      const message = `${component} was planned as ${digest} and is now ${artifact.digest}: the artifact changed while the release was starting`;
      return { status: "failed", code: "artifact-rebuilt", message };
    }
    const count = step.artifacts.length;
    return {
      status: "done",
      note: count === 0 ? "nothing new to fetch" : `${count} ${count === 1 ? "artifact" : "artifacts"}, digests pinned`,
    };
  };
}
