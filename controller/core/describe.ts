// One English line for a step, a difference, an outcome, a duration, a decision: every view uses these words.
import type { Digest } from "./brand.ts";
import { short } from "./brand.ts";
import { Instant } from "./brand.ts";
import { unreachable } from "./assert.ts";
import type { Decision } from "./decision.ts";
import type { Difference } from "./difference.ts";
import type { Outcome } from "./event.ts";
import type { ReleaseRecord, StepRecord } from "./history.ts";
import type { Direction, Step, StepId } from "./step.ts";
import { stepId, subject } from "./step.ts";

/** `850ms`, `41s`, `5m46s`, `1h12m`, `3d4h`: two units at most. Negative durations count as none. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const pairs: readonly (readonly [number, string, number, string])[] = [
    [86_400, "d", 3600, "h"],
    [3600, "h", 60, "m"],
    [60, "m", 1, "s"],
  ];
  for (const [large, largeUnit, small, smallUnit] of pairs) {
    if (seconds < large) continue;
    const rest = Math.floor((seconds % large) / small);
    return `${Math.floor(seconds / large)}${largeUnit}${rest === 0 ? "" : `${rest}${smallUnit}`}`;
  }
  return `${seconds}s`;
}

/** `12m ago`; what lies less than a second back, or ahead by a skewed clock, is `just now`. */
export function ago(at: Instant, now: Instant): string {
  return now - at < 1000 ? "just now" : `${duration(now - at)} ago`;
}

/** `2026-10-30 14:05:09 UTC`: the exact time, for records and tooltips. */
export function moment(at: Instant): string {
  return `${Instant.toIso(at).slice(0, 19).replace("T", " ")} UTC`;
}

/** `1 step`, `2 steps`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** The first digits of a digest: `sha256:4b825dc642cb`. */
export function digestName(digest: Digest): string {
  return digest.slice(0, 19);
}

/** `4b825dc → 9f2c1ab`; only the target when nothing was there before or it stays the same. */
export function journey(from: ReleaseRecord["from"], to: ReleaseRecord["sha"]): string {
  return from === undefined || from === to ? short(to) : `${short(from)} → ${short(to)}`;
}

/** Name of a step for people: `migrate`, `deploy api`, `publish site`; `verify` is shown as `artifacts`. */
export function stepName(step: Step): string {
  const about = subject(step);
  if (step.kind === "verify") return "artifacts";
  return about === undefined || about === step.kind ? step.kind : `${step.kind} ${about}`;
}

/** The same of an id, as faults and progress name a step. */
export function stepIdName(id: StepId): string {
  const [kind = "", about] = id.split("/", 2);
  if (kind === "verify") return "artifacts";
  return about === undefined || about === kind ? kind : `${kind} ${about}`;
}

/** What a step does, in the calls it makes; writes are named as AWS names them. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "verify":
      return `read ${count(step.artifacts.length, "artifact")} again: ${step.artifacts.map((one) => `${one.component} ${digestName(one.digest)}`).join(", ") || "none"}`;
    case "migrate":
      return `ecs:RunTask, one task with image ${digestName(step.image)}; nothing else changes unless it exits 0`;
    case "stage":
      return `s3:CopyObject of the files that ${step.web} lacks, from release ${digestName(step.digest)}; nothing is replaced`;
    case "deploy":
      return describeDeploy(step);
    case "publish":
      return `s3:CopyObject of the files that differ, index.html last; then s3:DeleteObjects of what the release lacks`;
    case "invalidate":
      return "cloudfront:CreateInvalidation of the paths that change";
    case "health":
      return "ask every health check until all stay green";
    case "prune":
      return "s3:DeleteObjects of assets whose releases are no longer kept";
    default:
      return unreachable(step);
  }
}

function describeDeploy(step: Extract<Step, { kind: "deploy" }>): string {
  const version = step.changes.includes("version");
  if (!version) return `ecs:UpdateService: ${step.changes.join(" and ")}`;
  const others = step.changes.filter((change) => change !== "version");
  const also = others.length === 0 ? "" : ` with ${others.join(" and ")}`;
  if (step.image === undefined) return `ecs:UpdateService back to a recorded task definition${also}`;
  return `ecs:RegisterTaskDefinition with image ${digestName(step.image)} unless registered, ecs:UpdateService${also}`;
}

/** `api version shop-api:7 → shop/api@sha256:…`: live first, what Git says last. */
export function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case "service":
      return `${difference.service} ${difference.field} ${difference.live} → ${difference.desired}`;
    case "migration":
      return `${difference.migration} migration ${difference.live} → ${difference.desired}`;
    case "web":
      return `${difference.web} page ${difference.live} → ${digestName(difference.desired)}`;
    case "invalidation":
      return `${difference.web} is published and its CloudFront cache is not invalidated yet`;
    case "health":
      return "health has not been proven for what Git says";
    default:
      return unreachable(difference);
  }
}

