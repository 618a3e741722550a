// Runs a plan wave by wave, leaving a record before and after every step; stops at the first failure.
import { cancellation, cancelReason } from "../core/cancel.ts";
import type { Digest, ServiceName } from "../core/brand.ts";
import type { Environment } from "../core/environment.ts";
import type { Outcome, Stream } from "../core/event.ts";
import type { Fault, FaultCode } from "../core/fault.ts";
import { faultOf } from "../core/fault.ts";
import { LIMITS } from "../core/limits.ts";
import type { Plan } from "../core/plan.ts";
import type { Step, StepId } from "../core/step.ts";
import { INTERRUPTIBLE, stepId, waves, WRITES } from "../core/step.ts";
import type { Clock, Context, Random, Runner, Runners, Turn } from "../ports.ts";
import type { Bus } from "./bus.ts";
import type { Ledger } from "./ledger.ts";

export type Ending =
  | { readonly how: "done" }
  | { readonly how: "failed"; readonly step: StepId; readonly code: FaultCode; readonly message: string }
  | { readonly how: "cancelled"; readonly by: Extract<Outcome, { status: "cancelled" }>["by"] }
  /** The world or the operator stands in the way: nothing more is written, and it is looked at again. */
  | { readonly how: "stopped"; readonly step: StepId; readonly fault: Fault };

export interface Execution {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly releaseId: string;
  readonly number: number;
  readonly journalId: string;
  readonly pins: ReadonlyMap<string, Digest>;
  readonly signal: AbortSignal;
  /** Git asks for something else by now: what failed in this release ends it, and is not tried again. */
  readonly keepsFailures?: true;
}

export interface ExecuteParts {
  readonly runners: Runners;
  readonly ledger: Ledger;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
}

type StepEnding = { readonly step: Step; readonly outcome: Outcome } | { readonly step: Step; readonly fault: Fault };

export async function execute(execution: Execution, parts: ExecuteParts): Promise<Ending> {
  for (const wave of waves(execution.plan.steps, execution.plan.direction)) {
    if (execution.signal.aborted) return { how: "cancelled", by: cancelReason(execution.signal) };
    const endings = await runWave(wave, execution, parts);
    const ending = judge(endings);
    if (ending !== undefined) return ending;
    if (wave.some((step) => step.kind === "health")) await proveHealth(execution, parts.ledger);
  }
  return { how: "done" };
}

/** A failure outweighs whatever else happened in its wave; a cancellation outweighs a stop. */
function judge(endings: readonly StepEnding[]): Ending | undefined {
  for (const ending of endings) {
    if ("outcome" in ending && ending.outcome.status === "failed") {
      return { how: "failed", step: stepId(ending.step), code: ending.outcome.code, message: ending.outcome.message };
    }
  }
  for (const ending of endings) {
    if ("outcome" in ending && ending.outcome.status === "cancelled")
      return { how: "cancelled", by: ending.outcome.by };
  }
  for (const ending of endings) {
    if ("fault" in ending) return { how: "stopped", step: stepId(ending.step), fault: ending.fault };
  }
  return undefined;
}

async function proveHealth({ environment, number, plan }: Execution, ledger: Ledger): Promise<void> {
  const open = ledger.memory().open;
  const verify = plan.steps.find((step) => step.kind === "verify");
  const resolved =
    verify?.kind === "verify" ? verify.artifacts.map(({ component, digest }) => [component, digest] as const) : [];
  const artifacts = { ...open?.artifacts, ...Object.fromEntries(resolved) };
  const { fingerprint, sha } = environment;
  await ledger.append({ type: "health-passed", release: number, fingerprint, sha, artifacts }, number);
}

/**
 * Steps of one wave side by side, at most `parallel`, each after the services it names in `after:`. Once one has not
 * ended well no further one starts, and what runs is waited for.
 */
async function runWave(
  wave: readonly Step[],
  execution: Execution,
  parts: ExecuteParts,
): Promise<readonly StepEnding[]> {
  const waiting = [...wave];
  const running = new Map<Step, Promise<StepEnding>>();
  const endings: StepEnding[] = [];
  const isGood = (ending: StepEnding): boolean => "outcome" in ending && ending.outcome.status === "done";
  while (waiting.length > 0 || running.size > 0) {
    const goes = endings.every(isGood) && !execution.signal.aborted;
    const ready = goes
      ? waiting.filter((step) => isReady(step, [...waiting, ...running.keys()], execution.environment))
      : [];
    for (const step of ready.slice(0, Math.max(0, execution.environment.parallel - running.size))) {
      waiting.splice(waiting.indexOf(step), 1);
      running.set(step, runStep(step, execution, parts));
    }
    if (running.size === 0) break;
    const ending = await Promise.race(running.values());
    running.delete(ending.step);
    endings.push(ending);
  }
  return endings;
}

function isReady(step: Step, unfinished: readonly Step[], environment: Environment): boolean {
  if (step.kind !== "deploy") return true;
  const service = environment.services.find((one) => one.name === step.service);
  const open: readonly ServiceName[] = unfinished.flatMap((one) =>
    one.kind === "deploy" && one !== step ? [one.service] : [],
  );
  return (service?.after ?? []).every((name) => !open.includes(name));
}

