// The service scheduler: keeps the desired number of tasks up and rolls deployments within their bounds.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html

import type { SandboxClock } from "../api.ts";
import { type Input, text } from "../members.ts";
import { atDeadline } from "./deadline.ts";
import type { Delays } from "./delays.ts";
import { circuitBreaker, taskBounds } from "./deployment-configuration.ts";
import type { Deployments } from "./deployments.ts";
import type { Deployment, EcsService, Task, TaskContainer } from "./model.ts";
import type { Placement } from "./placement.ts";
import type { Tell } from "./service-events.ts";
import { servicePlan } from "./service-plan.ts";
import type { TaskEngine, TaskStep } from "./tasks.ts";

export interface SchedulerDependencies {
  readonly clock: SandboxClock;
  readonly delays: Delays;
  readonly engine: TaskEngine;
  readonly deployments: Deployments;
  readonly placement: Placement;
  readonly tell: Tell;
}

export interface Scheduler {
  /** Has the scheduler look at the service soon. */
  wake(service: EcsService): void;
  /** What a task of a service did. */
  stepped(task: Task, step: TaskStep): void;
}

export function createScheduler(dependencies: SchedulerDependencies): Scheduler {
  const { clock, delays, engine, deployments, placement, tell } = dependencies;

  function wake(service: EcsService): void {
    if (service.lookDue || service.status === "INACTIVE") return;
    service.lookDue = true;
    clock.after(delays.schedulerMs, () => {
      service.lookDue = false;
      look(service);
    });
  }

  function look(service: EcsService): void {
    const [primary] = service.deployments;
    if (service.status === "DRAINING") drain(service);
    if (service.status !== "ACTIVE" || primary === undefined) return;
    if (primary.record.status === "PENDING") {
      primary.record.status = "IN_PROGRESS";
      primary.record.startedAtMs = clock.now();
      primary.record.updatedAtMs = clock.now();
    }
    if (breakerTrips(service, primary)) {
      deployments.trip(service, primary);
      wake(service);
      return;
    }
    startTasks(service, primary);
    stopTasks(service, primary);
    settle(service, primary);
  }

  function drain(service: EcsService): void {
    for (const task of service.tasks) engine.stop(task, "ServiceSchedulerInitiated", scalingBy(service.deployments[0]));
    if (service.tasks.size > 0) return;
    service.status = "INACTIVE";
    service.inactiveAtMs = clock.now();
  }

  function breakerTrips(service: EcsService, primary: Deployment): boolean {
    if (primary.rolloutState !== "IN_PROGRESS") return false;
    const { enabled, threshold } = circuitBreaker(configurationOf(service), service.desiredCount);
    return enabled && primary.failedTasks >= threshold;
  }

  function startTasks(service: EcsService, primary: Deployment): void {
    if (primary.rolloutState === "FAILED" || primary.backingOff) return;
    const all = wanted(service);
    const own = all.filter((task) => task.plan.deployment === primary);
    const { most } = taskBounds(configurationOf(service), service.desiredCount);
    const count = Math.min(service.desiredCount - own.length, most - all.length);
    const started: Task[] = [];
    for (let at = 0; at < count; at += 1) {
      const failure = placement.take(primary.revision.definition.family);
      if (failure === undefined) {
        const task = engine.start(servicePlan(service, primary));
        service.tasks.add(task);
        started.push(task);
        continue;
      }
      tell(service, `was unable to place a task. Reason: ${failure.detail ?? failure.reason}.`);
      countFailure(service, primary);
      wake(service);
      break;
    }
    if (started.length > 0) {
      service.steady = false;
      tell(service, `has started ${started.length} tasks: ${named(started)}.`);
    }
  }

  /** Old tasks go as new ones become healthy, and early when there is no room to start new ones otherwise. */
  function stopTasks(service: EcsService, primary: Deployment): void {
    const all = wanted(service);
    const own = all.filter((task) => task.plan.deployment === primary);
    const old = all.filter((task) => task.plan.deployment !== primary);
    const { most, least } = taskBounds(configurationOf(service), service.desiredCount);
    const healthyOwn = own.filter(({ healthy }) => healthy).length;
    const isStalled = primary.rolloutState === "FAILED";
    const isBlocked = !isStalled && own.length < service.desiredCount && all.length >= most;
    const excess = isStalled ? all.length - service.desiredCount : old.length - (service.desiredCount - healthyOwn);
    const surplus = Math.max(0, excess, isBlocked ? old.length : 0);
    const spare = all.filter(({ healthy }) => healthy).length - Math.min(least, service.desiredCount);
    const stopped = choose(old, surplus, spare);
    const tooMany = Math.max(0, own.length - service.desiredCount);
    stopped.push(...choose(own.reverse(), tooMany, tooMany));
    for (const task of stopped) engine.stop(task, "ServiceSchedulerInitiated", scalingBy(primary));
    if (stopped.length === 0) return;
    service.steady = false;
    tell(service, `has stopped ${stopped.length} running tasks: ${named(stopped)}.`);
  }

  function settle(service: EcsService, primary: Deployment): void {
    const own = [...service.tasks].filter((task) => task.plan.deployment === primary);
    const up = own.filter(({ healthy }) => healthy).length;
    const others = [...service.tasks].filter((task) => task.plan.deployment !== primary);
    service.deployments = service.deployments.filter(
      (deployment) => deployment === primary || others.some((task) => task.plan.deployment === deployment),
    );
    if (others.length > 0 || up !== service.desiredCount || own.length !== up) return;
    if (primary.rolloutState === "IN_PROGRESS") deployments.complete(service, primary);
    if (service.steady || primary.rolloutState === "FAILED") return;
    service.steady = true;
    tell(service, "has reached a steady state.");
  }

  function stepped(task: Task, step: TaskStep): void {
    const { deployment } = task.plan;
    const service = deployment?.record.service;
    if (deployment === undefined || service === undefined) return;
    if (step === "running") watchHealth(service, task);
    if (step === "healthy") {
      deployment.failedRounds = 0;
      if (circuitBreaker(configurationOf(service), service.desiredCount).resetsOnHealthyTask)
        deployment.failedTasks = 0;
    }
    if (step === "stopping" && failedByItself(task)) countFailure(service, deployment);
    if (step === "stopping") service.steady = false;
    if (step === "stopped") service.tasks.delete(task);
    wake(service);
  }

  function watchHealth(service: EcsService, task: Task): void {
    const checked = task.containers.find(
      ({ definition }) => definition.port !== undefined || definition.hasHealthCheck,
    );
    if (checked === undefined) return;
    const graceMs = Number(service.settings["healthCheckGracePeriodSeconds"] ?? 0) * 1000;
    atDeadline(clock, clock.now() + delays.unhealthyAfterMs + graceMs, () => {
      if (!task.healthy && task.desiredStatus !== "STOPPED") stopUnhealthy(service, task, checked);
    });
  }

  function stopUnhealthy(service: EcsService, task: Task, { definition }: TaskContainer): void {
    const reason = definition.hasHealthCheck
      ? "Task failed container health checks"
      : `Task failed ELB health checks in (target-group ${targetGroup(service)})`;
    tell(service, `(port ${definition.port}) is unhealthy in (target-group ${targetGroup(service)}).`);
    engine.stop(task, "ServiceSchedulerInitiated", reason);
  }

  /** Counts it for the circuit breaker, and slows down after repeated rounds of failures. */
  function countFailure(service: EcsService, deployment: Deployment): void {
    deployment.failedTasks += 1;
    deployment.updatedAtMs = clock.now();
    if (deployment.rolloutState === "IN_PROGRESS") deployment.record.failureCount = deployment.failedTasks;
    if (deployment.backingOff) return;
    deployment.failedRounds += 1;
    if (deployment.failedRounds < 3) return;
    if (deployment.failedRounds === 3)
      tell(
        service,
        "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.",
      );
    deployment.backingOff = true;
    const waitMs = delays.restartBackoffMs * 2 ** (deployment.failedRounds - 3);
    clock.after(Math.min(waitMs, delays.restartBackoffLimitMs), () => {
      deployment.backingOff = false;
      wake(service);
    });
  }

  return { wake, stepped };
}

