// `lockstep plan [env]`: what a merge would do, from manifests, AWS and the journal; no controller is asked.
import type { Environment, EnvironmentId } from "../core/environment.ts";
import { environmentId } from "../core/environment.ts";
import type { Call } from "./call.ts";
import { only } from "./call.ts";
import { isNamed, select } from "./client.ts";
import type { Foresight } from "./doors.ts";
import { EXIT, exitOf } from "./exit.ts";
import type { Line } from "../core/paint.ts";
import { mark, muted } from "./frame.ts";
import { annotate, annotateMessage, problemCount, problemLines, readManifests } from "./manifests.ts";
import { stop } from "./stop.ts";
import { planLines } from "./view-plan.ts";

type Seen = Foresight & { readonly environment: Environment; readonly id: EnvironmentId };

export async function plan(call: Call): Promise<number> {
  const { options } = call;
  const [name, sha] = [only(call, "environment"), options.text("sha")];
  if (sha !== undefined && (name === undefined || !/^[0-9a-f]{7,40}$/.test(sha))) {
    throw stop(
      EXIT.usage,
      name === undefined ? "--sha needs an environment" : `--sha: ${JSON.stringify(sha)} is not a commit SHA`,
      "For example: lockstep plan prod --sha 9f2c1ab",
    );
  }
  const bump = name === undefined || sha === undefined ? {} : { bump: { environment: name, sha } };
  const { environments, problems } = await readManifests(call, bump);
  if (problems.length > 0) {
    annotate(call, problems);
    call.complain([...problemLines(problems), [problemCount(problems)]]);
    if (environments.length === 0) return EXIT.invalid;
  }
  const all = environments.map((environment) => ({ environment, id: environmentId(environment) }));
  // The one asked for may be missing only because its manifest is broken, which was just said.
  if (problems.length > 0 && name !== undefined && !all.some(({ id }) => isNamed(id, name))) return EXIT.invalid;
  const seen = await look(call, name === undefined ? all : [select(all, name)]);
  show(call, seen, problems);
  return problems.length > 0 ? EXIT.invalid : exitCode(call, seen);
}

async function look(
  call: Call,
  chosen: readonly { readonly environment: Environment; readonly id: EnvironmentId }[],
): Promise<readonly Seen[]> {
  const { io } = call;
  const outlook = await (await call.doors()).openWorld(io.signal);
  try {
    const seen: Seen[] = [];
    for (const one of chosen) {
      if (io.stderr.isTTY) call.say([[muted(`reading AWS for ${one.id}…`)]]);
      seen.push({ ...one, ...(await outlook.plan(one.environment, io.signal)) });
    }
    return seen;
  } finally {
    await outlook.close();
  }
}

function show(call: Call, seen: readonly Seen[], problems: readonly unknown[]): void {
  if (seen.some((one) => one.journal === "unreachable")) {
    call.complain([[mark("unknown", "journal not reachable: a migration may already have run")]]);
  }
  for (const one of seen)
    for (const blocker of one.plan.blockers) annotateMessage(call, `${one.id}: ${blocker.message}`);
  const now = call.io.clock.now();
  if (call.options.flag("json")) {
    const environments = seen.map(({ id, environment, plan, decision, journal, memory }) => ({
      id,
      sha: environment.sha,
      ...(memory.good === undefined ? {} : { from: memory.good.desired.sha }),
      journal,
      plan,
      decision,
    }));
    call.json({ schema: "lockstep/v1", type: "plan", at: now, environments, problems });
    return;
  }
  const blocks = seen.map((one) => planLines(one.environment, one, now, call.style.out));
  call.print(blocks.flatMap((block, index): readonly Line[] => (index === 0 ? block : [[], ...block])));
}

/** What stands in the way counts before what would change; gates only when asked for. */
function exitCode({ options }: Call, seen: readonly Seen[]): number {
  const blocker = seen.flatMap((one) => one.plan.blockers)[0];
  if (blocker !== undefined) return exitOf(blocker.code);
  const stands = seen.some(({ decision }) => decision.kind === "wait" || decision.kind === "blocked");
  if (stands && options.flag("gates")) return EXIT.blocked;
  return options.flag("exit-code") && seen.some((one) => one.plan.steps.length > 0) ? EXIT.differs : EXIT.done;
}
