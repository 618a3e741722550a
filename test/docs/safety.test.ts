// docs/safety.md says only what is so: its files exist, its scripts exist, and the simulation checks what it is said to.
import { access, readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const page = await readFile(new URL("docs/safety.md", ROOT), "utf8");

interface Promised {
  readonly name: string;
  readonly simulation: string;
  readonly also: string;
}

const PROMISES: readonly Promised[] = [...page.matchAll(/^\| (I\d+) +\|(.*)\|(.*)\|(.*)\|$/gm)].map(
  ([, name = "", , simulation = "", also = ""]) => ({ name, simulation: simulation.trim(), also }),
);

/** Invariants whose violation the sources of a folder can report. */
async function checkedIn(folder: string): Promise<ReadonlySet<string>> {
  const names = (await readdir(new URL(folder, ROOT))).filter((name) => name.endsWith(".ts"));
  const texts = await Promise.all(names.map((name) => readFile(new URL(`${folder}${name}`, ROOT), "utf8")));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/violate\(\s*"(I\d+)"/g)].map(([, invariant = ""]) => invariant)),
  );
}

test("the thirteen promises stand there in order", () => {
  expect(PROMISES.map(({ name }) => name)).toEqual(Array.from({ length: 13 }, (_, index) => `I${index + 1}`));
});

test("a tier is named where the simulation has such a check", async () => {
  const [decision, wire] = [await checkedIn("test/simulation/"), await checkedIn("test/simulation/wire/")];
  for (const { name, simulation } of PROMISES) {
    const tiers = simulation.split(" ");
    if (tiers.includes("D")) expect(decision, `${name} in the decision tier`).toContain(name);
    if (tiers.includes("W")) expect([...decision, ...wire], `${name} in the wire tier`).toContain(name);
    if (simulation === "–") expect([...decision, ...wire]).not.toContain(name);
  }
});

test("every promise but the one about statuses is held by a suite that exists", async () => {
  for (const { name, also } of PROMISES.filter((one) => one.name !== "I13")) {
    expect([...also.matchAll(/`(test\/[^`]+)`/g)], name).not.toHaveLength(0);
  }
  for (const [, path = ""] of page.matchAll(/`((?:test|sandbox)\/[^`]*)`/g)) {
    await expect(access(new URL(path, ROOT)), path).resolves.toBeUndefined();
  }
});

test("every npm script it names exists, with the options it names", async () => {
  const { scripts } = JSON.parse(await readFile(new URL("package.json", ROOT), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const named = [...page.matchAll(/npm run ([\w:]+)([^`\n#]*)/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [whole, name = "", rest = ""] of named) {
    const script = scripts[name];
    expect(script, whole).toBeDefined();
    const program = /tsx (\S+)/.exec(script ?? "")?.[1];
    const source = program === undefined ? "" : await readFile(new URL(program, ROOT), "utf8");
    for (const [, option = ""] of rest.matchAll(/--(\w+)/g))
      expect(source, whole).toMatch(new RegExp(`\\b${option}: \\{`));
  }
});
