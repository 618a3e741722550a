// The simulation by hand: `tsx test/simulation/main.ts --seeds N --from S`; prints what happened, ends 1 on a violation.
import { parseArgs } from "node:util";
import type { Recorded, Stream } from "../../controller/core/event.ts";
import { run } from "./run.ts";
import { createTally, missing } from "./tally.ts";
import { missing as missingOnTheWire } from "./wire/required.ts";
import { runOnTheWire } from "./wire/run.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    tier: { type: "string", default: "decision" },
    trace: { type: "boolean", default: false },
    counts: { type: "boolean", default: false },
  },
});

const TIERS = {
  decision: { live: run, missing, wholeFrom: 1_000 },
  wire: { live: runOnTheWire, missing: missingOnTheWire, wholeFrom: 100 },
} as const;
if (values.tier !== "decision" && values.tier !== "wire") {
  throw new Error(`there is no tier ${values.tier}; those there are: ${Object.keys(TIERS).join(", ")}`);
}
const tier = TIERS[values.tier];
const out = (line: string): void => void process.stdout.write(`${line}\n`);
const tally = createTally();

/** What is too long to be read in a line. */
const HIDDEN: ReadonlySet<string> = new Set(["desired", "what", "services", "artifacts", "log", "steps"]);

/** One line per record, as it is appended. */
function trace(stream: Stream, { at, writer, sequence, event }: Recorded): void {
  const { type, ...rest } = event;
  const said = JSON.stringify(rest, (key, value: unknown) => (HIDDEN.has(key) ? undefined : value));
  const text = said.replaceAll(/(sha256:)?([0-9a-f]{7})[0-9a-f]{9,}/g, "$2");
  out(
    `${new Date(at).toISOString().slice(11)} ${stream.replace("environment/", "")} ${sequence} ${writer} ${type} ${text}`,
  );
}

const startMs = performance.now();
let lives = 0;
let failed = 0;
const isNumber = /^[0-9]+$/.test(values.from);
for (let nth = 0; nth < Number(values.seeds); nth += 1) {
  const seed = isNumber ? String(Number(values.from) + nth) : nth === 0 ? values.from : `${values.from}+${nth}`;
  const result = await tier.live({ seed, ...(values.trace ? { onRecord: trace } : {}) });
  lives += result.lives;
  tally.add(result.tally);
  if (result.violations.length === 0) continue;
  failed += 1;
  out(`seed ${seed}: ${result.violations.slice(0, 3).join("\n  ")}`);
  out(`  replay: npm run simulate -- --seeds 1 --from ${seed}${values.tier === "wire" ? " --tier wire" : ""}`);
}
if (values.counts)
  for (const [name, count] of [...tally.counts()].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    out(`${String(count).padStart(8)} ${name}`);
const seconds = (performance.now() - startMs) / 1000;
out(`${values.seeds} seeds, ${lives} lives, ${failed} failed, ${seconds.toFixed(1)} s`);
const never = tier.missing(tally);
if (never.length > 0) out(`never happened: ${never.join(", ")}`);
// So many seeds meet everything; a run that did not has proven less than it says.
const isWhole = Number(values.seeds) >= tier.wholeFrom;
process.exitCode = failed > 0 || (isWhole && never.length > 0) ? 1 : 0;
