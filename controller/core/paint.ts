// Lines of text with tones → what a terminal gets: truncation, colours, ASCII where nothing else is shown.
import type { Tone } from "./looks.ts";
import { STATES } from "./looks.ts";

export interface Span {
  readonly text: string;
  readonly tone?: Tone;
  readonly bold?: boolean;
}
export type Line = readonly (Span | string)[];

export interface Style {
  readonly colour: boolean;
  readonly unicode: boolean;
  /** Longer lines are cut, for a block that is redrawn; undefined = lines stay whole. */
  readonly columns?: number;
}

const COLOURS: { readonly [Name in Tone]: string } = {
  ok: "32",
  run: "36",
  wait: "33",
  bad: "31",
  drift: "35",
  muted: "2",
};

/** What a terminal outside UTF-8 shows instead of the characters our own texts use. */
const ASCII: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.values(STATES).map(({ symbol, ascii }) => [symbol, ascii])),
  "→": "->",
  "…": "...",
  "·": "-",
  "–": "-",
  "—": "-",
  "►": ">",
  "│": "|",
  "“": '"',
  "”": '"',
  "’": "'",
};

/** Text of others never moves the cursor or hides itself: control and direction characters become a blank or `?`. */
export function clean(text: string): string {
  return (
    text
      .replace(/\t/g, "  ")
      .replace(/[\r\n]+/g, " ")
      // eslint-disable-next-line no-control-regex -- removing them is what this is for
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "?")
  );
}

/**
 * JSON that a terminal may show: JSON itself escapes control characters below U+0020 only. The others stand in its
 * strings alone, so that writing them as escapes changes nothing of what it says.
 */
export function cleanJson(json: string): string {
  return json.replace(
    // eslint-disable-next-line no-control-regex -- escaping them is what this is for
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function legible(text: string, style: Style): string {
  const whole = clean(text);
  // eslint-disable-next-line no-control-regex -- everything but ASCII is looked up
  return style.unicode ? whole : whole.replace(/[^\u0000-\u007f]/gu, (letter) => ASCII[letter] ?? "?");
}

function spans(line: Line, style: Style): readonly Span[] {
  return line.map((span) => {
    const whole = typeof span === "string" ? { text: span } : span;
    return { ...whole, text: legible(whole.text, style) };
  });
}

/** Columns a line takes; every character of our texts takes one. */
export function width(line: Line, style: Style): number {
  return spans(line, style).reduce((sum, span) => sum + Array.from(span.text).length, 0);
}

/** Each line ends with a newline. */
export function paint(lines: readonly Line[], style: Style): string {
  return lines.map((line) => `${paintLine(line, style)}\n`).join("");
}

function paintLine(line: Line, style: Style): string {
  const whole = trimmed(spans(line, style));
  const fitting = style.columns === undefined ? whole : cut(whole, style.columns, style);
  return fitting.map((span) => paintSpan(span, style)).join("");
}

function trimmed(parts: readonly Span[]): readonly Span[] {
  const last = parts.at(-1);
  if (last === undefined) return parts;
  const text = last.text.trimEnd();
  const rest = parts.slice(0, -1);
  return text === "" ? trimmed(rest) : [...rest, { ...last, text }];
}

function cut(parts: readonly Span[], columns: number, style: Style): readonly Span[] {
  const total = parts.reduce((sum, span) => sum + Array.from(span.text).length, 0);
  if (total <= columns) return parts;
  const mark = style.unicode ? "…" : "...";
  let left = Math.max(0, columns - mark.length);
  const kept = parts.flatMap((span): readonly Span[] => {
    const letters = Array.from(span.text).slice(0, left);
    left -= letters.length;
    return letters.length === 0 ? [] : [{ ...span, text: letters.join("") }];
  });
  return [...kept, { text: mark }];
}

function paintSpan({ text, tone, bold }: Span, style: Style): string {
  const codes = [...(bold === true ? ["1"] : []), ...(tone === undefined ? [] : [COLOURS[tone]])];
  return style.colour && codes.length > 0 && text !== "" ? `\u001b[${codes.join(";")}m${text}\u001b[0m` : text;
}
