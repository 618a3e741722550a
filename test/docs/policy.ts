// IAM's decision, as far as the policies of docs/iam use it: actions, resources, a few conditions; a deny wins.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
import { readFile } from "node:fs/promises";

export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What IAM asks before a call goes through. Undefined resource: the action has none of its own. */
export interface Asked {
  readonly action: string;
  readonly resource: string | undefined;
  /** Condition keys with their values. A key that is not there is null. */
  readonly context: Readonly<Record<string, string>>;
}

export const many = (value: string | readonly string[]): readonly string[] =>
  typeof value === "string" ? [value] : value;

export async function readPolicy(name: string): Promise<readonly Statement[]> {
  const text = await readFile(new URL(`../../docs/iam/${name}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly Statement: readonly Statement[] }).Statement;
}

export function allows(policy: readonly Statement[], asked: Asked): boolean {
  const meant = policy.filter((statement) => isMeant(statement, asked));
  return meant.some(({ Effect }) => Effect === "Allow") && !meant.some(({ Effect }) => Effect === "Deny");
}

/** The statements that allow it. */
export function isMeant({ Action, Resource, Condition = {} }: Statement, asked: Asked): boolean {
  const { action, resource, context } = asked;
  return (
    many(Action).some((one) => fits(one, action)) &&
    many(Resource).some((one) => (resource === undefined ? one === "*" : fits(one, resource))) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, wanted, context[key])),
    )
  );
}

function holds(operator: string, wanted: string, actual: string | undefined): boolean {
  if (operator === "Null") return (actual === undefined) === (wanted === "true");
  if (actual === undefined) return false;
  if (operator === "StringEquals" || operator === "ArnEquals") return wanted === actual;
  throw new Error(`the policies use ${operator}, which this evaluation does not know`);
}

/** `*` stands for any text, as in IAM. */
function fits(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}
