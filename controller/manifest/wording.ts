// What a validator found, in words an author can act on.
import { didYouMean } from "../core/nearest.ts";
import { quoted } from "./problem.ts";
import { branches, keysOf, SCHEMAS, type Schema } from "./schemas.ts";

/** What a validator says about one value: the failed keyword, its argument, and the value. */
export interface Finding {
  readonly keyword: string;
  readonly path: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
  /** The schema the keyword stands in. */
  readonly schema: Schema;
  readonly value: unknown;
}

export interface Words {
  readonly message: string;
  readonly hint?: string;
}

const ORDER = new Map([
  [">=", "at least"],
  ["<=", "at most"],
]);

/** The sentence for a finding. */
export function wordsFor(finding: Finding): Words {
  const { keyword, params, schema, value } = finding;
  const where = nameOf(finding.path);
  switch (keyword) {
    case "additionalProperties":
      return unknownKey(String(params["additionalProperty"]), finding);
    case "propertyNames":
      return {
        message: `${quoted(String(params["propertyName"]))} is not a valid name in ${where}`,
        hint: expectation(schema.propertyNames) ?? "choose another name",
      };
    case "required":
      return { message: `${nameOf([...finding.path, String(params["missingProperty"])])} is missing` };
    case "type":
      return wrongKind(where, schema["x-is"] === undefined ? wanted([schema]) : [schema["x-is"]], value);
    case "anyOf":
      return wrongKind(where, wanted(branches(schema).slice(1)), value);
    case "enum":
      return notListed(where, schema.enum ?? [], value);
    case "pattern":
      return { message: `${where}: ${quoted(String(value))} is not ${schema["x-is"] ?? "of the right form"}` };
    case "minimum":
    case "maximum":
      return { message: `${where} must be ${ORDER.get(String(params["comparison"]))} ${String(params["limit"])}` };
    case "minLength":
    case "minItems":
    case "minProperties":
      return { message: `${where} is empty` };
    case "maxProperties":
      return { message: `${where} holds too many keys: at most ${String(params["limit"])}` };
    case "maxLength":
    case "maxItems":
      return { message: `${where} is too long: at most ${String(params["limit"])}` };
    default:
      return { message: `${where} is not valid (${keyword})` };
  }
}

/** `services.api.count`; "the file" for its top, and the short name of what has one. */
export function nameOf(path: readonly string[]): string {
  if (path.length === 0) return "the file";
  const shown = path[0] === "migrations" && path[1] === "migrate" ? path.slice(1) : path;
  return shown.map((key, index) => (/^\d+$/.test(key) ? `[${key}]` : `${index === 0 ? "" : "."}${key}`)).join("");
}

/** Keys that one of the two files knows and the other does not. */
const ELSEWHERE: readonly { readonly title: string; readonly twin: Schema; readonly place: string }[] = [
  { title: "ApplicationManifest", twin: SCHEMAS.environment, place: "an environment's file" },
  { title: "EnvironmentManifest", twin: SCHEMAS.application, place: "application.yaml" },
  ...["service", "web"].map((part) => ({
    title: part === "service" ? "ServiceManifest" : "WebManifest",
    twin: SCHEMAS.environment.definitions?.[part] ?? {},
    place: "an environment's file",
  })),
];

function unknownKey(key: string, { path, schema }: Finding): Words {
  const elsewhere = ELSEWHERE.find(({ title }) => title === schema.title);
  if (elsewhere !== undefined && keysOf(elsewhere.twin).includes(key)) {
    return { message: `${nameOf([...path, key])} has its place in ${elsewhere.place}, not here` };
  }
  const inside = path.length === 0 ? "" : ` in ${nameOf(path)}`;
  const guess = didYouMean(key, keysOf(schema));
  const message = `unknown key ${quoted(key)}${inside}${guess}`;
  const known = keysOf(schema);
  return guess === "" && known.length > 0 ? { message, hint: `known keys: ${known.join(", ")}` } : { message };
}

function notListed(where: string, allowed: readonly unknown[], value: unknown): Words {
  const words = allowed.map(String);
  const shown = typeof value === "string" ? quoted(value) : String(value);
  const guess = typeof value === "string" ? didYouMean(value, words) : "";
  return { message: `${where}: ${shown} is not allowed${guess}`, hint: `allowed: ${words.join(", ")}` };
}

function wrongKind(where: string, kinds: readonly string[], value: unknown): Words {
  if (value === null) return { message: `${where} is empty`, hint: `write ${kinds.join(" or ")}` };
  const message = `${where} must be ${kinds.join(" or ")}, not ${kindOf(value)}`;
  const quotable = kinds.includes("text") && (typeof value === "number" || typeof value === "boolean");
  if (quotable) return { message, hint: "put it in quotes" };
  const braces = typeof value === "object" && !Array.isArray(value) && kinds.includes("text");
  return braces ? { message, hint: "put a text that begins with { in quotes" } : { message };
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "a mapping",
  array: "a list",
  null: "empty",
};

function wanted(schemas: readonly Schema[]): readonly string[] {
  const kinds = schemas.flatMap((schema) => {
    if (schema.type === undefined || schema.type === "null") return [];
    if (schema.type === "boolean" && schema.enum !== undefined) return schema.enum.map(String);
    return [KINDS[schema.type] ?? schema.type];
  });
  return [...new Set(kinds)];
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? quoted(value) : JSON.stringify(value);
}

function expectation(schema: Schema | undefined): string | undefined {
  return schema === undefined ? undefined : branches(schema).find((branch) => branch["x-is"] !== undefined)?.["x-is"];
}