const CANCELLED: { readonly [By in Extract<Outcome, { status: "cancelled" }>["by"]]: string } = {
  superseded: "left for a newer commit",
  shutdown: "left when the controller stopped; the next life goes on",
  timeout: "ended at its time limit",
  fenced: "left because another controller took over",
  aborted: "ended by a person",
};

export function describeOutcome(outcome: Outcome): string {
  if (outcome.status === "done") return outcome.note === undefined ? "done" : `done: ${outcome.note}`;
  if (outcome.status === "failed") return `failed: ${outcome.message}`;
  return CANCELLED[outcome.by];
}

/** What happens now; for a wait when it ends, for a block what to do. */
export function describeDecision(decision: Decision, now: Instant): string {
  switch (decision.kind) {
    case "rest":
      return decision.why;
    case "act":
      return `${ACTS[decision.as]}: ${decision.why}`;
    case "wait":
      return decision.until === undefined
        ? `waits: ${decision.why}`
        : `waits: ${decision.why}; clears ${clears(decision.until, now)}`;
    case "blocked":
      return `blocked: ${decision.why}`;
    default:
      return unreachable(decision);
  }
}

const ACTS = { release: "releases", rollback: "rolls back", repair: "repairs" } as const;

/** `in 48m, at 14:05 UTC`. */
export function clears(until: Instant, now: Instant): string {
  const iso = Instant.toIso(until);
  const clock = until - now < 86_400_000 ? iso.slice(11, 16) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
  return until <= now ? "now" : `in ${duration(until - now)}, at ${clock} UTC`;
}

/** How a plan goes in one line that machines may rely on. */
export function describePlan(steps: readonly Step[], direction: Direction): string {
  if (steps.length === 0) return "No changes: live is what Git says.";
  const of = (kind: Step["kind"]): number => steps.filter((step) => step.kind === kind).length;
  const parts = [
    count(of("migrate"), "migration"),
    `${count(of("deploy"), "service")} to deploy`,
    `${count(of("publish"), "page")} to publish`,
  ];
  return `Plan${direction === "back" ? " (back)" : ""}: ${parts.join(", ")}; ${count(steps.length, "step")}.`;
}

/** How long a release or a step took, or has taken until now; undefined when it has not begun. */
export function elapsed(record: { readonly startedAt?: Instant }, ended: Instant | undefined, now: Instant): string {
  return record.startedAt === undefined ? "" : duration((ended ?? now) - record.startedAt);
}

/** The steps of a release that are under way. */
export function runningSteps(release: ReleaseRecord): readonly StepRecord[] {
  return release.steps.filter((record) => record.startedAt !== undefined && record.settledAt === undefined);
}

/** `step 3 of 6: deploy api`; undefined when nothing is under way. */
export function stepPosition(release: ReleaseRecord): string | undefined {
  const first = runningSteps(release)[0];
  if (first === undefined) return undefined;
  const place = release.steps.findIndex((record) => stepId(record.step) === stepId(first.step));
  return `step ${place + 1} of ${release.steps.length}: ${runningSteps(release)
    .map((record) => stepName(record.step))
    .join(", ")}`;
}