async function runStep(step: Step, execution: Execution, parts: ExecuteParts): Promise<StepEnding> {
  const { ledger, clock } = parts;
  const id = stepId(step);
  const release = execution.number;
  const record = ledger.memory().open?.steps.find((one) => stepId(one.step) === id);
  if (execution.keepsFailures === true && record?.outcome?.status === "failed")
    return { step, outcome: record.outcome };
  try {
    if (record?.startedAt === undefined)
      await ledger.append({ type: "step-started", release, step: id, what: step }, release);
    // A release that is resumed may have nothing to say before its first write.
    if (WRITES[step.kind]) await ledger.renew(release);
  } catch (thrown) {
    return { step, fault: faultOf(thrown) };
  }
  const signal = INTERRUPTIBLE[step.kind] ? execution.signal : onlyFor(execution.signal, ["shutdown", "fenced"]);
  const deadlineMs = clock.monotonicMs() + patienceMs(step, execution.environment);
  for (let attempt = 0; ; attempt += 1) {
    const ending = await tryStep(step, execution, parts, signal);
    if ("outcome" in ending) return settle(ending, execution, ledger);
    if (ending.fault.consequence === "stop" || signal.aborted) return ending;
    if (ending.fault.consequence === "fail" || clock.monotonicMs() >= deadlineMs) {
      // A task may be running: only its own end decides, whatever stands between us and it now.
      if (step.kind === "migrate" && ledger.memory().migrations.get(step.key)?.state === "started") return ending;
      const { code, message } = ending.fault;
      return settle({ step, outcome: { status: "failed", code, message } }, execution, ledger);
    }
    say(parts, ledger.stream, execution, id, `${ending.fault.message}; trying again`);
    const pauseMs = Math.min(LIMITS.retryMaxMs, LIMITS.retryMinMs * 2 ** attempt);
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

/**
 * Records how a step ended; a process that is being stopped or was fenced writes nothing more, and a step that a
 * resumed release runs once more with the same end says nothing new.
 */
async function settle(
  ending: { step: Step; outcome: Outcome },
  { number: release }: Execution,
  ledger: Ledger,
): Promise<StepEnding> {
  const { step, outcome } = ending;
  if (outcome.status === "cancelled" && (outcome.by === "shutdown" || outcome.by === "fenced")) return ending;
  const id = stepId(step);
  const known = ledger.memory().open?.steps.find((one) => stepId(one.step) === id)?.outcome;
  if (known?.status === "done" && outcome.status === "done") return ending;
  try {
    await ledger.append({ type: "step-settled", release, step: id, outcome }, release);
  } catch (thrown) {
    return { step, fault: faultOf(thrown) };
  }
  return ending;
}

async function tryStep(
  step: Step,
  execution: Execution,
  parts: ExecuteParts,
  signal: AbortSignal,
): Promise<StepEnding> {
  const { runners, ledger, clock, random } = parts;
  const turn: Turn = {
    environment: execution.environment,
    release: { number: execution.number, id: execution.releaseId, journal: execution.journalId },
    memory: ledger.memory(),
    pins: execution.pins,
  };
  const context: Context = {
    signal,
    clock,
    random,
    note: (text) => say(parts, ledger.stream, execution, stepId(step), text),
    record: (mark) => ledger.append(mark, execution.number),
    guard: () => ledger.guard(execution.number),
  };
  try {
    // The table has a row per kind; TypeScript cannot see that a step and its row agree.
    const run = runners[step.kind] as Runner<typeof step.kind>;
    const outcome = await run(step, turn, context);
    return { step, outcome };
  } catch (thrown) {
    if (signal.aborted) return { step, outcome: { status: "cancelled", by: cancelReason(signal) } };
    return { step, fault: faultOf(thrown) };
  }
}

function say(parts: ExecuteParts, stream: Stream, execution: Execution, step: StepId, text: string): void {
  const event = { type: "progress", release: execution.number, step, text } as const;
  parts.bus.publish({ durable: false, stream, at: parts.clock.now(), event });
}

/** How long faults of the world are retried: the service's or migration's own time, else a common one. */
function patienceMs(step: Step, environment: Environment): number {
  if (step.kind === "deploy")
    return environment.services.find((one) => one.name === step.service)?.timeoutMs ?? LIMITS.stepMs;
  if (step.kind === "migrate")
    return environment.migrations.find((one) => one.name === step.migration)?.timeoutMs ?? LIMITS.stepMs;
  return LIMITS.stepMs;
}

/** A signal that follows another for some reasons only. */
function onlyFor(signal: AbortSignal, reasons: readonly string[]): AbortSignal {
  const controller = new AbortController();
  const follow = (): void => {
    const by = cancelReason(signal);
    if (reasons.includes(by)) controller.abort(cancellation(by));
  };
  if (signal.aborted) follow();
  else signal.addEventListener("abort", follow, { once: true });
  return controller.signal;
}
