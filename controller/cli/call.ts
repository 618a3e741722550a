// One run of a command: its words and options, and the ways it may speak.
import { stripVTControlCharacters } from "node:util";
import { durationMs } from "../core/duration.ts";
import type { Doors } from "./doors.ts";
import { EXIT } from "./exit.ts";
import type { Line, Style } from "../core/paint.ts";
import { cleanJson, paint } from "../core/paint.ts";
import type { Io, Output } from "./io.ts";
import { stop } from "./stop.ts";

export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export interface Call {
  readonly io: Io;
  readonly words: readonly string[];
  readonly options: Options;
  /** Loaded only by the commands that need them. */
  doors(): Promise<Doors>;
  /** Results. */
  print(lines: readonly Line[]): void;
  /** One JSON document, or one of a sequence, each on a line of its own where `compact`. */
  json(document: unknown, compact?: boolean): void;
  /** Messages and progress; nothing with --quiet. */
  say(lines: readonly Line[]): void;
  /** What was wrong; also with --quiet. */
  complain(lines: readonly Line[]): void;
  readonly style: { readonly out: Style; readonly err: Style };
}

export interface Options {
  text(name: string): string | undefined;
  flag(name: string): boolean;
}

export function createOptions(values: Values): Options {
  return {
    text(name) {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    },
    flag: (name) => values[name] === true,
  };
}

export function createCall(io: Io, words: readonly string[], options: Options, openDoors: () => Promise<Doors>): Call {
  const style = { out: styleOf(io.stdout, io, options), err: styleOf(io.stderr, io, options) };
  return {
    io,
    words,
    options,
    doors: openDoors,
    style,
    print: (lines) => io.stdout.write(paint(lines, style.out)),
    json: (document, compact = false) =>
      io.stdout.write(`${cleanJson(JSON.stringify(document, undefined, compact ? undefined : 2))}\n`),
    say(lines) {
      if (!options.flag("quiet")) io.stderr.write(paint(lines, style.err));
    },
    complain: (lines) => io.stderr.write(paint(lines, style.err)),
  };
}

/** NO_COLOR and --no-color win, then FORCE_COLOR, then whether it is a terminal that can. */
export function styleOf(output: Output, io: Pick<Io, "env">, options: Options): Style {
  const { env } = io;
  const given = (name: string): boolean => (env[name] ?? "") !== "";
  const refused = options.flag("no-color") || given("NO_COLOR") || env["FORCE_COLOR"] === "0";
  const able = output.isTTY && env["TERM"] !== "dumb";
  return { colour: !refused && (given("FORCE_COLOR") || able), unicode: isUtf8(env) };
}

/** As the C library reads a locale: the first of these that is set decides. */
function isUtf8(env: Io["env"]): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  return /utf-?8/i.test(locale ?? "");
}

/** The only word of a command, or undefined where it may be left out. */
export function only(call: Call, what: string): string | undefined {
  if (call.words.length > 1) {
    throw stop(EXIT.usage, `one ${what} at most, not ${call.words.length}: ${call.words.join(" ")}`);
  }
  return call.words[0];
}

export function required(call: Call, what: string, example: string): string {
  const word = only(call, what);
  if (word === undefined) throw stop(EXIT.usage, `which ${what}?`, `For example: ${example}`);
  return word;
}

/** `90s`, `20m`, `2h`, `0` → milliseconds. */
export function readDuration(text: string, option: string): number {
  const ms = text === "0" ? 0 : durationMs(text);
  if (ms === undefined) {
    throw stop(EXIT.usage, `${option}: ${JSON.stringify(text)} is not a duration`, `For example: ${option} 30m`);
  }
  return ms;
}

/** Asks before something that cannot be taken back; only a person at a terminal is asked. */
export async function confirm(call: Call, question: string, answer: string): Promise<void> {
  const { io, options } = call;
  if (options.flag("yes") || options.flag("no-input") || io.ask === undefined || !io.stderr.isTTY) return;
  const given = await io.ask(`${stripVTControlCharacters(question)} Type ${answer} to go on: `);
  if (given.trim() !== answer) throw stop(EXIT.interrupted, "Nothing was done.");
}
