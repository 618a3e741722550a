// `npm run bench [row…]`: measures, prints a table, and keeps the figures in bench/results.json.
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { deadTime } from "./dead-time.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { releaseCalls } from "./release-calls.ts";
import type { Result, Row } from "./row.ts";
import { startUp } from "./start-up.ts";

const ROWS: readonly Row[] = [idle, growth, deadTime, releaseCalls, startUp];
/** From the root of the project, where npm runs scripts. */
const RESULTS = "bench/results.json";

type Kept = Readonly<Record<string, object>>;

/** Results of rows that were not run now stay as they were. */
async function keep(done: readonly (readonly [Row, Result])[]): Promise<void> {
  const before = await readFile(RESULTS, "utf8").then(
    (text) => (JSON.parse(text) as { readonly rows: Kept }).rows,
    (): Kept => ({}),
  );
  const now = done.map(([{ id, measure, reference, target }, { measured, met, figures }]) => {
    return [id, { measure, reference, target, measured, met, reproduce: `npm run bench ${id}`, figures }];
  });
  const machine = { node: process.version, cores: availableParallelism(), processor: cpus()[0]?.model };
  const rows = { ...before, ...(Object.fromEntries(now) as Kept) };
  await writeFile(RESULTS, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
}

function show([row, result]: readonly [Row, Result]): string {
  return [
    `${row.id}  ${row.measure}`,
    `    measured   ${result.measured}`,
    `    to reach   ${row.target}  ${result.met ? "✔" : "✖ missed"}`,
    `    reference  ${row.reference}`,
    `    reproduce  npm run bench ${row.id}`,
    ...(result.notes ?? []).map((note) => `    note       ${note}`),
    "",
  ].join("\n");
}

const wanted = process.argv.slice(2).map((name) => name.toUpperCase());
const unknown = wanted.find((name) => ROWS.every(({ id }) => id !== name));
if (unknown !== undefined)
  throw new Error(`there is no row ${unknown}; there are ${ROWS.map(({ id }) => id).join(", ")}`);

const done: (readonly [Row, Result])[] = [];
for (const row of ROWS.filter(({ id }) => wanted.length === 0 || wanted.includes(id))) {
  process.stderr.write(`${row.id} …\n`);
  const result = await row.run();
  done.push([row, result]);
  process.stdout.write(`${show([row, result])}\n`);
}
await keep(done);
if (done.some(([, { met }]) => !met)) process.exitCode = 1;
