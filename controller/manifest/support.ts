// Keys that are known and whose behaviour comes later: refused by name, never ignored.
import type { Mapping, Tree } from "../core/merge.ts";
import { problem, type Problem } from "./problem.ts";
import { below, SCHEMAS, type Schema, type SchemaKind } from "./schemas.ts";
import { nameOf } from "./wording.ts";

export interface Unsupported {
  readonly path: readonly string[];
  readonly problem: Problem;
}

/** Every key in a manifest, shorthands written out, that this version would not act on. */
export function unsupported(kind: SchemaKind, manifest: Mapping): readonly Unsupported[] {
  const found: Unsupported[] = [];
  const walk = (tree: Tree, schema: Schema, path: readonly string[]): void => {
    if (tree.kind === "list") {
      for (const [index, item] of tree.items.entries()) step(item, tree.at, schema, [...path, String(index)]);
    }
    if (tree.kind !== "mapping") return;
    for (const [key, member] of tree.members) step(member.value, member.key, schema, [...path, key]);
  };
  const step = (tree: Tree, at: Tree["at"], parent: Schema, path: readonly string[]): void => {
    const schema = below(parent, path.at(-1) ?? "");
    if (schema === undefined) return;
    if (schema["x-supported"] !== false) return walk(tree, schema, path);
    const message = `${nameOf(path)} is not supported yet`;
    found.push({ path, problem: problem(at, message, "remove it: this version of Lockstep would not act on it") });
  };
  walk(manifest, SCHEMAS[kind], []);
  return found;
}

/** The part of a manifest that makes a release: keys that act at once are left out, as their schema declares. */
export function released(kind: SchemaKind, manifest: Mapping): Tree {
  const project = (tree: Tree, schema: Schema): Tree => {
    if (tree.kind !== "mapping") return tree;
    const members = [...tree.members].flatMap(([key, member]) => {
      const found = below(schema, key);
      if (found === undefined) return [[key, member] as const];
      return found["x-fingerprint"] === false
        ? []
        : [[key, { ...member, value: project(member.value, found) }] as const];
    });
    return { ...tree, members: new Map(members) };
  };
  return project(manifest, SCHEMAS[kind]);
}
