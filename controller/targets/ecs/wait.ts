// Waits for a deployment to end, in terminal states only: many services share each look, and a time-out names its cause.
import type { Service as EcsService } from "@aws-sdk/client-ecs";
import { Instant } from "../../core/brand.ts";
import type { Place } from "../../core/environment.ts";
import type { Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import type { Clock, Context } from "../../ports.ts";
import type { Aws } from "../aws.ts";
import type { DeploymentRecord, ServiceDeployments } from "./deployments.ts";
import { isOf, standing } from "./deployments.ts";
import type { ServiceReader } from "./describe.ts";
import { missing, refusal } from "./describe.ts";
import type { Diagnose } from "./diagnosis.ts";
import { revisionOf } from "./family.ts";
import type { Tasks } from "./tasks.ts";
import type { Aim } from "./rollout.ts";
import { hasArrived, primaryOf, progress } from "./rollout.ts";

export interface Watch {
  readonly place: Place;
  readonly service: string;
  readonly aim: Aim;
  /** When the write was meant, by our clock: older service deployments are not ours. */
  readonly intendedAt: Instant;
  readonly timeoutMs: number;
}

export interface WaitParts {
  readonly aws: Aws;
  readonly reader: ServiceReader;
  readonly deployments: ServiceDeployments;
  readonly tasks: Tasks;
  readonly diagnose: Diagnose;
}

export type Wait = (watch: Watch, context: Context) => Promise<Outcome>;

const POLL_MS = 2_000;
const POLL_MAX_MS = 15_000;
/** So long every change is looked for at once. */
const EAGER_MS = 5 * 60_000;
/** Looks without any trace of our deployment before it is believed to be gone: reads lag behind writes. */
const TRACELESS_LOOKS = 15;
/** Failed tasks at which a crash loop is told while the deployment is still under way. */
const CRASHES = 2;
/** Slack when comparing AWS's times with the time of an intent. */
const SLACK_MS = 5_000;

export function createWait(parts: WaitParts): Wait {
  const { reader, diagnose } = parts;

  return async (watch, context) => {
    const { place, service, aim } = watch;
    const { clock, signal } = context;
    const say = once(context);
    const patient = { place, service, version: aim.version, deployment: aim.deployment };
    const named = `service ${service} in cluster ${place.cluster}: deployment of ${revisionOf(aim.version)}`;
    const deadlineMs = clock.monotonicMs() + watch.timeoutMs - (clock.now() - watch.intendedAt);
    const pauses = createPauses(clock);
    let traceless = 0;
    let crashes = 0;
    let rollsBack = "";
    for (let first = true; ; first = false) {
      if (!first) await pauses.next(signal);
      const late = clock.monotonicMs() >= deadlineMs;
      const seen = await patiently(say, late, () => reader.find(place, service, signal));
      if (seen === "again") continue;
      if (seen === undefined) throw missing(service, place.cluster);
      const unfit = refusal(seen, place.cluster);
      if (unfit !== undefined) throw unfit;
      const now = progress(seen, aim);
      if (now.state === "done") return { status: "done", ...(now.note === undefined ? {} : { note: now.note }) };
      if (now.state === "moving") {
        if (now.text !== undefined) say(now.text);
        const record =
          now.early === true ? await patiently(say, late, () => recordOf(parts, watch, clock, signal)) : "again";
        if (record !== "again" && record?.status === "SUCCESSFUL")
          return { status: "done", note: "counted as successful early" };
        pauses.settled = now.settled;
        traceless = 0;
        rollsBack = "";
        crashes = await tellCrashes(seen, crashes);
      } else {
        pauses.settled = true;
        const record = await patiently(say, late, () => recordOf(parts, watch, clock, signal));
        if (record === "again") continue;
        const how = record === undefined ? undefined : standing(record);
        if (how?.state === "succeeded") return { status: "done" };
        if (how?.state === "ended") return ended(how.code, how.why);
        if (how?.text !== undefined) say(how.text);
        rollsBack = how?.rollsBack === true ? (how.text ?? "ECS rolls back") : "";
        traceless = how === undefined ? traceless + 1 : 0;
        if (traceless >= TRACELESS_LOOKS) return ended(...vanished(seen, aim));
      }
      if (late) return timedOut(seen);
    }

    async function tellCrashes(seen: EcsService, told: number): Promise<number> {
      const failed = primaryOf(seen)?.failedTasks ?? 0;
      if (failed < CRASHES || failed < told * 2) return Math.min(told, failed);
      context.note(`${service}: ${failed} tasks have failed; ${await diagnose(patient, signal)}`);
      return failed;
    }

    async function ended(
      code: "deployment-failed" | "deployment-replaced" | Fault["code"],
      why: string,
    ): Promise<Outcome> {
      if (code === "deployment-replaced") return { status: "failed", code, message: `${named} was replaced: ${why}` };
      return { status: "failed", code, message: `${named} failed: ${why}; ${await diagnose(patient, signal)}` };
    }

    async function timedOut(seen: EcsService): Promise<Outcome> {
      const left = hasArrived(seen, aim) ? await draining(parts.tasks, watch, signal) : 0;
      if (left > 0) return { status: "done", note: `draining ${left} old ${left === 1 ? "task" : "tasks"}` };
      if (rollsBack !== "") return ended("deployment-failed", `${rollsBack}, and it had not ended in time`);
      const primary = primaryOf(seen);
      const counts = `${primary?.runningCount ?? 0} of ${seen.desiredCount ?? 0} tasks run`;
      const message = `${named} did not settle in ${Math.round(watch.timeoutMs / 1000)} s: ${counts}; ${await diagnose(patient, signal)}`;
      return { status: "failed", code: "deployment-timeout", message };
    }
  };
}

/** Old tasks that are on their way out, when every task that is still wanted is ours, runs and is not unhealthy. */
async function draining(tasks: Tasks, { place, service, aim }: Watch, signal: AbortSignal): Promise<number> {
  const wanted = await tasks.list(place, { serviceName: service, desiredStatus: "RUNNING" }, signal);
  const isOurs = wanted.every(
    ({ startedBy, lastStatus, healthStatus }) =>
      startedBy === aim.deployment && lastStatus === "RUNNING" && healthStatus !== "UNHEALTHY",
  );
  if (!isOurs) return 0;
  const unwanted = await tasks.list(place, { serviceName: service, desiredStatus: "STOPPED" }, signal);
  return unwanted.filter(({ lastStatus, startedBy }) => lastStatus !== "STOPPED" && startedBy !== aim.deployment)
    .length;
}

/** The record of our deployment: by its number, for the number is in the name of its service revision. */
async function recordOf(
  { aws, deployments }: WaitParts,
  { place, service, aim, intendedAt }: Watch,
  clock: Clock,
  signal: AbortSignal,
): Promise<DeploymentRecord | undefined> {
  const since = sinceOf(intendedAt, aws, clock);
  const recent = await deployments.list({ place, service, since, limit: 100 }, signal);
  const own = recent.find((record) => isOf(record, aim.deployment));
  if (own !== undefined) return own;
  // A deployment that was already there when its version was asked for again is older than the intent.
  const older = await deployments.list({ place, service, limit: 20 }, signal);
  return older.find((record) => isOf(record, aim.deployment));
}

/** An instant of ours in AWS's time, a little earlier. */
export function sinceOf(intendedAt: Instant, aws: Pick<Aws, "date">, clock: Pick<Clock, "now">): Instant {
  const skewMs = (aws.date() ?? clock.now()) - clock.now();
  return Instant.plus(intendedAt, skewMs - SLACK_MS);
}

/** What to believe when ECS keeps no record of a deployment that is gone. */
function vanished(seen: EcsService, aim: Aim): ["deployment-failed" | "deployment-replaced", string] {
  const primary = primaryOf(seen);
  const reason = (primary?.rolloutStateReason ?? "").replace(/\.$/, "");
  if (primary?.id === aim.deployment) return ["deployment-failed", reason === "" ? "ECS gave up on it" : reason];
  if (/circuit breaker|rolling back/i.test(reason)) return ["deployment-failed", `ECS rolled back: ${reason}`];
  return [
    "deployment-replaced",
    `PRIMARY is now ${primary?.id ?? "none"} of ${revisionOf(primary?.taskDefinition ?? "")}`,
  ];
}

/** What the world owes us is asked for again at the next look, until it is late; everything else is thrown. */
async function patiently<Value>(
  say: (text: string) => void,
  late: boolean,
  read: () => Promise<Value>,
): Promise<Value | "again"> {
  try {
    return await read();
  } catch (thrown) {
    if (late || !(thrown instanceof Fault) || thrown.consequence !== "retry") throw thrown;
    say(`${thrown.message}; looking again`);
    return "again";
  }
}

/** Says each thing once per wait. */
function once(context: Context): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    context.note(text);
  };
}

interface Pauses {
  settled: boolean;
  next(signal: AbortSignal): Promise<void>;
}

/** Two seconds while it matters, then longer; on a common grid, so that looks of many services fall together. */
export function createPauses(clock: Clock): Pauses {
  const startedMs = clock.monotonicMs();
  let pauseMs = POLL_MS;
  return {
    settled: false,
    async next(signal) {
      const nowMs = clock.monotonicMs();
      const eager = this.settled || nowMs - startedMs < EAGER_MS;
      pauseMs = eager ? POLL_MS : Math.min(POLL_MAX_MS, Math.round(pauseMs * 1.5));
      const dueMs = Math.floor((nowMs + pauseMs) / POLL_MS) * POLL_MS;
      await clock.sleep(Math.max(1, dueMs - nowMs), signal);
    },
  };
}
