// The operator's file (LOCKSTEP_CONFIG): repositories, what each environment may reach, floors and limits.
import { nodeAt, plain, type Mapping, type Position } from "../core/merge.ts";
import { expandTemplate } from "../core/template.ts";
import type { Binding } from "./build.ts";
import type { BindingManifest, Manifests } from "./manifest.generated.ts";
import { isError, problem, startOf, tidy, withExcerpts, type Problem } from "./problem.ts";
import { readManifest } from "./read.ts";

export interface Operator {
  /** Undefined = the one of LOCKSTEP_REPOSITORY. */
  readonly repositories?: readonly { readonly url: string; readonly branch: string }[];
  /** What an environment may reach, or why it may reach nothing. */
  readonly place: (environment: string, application: string) => OperatorBinding | { readonly refused: string };
}

export interface OperatorBinding extends Binding {
  /** Role that may only read, for plans of pull requests. */
  readonly planRole?: string;
}

/** Without a file: the controller's own credentials for every environment. */
export const NO_OPERATOR: Operator = { place: () => ({}) };

/** Total: what is wrong with the file comes as problems. Warnings do not stop it. */
export function readOperator(
  file: string,
  text: string,
): { readonly operator?: Operator; readonly problems: readonly Problem[] } {
  const { manifest, problems } = readManifest("controller", file, text);
  const texts = new Map([[file, text]]);
  if (manifest === undefined) return { problems: withExcerpts(problems, texts) };
  const all = tidy([...problems, ...bindingProblems(manifest)]);
  if (all.some(isError)) return { problems: withExcerpts(all, texts) };
  return { operator: operatorOf(plain(manifest) as Manifests["controller"], file), problems: withExcerpts(all, texts) };
}

function operatorOf(manifest: Manifests["controller"], file: string): Operator {
  const { environments, policy, limits } = manifest;
  const bindings = Object.entries(environments ?? {}).map(([pattern, binding]) => ({ pattern, binding }));
  const guarded = policy?.promotedFrom ?? [];
  const repositories = manifest.repositories?.map(({ url, branch = "main" }) => ({ url, branch }));
  return {
    ...(repositories === undefined ? {} : { repositories }),
    place(environment, application) {
      const found = mostExact(bindings, environment, application);
      if (found === undefined && environments !== undefined) {
        const keys = bindings.map(({ pattern }) => pattern).join(", ");
        const where = `${file.split("/").at(-1) ?? file} names ${keys}`;
        return { refused: `${application}/${environment} is bound to no account: the operator's ${where}` };
      }
      const must = guarded.some((pattern) => matches(pattern, environment, application));
      return {
        ...(found === undefined ? {} : bindingOf(found.binding, environment, application)),
        ...(must ? { mustBePromoted: true } : {}),
        ...(limits?.parallel === undefined ? {} : { parallelAtMost: limits.parallel }),
      };
    },
  };
}

function bindingOf(binding: BindingManifest, environment: string, application: string): OperatorBinding {
  const { region, externalId } = binding;
  const account = accountOf(binding);
  const names = { env: environment, application, ...(account === undefined ? {} : { account }) };
  const role = roleOf(binding.role, names);
  const planRole = roleOf(binding.planRole, names);
  return {
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
    ...(role === undefined ? {} : { role }),
    ...(planRole === undefined ? {} : { planRole }),
    ...(externalId === undefined ? {} : { externalId }),
  };
}

function roleOf(template: string | undefined, names: Readonly<Record<string, string>>): string | undefined {
  const expansion = template === undefined ? undefined : expandTemplate(template, names);
  return expansion !== undefined && "text" in expansion ? expansion.text : undefined;
}

/** The account of a binding: said, or that of its role. */
function accountOf({ account, role }: BindingManifest): string | undefined {
  return account ?? /^arn:[^:]*:iam::(\d{12}):/.exec(role ?? "")?.[1];
}

interface Bound {
  readonly pattern: string;
  readonly binding: BindingManifest;
}

/** `shop/prod` before `prod` before globs, of which the first counts. */
function mostExact(bindings: readonly Bound[], environment: string, application: string): Bound | undefined {
  const exactly = (text: string): Bound | undefined => bindings.find(({ pattern }) => pattern === text);
  const glob = (): Bound | undefined => bindings.find(({ pattern }) => matches(pattern, environment, application));
  return exactly(`${application}/${environment}`) ?? exactly(environment) ?? glob();
}

function matches(pattern: string, environment: string, application: string): boolean {
  const [environments = "", applications = "*"] = pattern.split("/").reverse();
  return fits(applications, application) && fits(environments, environment);
}

/** `*` stands for any part of a name. Greedy from both ends, so that no pattern is slow. */
function fits(glob: string, name: string): boolean {
  const [first = "", ...rest] = glob.split("*");
  const last = rest.pop();
  if (last === undefined) return glob === name;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let middle = name.slice(first.length, name.length - last.length);
  for (const part of rest) {
    const found = middle.indexOf(part);
    if (found < 0) return false;
    middle = middle.slice(found + part.length);
  }
  return true;
}

/** Roles that name another account than their binding, and templates that a role cannot have. */
function bindingProblems(manifest: Mapping): readonly Problem[] {
  const environments = nodeAt(manifest, ["environments"]);
  if (environments?.kind !== "mapping") return [];
  return [...environments.members].flatMap(([pattern, { value }]) => {
    const binding = plain(value) as BindingManifest;
    const account = accountOf(binding);
    const names = { env: "prod", application: "shop", ...(account === undefined ? {} : { account }) };
    return (["role", "planRole"] as const).flatMap((key) => {
      const role = binding[key];
      const at: Position = nodeAt(value, [key])?.at ?? startOf(manifest.at.file);
      const name = `environments.${pattern}.${key}`;
      if (role === undefined) return [];
      const expansion = expandTemplate(role, names);
      if (!("text" in expansion)) {
        const hint = "templates: {application} {env} {account}";
        return [problem(at, `${name}: {${expansion.wrong}} has no meaning here`, hint)];
      }
      const own = accountOf({ role: expansion.text });
      return own === account ? [] : [problem(at, `${name} is of account ${own}, and the binding of ${account}`)];
    });
  });
}
