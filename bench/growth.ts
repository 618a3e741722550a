// P2 and P3: what a look at rest costs when the number of environments grows tenfold, and tenfold again.
import { build, manifests, OLD, type Fleet } from "./fleet.ts";
import { createModel } from "./model.ts";
import type { Row } from "./row.ts";
import { ACCOUNT, openVirtual } from "./virtual.ts";

const SIZES = [10, 100, 1_000];
const PASSES = 5;
const POLL_MS = 30_000;
const CPU_MAX_MS = 5_000;
const GROWTH_MAX = 12;

interface Cost {
  readonly environments: number;
  /** Per pass. */
  readonly calls: number;
  /** Per pass; the sandbox answers in the same process and is counted too. */
  readonly cpuMs: number;
  readonly heads: number;
  /** Of the whole process after the passes. */
  readonly memoryMb: number;
}

export const growth: Row = {
  id: "P3",
  measure: `idle pass over ${SIZES.join(", ")} environments of three services each (P2 is the last of them)`,
  reference: "Flux v2.9: 1,000 Kustomizations 4 m 13 s, 223 MiB",
  target: `calls linear, CPU(10n) at most ${GROWTH_MAX} CPU(n), at most ${CPU_MAX_MS / 1000} s of CPU, one question to Git`,
  async run() {
    const costs: Cost[] = [];
    for (const size of SIZES) costs.push(await cost(size));
    const steps = costs.slice(1).map((one, index) => ({ one, before: costs[index] ?? one }));
    const linear = steps.every(
      ({ one, before }) => one.calls * before.environments === before.calls * one.environments,
    );
    const slow = steps.every(({ one, before }) => one.cpuMs <= GROWTH_MAX * before.cpuMs);
    const last = costs.at(-1);
    const words = costs.map(({ environments, calls, cpuMs, memoryMb }) => {
      return `${environments}: ${calls} calls, ${Math.round(cpuMs)} ms CPU, ${memoryMb} MB`;
    });
    return {
      measured: words.join("; "),
      met: linear && slow && (last?.cpuMs ?? Infinity) <= CPU_MAX_MS && costs.every(({ heads }) => heads === 1),
      figures: { costs },
      notes: ["CPU and memory are those of controller, SDK clients and sandbox together, in one process."],
    };
  },
};

async function cost(size: number): Promise<Cost> {
  const fleet: Fleet = {
    application: "fleet",
    environments: Array.from({ length: size }, (_, index) => `e${String(index).padStart(4, "0")}`),
    services: ["api", "worker", "mailer"],
  };
  const world = openVirtual();
  try {
    await build(world.operations, fleet);
    await world.pass(600_000);
    const model = createModel();
    model.commit(manifests(fleet, OLD));
    let heads = 0;
    const head: typeof model.source.head = (signal) => {
      heads += 1;
      return model.source.head(signal);
    };
    const counted = { ...model, source: { ...model.source, head } };
    const { engine } = await world.run(world.start(counted, `arn:aws:iam::${ACCOUNT}:role/reader`));
    await world.run(engine.pass());
    const unwell = engine.status().environments.find(({ state }) => state !== "healthy");
    if (unwell !== undefined) throw new Error(`${unwell.id} is ${unwell.state}: ${unwell.why}`);
    await world.pass(POLL_MS);
    const since = world.calls().at(-1)?.sequence ?? 0;
    heads = 0;
    const before = process.cpuUsage();
    for (let pass = 0; pass < PASSES; pass += 1) await world.run(engine.pass());
    const { user, system } = process.cpuUsage(before);
    const calls = world.calls(since).length / PASSES;
    const memoryMb = Math.round(process.memoryUsage.rss() / 2 ** 20);
    await world.run(Promise.resolve(engine[Symbol.asyncDispose]()));
    return { environments: size, calls, cpuMs: (user + system) / 1000 / PASSES, heads: heads / PASSES, memoryMb };
  } finally {
    await world.close();
  }
}
