// `lockstep render <env> [--origin]`: the merged manifest, and where each value comes from.
import { stringify } from "yaml";
import type { Call } from "./call.ts";
import { required } from "./call.ts";
import { select } from "./client.ts";
import type { Merged } from "./doors.ts";
import { EXIT } from "./exit.ts";
import type { Line } from "../core/paint.ts";
import { muted, table } from "./frame.ts";
import { annotate, problemLines, readManifests } from "./manifests.ts";

export async function render(call: Call): Promise<number> {
  const name = required(call, "environment", "lockstep render prod");
  const { merged, problems } = await readManifests(call, {});
  const invalid = problems.length > 0;
  if (invalid) {
    annotate(call, problems);
    call.complain(problemLines(problems));
    if (merged.length === 0) return EXIT.invalid;
  }
  const one = select(merged, name);
  const origin = call.options.flag("origin");
  if (call.options.flag("json")) {
    const { id, manifest, origins } = one;
    call.json({ schema: "lockstep/v1", type: "render", environment: id, manifest, ...(origin ? { origins } : {}) });
  } else if (origin) call.print(originLines(one, call));
  else call.print(yamlLines(one.manifest));
  return invalid ? EXIT.invalid : EXIT.done;
}

function yamlLines(manifest: unknown): readonly Line[] {
  return stringify(manifest)
    .trimEnd()
    .split("\n")
    .map((line) => [line]);
}

function originLines({ origins }: Merged, call: Call): readonly Line[] {
  return table(
    origins.map(({ path, value, file, line }): readonly Line[] => [
      [path],
      [value],
      [muted(file === undefined ? "default" : line === undefined ? file : `${file}:${line}`)],
    ]),
    call.style.out,
  );
}
