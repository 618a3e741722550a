// One look at one environment: observe, plan, judge the gates, decide. Reads only, so it may run beside a release.
import type { FaultValue } from "../core/fault.ts";
import type { Digest, EnvironmentName } from "../core/brand.ts";
import type { Decision } from "../core/decision.ts";
import { decide } from "../core/decision.ts";
import type { Environment, GatePolicy } from "../core/environment.ts";
import type { Neighbour, Verdict } from "../core/gates.ts";
import { verdicts } from "../core/gates.ts";
import type { Memory } from "../core/history.ts";
import { LIMITS } from "../core/limits.ts";
import type { Depth, LiveState } from "../core/live.ts";
import { withMarks } from "../core/marks.ts";
import type { Plan } from "../core/plan.ts";
import { plan } from "../core/plan.ts";
import type { Clock, Contains, World } from "../ports.ts";

export interface Considered {
  readonly desired: Environment;
  /** What the journal said. */
  readonly memory: Memory;
  readonly live: LiveState;
  readonly plan: Plan;
  readonly gates: readonly Verdict[];
  readonly decision: Decision;
}

/** What stands around a lane: the other environments of its application, as their journals know them. */
export interface Surroundings {
  neighbour(name: EnvironmentName): Memory | undefined;
  /** Digests fixed by the first environment in which a SHA was healthy. */
  pins(): ReadonlyMap<string, Digest>;
}

export interface ConsiderParts {
  readonly world: World;
  readonly clock: Clock;
  readonly contains: Contains;
  readonly surroundings: Surroundings;
  readonly adopts: boolean;
  readonly observes: boolean;
}

export interface Look {
  readonly desired: Environment;
  readonly memory: Memory;
  readonly halted?: FaultValue;
  readonly depth: Depth;
}

const NO_PINS: ReadonlyMap<string, Digest> = new Map();

export async function consider(look: Look, parts: ConsiderParts, signal: AbortSignal): Promise<Considered> {
  const { desired, memory, halted } = look;
  // Only artifacts need them, and gathering them asks every environment of the application.
  const pins = look.depth === "full" ? parts.surroundings.pins() : NO_PINS;
  const observation = await parts.world.observe(desired, { memory, pins }, look.depth, signal);
  const live = withMarks(observation, desired, memory);
  const planned = plan(desired, live);
  const gates = planned.steps.length === 0 ? [] : await judge(desired, memory, parts, signal);
  const decision = decide({
    desired,
    live,
    plan: planned,
    memory,
    gates,
    ...(halted === undefined ? {} : { halted }),
    adopts: parts.adopts,
    observes: parts.observes,
    now: parts.clock.now(),
  });
  return { desired, memory, live, plan: planned, gates, decision };
}

/**
 * How far to look: at rest a glance is enough, every tenth one with the web markers; whatever may act needs all. A
 * failure that is remembered changes nothing by itself, so it is only glanced at.
 */
export function depthOf(desired: Environment, memory: Memory, passes: number): Depth {
  const remembered =
    memory.failure?.fingerprint === desired.fingerprint && memory.undo === undefined && memory.open === undefined;
  if (remembered) return "glance";
  if (memory.passed !== desired.fingerprint || memory.open !== undefined || memory.undo !== undefined) return "full";
  if (memory.drift !== undefined || memory.repairRequested) return "full";
  return desired.webs.length > 0 && passes % LIMITS.webPasses === 0 ? "pages" : "glance";
}

/** Gates by the strictest of the policy before the arrival and the one it carries. */
async function judge(
  desired: Environment,
  memory: Memory,
  parts: ConsiderParts,
  signal: AbortSignal,
): Promise<readonly Verdict[]> {
  const before = memory.arrival?.fingerprint === desired.fingerprint ? memory.arrival.before : undefined;
  const strict: Environment = { ...desired, gates: strictest(desired.gates, before) };
  const neighbours = new Map<EnvironmentName, Neighbour>();
  for (const name of strict.gates.promotedFrom) {
    const other = parts.surroundings.neighbour(name);
    if (other !== undefined) neighbours.set(name, await neighbourOf(name, other, desired, parts, signal));
  }
  return verdicts({ desired: strict, neighbours, wasHealthyHere: memory.healthy.has(desired.sha) });
}

export function strictest(policy: GatePolicy, before: GatePolicy | undefined): GatePolicy {
  return { promotedFrom: [...new Set([...policy.promotedFrom, ...(before?.promotedFrom ?? [])])] };
}

async function neighbourOf(
  name: EnvironmentName,
  memory: Memory,
  desired: Environment,
  parts: ConsiderParts,
  signal: AbortSignal,
): Promise<Neighbour> {
  const good = memory.good;
  const everHealthy = new Set(memory.healthy.keys());
  if (good === undefined || memory.passed !== good.desired.fingerprint) return { name, everHealthy };
  const healthy = good.desired.sha;
  const shared = good.desired.shared === desired.shared;
  if (healthy === desired.sha) return { name, healthy, everHealthy, shared };
  const descends = await parts.contains(desired, desired.sha, healthy, signal);
  return { name, healthy, everHealthy, shared, ...(descends === undefined ? {} : { descends }) };
}
