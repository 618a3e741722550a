// `lockstep version`.
import type { Call } from "./call.ts";
import { EXIT } from "./exit.ts";

export async function version(call: Call): Promise<number> {
  const { io, options } = call;
  if (options.flag("json")) call.json({ schema: "lockstep/v1", type: "version", version: io.version });
  else call.print([[`lockstep ${io.version}`]]);
  return EXIT.done;
}
