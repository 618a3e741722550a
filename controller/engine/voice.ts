// What a lane says about itself: each decision and each trouble once, until it changes.
import type { Decision } from "../core/decision.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { Ephemeral } from "../core/event.ts";
import type { Fault } from "../core/fault.ts";
import { faultValue } from "../core/fault.ts";

export interface Voice {
  decided(decision: Decision): void;
  trouble(fault: Fault): void;
  /** A turn ended without trouble. */
  wentWell(): void;
}

export function createVoice(emit: (event: Ephemeral) => void, id: EnvironmentId): Voice {
  let said = "";
  let trouble: string | undefined;
  return {
    decided(decision) {
      const text = `${decision.kind}: ${decision.why}`;
      if (text === said) return;
      said = text;
      const code = "code" in decision && decision.code !== undefined ? { code: decision.code } : {};
      const next = decision.kind === "blocked" ? { next: decision.next } : {};
      emit({ type: "decided", decision: decision.kind, why: decision.why, ...code, ...next });
    },
    trouble(fault) {
      const text = `${fault.code}: ${fault.message}`;
      if (text === trouble) return;
      trouble = text;
      emit({ type: "trouble", fault: faultValue(fault), where: id });
    },
    wentWell() {
      if (trouble !== undefined) emit({ type: "trouble-cleared", where: id });
      trouble = undefined;
    },
  };
}

/** What a fault that ended a turn means for the environment, for people. */
export function decisionOf(fault: Fault): Decision {
  const { code, message } = fault;
  if (fault.consequence === "retry") return { kind: "wait", code, why: message };
  return { kind: "blocked", code, why: message, next: fault.next };
}
