// `lockstep explain <key|code>`: what a manifest key does, or what an error code means.
import type { FaultCode as Code } from "../core/fault.ts";
import { FaultCode, FAULTS } from "../core/fault.ts";
import { runbookOf } from "../core/runbooks.ts";
import { nearest } from "../core/nearest.ts";
import type { Call } from "./call.ts";
import { required } from "./call.ts";
import type { KeyReference } from "./doors.ts";
import { EXIT, exitOf } from "./exit.ts";
import type { Line } from "../core/paint.ts";
import { muted, strong, table } from "./frame.ts";
import { stop } from "./stop.ts";

const BLAMED = {
  author: "the author of the manifest",
  operator: "the operator of the controller or the account",
  world: "nobody: it passes",
} as const;

const CONSEQUENCES = {
  retry: "the step tries again until its deadline",
  stop: "nothing more is written; the controller looks again at each poll",
  fail: "the release fails, and is remembered as failed until Git changes or somebody retries",
} as const;

export async function explain(call: Call): Promise<number> {
  const word = required(call, "key or code", "lockstep explain services.health");
  if (FaultCode.is(word)) return explainCode(call, word);
  const { entry, near } = await (await call.doors()).explain(word);
  if (entry === undefined) {
    const meant = nearest(word, Object.keys(FAULTS));
    const others = [...near, ...(meant === undefined ? [] : [meant])];
    const next =
      others.length === 0 ? "`lockstep schema environment` holds every key." : `Did you mean ${others.join(", ")}?`;
    throw stop(EXIT.usage, `there is no key or code ${JSON.stringify(word)}`, next);
  }
  if (call.options.flag("json")) call.json({ schema: "lockstep/v1", type: "key", entry });
  else call.print(keyLines(entry, call));
  return EXIT.done;
}

function explainCode(call: Call, code: Code): number {
  const row = FAULTS[code];
  const runbook = runbookOf(code);
  if (call.options.flag("json")) {
    const page = runbook === undefined ? {} : { runbook };
    call.json({ schema: "lockstep/v1", type: "fault", code, ...row, exitCode: exitOf(code), ...page });
    return EXIT.done;
  }
  call.print([
    [strong(code)],
    [row.means],
    [],
    ...table(
      [
        [["next"], [row.next]],
        [["who"], [BLAMED[row.blame]]],
        [["then"], [CONSEQUENCES[row.consequence]]],
        [["exit"], [String(exitOf(code))]],
        ...(runbook === undefined ? [] : [[["runbook"], [runbook]]]),
      ],
      call.style.out,
      "  ",
    ),
  ]);
  return EXIT.done;
}

function keyLines(entry: KeyReference, call: Call): readonly Line[] {
  const facts: readonly (readonly Line[])[] = [
    [["type"], [entry.type]],
    ...(entry.default === undefined ? [] : [[["default"], [entry.default]]]),
    [["where"], [entry.where.join(", ")]],
    ...(entry.children.length === 0 ? [] : [[["keys"], [entry.children.join(", ")]]]),
  ];
  return [
    [strong(entry.key)],
    ...entry.description.split("\n").map((line): Line => [line]),
    [],
    ...table(facts, call.style.out, "  "),
    ...(entry.examples.length === 0
      ? []
      : [
          [],
          [muted("Examples")],
          ...entry.examples.flatMap((one) => one.split("\n")).map((line): Line => [`  ${line}`]),
        ]),
  ];
}
