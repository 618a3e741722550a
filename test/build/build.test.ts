// What `npm run build` emits runs by itself: no source, no package beside it.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "../../scripts/build.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-build-"));
  await bundle(join(folder, "dist"));
  for (const name of ["package.json", "schema", "environments"])
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function lockstep(...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, LC_ALL: "C.UTF-8" };
  return (await run(process.execPath, [join(folder, "dist/lockstep.js"), ...args], { cwd: folder, env })).stdout;
}

it("the program named in package.json starts, and says its version", async () => {
  const { bin, version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly bin: { readonly lockstep: string };
    readonly version: string;
  };
  expect(bin.lockstep).toBe("dist/lockstep.js");
  expect(await lockstep("version")).toBe(`lockstep ${version}\n`);
  expect(await lockstep("--help")).toContain("lockstep — what Git says is what runs");
});

it("manifests are validated against the schemas it carries, and the schemas are printed", async () => {
  expect(await lockstep("validate")).toContain("4 files, 3 environments");
  expect(JSON.parse(await lockstep("schema", "environment"))).toMatchObject({ title: "EnvironmentManifest" });
});

it("starting loads neither AWS nor the server nor the YAML reader", async () => {
  const started = await readFile(join(folder, "dist/lockstep.js"), "utf8");
  const loaded = [...started.matchAll(/(?:from|import)"\.\/(chunk-[A-Z0-9]+\.js)"/g)].map(([, name = ""]) => name);
  const texts = await Promise.all([...new Set(loaded)].map((name) => readFile(join(folder, "dist", name), "utf8")));
  const size = texts.reduce((sum, text) => sum + text.length, started.length);
  expect(size).toBeLessThan(100_000);
});

it("the programs of the demo and the licences of every bundled package lie beside it", async () => {
  const files = await readdir(join(folder, "dist"));
  expect(files).toContain("THIRD-PARTY-LICENCES.txt");
  expect(await readdir(join(folder, "dist/images"))).toEqual(["migrate.mjs", "server.mjs", "worker.mjs"]);
  const licences = await readFile(join(folder, "dist/THIRD-PARTY-LICENCES.txt"), "utf8");
  for (const name of ["@aws-sdk/client-ecs", "hono", "pino", "simple-git", "yaml"])
    expect(licences).toContain(`## ${name} `);
});
