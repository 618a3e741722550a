// Nodes of a YAML document → a tree with positions; anchors, aliases, tags, duplicate keys and depth are refused here.
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar as YamlScalar,
  type YAMLMap,
} from "yaml";
import type { List, Mapping, Member, Position, Tree } from "../core/merge.ts";
import { problem, quoted, type Problem } from "./problem.ts";

/** Collections within collections; a manifest needs seven. */
export const DEPTH = 32;
/** Keys whose value is read as the text that stands there: YAML makes a number of `72225e2` and of an account. */
const TEXT_KEYS = new Set(["sha", "account"]);

interface Reading {
  readonly at: (offset: number) => Position;
  refuse(at: Position, message: string, hint?: string): void;
}

/** The tree of a document, and everything in it that is refused. */
export function treeOf(
  node: Node,
  at: (offset: number) => Position,
): { readonly tree: Tree; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const refuse = (where: Position, message: string, hint?: string): void => {
    problems.push(problem(where, message, hint));
  };
  return { tree: convert(node, { at, refuse }, 0), problems };
}

/** The text of a key; undefined for a key that is a collection. */
export function keyText(key: unknown): string | undefined {
  return isScalar(key) ? (key.source ?? String(key.value)) : undefined;
}

function convert(node: Node, reading: Reading, depth: number, key?: string): Tree {
  const at = reading.at(node.range?.[0] ?? 0);
  if (isAlias(node)) {
    reading.refuse(at, `alias *${node.source.slice(0, 60)}: aliases are not allowed`, "write the value out");
    return { kind: "scalar", at, value: null };
  }
  refuseProperties(node, at, reading);
  if (depth > DEPTH) {
    reading.refuse(at, `nested deeper than ${DEPTH} levels`);
    return { kind: "scalar", at, value: null };
  }
  if (isMap(node)) return convertMap(node, at, reading, depth);
  if (isSeq(node)) return convertList(node.items, at, reading, depth);
  return { kind: "scalar", at, value: isScalar(node) ? scalarValue(node, key) : null };
}

function refuseProperties(node: Node, at: Position, reading: Reading): void {
  if (isAlias(node)) return;
  if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) {
    const message = `anchor &${node.anchor.slice(0, 60)}: anchors are not allowed`;
    reading.refuse(at, message, "write the value out where it is used");
  }
  if (node.tag !== undefined) reading.refuse(at, `tag ${node.tag.slice(0, 60)}: tags are not allowed`, "remove it");
}

function convertMap(map: YAMLMap, at: Position, reading: Reading, depth: number): Mapping {
  const members = new Map<string, Member>();
  for (const pair of map.items) {
    const name = isNode(pair.key) ? pair.key : undefined;
    const key = reading.at(name?.range?.[0] ?? 0);
    const text = keyText(name);
    if (name === undefined || text === undefined) {
      reading.refuse(key, "a key must be text");
      continue;
    }
    refuseProperties(name, key, reading);
    const first = members.get(text);
    if (first !== undefined) {
      const message = `duplicate key ${quoted(text)}: it stands in line ${first.key.line} already`;
      reading.refuse(key, message, "keep one of the two");
      continue;
    }
    const value: Tree = isNode(pair.value)
      ? convert(pair.value, reading, depth + 1, text)
      : { kind: "scalar", at: key, value: null };
    members.set(text, { key, value });
  }
  return { kind: "mapping", at, members };
}

function convertList(items: readonly unknown[], at: Position, reading: Reading, depth: number): List {
  return {
    kind: "list",
    at,
    items: items.map((item) =>
      isNode(item) ? convert(item, reading, depth + 1) : { kind: "scalar", at, value: null },
    ),
  };
}

function scalarValue({ value, source }: YamlScalar, key: string | undefined): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (key !== undefined && TEXT_KEYS.has(key) && source !== undefined) return source;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return source ?? null;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isCollection(value) || isAlias(value);
}
