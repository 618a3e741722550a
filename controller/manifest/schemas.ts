// The three schemas, read by the validator, the support check, the fingerprint's projection and `lockstep explain`.
import application from "../../schema/application.schema.json" with { type: "json" };
import controller from "../../schema/controller.schema.json" with { type: "json" };
import environment from "../../schema/environment.schema.json" with { type: "json" };

/** The part of draft-07 that the schemas use, and three words of their own. */
export interface Schema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly examples?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly definitions?: Readonly<Record<string, Schema>>;
  /** True: a change of it makes a release (release.md, "Fingerprint"). */
  readonly "x-fingerprint"?: boolean;
  /** False: known, and refused until its behaviour comes. */
  readonly "x-supported"?: boolean;
  /** What a text must be, in words: "a duration such as 20m". */
  readonly "x-is"?: string;
}

export type SchemaKind = "application" | "environment" | "controller";

/** Schemas by kind, every reference made absolute. */
export const SCHEMAS: Readonly<Record<SchemaKind, Schema>> = {
  application: absolute(application, fileOf("application")) as Schema,
  environment: absolute(environment, fileOf("environment")) as Schema,
  controller: absolute(controller, fileOf("controller")) as Schema,
};

export function fileOf(kind: SchemaKind): string {
  return `${kind}.schema.json`;
}

function absolute(value: unknown, file: string): unknown {
  if (Array.isArray(value)) return value.map((item) => absolute(item, file));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === "$ref" && typeof member === "string" && member.startsWith("#") ? file + member : absolute(member, file),
    ]),
  );
}

/** The schema a reference leads to, with nothing left to follow. */
export function resolve(schema: Schema): Schema {
  let found = schema;
  for (let hops = 0; found.$ref !== undefined && hops < 10; hops++) {
    const [file = "", pointer = ""] = found.$ref.split("#");
    const kind = file.replace(".schema.json", "") as SchemaKind;
    let target: unknown = SCHEMAS[kind];
    for (const key of pointer.split("/").slice(1)) target = (target as Readonly<Record<string, unknown>>)[key];
    found = target as Schema;
  }
  return found;
}

/** The schema and its alternatives. */
export function branches(schema: Schema): readonly Schema[] {
  const own = resolve(schema);
  return own.anyOf === undefined ? [own] : [own, ...own.anyOf.flatMap(branches)];
}

/** What stands for one more key: a property, a pattern, or the value of a map of names. Undefined = no such key. */
export function below(schema: Schema, key: string): Schema | undefined {
  for (const branch of branches(schema)) {
    const property = Object.hasOwn(branch.properties ?? {}, key) ? branch.properties?.[key] : undefined;
    if (property !== undefined) return resolve(property);
    for (const [pattern, value] of Object.entries(branch.patternProperties ?? {})) {
      if (new RegExp(pattern).test(key)) return resolve(value);
    }
    if (typeof branch.additionalProperties === "object") return preferred(branch.additionalProperties);
    if (branch.items !== undefined && /^\d+$/.test(key)) return resolve(branch.items);
  }
  return undefined;
}

/** Of alternatives the one that describes something: `services.api` is a service, although it may also be `false`. */
function preferred(schema: Schema): Schema {
  return branches(schema).find((branch) => branch.description !== undefined) ?? resolve(schema);
}

/** Keys that may stand below a schema by name. */
export function keysOf(schema: Schema): readonly string[] {
  return branches(schema).flatMap((branch) => Object.keys(branch.properties ?? {}));
}
