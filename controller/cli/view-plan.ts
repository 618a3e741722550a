// A plan → lines: what differs, what is done call by call and why, what stands in the way. The plan is the product.
import type { Instant } from "../core/brand.ts";
import { short } from "../core/brand.ts";
import { count, describeDecision, describeDifference, describePlan, describeStep, stepName } from "../core/describe.ts";
import type { Environment } from "../core/environment.ts";
import { environmentId } from "../core/environment.ts";
import { FAULTS } from "../core/fault.ts";
import type { Decision } from "../core/decision.ts";
import type { State } from "../core/status.ts";
import type { Step } from "../core/step.ts";
import { waves } from "../core/step.ts";
import type { Foresight } from "./doors.ts";
import type { Line, Style } from "../core/paint.ts";
import { mark, muted, strong, table } from "./frame.ts";

const DECIDED: { readonly [Kind in Decision["kind"]]: State } = {
  rest: "healthy",
  act: "converging",
  wait: "waiting",
  blocked: "blocked",
};

export function planLines(environment: Environment, seen: Foresight, now: Instant, style: Style): readonly Line[] {
  const { plan, decision } = seen;
  return [
    title(environment, seen),
    ...section(
      plan.differences.length === 0 ? "" : count(plan.differences.length, "difference"),
      plan.differences.map((one) => ["  ", mark("drift", describeDifference(one))]),
    ),
    ...section(plan.steps.length === 0 ? "" : "steps, in this order", stepRows(seen, style)),
    ...section(
      plan.notes.length === 0 ? "" : "notes",
      plan.notes.map((note) => [`  ${note}`]),
    ),
    ...section(
      plan.blockers.length === 0 ? "" : "in the way",
      plan.blockers.flatMap(({ code, message }): readonly Line[] => [
        ["  ", mark("blocked", message), muted(`  ${code}`)],
        [muted("    next: "), FAULTS[code].next],
      ]),
    ),
    [],
    [mark(DECIDED[decision.kind], describeDecision(decision, now))],
    ...(decision.kind === "blocked" && plan.blockers.length === 0 ? [[muted("  next: "), decision.next]] : []),
    [describePlan(plan.steps, plan.direction)],
  ];
}

function title(environment: Environment, { memory, journal, plan }: Foresight): Line {
  const from = memory.good?.desired.sha;
  const to = short(environment.sha);
  const id = strong(environmentId(environment));
  if (journal === "unreachable") return [id, `  ? → ${to}`, muted("  without the journal")];
  if (from === undefined) return [id, `  ${to}`, muted("  nothing was released here before")];
  if (from === environment.sha) return [id, `  stays at ${to}`];
  return [id, `  ${short(from)} → ${to}`, muted(plan.direction === "back" ? "  back to what was healthy here" : "")];
}

function section(name: string, lines: readonly Line[]): readonly Line[] {
  return name === "" ? [] : [[], [strong(name)], ...lines];
}

/** Numbered by wave: steps with the same number run together. */
function stepRows({ plan, journal }: Foresight, style: Style): readonly Line[] {
  const rows = waves(plan.steps, plan.direction).flatMap((wave, index) =>
    wave.flatMap((step): readonly (readonly Line[])[] => [
      [[String(index + 1).padStart(2)], [name(step, journal)], [describeStep(step)]],
      [[""], [""], [muted(step.why)]],
    ]),
  );
  return table(rows, style, "  ");
}

/** Without the journal nobody knows whether a migration ran: it is asked, not said. */
function name(step: Step, journal: Foresight["journal"]): string {
  return step.kind === "migrate" && journal === "unreachable" ? `${stepName(step)}?` : stepName(step);
}
