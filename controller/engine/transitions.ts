// States that are journaled when they change and never otherwise: managed, held, drifted.
import { Instant } from "../core/brand.ts";
import type { Hold } from "../core/environment.ts";
import { canonical } from "../core/fingerprint.ts";
import type { Considered } from "./consider.ts";
import type { Ledger } from "./ledger.ts";

export async function noteManaged(ledger: Ledger, unmanaged: string | undefined): Promise<void> {
  const memory = ledger.memory();
  if (unmanaged !== undefined && memory.unmanaged !== unmanaged)
    await ledger.claim({ type: "unmanaged", why: unmanaged });
  if (unmanaged === undefined && memory.unmanaged !== undefined) await ledger.claim({ type: "managed" });
}

export async function noteHold(ledger: Ledger, hold: Hold | undefined, now: Instant): Promise<void> {
  const known = ledger.memory().hold;
  const holds = hold !== undefined && (hold.until === undefined || hold.until > now);
  if (!holds) {
    if (known !== undefined) await ledger.claim({ type: "hold-cleared" });
    return;
  }
  if (known?.reason === hold.reason && known.until === hold.until) return;
  const until = hold.until === undefined ? {} : { until: Instant.of(hold.until) };
  await ledger.claim({ type: "hold-seen", reason: hold.reason, ...until });
}

/** Drift = the environment rests on what passed, and something differs that no release of ours changed. */
export async function noteDrift(ledger: Ledger, { plan, live, desired, decision }: Considered): Promise<void> {
  const memory = ledger.memory();
  const passed = live.passed === desired.fingerprint && memory.open === undefined;
  // What could not be read says nothing about drift, and what still moves is judged when it has settled.
  if (!passed || plan.blockers.length > 0 || decision.kind === "wait" || desired.drift === "ignore") return;
  const found = plan.differences;
  if (found.length === 0) {
    if (memory.drift !== undefined) await ledger.claim({ type: "drift-cleared" });
    return;
  }
  if (memory.drift !== undefined && canonical(memory.drift.differences) === canonical(found)) return;
  await ledger.claim({ type: "drift-found", differences: found });
}