/** It stopped before it was ever healthy, and nobody asked it to. */
function failedByItself({ succeeded, stopCode, stoppedReason }: Task): boolean {
  if (succeeded) return false;
  if (stopCode === "TaskFailedToStart" || stopCode === "EssentialContainerExited") return true;
  return stopCode === "ServiceSchedulerInitiated" && /health checks/.test(stoppedReason ?? "");
}

function wanted(service: EcsService): Task[] {
  return [...service.tasks].filter(({ desiredStatus }) => desiredStatus === "RUNNING");
}

/** Up to `count` tasks: those not healthy first, of the healthy ones no more than can be spared. */
function choose(tasks: readonly Task[], count: number, spare: number): Task[] {
  const unhealthy = tasks.filter(({ healthy }) => !healthy);
  const healthy = tasks.filter((task) => task.healthy).slice(0, Math.max(0, spare));
  return [...unhealthy, ...healthy].slice(0, count);
}

function configurationOf(service: EcsService): Input {
  return (service.settings["deploymentConfiguration"] ?? {}) as Input;
}

function scalingBy(deployment: Deployment | undefined): string {
  return `Scaling activity initiated by (deployment ${deployment?.id ?? "none"})`;
}

function named(tasks: readonly Task[]): string {
  return tasks.map(({ id }) => `(task ${id})`).join(" ");
}

function targetGroup(service: EcsService): string {
  const [balancer] = (service.settings["loadBalancers"] ?? []) as readonly Input[];
  return (balancer === undefined ? undefined : text(balancer, "targetGroupArn")) ?? "sandbox";
}
