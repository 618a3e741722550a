// P6: every AWS call of one release, and the reads that were made twice for the same answer.
import type { Call } from "../sandbox/calls.ts";
import { build, manifests, NEW, OLD, type Fleet } from "./fleet.ts";
import { createModel } from "./model.ts";
import type { Row } from "./row.ts";
import { tally } from "./row.ts";
import { openVirtual } from "./virtual.ts";

const FLEET: Fleet = {
  application: "shop",
  environments: ["prod"],
  services: ["api", "worker"],
  pages: 200,
  migrates: true,
};

/** Asked again on purpose, until the answer is another one. */
const POLLS = ["ecs:DescribeServices", "ecs:DescribeTasks", "logs:GetLogEvents", "cloudfront:GetInvalidation"];

export const releaseCalls: Row = {
  id: "P6",
  measure: "AWS calls of a whole release: two services, a migration, a page of 200 files, all of them new",
  reference: "PipeCD ECS_SYNC about 12 calls and its polls per service",
  target: "stated, no duplicate reads",
  async run() {
    const world = openVirtual([{ command: "migrate.mjs", outcome: { kind: "exit", exitCode: 0, afterMs: 10_000 } }]);
    try {
      await build(world.operations, FLEET);
      await world.pass(180_000);
      const model = createModel();
      model.commit(manifests(FLEET, OLD));
      const { engine } = await world.run(world.start(model));
      await world.run(engine.pass());
      const since = world.calls().at(-1)?.sequence ?? 0;
      model.commit(manifests(FLEET, NEW));
      await world.run(engine.pass());
      const [status] = engine.status().environments;
      if (status?.state !== "healthy" || status.git?.sha !== NEW)
        throw new Error(`the release did not end well: ${JSON.stringify(status?.why)}`);
      await world.run(engine[Symbol.asyncDispose]());
      return judged(world.calls(since));
    } finally {
      await world.close();
    }
  },
};

function judged(calls: readonly Call[]) {
  const operations = tally(calls.map(nameOf));
  const reads = calls.filter((call) => isRead(call) && !POLLS.includes(nameOf(call)));
  const asked = tally(reads.map((call) => `${nameOf(call)} ${JSON.stringify(call.input)}`));
  const duplicates = Object.entries(asked).filter(([, count]) => count > 1);
  const polls = calls.filter((call) => POLLS.includes(nameOf(call))).length;
  const copies = operations["s3:CopyObject"] ?? 0;
  return {
    measured: `${calls.length} calls: ${copies} CopyObject, ${polls} polls, ${calls.length - copies - polls} others; ${duplicates.length} reads made more than once`,
    met: duplicates.length === 0,
    figures: { calls: calls.length, operations, duplicates: Object.fromEntries(duplicates) },
    notes: duplicates.map(([read, count]) => `P6 ${count} times ${read.slice(0, 160)}`),
  };
}

function nameOf({ service, operation }: Call): string {
  return `${service}:${operation}`;
}

function isRead({ operation }: Call): boolean {
  return /^(Get|Head|List|Describe|BatchGet)/.test(operation);
}
