// What an ECS account holds: clusters, task definitions, tasks, services and their deployments.

import type { RunningContainer } from "../api.ts";
import type { Input } from "../members.ts";
import type { Place } from "./arns.ts";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What carries tags. */
export interface Tagged {
  tags: readonly Tag[];
}

export interface Region {
  readonly place: Place;
  readonly clusters: Map<string, Cluster>;
  /** By family; the position is the revision less one. */
  readonly families: Map<string, TaskDefinition[]>;
}

export interface Cluster extends Tagged {
  readonly place: Place;
  readonly name: string;
  readonly arn: string;
  status: "ACTIVE" | "INACTIVE";
  /** Members stored as sent: settings, configuration, capacity providers. */
  readonly settings: Input;
  readonly services: Map<string, EcsService>;
  /** By id. */
  readonly tasks: Map<string, Task>;
  /** RunTask's client tokens. */
  readonly tokens: Map<string, TokenUse>;
}

export interface TokenUse {
  readonly parameters: string;
  readonly createdAtMs: number;
  readonly tasks: readonly Task[];
  readonly failures: readonly Input[];
}

export interface TaskDefinition extends Tagged {
  readonly place: Place;
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  status: "ACTIVE" | "INACTIVE";
  readonly registeredAtMs: number;
  readonly registeredBy: string;
  deregisteredAtMs: number | undefined;
  /** As it is read back, defaults filled in, without tags. */
  readonly content: Input;
  readonly containers: readonly ContainerDefinition[];
}

export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly essential: boolean;
  readonly entryPoint: readonly string[] | undefined;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Names of environment variables and where their secret values are. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly port: number | undefined;
  readonly hasHealthCheck: boolean;
  readonly stopTimeoutMs: number;
  /** `versionConsistency` is not "disabled". */
  readonly pinsDigest: boolean;
  readonly log: { readonly group: string; readonly prefix: string | undefined; readonly region: string } | undefined;
  readonly cpu: number;
  readonly memory: number | undefined;
}

export type TaskStatus =
  | "PROVISIONING"
  | "PENDING"
  | "ACTIVATING"
  | "RUNNING"
  | "DEACTIVATING"
  | "STOPPING"
  | "DEPROVISIONING"
  | "STOPPED";

export type StopCode =
  | "TaskFailedToStart"
  | "EssentialContainerExited"
  | "UserInitiated"
  | "ServiceSchedulerInitiated"
  | "SpotInterruption"
  | "TerminationNotice"
  | "InfrastructureHealth";

export interface TaskContainer {
  readonly definition: ContainerDefinition;
  readonly arn: string;
  readonly runtimeId: string;
  lastStatus: "PENDING" | "RUNNING" | "STOPPED";
  exitCode: number | undefined;
  reason: string | undefined;
  imageDigest: string | undefined;
  /** Where it listens on 127.0.0.1. */
  port: number | undefined;
  healthy: boolean;
  running: RunningContainer | undefined;
}

/** What a task is started with. */
export interface TaskPlan {
  readonly cluster: Cluster;
  readonly definition: TaskDefinition;
  readonly group: string;
  readonly startedBy: string | undefined;
  readonly launchType: string | undefined;
  readonly capacityProviderName: string | undefined;
  readonly platformVersion: string | undefined;
  readonly subnet: string | undefined;
  readonly overrides: Input;
  readonly tags: readonly Tag[];
  readonly enableExecuteCommand: boolean;
  /** Digests fixed by an earlier task of the same service revision, by container name; this task adds to them. */
  readonly digests: Map<string, string>;
  readonly deployment: Deployment | undefined;
}

export interface Task extends Tagged {
  readonly plan: TaskPlan;
  readonly id: string;
  readonly arn: string;
  readonly attachmentId: string;
  readonly address: string;
  readonly containers: readonly TaskContainer[];
  lastStatus: TaskStatus;
  desiredStatus: "RUNNING" | "STOPPED";
  version: number;
  readonly createdAtMs: number;
  pullStartedAtMs: number | undefined;
  pullStoppedAtMs: number | undefined;
  startedAtMs: number | undefined;
  stoppingAtMs: number | undefined;
  executionStoppedAtMs: number | undefined;
  stoppedAtMs: number | undefined;
  stopCode: StopCode | undefined;
  stoppedReason: string | undefined;
  healthy: boolean;
  /** It was healthy once. */
  succeeded: boolean;
  /** Cancels the step that comes next. */
  cancelNext: () => void;
}

export interface EcsService extends Tagged {
  readonly place: Place;
  readonly cluster: Cluster;
  readonly name: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** The parameters of CreateService, for its idempotency. */
  readonly created: { readonly token: string | undefined; readonly parameters: string };
  status: "ACTIVE" | "DRAINING" | "INACTIVE";
  inactiveAtMs: number | undefined;
  desiredCount: number;
  /** Members stored as sent, such as networkConfiguration and deploymentConfiguration. */
  settings: Input;
  /** Newest first; the first is PRIMARY. */
  deployments: Deployment[];
  /** Newest first. */
  readonly records: ServiceDeployment[];
  readonly revisions: ServiceRevision[];
  /** The last deployment that completed: what a rollback goes back to. */
  completed: Deployment | undefined;
  /** Newest first. */
  events: readonly ServiceEvent[];
  /** Tasks that are not STOPPED. */
  readonly tasks: Set<Task>;
  steady: boolean;
  /** The scheduler's look at the service is due. */
  lookDue: boolean;
}

export interface ServiceEvent {
  readonly id: string;
  readonly createdAtMs: number;
  readonly message: string;
}

/** What a deployment brings: the task definition and everything that makes one when it changes. */
export interface ServiceRevision {
  readonly arn: string;
  readonly createdAtMs: number;
  readonly definition: TaskDefinition;
  /** The members that cause a deployment, as they were. */
  readonly settings: Input;
  /** Digests the first task of the revision resolved, by container name. */
  readonly digests: Map<string, string>;
}

export interface Deployment {
  readonly id: string;
  readonly revision: ServiceRevision;
  readonly record: ServiceDeployment;
  /** It puts an earlier revision back. */
  readonly isRollback: boolean;
  readonly createdAtMs: number;
  updatedAtMs: number;
  rolloutState: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  rolloutStateReason: string;
  failedTasks: number;
  /** Rounds of starts that failed, for the service throttle. */
  failedRounds: number;
  backingOff: boolean;
}

export type ServiceDeploymentStatus =
  | "PENDING"
  | "IN_PROGRESS"
  | "STOP_REQUESTED"
  | "STOPPED"
  | "ROLLBACK_REQUESTED"
  | "ROLLBACK_IN_PROGRESS"
  | "ROLLBACK_SUCCESSFUL"
  | "ROLLBACK_FAILED"
  | "SUCCESSFUL";

export interface ServiceDeployment {
  readonly arn: string;
  readonly service: EcsService;
  readonly createdAtMs: number;
  readonly source: readonly ServiceRevision[];
  readonly target: ServiceRevision;
  /** As it was when the deployment began, enriched. */
  readonly configuration: Input;
  status: ServiceDeploymentStatus;
  statusReason: string | undefined;
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
  stoppedAtMs: number | undefined;
  updatedAtMs: number;
  rollback: { readonly reason: string; readonly startedAtMs: number; readonly to: ServiceRevision } | undefined;
  /** Failed tasks the circuit breaker saw, and whether it tripped. */
  failureCount: number;
  triggered: boolean;
}
