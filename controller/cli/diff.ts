// `lockstep diff [env]`: live against Git, as the controller last saw it.
import { ago, count } from "../core/describe.ts";
import { sameAsGit } from "../core/looks.ts";
import type { Call } from "./call.ts";
import { only } from "./call.ts";
import { createClient, select } from "./client.ts";
import { EXIT } from "./exit.ts";
import type { Line } from "../core/paint.ts";
import { mark, muted, strong } from "./frame.ts";
import { differenceLines } from "./view-status.ts";

export async function diff(call: Call): Promise<number> {
  const name = only(call, "environment");
  const document = await createClient(call).status();
  const shown = name === undefined ? document.environments : [select(document.environments, name)];
  const total = shown.reduce((sum, one) => sum + one.differences.length, 0);
  if (call.options.flag("json")) {
    const environments = shown.map(({ id, state, observedAt, differences }) => ({
      id,
      state,
      observedAt,
      differences,
    }));
    call.json({ schema: "lockstep/v1", type: "diff", at: document.at, environments });
  } else {
    call.print(
      shown.flatMap((one): readonly Line[] => {
        const seen =
          one.observedAt === undefined ? "not looked at yet" : `looked at ${ago(one.observedAt, document.at)}`;
        const head: Line = [strong(one.id), muted(`  ${seen}`)];
        if (one.differences.length > 0) {
          const repair = `Put back what Git says: lockstep repair ${one.id}`;
          return [head, ...differenceLines(one), ...(one.state === "drift" ? [[muted(`  ${repair}`)]] : [])];
        }
        return [head, ["  ", sameAsGit(one) ? mark("healthy", "live equals Git") : mark(one.state, one.why)]];
      }),
    );
    call.print([[], [`${count(total, "difference")} in ${count(shown.length, "environment")}.`]]);
  }
  return total > 0 && call.options.flag("exit-code") ? EXIT.differs : EXIT.done;
}
