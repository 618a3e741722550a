// Templates in strings of manifests: `{application} {env} {service} {account} {region} {sha} {sha7}` and nothing else.

export const PLACEHOLDERS = ["application", "env", "service", "account", "region", "sha", "sha7"] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** What the placeholders stand for here; one that is left out has no meaning here. */
export type Values = { readonly [Name in Placeholder]?: string };

export type Expansion =
  | { readonly text: string }
  | {
      /** What stands between the braces, or the lone brace. */
      readonly wrong: string;
      /** `unknown`: no such placeholder; `absent`: it has no value here; `brace`: a brace without its partner. */
      readonly why: "unknown" | "absent" | "brace";
    };

/** Braces and what stands between them; a lone brace matches by itself. */
const BRACES = /\{([^{}]*)\}|[{}]/g;

/** Puts the values in; the first thing in braces that is not a placeholder with a value is reported instead. */
export function expandTemplate(template: string, values: Values): Expansion {
  let text = "";
  let from = 0;
  for (const match of template.matchAll(BRACES)) {
    const name = match[1];
    if (name === undefined) return { wrong: match[0], why: "brace" };
    if (!isPlaceholder(name)) return { wrong: name, why: "unknown" };
    const value = values[name];
    if (value === undefined) return { wrong: name, why: "absent" };
    text += template.slice(from, match.index) + value;
    from = match.index + match[0].length;
  }
  return { text: text + template.slice(from) };
}

/** True when the template holds one of the placeholders. */
export function holds(template: string, ...names: readonly Placeholder[]): boolean {
  return names.some((name) => template.includes(`{${name}}`));
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}
