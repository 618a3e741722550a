// A tree against its schema: every error of ajv as a problem at the line and column it is about.
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { plain, positionOf, type Mapping, type Tree, nodeAt } from "../core/merge.ts";
import { problem, type Problem } from "./problem.ts";
import { branches, fileOf, resolve, SCHEMAS, type Schema, type SchemaKind } from "./schemas.ts";
import { wordsFor } from "./wording.ts";

interface Located {
  readonly path: readonly string[];
  readonly problem: Problem;
}

/** Everything in which the tree departs from the schema of its kind, by path. */
export function violations(kind: SchemaKind, tree: Tree): readonly Located[] {
  const validate = ajv().getSchema(fileOf(kind));
  if (validate === undefined) throw new Error(`assertion failed: no schema ${kind}`);
  return findings(validate, plain(tree), []).map((finding) => locate(finding, tree));
}

/** A command validates few files: inlining, optimising and checking the schemas, which a test does, would only cost. */
const OPTIONS: Options = {
  allErrors: true,
  verbose: true,
  strict: true,
  strictRequired: false,
  logger: false,
  meta: false,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
};

let instance: Ajv | undefined;

/** Made when first needed: compiling costs more than most commands take. */
function ajv(): Ajv {
  if (instance !== undefined) return instance;
  const made = new Ajv(OPTIONS);
  for (const word of ["x-fingerprint", "x-supported", "x-is"]) made.addKeyword({ keyword: word });
  for (const [kind, schema] of Object.entries(SCHEMAS)) made.addSchema(schema, fileOf(kind as SchemaKind));
  instance = made;
  return made;
}

interface Found {
  readonly error: ErrorObject;
  readonly path: readonly string[];
}

/**
 * Of alternatives ajv reports every one that failed. Only the alternative whose kind of value stands there can be meant,
 * so the value is validated once more against that one alone.
 */
function findings(validate: ValidateFunction, value: unknown, path: readonly string[]): readonly Found[] {
  if (validate(value)) return [];
  const said = withoutKeyDetails(validate.errors ?? []);
  const errors = said.map((error) => ({ error, path: segments(error.instancePath) }));
  const forks = errors.filter(({ error }) => error.keyword === "anyOf");
  const outermost = forks.filter((fork) => !forks.some((other) => other !== fork && isInside(fork.path, other.path)));
  const plainly = errors.filter((each) => !outermost.some((fork) => within(each, fork)));
  return [
    ...plainly.map((each) => ({ ...each, path: [...path, ...each.path] })),
    ...outermost.flatMap((fork) => chosen(fork, path)),
  ];
}

/** What is wrong with a key comes twice, and only its `propertyNames` says which key it is. */
function withoutKeyDetails(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const keys = errors.filter(({ keyword }) => keyword === "propertyNames");
  return errors.filter(
    (error) =>
      error.keyword === "propertyNames" ||
      !keys.some(({ instancePath, params }) => {
        const { propertyName } = params as { readonly propertyName: unknown };
        return instancePath === error.instancePath && propertyName === error.data;
      }),
  );
}

function chosen(fork: Found, path: readonly string[]): readonly Found[] {
  const whole = [...path, ...fork.path];
  const value: unknown = fork.error.data;
  const alternatives = (fork.error.schema as readonly Schema[]).flatMap((each) => withoutForks(each));
  const meant = alternatives.find((each) => fits(resolve(each), value));
  return meant === undefined ? [{ ...fork, path: whole }] : findings(compiled(meant), value, whole);
}

function withoutForks(schema: Schema): readonly Schema[] {
  return resolve(schema).anyOf === undefined ? [schema] : branches(schema).slice(1);
}

const compiledSchemas = new WeakMap<Schema, ValidateFunction>();

function compiled(schema: Schema): ValidateFunction {
  const known = compiledSchemas.get(schema);
  if (known !== undefined) return known;
  const made = ajv().compile(schema);
  compiledSchemas.set(schema, made);
  return made;
}

function fits(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
    case "number":
      return typeof value === "number";
    case "null":
      return value === null;
    default:
      return typeof value === schema.type;
  }
}

/** The errors of a fork's alternatives stand at the fork or below it. */
function within(each: Found, fork: Found): boolean {
  return isInside(each.path, fork.path) || (each.path.length === fork.path.length && isPrefix(fork.path, each.path));
}

function isInside(path: readonly string[], outer: readonly string[]): boolean {
  return path.length > outer.length && isPrefix(outer, path);
}

export function isPrefix(outer: readonly string[], path: readonly string[]): boolean {
  return outer.every((key, index) => path[index] === key);
}

function segments(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function locate({ error, path }: Found, tree: Tree): Located {
  const { keyword, params, data } = error;
  const words = wordsFor({ keyword, path, params, schema: error.parentSchema as Schema, value: data });
  const { additionalProperty, propertyName } = params as Readonly<Record<string, unknown>>;
  const key = additionalProperty ?? propertyName;
  const about = typeof key === "string" ? [...path, key] : path;
  const node = nodeAt(tree, about);
  const kind = keyword === "type" || keyword === "anyOf";
  const itself = node?.kind === "scalar" ? node.value !== null && typeof key !== "string" : kind;
  const at = itself && node !== undefined ? node.at : positionOf(tree, about);
  return { path: about, problem: problem(at, words.message, words.hint) };
}

/** A mapping as the top of a file, or the problem that it is none. */
export function asMapping(tree: Tree): Mapping | Problem {
  return tree.kind === "mapping" ? tree : problem(tree.at, "the file must hold keys and values");
}
