// The mutations by hand: `npm run mutations [-- --only NAME] [--list]`; prints what caught each, ends 1 on a survivor.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Finding } from "./attempt.ts";
import { attempt } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import { createCopy } from "./copy.ts";
import { MUTATIONS } from "./list.ts";
import type { Mutation, Proof } from "./mutation.ts";
import { proofName } from "./mutation.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AT_ONCE = 2;

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, list: { type: "boolean", default: false } },
});
const out = (line: string): void => void process.stdout.write(`${line}\n`);

/** Takes work from one list in several copies at once. */
async function each<Item>(items: readonly Item[], run: (item: Item, copy: Copy) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    const copy = await createCopy(ROOT);
    try {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item, copy);
    } finally {
      await copy.remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
}

/** Proofs that fail without any bug, with why: they prove nothing. */
async function unsound(mutations: readonly Mutation[]): Promise<ReadonlyMap<string, string>> {
  const proofs = new Map<string, Proof>();
  for (const proof of mutations.flatMap(({ caughtBy }) => caughtBy)) proofs.set(proofName(proof), proof);
  const found = new Map<string, string>();
  await each([...proofs], async ([name, proof], { folder }) => {
    const finding = await attempt(folder, proof);
    if (finding.state !== "survived") found.set(name, finding.state === "caught" ? finding.by : finding.why);
  });
  return found;
}

async function tryOut(mutation: Mutation, copy: Copy): Promise<boolean> {
  const startMs = performance.now();
  const findings = await copy.with(mutation, async () => {
    const all: (readonly [Proof, Finding])[] = [];
    for (const proof of mutation.caughtBy) all.push([proof, await attempt(copy.folder, proof)]);
    return all;
  });
  const caught = findings.every(([, { state }]) => state === "caught");
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  out(`${caught ? "killed  " : "SURVIVED"} ${seconds.padStart(3)} s  ${mutation.name}: ${mutation.breaks}`);
  for (const [proof, finding] of findings) {
    const how = finding.state === "caught" ? finding.by : finding.state === "broken" ? finding.why : "noticed nothing";
    out(`                 ${proofName(proof)}: ${finding.state === "caught" ? "" : "! "}${how}`);
  }
  return caught;
}

const chosen = MUTATIONS.filter(({ name }) => values.only === undefined || values.only.includes(name));
if (values.list) {
  for (const { name, breaks, file } of chosen) out(`${name}\n  breaks: ${breaks}\n  in ${file}`);
} else if (chosen.length === 0) {
  out(`there is no mutation ${values.only?.join(", ")}; --list names all ${MUTATIONS.length}`);
  process.exitCode = 1;
} else {
  const startMs = performance.now();
  const wrong = await unsound(chosen);
  for (const [name, why] of wrong) out(`fails without any mutation: ${name}: ${why}`);
  const provable = chosen.filter(({ caughtBy }) => !caughtBy.some((proof) => wrong.has(proofName(proof))));
  let survivors = 0;
  await each(provable, async (mutation, copy) => {
    if (!(await tryOut(mutation, copy))) survivors += 1;
  });
  const unproven = chosen.length - provable.length;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  out(
    `${chosen.length} mutations, ${provable.length - survivors} killed, ${survivors} survived, ${unproven} unproven, ${seconds} s`,
  );
  process.exitCode = survivors + unproven > 0 ? 1 : 0;
}
