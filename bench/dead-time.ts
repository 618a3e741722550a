// P5: how long a release waits for itself: its time on the virtual clock without the time in which AWS was at work.
import type { Recorded } from "../controller/core/event.ts";
import { waves } from "../controller/core/step.ts";
import type { Call } from "../sandbox/calls.ts";
import { createChance } from "../sandbox/chance.ts";
import type { ScriptRule } from "../sandbox/ecs/script-rules.ts";
import { build, manifests, NEW, OLD, type Fleet } from "./fleet.ts";
import { createModel } from "./model.ts";
import type { Row } from "./row.ts";
import { median } from "./row.ts";
import { openVirtual, type Virtual } from "./virtual.ts";

const RELEASES = 20;
const DEAD_MAX_MS = 2_000;
const FLEET: Fleet = {
  application: "shop",
  environments: ["prod"],
  services: ["api", "worker"],
  pages: 20,
  migrates: true,
};

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Wave {
  readonly steps: string;
  readonly wallMs: number;
  readonly busyMs: number;
  readonly deadMs: number;
}

export const deadTime: Row = {
  id: "P5",
  measure: `dead time of a release (migration, two services, page): ${RELEASES} releases whose AWS work takes differently long`,
  reference: "ecspresso looks every 10 s: 5 s of dead time per wait in the mean, 10 s at worst",
  target: `at most ${DEAD_MAX_MS / 1000} s per wave`,
  async run() {
    const chance = createChance(5);
    const releases: (readonly Wave[])[] = [];
    for (let count = 0; count < RELEASES; count += 1) releases.push(await release(rules(chance)));
    const all = releases.flat();
    const worst = all.reduce((one, other) => (other.deadMs > one.deadMs ? other : one));
    const totals = releases.map((one) => one.reduce((sum, { deadMs }) => sum + deadMs, 0));
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
    return {
      measured: `worst wave ${seconds(worst.deadMs)} (${worst.steps}); a whole release ${seconds(median(totals))} in the median, ${seconds(Math.max(...totals))} at worst`,
      met: worst.deadMs <= DEAD_MAX_MS,
      figures: {
        worstMs: worst.deadMs,
        medianReleaseMs: median(totals),
        worstReleaseMs: Math.max(...totals),
        releases,
      },
      notes: [
        "P5 counts as AWS's work: RunTask to the task's end, UpdateService to the end of the service deployment.",
      ],
    };
  },
};

/** A migration and services that take up to a minute each. */
function rules(chance: () => number): readonly ScriptRule[] {
  const upTo = (ms: number): number => Math.round(chance() * ms);
  return [
    { command: "migrate.mjs", outcome: { kind: "exit", exitCode: 0, afterMs: upTo(60_000) } },
    { image: "shop/api", outcome: { kind: "serve", healthyAfterMs: upTo(60_000) } },
    { image: "shop/worker", outcome: { kind: "serve", healthyAfterMs: upTo(60_000) } },
  ];
}

async function release(script: readonly ScriptRule[]): Promise<readonly Wave[]> {
  const world = openVirtual(script);
  try {
    await build(world.operations, FLEET);
    await world.pass(180_000);
    const model = createModel();
    model.commit(manifests(FLEET, OLD));
    const { engine, records } = await world.run(world.start(model));
    await world.run(engine.pass());
    model.commit(manifests(FLEET, NEW));
    const before = records.length;
    const since = world.calls().at(-1)?.sequence ?? 0;
    await world.run(engine.pass());
    const [status] = engine.status().environments;
    if (status?.state !== "healthy" || status.git?.sha !== NEW)
      throw new Error(`the release did not end well: ${JSON.stringify(status?.why)}`);
    const own = records.slice(before);
    const busy = await busySpans(world, own, world.calls(since));
    await world.run(Promise.resolve(engine[Symbol.asyncDispose]()));
    return wavesOf(own, busy);
  } finally {
    await world.close();
  }
}

function wavesOf(records: readonly Recorded[], busy: readonly Span[]): readonly Wave[] {
  const events = records.map(({ event, at }) => ({ event, at }));
  const started = events.flatMap(({ event }) => (event.type === "release-started" ? [event] : []))[0];
  if (started === undefined) throw new Error("no release was started");
  let fromMs: number = events.find(({ event }) => event === started)?.at ?? 0;
  return waves(started.steps, started.direction).map((wave) => {
    const own = events.filter(({ event }) => {
      return event.type === "step-settled" && wave.some((step) => event.step.startsWith(step.kind));
    });
    const toMs = Math.max(fromMs, ...own.map(({ at }) => at));
    const busyMs = covered(busy, { fromMs, toMs });
    const span = { steps: [...new Set(wave.map(({ kind }) => kind))].join(", "), wallMs: toMs - fromMs, busyMs };
    fromMs = toMs;
    return { ...span, deadMs: span.wallMs - busyMs };
  });
}

/** When AWS was at work for the release, by AWS's own times. */
async function busySpans({ operations }: Virtual, records: readonly Recorded[], calls: readonly Call[]) {
  const spans: Span[] = [];
  const cluster = "shop-prod";
  const sent = (operation: string): readonly Call[] =>
    calls.filter((call) => call.operation === operation && call.error === undefined);
  for (const { event } of records) {
    if (event.type !== "migration-task") continue;
    const answer = await operations.json("ecs", "DescribeTasks", { cluster, tasks: [event.task] });
    const [task] = answer["tasks"] as readonly { readonly stoppedAt: number }[];
    const [run] = sent("RunTask");
    if (task === undefined || run === undefined) throw new Error("the sandbox forgot the migration's task");
    spans.push({ fromMs: Date.parse(run.startedAt), toMs: task.stoppedAt * 1000 });
  }
  for (const { input, startedAt } of sent("UpdateService")) {
    const answer = await operations.json("ecs", "ListServiceDeployments", { cluster, service: input["service"] });
    const deployments = answer["serviceDeployments"] as readonly { createdAt: number; finishedAt?: number }[];
    const newest = deployments.toSorted((a, b) => b.createdAt - a.createdAt)[0];
    if (newest?.finishedAt === undefined) throw new Error("the sandbox knows no end of the deployment");
    spans.push({ fromMs: Date.parse(startedAt), toMs: newest.finishedAt * 1000 });
  }
  return spans;
}

/** How much of a span the others cover together. */
function covered(spans: readonly Span[], { fromMs, toMs }: Span): number {
  let end = fromMs;
  let sum = 0;
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const start = Math.max(end, span.fromMs);
    const stop = Math.min(toMs, span.toMs);
    if (stop > start) {
      sum += stop - start;
      end = stop;
    }
  }
  return sum;
}
