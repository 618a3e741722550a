// Writes the TypeScript types of the manifests from their JSON Schemas into controller/manifest/manifest.generated.ts.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compile, type JSONSchema } from "json-schema-to-typescript";

const SCHEMAS = new URL("../schema/", import.meta.url);
export const GENERATED = new URL("../controller/manifest/manifest.generated.ts", import.meta.url);

const BANNER = `// Types of the manifests as written, generated from schema/*.schema.json by scripts/generate-types.ts: do not edit.`;

/** The text that belongs into the generated file. */
export async function generatedTypes(): Promise<string> {
  const kinds = ["application", "environment", "controller"];
  const root: JSONSchema = {
    title: "Manifests",
    description: "The files a user writes, by kind.",
    type: "object",
    additionalProperties: false,
    required: kinds,
    properties: Object.fromEntries(kinds.map((kind) => [kind, { $ref: `./${kind}.schema.json` }])),
  };
  return compile(root, "Manifests", {
    bannerComment: BANNER,
    cwd: fileURLToPath(SCHEMAS),
    additionalProperties: false,
    format: false,
    ignoreMinAndMaxItems: true,
    $refOptions: { resolve: { file: { order: 1, canRead: true, read: readSchema } } },
  });
}

/** Keys that begin with x- are ignored when a manifest is read, so its types do not know them. */
async function readSchema(file: { readonly url: string }): Promise<string> {
  const path = file.url.startsWith("file:") ? fileURLToPath(file.url) : file.url;
  return JSON.stringify(JSON.parse(await readFile(path, "utf8")), (key: string, value: unknown) =>
    key === "patternProperties" ? undefined : value,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(GENERATED, await generatedTypes());
