// Service deployments: the record in which ECS says how a deployment ended, and what a status means for us.
import type { ServiceDeploymentBrief } from "@aws-sdk/client-ecs";
import type { Instant } from "../../core/brand.ts";
import type { Place } from "../../core/environment.ts";
import type { FaultCode } from "../../core/fault.ts";
import type { Aws } from "../aws.ts";

export interface DeploymentRecord {
  readonly arn: string;
  readonly status: string;
  readonly reason: string;
  readonly createdAtMs: number;
  /** ARN of the service revision it brings; its last part is the number of the deployment id `ecs-svc/<number>`. */
  readonly revision: string;
}

export interface ServiceDeployments {
  /** Newest first, at most `limit`, created after `since` by AWS's clock. */
  list(question: Question, signal: AbortSignal): Promise<readonly DeploymentRecord[]>;
  /** Task-definition ARN and resolved image digests by container of revisions, by their ARN; missing ones left out. */
  revisions(place: Place, arns: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, RevisionContent>>;
}

export interface Question {
  readonly place: Place;
  readonly service: string;
  readonly since?: Instant;
  readonly limit: number;
}

export interface RevisionContent {
  readonly taskDefinition: string;
  readonly digests: ReadonlyMap<string, string>;
}

/** DescribeServiceRevisions takes no more. */
const REVISIONS_PER_CALL = 20;

export function createServiceDeployments(aws: Aws): ServiceDeployments {
  return {
    async list({ place, service, since, limit }, signal) {
      const resource = `service ${service} in cluster ${place.cluster}`;
      const call = { place, service: "ecs", operation: "ListServiceDeployments", resource, signal } as const;
      const createdAt = since === undefined ? {} : { createdAt: { after: new Date(since) } };
      const input = { cluster: place.cluster, service, maxResults: limit, ...createdAt };
      const answer = await aws.read(call, (ecs, http) => ecs.listServiceDeployments(input, http));
      return (answer.serviceDeployments ?? []).map(record).sort((a, b) => b.createdAtMs - a.createdAtMs);
    },
    async revisions(place, arns, signal) {
      const asked = [...new Set(arns)].slice(0, REVISIONS_PER_CALL);
      if (asked.length === 0) return new Map();
      const resource = `service revisions in cluster ${place.cluster}`;
      const call = { place, service: "ecs", operation: "DescribeServiceRevisions", resource, signal } as const;
      const answer = await aws.read(call, (ecs, http) =>
        ecs.describeServiceRevisions({ serviceRevisionArns: asked }, http),
      );
      return new Map(
        (answer.serviceRevisions ?? []).map((one) => [
          one.serviceRevisionArn ?? "",
          {
            taskDefinition: one.taskDefinition ?? "",
            digests: new Map((one.containerImages ?? []).map((it) => [it.containerName ?? "", it.imageDigest ?? ""])),
          },
        ]),
      );
    },
  };
}

function record(brief: ServiceDeploymentBrief): DeploymentRecord {
  return {
    arn: brief.serviceDeploymentArn ?? "",
    status: brief.status ?? "",
    reason: (brief.statusReason ?? "").replace(/\.$/, ""),
    createdAtMs: brief.createdAt?.getTime() ?? 0,
    revision: brief.targetServiceRevisionArn ?? "",
  };
}

/** Whether a record is the one of the deployment `ecs-svc/<number>`. */
export function isOf(record: DeploymentRecord, deployment: string): boolean {
  const number = deployment.slice(deployment.lastIndexOf("/") + 1);
  return number !== "" && record.revision.endsWith(`/${number}`);
}

export type Standing =
  | { readonly state: "succeeded" }
  | { readonly state: "moving"; readonly rollsBack: boolean; readonly text?: string }
  | { readonly state: "ended"; readonly code: FaultCode; readonly why: string };

/** Terminal states only decide; a status nobody knows yet is waited for and said once. */
export function standing({ status, reason }: Pick<DeploymentRecord, "status" | "reason">): Standing {
  const because = reason === "" ? "" : `: ${reason}`;
  switch (status) {
    case "SUCCESSFUL":
      return { state: "succeeded" };
    case "PENDING":
    case "IN_PROGRESS":
      return { state: "moving", rollsBack: false };
    case "STOP_REQUESTED":
      return { state: "moving", rollsBack: false, text: `ECS stops the deployment${because}` };
    case "ROLLBACK_REQUESTED":
    case "ROLLBACK_IN_PROGRESS":
      return { state: "moving", rollsBack: true, text: `ECS rolls back${because}` };
    case "STOPPED":
      return /replaced/i.test(reason)
        ? { state: "ended", code: "deployment-replaced", why: reason }
        : { state: "ended", code: "deployment-failed", why: `ECS stopped the deployment${because}` };
    case "ROLLBACK_SUCCESSFUL":
      return { state: "ended", code: "deployment-failed", why: `ECS rolled back${because}` };
    case "ROLLBACK_FAILED":
      return { state: "ended", code: "deployment-failed", why: `ECS could not roll back${because}` };
    default:
      return { state: "moving", rollsBack: false, text: `ECS reports the unknown status ${status}${because}` };
  }
}
