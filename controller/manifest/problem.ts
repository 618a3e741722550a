// What is wrong with a manifest, as a value: the author reads all of it at once, with the line and what to write instead.
import type { Position } from "../core/merge.ts";
import { LIMITS } from "../core/limits.ts";

/** Line and column count from 1. */
export interface Problem extends Position {
  readonly severity: "error" | "warning";
  /** One sentence without its place: `unknown key "strategi" in services.api; did you mean "strategy"?` */
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string;
  /** The source line it stands in. */
  readonly excerpt?: string;
}

export function problem(at: Position, message: string, hint?: string): Problem {
  const { file, line, column } = at;
  return { file, line, column, severity: "error", message, ...(hint === undefined ? {} : { hint }) };
}

export function warning(at: Position, message: string, hint?: string): Problem {
  return { ...problem(at, message, hint), severity: "warning" };
}

export function startOf(file: string): Position {
  return { file, line: 1, column: 1 };
}

export function isError(candidate: Problem): boolean {
  return candidate.severity === "error";
}

/** `shop/environments/prod.yaml:4:5 unknown key …; hint`: one problem on one line, whatever a file is called or holds. */
export function describeProblem({ file, line, column, message, hint }: Problem): string {
  return printable(`${file}:${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`);
}

/** Characters that end a line, move a cursor or turn the direction of text are written as their number. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

/** Sorted by place, each said once, at most LIMITS.problems of them. */
export function tidy(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(problems.map((each) => [describeProblem(each), each]));
  const sorted = [...unique.values()].sort(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.message, b.message),
  );
  const shown = sorted.slice(0, LIMITS.problems);
  const last = shown.at(-1);
  const hidden = sorted.length - shown.length;
  if (hidden === 0 || last === undefined) return shown;
  const severity = sorted.some(isError) ? "error" : "warning";
  return [...shown, { ...problem(last, `and ${hidden} more problems`), severity }];
}

/** Adds the source line to problems of the files given, by path. */
export function withExcerpts(problems: readonly Problem[], texts: ReadonlyMap<string, string>): readonly Problem[] {
  const lines = new Map([...texts].map(([file, text]) => [file, text.split(/\r?\n/)]));
  return problems.map((each) => {
    const excerpt = lines.get(each.file)?.[each.line - 1]?.slice(0, 200);
    return excerpt === undefined || excerpt.trim() === "" ? each : { ...each, excerpt };
  });
}

/** Text of an author in a message: bounded, and on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
