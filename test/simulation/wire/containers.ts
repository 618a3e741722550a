// Every container of a run: its fate follows from the commit its image was built of, and what a database sees is kept here.
import { Digest } from "../../../controller/core/brand.ts";
import type { ContainerStart } from "../../../sandbox/api.ts";
import type { SteppedClock } from "../../../sandbox/clock.ts";
import type { ContainerRequest, EcsRunner, HostEvents } from "../../../sandbox/ecs/runner.ts";
import { createScriptRunner } from "../../../sandbox/ecs/runner-script.ts";
import type { Outcome } from "../../../sandbox/ecs/script-rules.ts";
import type { Builds, SourceCommit } from "../builds.ts";
import type { Chance } from "../chance.ts";
import type { Tally } from "../tally.ts";

/** A container at work. */
export interface Running {
  readonly environment: string;
  /** `api`, `worker`, or a migration's name. */
  readonly name: string;
  readonly commit: SourceCommit;
  readonly digest: Digest;
  readonly isMigration: boolean;
  /** It was told to end: no new request reaches it. */
  draining: boolean;
  readonly events: HostEvents;
}

export interface Containers {
  readonly runner: (clock: SteppedClock) => EcsRunner;
  readonly running: ReadonlySet<Running>;
  /** What the databases hold: `dev schema@<sha>`. */
  readonly applied: Set<string>;
  /** The part of it that tasks brought; of what was there before Lockstep came nobody can know. */
  readonly passed: ReadonlySet<string>;
  /** SHAs whose migrations hang, by order. */
  readonly hangs: Set<string>;
  /** Takes the host away under one container of a service, as Spot does. */
  interrupt(environment: string): void;
}

export interface ContainersParts {
  readonly chance: Chance;
  readonly tally: Tally;
  readonly builds: () => Builds;
  /** Before it begins to work. */
  readonly onMigration: (environment: string, migration: string, commit: SourceCommit) => void;
  readonly onChange: (environment: string) => void;
}

export function createContainers({ chance, tally, builds, onMigration, onChange }: ContainersParts): Containers {
  const running = new Set<Running>();
  const applied = new Set<string>();
  const passed = new Set<string>();
  const hangs = new Set<string>();
  const attempts = new Map<string, number>();
  let decided = 0;

  function outcomeOf(container: ContainerRequest): Outcome {
    const commit = commitOf(container, builds());
    decided += 1;
    const dice = chance.fork(`container ${decided}`);
    if (!isMigration(container)) return serviceOutcome(commit, dice, tally);
    const key = `${clusterOf(container)} ${nameOf(container)}@${commit.sha}`;
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (hangs.has(commit.sha)) return { kind: "serve" };
    // What failed once may pass when a person asks again: a lock that is gone, a disk that was full.
    return migrationOutcome(commit, dice, attempt > 1 && dice.is(0.5));
  }

  function watched(
    container: ContainerStart,
    events: HostEvents,
  ): { readonly one: Running; readonly heard: HostEvents } {
    const commit = commitOf(container, builds());
    const environment = clusterOf(container);
    const one: Running = {
      environment,
      name: nameOf(container),
      commit,
      digest: Digest.parse(container.manifest.digest),
      isMigration: isMigration(container),
      draining: false,
      events,
    };
    const end = (): void => {
      running.delete(one);
      onChange(environment);
    };
    const heard: HostEvents = {
      log: (line) => events.log(line),
      healthy: () => events.healthy(),
      exited(code) {
        end();
        if (one.isMigration && code === 0) {
          applied.add(`${environment} ${one.name}@${commit.sha}`);
          passed.add(`${environment} ${one.name}@${commit.sha}`);
        }
        events.exited(code);
      },
      interrupted(code) {
        end();
        events.interrupted(code);
      },
    };
    return { one, heard };
  }

  return {
    running,
    applied,
    passed,
    hangs,
    interrupt(environment) {
      const all = [...running].filter((one) => one.environment === environment && !one.isMigration && !one.draining);
      const [one] = all;
      if (one === undefined) return;
      running.delete(one);
      onChange(environment);
      one.events.interrupted("SpotInterruption");
    },
    runner(clock) {
      const script = createScriptRunner(clock);
      return {
        ...script,
        refuse(container) {
          script.setRules([{ outcome: outcomeOf(container) }]);
          return script.refuse(container);
        },
        start(container, events) {
          const { one, heard } = watched(container, events);
          if (one.isMigration) onMigration(one.environment, one.name, one.commit);
          running.add(one);
          onChange(one.environment);
          const started = script.start(container, heard);
          return {
            stop(stopTimeoutMs) {
              one.draining = true;
              onChange(one.environment);
              started.stop(stopTimeoutMs);
            },
          };
        },
      };
    },
  };
}

function serviceOutcome(commit: SourceCommit, dice: Chance, tally: Tally): Outcome {
  const stubborn = dice.is(0.05);
  if (stubborn) tally.count("task ignores SIGTERM");
  const ends = stubborn ? { ignoresSigterm: true } : {};
  if (commit.rollout !== "breaks") return { kind: "serve", healthyAfterMs: dice.between(100, 2_000), ...ends };
  if (dice.is(0.5)) return { kind: "exit", exitCode: 1, afterMs: 500, log: ["cannot start"] };
  return { kind: "never-healthy", ...ends };
}

function migrationOutcome(commit: SourceCommit, dice: Chance, isBetter: boolean): Outcome {
  const afterMs = dice.between(1_000, 15_000);
  const log = ["1 of 2 statements", "2 of 2 statements"];
  if (commit.migration === "passes" || isBetter) return { kind: "exit", exitCode: 0, afterMs, log };
  switch (commit.migration) {
    case "fails":
      return { kind: "exit", exitCode: 1, afterMs, log };
    case "never stops":
      return { kind: "serve", ignoresSigterm: dice.is(0.5) };
    case "without exit code":
      return { kind: "refused", error: "CannotPullContainerError" };
    case "interrupted":
      return { kind: "interrupted", afterMs };
  }
}

function commitOf({ image }: Pick<ContainerRequest, "image">, builds: Builds): SourceCommit {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
  const tag = /:([0-9a-f]{40})$/.exec(image)?.[1];
  const commit = digest === undefined ? builds.commit(tag ?? "") : builds.builtOf(Digest.parse(digest));
  if (commit === undefined) throw new Error(`no commit was built as ${image}`);
  return commit;
}

function isMigration({ command }: ContainerRequest): boolean {
  return command.join(" ").includes("migrate.mjs");
}

function clusterOf({ taskArn }: ContainerRequest): string {
  return taskArn.split("/")[1] ?? "";
}

function nameOf({ image }: ContainerRequest): string {
  return /\/shop\/(\w+)[@:]/.exec(image)?.[1] ?? "";
}
