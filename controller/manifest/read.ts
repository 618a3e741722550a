// One file of YAML → a valid manifest with its positions, or everything that is wrong with it.
import { LIMITS } from "../core/limits.ts";
import type { Mapping } from "../core/merge.ts";
import type { ManifestFile } from "../ports.ts";
import { isError, problem, startOf, tidy, type Problem } from "./problem.ts";
import type { SchemaKind } from "./schemas.ts";
import { writtenOut } from "./shorthands.ts";
import { unsupported } from "./support.ts";
import { asMapping, isPrefix, violations } from "./validate.ts";
import { parseYaml } from "./yaml.ts";

export interface Read {
  /** The manifest with its shorthands written out; undefined when there is a problem of severity error. */
  readonly manifest?: Mapping;
  /** The file as far as it could be understood, for what is told about a broken one. */
  readonly raw?: Mapping;
  readonly problems: readonly Problem[];
}

/** Total: whatever the text, what is wrong comes as problems, all of them. */
export function readManifest(kind: SchemaKind, file: string, text: string): Read {
  const parsed = parseYaml(file, text);
  if (parsed.tree === undefined) return { problems: tidy(parsed.problems) };
  const raw = asMapping(parsed.tree);
  if (!("kind" in raw)) return { problems: tidy([...parsed.problems, raw]) };
  const manifest = kind === "controller" ? raw : writtenOut(raw);
  const later = unsupported(kind, manifest);
  // What a key that is refused anyway should have looked like helps nobody.
  const wrong = violations(kind, raw).filter(({ path }) => !later.some((each) => isPrefix(each.path, path)));
  const located = [...later, ...wrong].map((each) => each.problem);
  const problems = tidy([...parsed.problems, ...located, ...twice(raw)]);
  return problems.some(isError) ? { raw, problems } : { manifest, raw, problems };
}

/** The short and the long form of one migration in one file. */
function twice(raw: Mapping): readonly Problem[] {
  const long = raw.members.get("migrations")?.value;
  const both = raw.members.has("migrate") && long?.kind === "mapping" ? long.members.get("migrate") : undefined;
  const message = "`migrate` is short for migrations.migrate, and both are given";
  return both === undefined ? [] : [problem(both.key, message, "keep one of the two")];
}

/** The same for a file of the repository, which may be one that is never read. */
export function readManifestFile(kind: SchemaKind, file: ManifestFile): Read {
  const text = textOf(file);
  return typeof text === "string" ? readManifest(kind, file.path, text) : { problems: [text] };
}

/** The text of a file, or why it is not read: symlinks, submodules, what is too large or not UTF-8. */
export function textOf(file: ManifestFile): string | Problem {
  if (file.path.split("/").includes("..")) return problem(startOf(file.path), "a path with .. is not read");
  if (file.text !== undefined && /^100(644|755)$/.test(file.mode)) return file.text;
  const what =
    file.refused ?? refusals.get(file.mode) ?? `not a plain file of at most ${LIMITS.manifestBytes / 1024} KiB`;
  return problem(startOf(file.path), `the file is not read: ${what}`, "commit a plain text file in UTF-8");
}

const refusals = new Map([
  ["120000", "it is a symbolic link"],
  ["160000", "it is a submodule"],
]);
