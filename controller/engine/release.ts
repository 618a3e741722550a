// One release of one environment: started or taken over, executed, and ended in the journal.
import { cancellation } from "../core/cancel.ts";
import type { ComponentName, Digest } from "../core/brand.ts";
import { startedMigrations } from "../core/decision.ts";
import type { Environment } from "../core/environment.ts";
import type { ReleaseKind } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import { canonical } from "../core/fingerprint.ts";
import { hasMoved, lastGood } from "../core/good.ts";
import type { Memory } from "../core/history.ts";
import type { LiveState } from "../core/live.ts";
import type { Plan } from "../core/plan.ts";
import type { Considered } from "./consider.ts";
import type { Ending, ExecuteParts } from "./execute.ts";
import { execute } from "./execute.ts";
import type { Ledger } from "./ledger.ts";
import { keepLease } from "./ledger.ts";

export interface Released {
  readonly kind: ReleaseKind;
  readonly desired: Environment;
  readonly live: LiveState;
  readonly plan: Plan;
  /** What the journal said when this was decided: if it says more by now, the decision is made anew. */
  readonly memory: Memory;
  readonly why: string;
  /** The release that a rollback undoes. */
  readonly undoes?: number;
  /** It is the open release or nothing: nothing new may start. */
  readonly goesOn?: true;
  /** The plan is only what the open release has to end before a newer one takes its place. */
  readonly partial?: true;
}

export interface ReleaseParts extends ExecuteParts {
  readonly journalId: string;
  readonly leaseTtlMs: number;
}

/** Somebody else holds the environment, or something was journaled meanwhile and the lane has to look again. */
export type NotBegun = { readonly how: "held" | "outdated" };

/** Ends well (`done`), or says why the lane has to look again. */
export async function release(
  what: Released,
  pins: ReadonlyMap<string, Digest>,
  parts: ReleaseParts,
  stop: AbortController,
): Promise<Ending | NotBegun> {
  const { ledger, clock } = parts;
  const begun = await begin(what, parts);
  if (begun !== "begun") return { how: begun };
  const open = ledger.memory().open;
  if (open === undefined) return { how: "outdated" };
  const lease = new AbortController();
  const kept = keepLease({ ledger, release: open.number }, clock, parts.leaseTtlMs, lease.signal);
  try {
    const { plan, desired } = what;
    const { number, id } = open;
    const execution = {
      plan,
      environment: desired,
      number,
      releaseId: id,
      journalId: parts.journalId,
      pins,
      signal: stop.signal,
      ...(what.goesOn === true ? { keepsFailures: true as const } : {}),
    };
    const ending = await execute(execution, parts);
    await end(ending, number, what, ledger);
    return ending;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "fenced") stop.abort(cancellation("fenced"));
    throw thrown;
  } finally {
    lease.abort(cancellation("shutdown"));
    await kept;
  }
}

/**
 * Continues the open release when it is this one; ends another one as superseded; claims the environment. A release has
 * one set of digests from its start to its end: when tags have moved since, it is another one.
 */
async function begin(what: Released, { ledger, random }: ReleaseParts): Promise<"begun" | NotBegun["how"]> {
  const memory = ledger.memory();
  if (memory !== what.memory) return "outdated";
  const open = memory.open;
  if (open !== undefined) {
    if (!ledger.holds()) {
      if (!ledger.isAbandoned()) return "held";
      const adopted = { type: "release-adopted", from: memory.holder ?? "" } as const;
      if (!(await ledger.claim(adopted, memory.epoch + 1))) return "outdated";
    }
    const isSame = open.fingerprint === what.desired.fingerprint && open.kind === what.kind;
    if (isSame && (what.partial === true || canonical(open.artifacts) === canonical(resolved(what)))) return "begun";
    // Only what Git says now may start; that it may was decided, for anything else it was not.
    if (isSame && what.goesOn === true)
      throw new Fault("artifact-rebuilt", `an artifact was rebuilt since release #${open.number} began`);
    const by = memory.arrival?.commit ?? what.desired.revision.commit;
    if (!(await ledger.claim({ type: "release-superseded", release: open.number, by }))) return "outdated";
  }
  const now = ledger.memory();
  const { desired, plan, kind, why, undoes } = what;
  const claimed = await ledger.claim(
    {
      type: "release-started",
      release: now.lastNumber + 1,
      releaseId: random(16),
      kind,
      direction: plan.direction,
      desired,
      arrival: now.arrival?.commit ?? desired.revision.commit,
      artifacts: resolved(what),
      steps: plan.steps,
      why,
      ...(undoes === undefined ? {} : { undoes }),
    },
    now.epoch + 1,
  );
  return claimed ? "begun" : "outdated";
}

