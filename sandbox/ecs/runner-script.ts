// Runs containers from a script of outcomes instead of processes: deterministic, on the sandbox's clock.

import type { ContainerStart, RunningContainer, SandboxClock, SandboxRequest, SandboxResponse } from "../api.ts";
import type { Routes } from "../control.ts";
import type { ContainerRequest, EcsRunner, HostEvents, Refusal } from "./runner.ts";
import { type Outcome, parseRules, type ScriptRule } from "./script-rules.ts";

const FIRST_PORT = 49_152;
const TERMINATED_EXIT_CODE = 143;
const KILLED_EXIT_CODE = 137;
/** A container that asks for it takes this long to end after SIGTERM. */
const SHUTDOWN_MS = 100;
const SERVE: Outcome = { kind: "serve" };

export interface ScriptRunner extends EcsRunner {
  readonly network: NonNullable<EcsRunner["network"]>;
  refuse(container: ContainerRequest): Refusal | undefined;
  /** The first rule that matches decides; containers no rule matches serve. Takes effect for containers that start later. */
  setRules(rules: readonly ScriptRule[]): void;
  rules(): readonly ScriptRule[];
  /** Control plane: `/_sandbox/script`. */
  readonly routes: Routes;
}

interface Served {
  readonly image: string;
  readonly digest: string;
}

export function createScriptRunner(clock: SandboxClock, initial: readonly ScriptRule[] = []): ScriptRunner {
  let rules: { readonly rule: ScriptRule; left: number }[] = [];
  const decided = new Map<string, Outcome>();
  const serving = new Map<number, Served>();
  const cancels = new Set<() => void>();
  let ports = FIRST_PORT;

  function setRules(next: readonly ScriptRule[]): void {
    rules = next.map((rule) => ({ rule, left: rule.times ?? Infinity }));
  }
  setRules(initial);

  /** One decision per container, made when its image is pulled. */
  function decide(container: ContainerRequest): Outcome {
    const key = `${container.taskArn} ${container.containerName}`;
    const known = decided.get(key);
    if (known !== undefined) return known;
    const found = rules.find(({ rule, left }) => left > 0 && matches(rule, container));
    if (found !== undefined) found.left -= 1;
    const outcome = found?.rule.outcome ?? SERVE;
    decided.set(key, outcome);
    return outcome;
  }

  function after(delayMs: number, action: () => void): void {
    const cancel = clock.after(delayMs, () => {
      cancels.delete(cancel);
      action();
    });
    cancels.add(cancel);
  }

  function start(container: ContainerStart, events: HostEvents): RunningContainer {
    const outcome = decide(container);
    decided.delete(`${container.taskArn} ${container.containerName}`);
    let isOver = false;
    const unlessOver = (action: () => void) => (): void => {
      if (!isOver) action();
    };
    const end = (exitCode: number): void => {
      isOver = true;
      if (container.port !== undefined) serving.delete(container.port);
      events.exited(exitCode);
    };
    for (const line of outcome.log ?? [])
      after(
        0,
        unlessOver(() => events.log(line)),
      );
    const listens = outcome.kind === "exit" ? outcome.healthyAfterMs !== undefined : outcome.kind !== "never-healthy";
    if (listens) {
      after(
        outcome.healthyAfterMs ?? 0,
        unlessOver(() => {
          if (container.port !== undefined)
            serving.set(container.port, { image: container.image, digest: container.manifest.digest });
          events.healthy();
        }),
      );
    }
    if (outcome.kind === "exit")
      after(
        outcome.afterMs ?? 0,
        unlessOver(() => end(outcome.exitCode ?? 0)),
      );
    if (outcome.kind === "interrupted")
      after(
        outcome.afterMs ?? 0,
        unlessOver(() => events.interrupted(outcome.stopCode ?? "SpotInterruption")),
      );
    return {
      stop(stopTimeoutMs) {
        if (outcome.ignoresSigterm === true)
          after(
            stopTimeoutMs,
            unlessOver(() => end(KILLED_EXIT_CODE)),
          );
        else
          after(
            SHUTDOWN_MS,
            unlessOver(() => end(outcome.stopExitCode ?? TERMINATED_EXIT_CODE)),
          );
      },
    };
  }

  return {
    start,
    refuse(container) {
      const outcome = decide(container);
      if (outcome.kind !== "refused") return undefined;
      decided.delete(`${container.taskArn} ${container.containerName}`);
      return {
        kind: outcome.error ?? "CannotPullContainerError",
        message: outcome.message ?? `${container.image}: not found`,
      };
    },
    network: {
      pickPort: () => ports++,
      forward: (port, request) => Promise.resolve(answer(serving.get(port), request)),
    },
    setRules,
    rules: () => rules.map(({ rule }) => rule),
    routes: {
      "GET /_sandbox/script": () => ({ rules: rules.map(({ rule }) => rule) }),
      "PUT /_sandbox/script": (_, body) => {
        setRules(parseRules(body));
        return {};
      },
    },
    close() {
      for (const cancel of cancels) cancel();
      cancels.clear();
      return Promise.resolve();
    },
  };
}

function matches({ image, command, container }: ScriptRule, started: ContainerRequest): boolean {
  return (
    (image === undefined || started.image.includes(image)) &&
    (command === undefined || started.command.join(" ").includes(command)) &&
    (container === undefined || started.containerName === container)
  );
}

/** A scripted container answers with what it is, so that a caller sees which version serves. */
function answer(served: Served | undefined, { path }: SandboxRequest): SandboxResponse {
  if (served === undefined)
    return { status: 502, headers: { "content-type": "text/plain" }, body: "502 Bad Gateway\n" };
  const body = JSON.stringify({ ...served, path });
  return { status: 200, headers: { "content-type": "application/json" }, body };
}
