// What the operator says: repositories and bindings, from LOCKSTEP_CONFIG or from the simple variables.
import { readFile } from "node:fs/promises";
import type { Config } from "../config.ts";
import { Fault } from "../core/fault.ts";
import type { Operator } from "../manifest/operator.ts";
import { NO_OPERATOR, readOperator } from "../manifest/operator.ts";
import { describeProblem } from "../manifest/problem.ts";

type Variables = Readonly<Record<string, string | undefined>>;
export type Place = Operator["place"];

/** Fault manifest-invalid, with every problem of the file. */
export async function openOperator(file: string | undefined, env: Variables): Promise<Operator> {
  if (file === undefined) return { place: withRegion(NO_OPERATOR.place, env) };
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new Fault(
      "manifest-invalid",
      `LOCKSTEP_CONFIG: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  const { operator, problems } = readOperator(file, text);
  if (operator === undefined) throw new Fault("manifest-invalid", problems.map(describeProblem).join("\n"));
  return {
    ...operator,
    place: withRegion((environment, application) => operator.place(environment, application), env),
  };
}

/** Where neither binding nor manifest names a region, the one of the SDK's own chain counts. */
function withRegion(place: Place, env: Variables): Place {
  const region = env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  return (environment, application) => {
    const binding = place(environment, application);
    if ("refused" in binding || region === undefined || region === "") return binding;
    return { ...binding, defaultRegion: region };
  };
}

/** Repositories of the operator's file, else the one of LOCKSTEP_REPOSITORY. */
export function repositoriesOf(
  operator: Operator,
  config: Config,
): readonly { readonly address: string; readonly branch: string }[] {
  if (operator.repositories !== undefined)
    return operator.repositories.map(({ url, branch }) => ({ address: url, branch }));
  if (config.repository !== undefined) return [{ address: config.repository, branch: config.branch }];
  throw new Fault(
    "manifest-invalid",
    `neither LOCKSTEP_REPOSITORY nor ${config.file ?? "LOCKSTEP_CONFIG"} names a repository`,
  );
}
