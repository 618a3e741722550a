// The life of a task, from PROVISIONING to STOPPED, on the sandbox's clock.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html

import { INTERRUPTIONS } from "./interruptions.ts";
import type { Chance, ResolveImage, SandboxClock, WriteLog } from "../api.ts";
import { containerRequest, logStream, pinned } from "./container-start.ts";
import { atDeadline } from "./deadline.ts";
import type { Delays } from "./delays.ts";
import type { StopCode, Task, TaskContainer, TaskPlan, TaskStatus } from "./model.ts";
import { newTask } from "./new-task.ts";
import type { Network } from "./network.ts";
import type { EcsRunner, HostEvents, Refusal } from "./runner.ts";

export interface TaskEngineDependencies {
  readonly clock: SandboxClock;
  readonly chance: Chance;
  readonly runner: EcsRunner;
  readonly network: Network;
  readonly resolveImage: ResolveImage;
  readonly writeLog: WriteLog;
  /** The value behind a secret's ARN; undefined = ResourceInitializationError. */
  readonly resolveSecret: (valueFrom: string) => string | undefined;
  readonly delays: Delays;
  /** Hears of every step a task makes, after it. */
  readonly stepped: (task: Task, step: TaskStep) => void;
}

export type TaskStep = "pending" | "running" | "healthy" | "stopping" | "stopped";

export interface TaskEngine {
  start(plan: TaskPlan): Task;
  /** Does nothing to a task that already stops. */
  stop(task: Task, stopCode: StopCode, reason: string): void;
}