function resolved({ live, desired }: Released): Readonly<Record<ComponentName, Digest>> {
  const recorded = new Set(
    desired.services.filter((service) => service.recorded !== undefined).map(({ name }) => `service/${name}`),
  );
  const digests = [...live.artifacts].flatMap(([component, artifact]) =>
    artifact.state === "resolved" && !recorded.has(component) ? [[component, artifact.digest] as const] : [],
  );
  return Object.fromEntries(digests);
}

async function end(
  ending: Ending,
  release: number,
  { kind, undoes, desired }: Released,
  ledger: Ledger,
): Promise<void> {
  const memory = ledger.memory();
  if (ending.how === "done" && memory.passed === desired.fingerprint) {
    await ledger.append({ type: "release-succeeded", release }, release);
    if (kind === "rollback" && undoes !== undefined) {
      await ledger.append({ type: "release-rolled-back", release: undoes, to: release });
    }
  } else if (ending.how === "cancelled" && ending.by === "shutdown") {
    await ledger.append({ type: "lease", ttlMs: 0, released: true }, release);
  } else if (ending.how === "failed" || (ending.how === "cancelled" && ending.by === "aborted")) {
    const failure = ending.how === "failed" ? ending : ABORTED;
    await fail(failure, release, { kind, undoes, desired }, ledger);
  }
}

const ABORTED = { step: "release", code: "aborted", message: "a person ended the release" } as const;

async function fail(
  { step, code, message }: Omit<Extract<Ending, { how: "failed" }>, "how">,
  release: number,
  { kind, undoes, desired }: { kind: ReleaseKind; undoes: number | undefined; desired: Environment },
  ledger: Ledger,
): Promise<void> {
  const memory = ledger.memory();
  const goesBack = kind === "release" && desired.onFailure === "rollback" && hasMoved(memory, release);
  const undone = goesBack && lastGood(memory, desired) !== undefined;
  await ledger.append({ type: "release-failed", release, step, code, message, undone }, release);
  if (kind === "rollback" && undoes !== undefined) {
    await ledger.append({ type: "rollback-failed", release: undoes, code, message });
  }
}

/**
 * Ends an open release that nobody runs at the moment, because a person asked: one that is blocked, or was left by a
 * process that has ended. Not while another controller holds it, nor before a migration that was started is known to
 * have ended: its task would go on unwatched.
 */
export async function abandon(ledger: Ledger): Promise<"ended" | "held" | "migrating"> {
  const memory = ledger.memory();
  const open = memory.open;
  if (open === undefined) return "ended";
  if (startedMigrations(memory).length > 0) return "migrating";
  if (!ledger.holds()) {
    if (!ledger.isAbandoned()) return "held";
    const adopted = { type: "release-adopted", from: memory.holder ?? "" } as const;
    if (!(await ledger.claim(adopted, memory.epoch + 1))) return "held";
  }
  const { kind, undoes, desired } = open;
  await fail(ABORTED, open.number, { kind, undoes, desired }, ledger);
  return "ended";
}

/** What the decision asks to release: Git's value, the value of the open release, or the last good one. */
export function valueOf(considered: Considered, ledger: Ledger): { desired: Environment; undoes?: number } | undefined {
  const { decision, desired } = considered;
  const memory = ledger.memory();
  if (decision.kind !== "act") return undefined;
  if (decision.target === "desired") return { desired };
  if (memory.open !== undefined) {
    // A rollback that goes on keeps the very value it started with.
    const undoes = memory.open.undoes;
    return { desired: memory.open.desired, ...(undoes === undefined ? {} : { undoes }) };
  }
  const good = lastGood(memory, desired);
  if (good === undefined || memory.undo === undefined) return undefined;
  return { desired: good.desired, undoes: memory.undo.release };
}
