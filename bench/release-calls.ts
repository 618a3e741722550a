// P6: every AWS call of one release, and the reads that were made twice for the same answer.
import type { Call } from "../sandbox/calls.ts";
import { build, manifests, NEW, OLD, type Fleet } from "./fleet.ts";
import { createModel } from "./model.ts";
import type { Result, Row } from "./row.ts";
import { tally } from "./row.ts";
import { openVirtual } from "./virtual.ts";

const FLEET: Fleet = {
  application: "shop",
  environments: ["prod"],
  services: ["api", "worker"],
  pages: 200,
  migrates: true,
};

/** The same question within this time is a duplicate; later it is a poll, or asks what may have changed meanwhile. */
const SAME_MS = 2_000;
/**
 * Read again on purpose: the step "artifacts" proves that what was planned is still what the tags say, and no write
 * leaves on an old look at its service.
 */
const PROOFS = ["ecr:DescribeImages", "ecs:DescribeServices"];

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
      await world.run(Promise.resolve(engine[Symbol.asyncDispose]()));
      return judged(world.calls(since));
    } finally {
      await world.close();
    }
  },
};

function judged(calls: readonly Call[]): Result {
  const operations = tally(calls.map(nameOf));
  const duplicates = tally(repeated(calls.filter((call) => isRead(call) && !PROOFS.includes(nameOf(call)))));
  const [copies, writes] = [operations["s3:CopyObject"] ?? 0, calls.filter((call) => !isRead(call)).length];
  const count = Object.keys(duplicates).length;
  return {
    measured: `${calls.length} calls: ${copies} CopyObject, ${writes - copies} other writes, ${calls.length - writes} reads; ${count} questions asked twice`,
    met: count === 0,
    figures: { calls: calls.length, operations, duplicates },
    notes: [
      Object.entries(operations)
        .map(([name, times]) => `${times} ${name}`)
        .join(", "),
      ...Object.entries(duplicates).map(([read, times]) => `asked ${times + 1} times: ${read.slice(0, 160)}`),
    ],
  };
}

/** Reads whose answer was known already. */
function repeated(reads: readonly Call[]): readonly string[] {
  const lastMs = new Map<string, number>();
  return reads.flatMap((call) => {
    const question = `${nameOf(call)} ${JSON.stringify(call.input)}`;
    const atMs = Date.parse(call.startedAt);
    const known = lastMs.get(question);
    lastMs.set(question, atMs);
    return known !== undefined && atMs - known < SAME_MS ? [question] : [];
  });
}

function nameOf({ service, operation }: Call): string {
  return `${service}:${operation}`;
}

function isRead({ operation }: Call): boolean {
  return /^(Get|Head|List|Describe|BatchGet)/.test(operation);
}
