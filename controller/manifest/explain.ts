// `lockstep explain gates.soak`: what the schemas say about a key.
import { nearest } from "../core/nearest.ts";
import { below, branches, keysOf, resolve, SCHEMAS, type Schema, type SchemaKind } from "./schemas.ts";

export interface KeyExplanation {
  /** The key with its place: `gates.soak`, `services.<name>.count`. */
  readonly key: string;
  /** `text`, `whole number`, `list`, `one of report, repair, ignore`; alternatives are joined with "or". */
  readonly type: string;
  readonly description: string;
  readonly default?: string;
  /** Files it may stand in. */
  readonly where: readonly string[];
  readonly examples: readonly string[];
  /** Keys below it. */
  readonly children: readonly string[];
  /** True: a change of it makes a release. */
  readonly fingerprint: boolean;
  /** False: known, but refused until its behaviour comes. */
  readonly supported: boolean;
}

export interface Explanation {
  readonly entry?: KeyExplanation;
  /** Keys of like spelling when there is no such key. */
  readonly near: readonly string[];
}

const WHERE: readonly (readonly [SchemaKind, string])[] = [
  ["application", "application.yaml"],
  ["environment", "environment files"],
  ["controller", "LOCKSTEP_CONFIG"],
];

/** `path` is a key with dots, `services.api.count` or `services.<name>.count`; manifests go before the controller's file. */
export function explainKey(path: string): Explanation {
  const keys = path.split(".").filter((key) => key !== "");
  const found = WHERE.flatMap(([kind, file]) => {
    const schema = keys.length === 0 ? undefined : schemaAt(kind, keys);
    return schema === undefined ? [] : [{ kind, file, schema }];
  });
  const manifests = found.filter(({ kind }) => kind !== "controller");
  const shown = manifests.length > 0 ? manifests : found;
  const [first] = shown;
  if (first === undefined) return { near: near(keys) };
  return {
    entry: entryFor(
      keys,
      first.kind,
      first.schema,
      shown.map(({ file }) => file),
    ),
    near: [],
  };
}

function schemaAt(kind: SchemaKind, keys: readonly string[]): Schema | undefined {
  let schema: Schema | undefined = SCHEMAS[kind];
  for (const key of keys) schema = schema === undefined ? undefined : below(schema, key);
  return schema;
}

function entryFor(keys: readonly string[], kind: SchemaKind, schema: Schema, where: readonly string[]): KeyExplanation {
  return {
    key: spelled(kind, keys),
    type: typeOf(schema),
    description: schema.description ?? "",
    ...(schema.default === undefined ? {} : { default: shown(schema.default) }),
    where,
    examples: schema.examples ?? [],
    children: [...new Set([...keysOf(schema), ...(isNamed(schema) ? ["<name>"] : [])])],
    fingerprint: schema["x-fingerprint"] !== false,
    supported: supported(kind, keys),
  };
}

/** A key below one that is refused is refused with it. */
function supported(kind: SchemaKind, keys: readonly string[]): boolean {
  return keys.every((_, index) => schemaAt(kind, keys.slice(0, index + 1))?.["x-supported"] !== false);
}

/** Names that users choose are shown as `<name>`. */
function spelled(kind: SchemaKind, keys: readonly string[]): string {
  return keys
    .map((key, index) => {
      const parent = schemaAt(kind, keys.slice(0, index));
      return parent !== undefined && (isProperty(parent, key) || key.startsWith("x-")) ? key : "<name>";
    })
    .join(".");
}

function isProperty(schema: Schema, key: string): boolean {
  return keysOf(schema).includes(key);
}

/** True for a map whose keys users choose. */
function isNamed(schema: Schema): boolean {
  return branches(schema).some(({ additionalProperties }) => typeof additionalProperties === "object");
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  boolean: "true or false",
  object: "mapping",
  array: "list",
  null: "nothing",
};

function typeOf(schema: Schema): string {
  const alternatives = resolve(schema).anyOf === undefined ? [schema] : branches(schema).slice(1);
  const words = alternatives.map(resolve).flatMap((each) => {
    if (each.anyOf !== undefined) return [];
    if (each.enum !== undefined)
      return [each.enum.length === 1 ? shown(each.enum[0]) : `one of ${each.enum.map(shown).join(", ")}`];
    return [each["x-is"] ?? TYPES[each.type ?? ""] ?? "anything"];
  });
  return [...new Set(words)].join(" or ");
}

function shown(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

/** The path corrected at its first unknown key, and every path that ends in the key asked for. */
function near(keys: readonly string[]): readonly string[] {
  const corrected = WHERE.flatMap(([kind]) => {
    const found: string[] = [];
    let schema: Schema | undefined = SCHEMAS[kind];
    for (const key of keys) {
      if (schema === undefined) return [];
      const next: Schema | undefined = below(schema, key);
      const meant: string | undefined = next === undefined ? nearest(key, keysOf(schema)) : key;
      if (meant === undefined) return [];
      found.push(meant);
      schema = next ?? below(schema, meant);
    }
    return found.length === 0 ? [] : [found.join(".")];
  });
  const [wanted = ""] = keys.slice(-1);
  const elsewhere = allKeys().filter((path) => path.split(".").at(-1) === wanted);
  return [...new Set([...corrected, ...elsewhere])].slice(0, 8);
}

/** Every key of the manifests, names of users as `<name>`. */
export function allKeys(): readonly string[] {
  const found = new Set<string>();
  const walk = (schema: Schema, path: string): void => {
    for (const key of keysOf(schema)) {
      const child = below(schema, key);
      const name = path === "" ? key : `${path}.${key}`;
      if (child === undefined || found.has(name)) continue;
      found.add(name);
      walk(child, name);
    }
    const value = isNamed(schema) ? below(schema, "<name>") : undefined;
    if (value !== undefined) walk(value, `${path}.<name>`);
  };
  for (const [kind] of WHERE) walk(SCHEMAS[kind], "");
  return [...found];
}
