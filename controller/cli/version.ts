// `lockstep version`.
import type { Call } from "./call.ts";
import { EXIT } from "./exit.ts";

export async function version({ io, options, json, print }: Call): Promise<number> {
  if (options.flag("json")) json({ schema: "lockstep/v1", type: "version", version: io.version });
  else print([[`lockstep ${io.version}`]]);
  return EXIT.done;
}