export function createTaskEngine(dependencies: TaskEngineDependencies): TaskEngine {
  const { clock, chance, runner, network, delays, resolveImage, stepped } = dependencies;

  function next(task: Task, delayMs: number, action: () => void): void {
    task.cancelNext();
    task.cancelNext = clock.after(delayMs, action);
  }

  function enter(task: Task, status: TaskStatus): void {
    task.lastStatus = status;
    task.version += 1;
  }

  function start(plan: TaskPlan): Task {
    const task = newTask(plan, clock.now(), chance);
    plan.cluster.tasks.set(task.id, task);
    next(task, delays.provisioningMs, () => {
      enter(task, "PENDING");
      task.pullStartedAtMs = clock.now();
      stepped(task, "pending");
      next(task, delays.pendingMs, () => pull(task));
    });
    return task;
  }

  function pull(task: Task): void {
    for (const container of task.containers) {
      const refusal = missingSecret(container) ?? runner.refuse?.(containerRequest(task, container, resolvedSecrets));
      const failure = refusal ?? pullImage(task, container);
      if (failure === undefined) continue;
      const message = `${failure.kind}: ${failure.message}`;
      if (failure.kind !== "ResourceInitializationError") container.reason = message;
      stop(task, "TaskFailedToStart", message);
      return;
    }
    task.pullStoppedAtMs = clock.now();
    enter(task, "ACTIVATING");
    next(task, delays.activatingMs, () => run(task));
  }

  function missingSecret(container: TaskContainer): Refusal | undefined {
    const missing = Object.values(container.definition.secrets).find(
      (from) => dependencies.resolveSecret(from) === undefined,
    );
    if (missing === undefined) return undefined;
    const message = `unable to pull secrets or registry auth: unable to retrieve secret ${missing}: ResourceNotFoundException`;
    return { kind: "ResourceInitializationError", message };
  }

  /** What its secrets are worth; missing ones were refused before. */
  function resolvedSecrets(secrets: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(secrets).map(([name, from]) => [name, dependencies.resolveSecret(from) ?? ""]),
    );
  }

  function pullImage({ plan }: Task, container: TaskContainer): Refusal | undefined {
    const { image, name, pinsDigest } = container.definition;
    const manifest = resolveImage(pinned(image, plan.digests.get(name)));
    if (manifest === undefined) {
      const message = `pull image manifest has been retried 1 time(s): failed to resolve ref ${image}: ${image}: not found`;
      return { kind: "CannotPullContainerError", message };
    }
    container.imageDigest = manifest.digest;
    if (pinsDigest && !plan.digests.has(name)) plan.digests.set(name, manifest.digest);
    return undefined;
  }

  function run(task: Task): void {
    const ports = task.containers.map(({ definition }) =>
      definition.port === undefined ? undefined : network.pickPort(),
    );
    const known = ports.filter((port): port is number | undefined => !(port instanceof Promise));
    if (known.length === ports.length) launch(task, known);
    else void launchOn(task, ports);
  }

  async function launchOn(task: Task, ports: readonly (number | undefined | Promise<number>)[]): Promise<void> {
    let found: readonly (number | undefined)[];
    try {
      found = await Promise.all(ports.map((port) => Promise.resolve(port)));
    } catch (error) {
      stop(task, "TaskFailedToStart", `ResourceInitializationError: no network interface: ${String(error)}`);
      return;
    }
    launch(task, found);
  }

  function launch(task: Task, ports: readonly (number | undefined)[]): void {
    if (task.desiredStatus === "STOPPED") return;
    enter(task, "RUNNING");
    task.startedAtMs = clock.now();
    task.containers.forEach((container, at) => {
      container.port = ports[at];
      container.lastStatus = "RUNNING";
    });
    for (const container of task.containers) startContainer(task, container);
    stepped(task, "running");
  }

  function startContainer(task: Task, container: TaskContainer): void {
    const { image, entryPoint } = container.definition;
    const manifest = resolveImage(pinned(image, container.imageDigest));
    if (manifest === undefined) {
      cannotStart(task, container, `image ${image} is gone`);
      return;
    }
    const annotations = { ...manifest.annotations, ...(entryPoint ? { "sandbox.entrypoint": "[]" } : {}) };
    const request = containerRequest(task, container, resolvedSecrets);
    try {
      container.running = runner.start(
        { ...request, manifest: { ...manifest, annotations }, port: container.port },
        eventsOf(task, container),
      );
    } catch (error) {
      cannotStart(task, container, String(error));
    }
  }

  function cannotStart(task: Task, container: TaskContainer, why: string): void {
    const reason = `CannotStartContainerError: ${why}`;
    stop(task, "TaskFailedToStart", reason);
    exited(task, container, undefined, reason);
  }

  function eventsOf(task: Task, container: TaskContainer): HostEvents {
    const stream = logStream(task, container);
    return {
      log: (line) => {
        if (stream !== undefined) dependencies.writeLog(stream, line);
      },
      healthy: () => containerHealthy(task, container),
      exited: (exitCode) => exited(task, container, exitCode),
      interrupted: (stopCode) => stop(task, stopCode, INTERRUPTIONS[stopCode] ?? "The host was taken away"),
    };
  }

  function containerHealthy(task: Task, container: TaskContainer): void {
    if (container.lastStatus !== "RUNNING") return;
    container.healthy = true;
    if (task.healthy || task.desiredStatus === "STOPPED" || !task.containers.every(isUp)) return;
    const isChecked = task.containers.some(
      ({ definition }) => definition.port !== undefined || definition.hasHealthCheck,
    );
    if (isChecked) next(task, delays.targetHealthyMs, () => healthy(task));
    else task.cancelNext = atDeadline(clock, clock.now() + delays.healthyWithoutCheckMs, () => healthy(task));
  }

  function healthy(task: Task): void {
    task.healthy = true;
    task.succeeded = true;
    task.version += 1;
    stepped(task, "healthy");
  }

  function exited(task: Task, container: TaskContainer, exitCode: number | undefined, reason?: string): void {
    if (container.lastStatus === "STOPPED") return;
    container.lastStatus = "STOPPED";
    container.exitCode = exitCode;
    container.reason = reason ?? container.reason;
    container.healthy = false;
    container.running = undefined;
    task.version += 1;
    const allStopped = task.containers.every(({ lastStatus }) => lastStatus === "STOPPED");
    if (container.definition.essential || allStopped)
      stop(task, "EssentialContainerExited", "Essential container in task exited");
    if (allStopped && task.lastStatus === "STOPPING") deprovision(task);
  }

  function stop(task: Task, stopCode: StopCode, reason: string): void {
    if (task.desiredStatus === "STOPPED") return;
    task.desiredStatus = "STOPPED";
    task.stopCode = stopCode;
    task.stoppedReason = reason;
    task.stoppingAtMs = clock.now();
    task.healthy = false;
    const ran = task.lastStatus === "RUNNING";
    enter(task, ran ? "DEACTIVATING" : "DEPROVISIONING");
    if (ran) {
      const drains = task.plan.deployment !== undefined && task.containers.some(({ port }) => port !== undefined);
      next(task, drains ? delays.deactivatingMs : delays.deactivatingIdleMs, () => stopContainers(task));
    } else {
      next(task, delays.deprovisioningMs, () => stopped(task));
    }
    stepped(task, "stopping");
  }

  function stopContainers(task: Task): void {
    enter(task, "STOPPING");
    const running = task.containers.filter(({ lastStatus }) => lastStatus !== "STOPPED");
    if (running.length === 0) deprovision(task);
    for (const container of running) container.running?.stop(container.definition.stopTimeoutMs);
  }

  function deprovision(task: Task): void {
    task.executionStoppedAtMs = clock.now();
    enter(task, "DEPROVISIONING");
    next(task, delays.deprovisioningMs, () => stopped(task));
  }

  function stopped(task: Task): void {
    for (const container of task.containers) container.lastStatus = "STOPPED";
    task.stoppedAtMs = clock.now();
    enter(task, "STOPPED");
    stepped(task, "stopped");
  }

  return { start, stop };
}

function isUp({ definition, healthy }: TaskContainer): boolean {
  return healthy || !definition.essential;
}
