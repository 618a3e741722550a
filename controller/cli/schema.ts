// `lockstep schema <kind>`: the JSON Schema of a file, for editors and hooks.
import type { Call } from "./call.ts";
import { required } from "./call.ts";
import { SCHEMA_KINDS } from "./doors.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./stop.ts";

export async function schema(call: Call): Promise<number> {
  const word = required(call, "schema", "lockstep schema environment");
  const kind = SCHEMA_KINDS.find((one) => one === word);
  if (kind === undefined) {
    throw stop(EXIT.usage, `there is no schema ${JSON.stringify(word)}`, `There are: ${SCHEMA_KINDS.join(", ")}.`);
  }
  const text = await (await call.doors()).schema(kind);
  call.io.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return EXIT.done;
}
