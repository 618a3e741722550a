// What a decision is made of, and what it can be.
import type { Environment } from "./environment.ts";
import type { ReleaseKind } from "./event.ts";
import type { Instant } from "./brand.ts";
import type { FaultCode, FaultValue } from "./fault.ts";
import type { Verdict } from "./gates.ts";
import type { LiveState } from "./live.ts";
import type { Memory } from "./memory.ts";
import type { Plan } from "./plan.ts";

export type Decision =
  | { readonly kind: "rest"; readonly why: string }
  | {
      readonly kind: "act";
      readonly as: ReleaseKind;
      /** What is released: what Git says now, what the running release started with, or the last good release. */
      readonly target: "desired" | "open" | "good";
      /** The open release only learns how its started migrations ended; then a newer one takes its place. */
      readonly only?: "started-migrations";
      readonly why: string;
    }
  | { readonly kind: "wait"; readonly until?: Instant; readonly why: string; readonly code?: FaultCode }
  | { readonly kind: "blocked"; readonly code?: FaultCode; readonly why: string; readonly next: string };

/** What stands around one environment beside its plan. */
export interface Situation {
  readonly desired: Environment;
  readonly live: LiveState;
  readonly plan: Plan;
  readonly memory: Memory;
  readonly gates: readonly Verdict[];
  /** The repository halted, on rewritten history or an unsigned head, and this environment's files differ there. */
  readonly halted?: FaultValue;
  /** LOCKSTEP_ADOPT=release: the first contact may move what runs. */
  readonly adopts: boolean;
  /** Reports and plans only; writes nothing (`serve --observe`). */
  readonly observes: boolean;
  readonly now: Instant;
}
