// Application + environment → one manifest, in which every value still knows the line it came from.

/** Where something stands in a file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A manifest as written: values with their positions, keys in their order. */
export type Tree = Mapping | List | Scalar;

export interface Mapping {
  readonly kind: "mapping";
  readonly at: Position;
  readonly members: ReadonlyMap<string, Member>;
}

export interface Member {
  /** Where the key stands. */
  readonly key: Position;
  readonly value: Tree;
}

export interface List {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Tree[];
}

export interface Scalar {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
}

/** Maps of named parts, in which an environment removes one with `false`. */
const NAMED = new Set(["services", "migrations", "web"]);

/**
 * The environment wins: mappings merge key by key, everything else replaces, and so does a strategy. `false` for a
 * service, migration or web removes it. Both sides have their shorthands expanded already (shorthands.ts).
 */
export function merge(application: Mapping, environment: Mapping): Mapping {
  return mergeAt(application, environment, []);
}

function mergeAt(base: Mapping, over: Mapping, path: readonly string[]): Mapping {
  const members = new Map<string, Member>();
  const keys = new Set([...base.members.keys(), ...over.members.keys()]);
  for (const key of keys) {
    const member = mergeMember(base.members.get(key), over.members.get(key), [...path, key]);
    if (member !== undefined) members.set(key, member);
  }
  return { kind: "mapping", at: over.at, members };
}

function mergeMember(base: Member | undefined, over: Member | undefined, path: readonly string[]): Member | undefined {
  const winner = over ?? base;
  if (winner === undefined || removes(winner.value, path)) return undefined;
  if (winner.value.kind !== "mapping") return winner;
  const under = base?.value.kind === "mapping" && !replaces(path) ? base.value : undefined;
  // A mapping on one side alone is walked as well: it may hold a `false` that removes something.
  if (over === undefined || under === undefined) {
    return { key: winner.key, value: mergeAt(winner.value, { ...winner.value, members: new Map() }, path) };
  }
  return { key: over.key, value: mergeAt(under, winner.value, path) };
}

function removes(value: Tree, [section, , ...deeper]: readonly string[]): boolean {
  return (
    value.kind === "scalar" &&
    value.value === false &&
    section !== undefined &&
    NAMED.has(section) &&
    deeper.length === 0
  );
}

function replaces(path: readonly string[]): boolean {
  return path[0] === "services" && path[2] === "strategy" && path.length === 3;
}

/** The plain value of a tree, as JSON would have it. Keys are own properties whatever their name. */
export function plain(tree: Tree): unknown {
  switch (tree.kind) {
    case "mapping":
      return Object.fromEntries([...tree.members].map(([key, member]) => [key, plain(member.value)]));
    case "list":
      return tree.items.map(plain);
    case "scalar":
      return tree.value;
  }
}

/** JSON pointer of every scalar and every empty collection → where its value stands. */
export function origins(tree: Tree): ReadonlyMap<string, Position> {
  const found = new Map<string, Position>();
  const walk = (node: Tree, pointer: string): void => {
    const children = childrenOf(node);
    if (children.length === 0) found.set(pointer, node.at);
    for (const [key, child] of children) walk(child, `${pointer}/${escapePointer(key)}`);
  };
  walk(tree, "");
  return found;
}

function childrenOf(tree: Tree): readonly (readonly [string, Tree])[] {
  if (tree.kind === "mapping") return [...tree.members].map(([key, member]) => [key, member.value]);
  if (tree.kind === "list") return tree.items.map((item, index) => [String(index), item]);
  return [];
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The node at a path; undefined when it is not there. */
export function nodeAt(tree: Tree, path: readonly string[]): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const key of path) {
    if (node?.kind === "mapping") node = node.members.get(key)?.value;
    else if (node?.kind === "list") node = node.items[Number(key)];
    else return undefined;
  }
  return node;
}

/** Where the key of a path stands, or its value in a list; the nearest place above it when it is not there. */
export function positionOf(tree: Tree, path: readonly string[]): Position {
  let at = tree.at;
  let node: Tree | undefined = tree;
  for (const key of path) {
    if (node.kind === "mapping") {
      const member: Member | undefined = node.members.get(key);
      if (member === undefined) return at;
      at = member.key;
      node = member.value;
    } else if (node.kind === "list") {
      const item: Tree | undefined = node.items[Number(key)];
      if (item === undefined) return at;
      at = item.at;
      node = item;
    } else return at;
  }
  return at;
}
