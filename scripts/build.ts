// Bundles the command line into dist/: one file per lazily loaded room, licences beside it. tsc checks; esbuild emits.
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Metafile } from "esbuild";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const LEGAL = ".LEGAL.txt";
const LICENCES = "THIRD-PARTY-LICENCES.txt";

/** CommonJS packages inside an ES module ask for Node's own modules by `require`. */
const REQUIRE = `import { createRequire as lockstepRequire } from "node:module"; const require = lockstepRequire(import.meta.url);`;

/** Writes the bundle into `folder`, which is emptied first. It stands flat, as deep below the package as the sources. */
export async function bundle(folder: string): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { lockstep: "controller/main.ts" },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Names stay: an error is known by its name, and a stack trace is read without its map too.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "external",
    banner: { js: REQUIRE },
    // ES modules of packages first: of a CommonJS one nothing can be left out.
    mainFields: ["module", "main"],
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const notices = outputFiles.filter(({ path }) => path.endsWith(LEGAL)).map(({ text }) => text);
  const code = outputFiles.filter(({ path }) => !path.endsWith(LEGAL));
  await Promise.all(code.map(({ path, contents }) => writeFile(join(folder, basename(path)), contents)));
  await writeFile(join(folder, LICENCES), [...(await licences(metafile)), ...new Set(notices)].join("\n"));
  // The programs that the demo's account runs as tasks; sandbox/images.ts looks for them beside itself.
  await cp(join(ROOT, "sandbox/images"), join(folder, "images"), { recursive: true });
}

/** Name, version and licence text of every package of which something was bundled. */
async function licences({ inputs }: Metafile): Promise<readonly string[]> {
  const packages = new Set(
    Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  return Promise.all([...packages].toSorted().map(licence));
}

async function licence(path: string): Promise<string> {
  const folder = join(ROOT, path);
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    readonly [key in "name" | "version" | "license"]?: string;
  };
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return [`## ${name} ${version} (${license ?? "see below"})`, "", ...texts, ""].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(join(ROOT, "dist"));
