// The demo's story as people run it: a process that plays a week of releases and checks each line against AWS.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Told } from "../../controller/core/told.ts";
import { type Child, plainEnvironment, startProgram } from "../end-to-end/support/child.ts";

let folder: string;
let child: Child | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-story-"));
});
afterEach(async () => {
  if (child?.isRunning() === true) {
    child.kill("SIGTERM");
    await child.ended;
  }
  await rm(folder, { recursive: true, force: true });
});

function demo(...args: readonly string[]): Child {
  child = startProgram("controller/main.ts", ["demo", ...args], { ...plainEnvironment(folder), TMPDIR: folder });
  return child;
}

/** What the demo left of its own; the loader of TypeScript keeps a folder beside it. */
async function left(): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith("lockstep-demo-"));
}

function toldBy(stdout: string): readonly Told[] {
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Told]));
}

test("every line comes true, each with the calls it was checked with, and nothing is left behind", async () => {
  const one = demo("--story", "--json");
  expect({ code: await one.ended, untrue: toldBy(one.stdout()).find(({ kind }) => kind === "untrue") }).toEqual({
    code: 0,
    untrue: undefined,
  });
  const told = toldBy(one.stdout());
  const lines = told.flatMap((line) => (line.kind === "true" ? [line] : []));
  expect(lines.length).toBeGreaterThan(20);
  for (const { evidence } of lines) {
    expect(evidence.length).toBeGreaterThan(0);
    for (const { by, found } of evidence) {
      expect(by).toMatch(/^(aws [a-z0-9]+ |GET http:\/\/127\.0\.0\.1:|git ls-remote )/);
      expect(found).not.toBe("");
    }
  }
  const chapters = told.flatMap((line) => (line.kind === "chapter" ? [line.title.toLowerCase()] : []));
  for (const word of ["converge", "promotion", "migration", "crash", "hold", "hand", "revert"])
    expect(chapters.some((title) => title.includes(word))).toBe(true);
  expect(told.at(-1)).toMatchObject({ kind: "end", lines: lines.length });
  expect(await left()).toEqual([]);
}, 150_000);

test("with UpdateService denied it exits 1 at the line that became untrue, and names the cause", async () => {
  const one = demo("--story", "--fault", "UpdateService:denied");
  expect(await one.ended).toBe(1);
  expect(one.stdout()).toContain("✖ dev runs ");
  expect(one.stdout()).toMatch(/expected {2}images shop\/api@sha256:/);
  expect(one.stdout()).toMatch(/found {5}api shop-api-dev:1 /);
  expect(one.stdout()).toMatch(/given up {2}denied: UpdateService of service \w+ in cluster dev/);
  expect(one.stdout()).not.toContain("came true");
  expect(one.stderr()).toContain("The controller's own words");
  expect(one.stderr()).toContain("shop/dev");
  expect(await left()).toEqual([]);
});

test("stopped in the middle it ends every task and removes every file", async () => {
  const one = demo("--story");
  await one.says(/✔ the controller watches the repository/);
  one.kill("SIGINT");
  expect(await one.ended).toBe(130);
  expect(await left()).toEqual([]);
});

test("without a terminal it asks for --story, and a fault it cannot order is wrong usage", async () => {
  const keys = demo();
  expect(await keys.ended).toBe(64);
  expect(keys.stderr()).toContain("lockstep demo --story");
  const fault = demo("--story", "--fault", "UpdateService");
  expect(await fault.ended).toBe(64);
  expect(fault.stderr()).toContain("--fault UpdateService:denied");
});
