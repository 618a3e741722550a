// What a row of the command table holds.
import type { Line, Style } from "../core/paint.ts";
import type { Call } from "./call.ts";

export const GROUPS = ["Look", "Follow", "Set up"] as const;

/** Options as node:util parses them. */
export type OptionTable = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>>;

export interface Command {
  readonly name: string;
  readonly group: (typeof GROUPS)[number];
  /** What stands after the name: `<env> [--sha X]`. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly options: OptionTable;
  /** One line for each option. */
  readonly about: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** What else its help shows. */
  readonly more?: (style: Style) => Promise<readonly Line[]>;
  readonly load: () => Promise<(call: Call) => Promise<number>>;
}
