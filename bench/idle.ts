// P1: what one look at rest costs in AWS calls, with a hundred services in ten clusters behind one reader role.
import { build, manifests, OLD, type Fleet } from "./fleet.ts";
import { createModel } from "./model.ts";
import type { Row } from "./row.ts";
import { tally } from "./row.ts";
import { ACCOUNT, openVirtual } from "./virtual.ts";

const PASSES = 10;
const CALLS_MAX = 12;
const POLL_MS = 30_000;
const two = (index: number): string => String(index + 1).padStart(2, "0");

const FLEET: Fleet = {
  application: "fleet",
  environments: Array.from({ length: 10 }, (_, index) => `e${two(index)}`),
  services: Array.from({ length: 10 }, (_, index) => `s${two(index)}`),
};

export const idle: Row = {
  id: "P1",
  measure: "AWS calls of the 10th idle pass: 100 services, 10 environments and clusters, one role, no web",
  reference: "PipeCD about 312 per 15 s (1 + C + S/10 + 3S, from its source)",
  target: `at most ${CALLS_MAX} calls, no write`,
  async run() {
    const world = openVirtual();
    try {
      await build(world.operations, FLEET);
      const model = createModel();
      model.commit(manifests(FLEET, OLD));
      const { engine } = await world.run(world.start(model, `arn:aws:iam::${ACCOUNT}:role/reader`));
      await world.run(engine.pass());
      const states = engine.status().environments.map(({ id, state, why }) => ({ id, state, why }));
      const unwell = states.find(({ state }) => state !== "healthy");
      if (unwell !== undefined) throw new Error(`${unwell.id} is ${unwell.state}: ${unwell.why}`);
      const passes: Readonly<Record<string, number>>[] = [];
      for (let count = 0; count < PASSES; count += 1) {
        await world.pass(POLL_MS);
        const since = world.calls().at(-1)?.sequence ?? 0;
        await world.run(engine.pass());
        passes.push(tally(world.calls(since).map(({ service, operation }) => `${service}:${operation}`)));
      }
      await world.run(Promise.resolve(engine[Symbol.asyncDispose]()));
      const last = passes.at(-1) ?? {};
      const calls = Object.values(last).reduce((sum, count) => sum + count, 0);
      const writes = Object.keys(last).filter((name) => !/:(Describe|List|Get|AssumeRole)/.test(name));
      return {
        measured: `${calls} calls (${Object.entries(last)
          .map(([name, count]) => `${count} ${name}`)
          .join(", ")}), ${writes.length} writes`,
        met: calls <= CALLS_MAX && writes.length === 0,
        figures: { calls, writes, passes },
      };
    } finally {
      await world.close();
    }
  },
};
