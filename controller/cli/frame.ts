// The building blocks of every view: tables, state marks, quiet and strong text. Pure: views → lines.
import { STATES } from "../core/looks.ts";
import type { Line, Span, Style } from "../core/paint.ts";
import { width } from "../core/paint.ts";
import type { State } from "../core/status.ts";

/** Columns as wide as their widest cell, two blanks between them, each line indented. */
export function table(rows: readonly (readonly Line[])[], style: Style, indent = ""): readonly Line[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => width(row[column] ?? [], style))),
  );
  return rows.map((row) => {
    const cells = row.flatMap((cell, column) => {
      const gap = column === row.length - 1 ? 0 : (widths[column] ?? 0) - width(cell, style) + 2;
      return [...cell, " ".repeat(gap)];
    });
    return [indent, ...cells];
  });
}

/** `✔ healthy` in its colour. */
export function mark(state: State, text: string = STATES[state].word): Span {
  const look = STATES[state];
  return { text: text === "" ? look.symbol : `${look.symbol} ${text}`, tone: look.tone };
}

export function muted(text: string): Span {
  return { text, tone: "muted" };
}

export function strong(text: string): Span {
  return { text, bold: true };
}
