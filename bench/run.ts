// Bundles the rows and runs them as plain JavaScript: a loader that translates sources would be measured too, and takes
// real time at moments at which virtual time stands still.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const BUNDLE = "node_modules/.cache/lockstep-bench/main.mjs";

await build({
  absWorkingDir: ROOT,
  entryPoints: ["bench/main.ts"],
  outfile: BUNDLE,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  mainFields: ["module", "main"],
  banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` },
  sourcemap: "inline",
  external: ["esbuild"],
  logLevel: "warning",
});
const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
const args = ["--enable-source-maps", BUNDLE, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: "inherit" });
const [code] = (await once(child, "close")) as [number | null];
process.exitCode = code ?? 1;
