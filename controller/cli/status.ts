// `lockstep status [env]`: what runs where, and what needs somebody.
import type { State } from "../core/status.ts";
import type { Call } from "./call.ts";
import { only } from "./call.ts";
import { createClient, select } from "./client.ts";
import { EXIT } from "./exit.ts";
import { environmentLines, statusLines } from "./view-status.ts";

const CHECK: { readonly [Name in State]: number } = {
  failed: EXIT.releaseFailed,
  "rolled-back": EXIT.releaseFailed,
  unknown: EXIT.failed,
  blocked: EXIT.blocked,
  waiting: EXIT.blocked,
  converging: EXIT.running,
  drift: EXIT.done,
  healthy: EXIT.done,
  none: EXIT.done,
};

/** The worst first: a script that sees one number sees the one that matters most. */
const WORST: readonly number[] = [EXIT.releaseFailed, EXIT.failed, EXIT.blocked, EXIT.running];

export async function status(call: Call): Promise<number> {
  const name = only(call, "environment");
  const document = await createClient(call).status();
  const chosen = name === undefined ? undefined : select(document.environments, name);
  const shown = chosen === undefined ? document.environments : [chosen];
  if (call.options.flag("json")) call.json({ ...document, environments: shown });
  else if (chosen === undefined) call.print(statusLines(document, call.style.out));
  else call.print(environmentLines(chosen, document.at, call.style.out));
  if (!call.options.flag("check")) return EXIT.done;
  const codes = shown.map((one) => CHECK[one.state]);
  return WORST.find((code) => codes.includes(code)) ?? EXIT.done;
}
