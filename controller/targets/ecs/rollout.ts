// How far a deployment is, as `deployments[]` of its service tells it. Pure.
import type { Deployment, Service as EcsService } from "@aws-sdk/client-ecs";
import { Instant, TargetVersion } from "../../core/brand.ts";
import type { Rollout } from "../../core/live.ts";
import type { DeploymentRecord } from "./deployments.ts";
import { standing } from "./deployments.ts";

/** What a deployment is waited for. */
export interface Aim {
  readonly version: string;
  /** Id of the deployment that brings it: `ecs-svc/…`. */
  readonly deployment: string;
  /** Desired count that was sent; undefined = whatever the service says. */
  readonly count?: number;
}

export type Progress =
  | { readonly state: "done"; readonly note?: string }
  /**
   * `settled`: tasks run as desired, so the end is near and looked for often. `early`: the service counts a deployment
   * as successful before it is complete, which only its record tells.
   */
  | { readonly state: "moving"; readonly settled: boolean; readonly early?: boolean; readonly text?: string }
  /** `deployments[]` does not say what became of ours: the service deployments do. */
  | { readonly state: "look" };

export function primaryOf(service: EcsService): Deployment | undefined {
  return service.deployments?.find(({ status }) => status === "PRIMARY");
}

export function progress(service: EcsService, aim: Aim): Progress {
  const primary = primaryOf(service);
  if (primary === undefined || primary.id !== aim.deployment || primary.rolloutState === "FAILED")
    return { state: "look" };
  const desired = service.desiredCount ?? 0;
  const running = primary.runningCount ?? 0;
  if (aim.count !== undefined && desired !== aim.count) return { state: "moving", settled: false };
  if (desired === 0) {
    return (service.runningCount ?? 0) === 0
      ? { state: "done", note: "scaled to zero, not proven" }
      : { state: "moving", settled: true };
  }
  const settled = running >= desired;
  switch (primary.rolloutState) {
    case "COMPLETED":
      // Older tasks may still drain; what ECS calls completed is steady. Fewer tasks were asked for: they must have gone.
      return settled && (aim.count === undefined || running === desired)
        ? { state: "done" }
        : { state: "moving", settled: true };
    case "IN_PROGRESS":
      return {
        state: "moving",
        settled,
        early: service.deploymentConfiguration?.earlySuccessCriteria?.enable === true,
      };
    case undefined:
      // Services behind a Classic Load Balancer have no rollout state.
      return settled && service.deployments?.length === 1 ? { state: "done" } : { state: "moving", settled };
    default:
      return {
        state: "moving",
        settled,
        text: `ECS reports the unknown rollout state ${String(primary.rolloutState)}`,
      };
  }
}

/** As many new tasks run as are wanted, whatever is left of the old ones. */
export function hasArrived(service: EcsService, aim: Aim): boolean {
  const primary = primaryOf(service);
  const desired = service.desiredCount ?? 0;
  if (primary?.id !== aim.deployment || primary.rolloutState === "FAILED" || desired === 0) return false;
  return (primary.runningCount ?? 0) >= desired && (primary.pendingCount ?? 0) === 0;
}

/** Whether `deployments[]` alone says that the service rests on a version we know (or on one, when we know none). */
export function isSettled(service: EcsService, ours: string | undefined): boolean {
  const [only, ...others] = service.deployments ?? [];
  if (only === undefined || others.length > 0 || only.status !== "PRIMARY") return false;
  const completed =
    only.rolloutState === "COMPLETED" ||
    (only.rolloutState === undefined && (only.runningCount ?? 0) >= (only.desiredCount ?? 0));
  return completed && (ours === undefined || only.taskDefinition === ours);
}

/** The rollout of a service that is not settled, by its newest record; `record` undefined when ECS keeps none. */
export function rolloutOf(service: EcsService, record: DeploymentRecord | undefined): Rollout {
  const primary = primaryOf(service);
  const known = record === undefined ? undefined : standing(record);
  if (primary === undefined) return { state: "failed", why: "the service has no PRIMARY deployment" };
  if (primary.rolloutState === "FAILED")
    return { state: "failed", why: primary.rolloutStateReason ?? "the deployment failed" };
  const moving = known?.state === "moving" || (known === undefined && primary.rolloutState === "IN_PROGRESS");
  if (moving || (primary.rolloutState === "IN_PROGRESS" && known?.state !== "succeeded")) {
    return {
      state: "moving",
      since: Instant.of(primary.createdAt?.getTime() ?? 0),
      failedTasks: primary.failedTasks ?? 0,
      to: TargetVersion.parse(primary.taskDefinition ?? service.taskDefinition ?? "unknown"),
    };
  }
  if (record?.status === "ROLLBACK_SUCCESSFUL") return { state: "rolled-back", why: record.reason };
  if (record?.status === "ROLLBACK_FAILED") return { state: "failed", why: record.reason };
  return { state: "steady" };
}
