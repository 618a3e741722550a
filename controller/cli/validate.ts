// `lockstep validate [file…]`: checks manifests offline, for editors, hooks and CI.
import { count } from "../core/describe.ts";
import type { Call } from "./call.ts";
import { EXIT } from "./exit.ts";
import { mark, muted } from "./frame.ts";
import { annotate, problemCount, problemLines, readManifests } from "./manifests.ts";

export async function validate(call: Call): Promise<number> {
  const manifests = await readManifests(call, call.words.length === 0 ? {} : { files: call.words });
  const { problems, files, environments, from } = manifests;
  annotate(call, problems);
  if (call.options.flag("json")) {
    const valid = problems.length === 0;
    const ids = environments.map(({ application, name }) => `${application}/${name}`);
    call.json({ schema: "lockstep/v1", type: "validate", from, valid, files, environments: ids, problems });
  } else if (problems.length === 0) {
    const what = `${count(files.length, "file")}, ${count(environments.length, "environment")}`;
    call.print([[mark("healthy", what), muted(`  ${from}`)]]);
  } else {
    call.print(problemLines(problems));
    call.say([[problemCount(problems)]]);
  }
  return problems.length === 0 ? EXIT.done : EXIT.invalid;
}
