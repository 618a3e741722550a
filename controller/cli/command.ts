// From argv to a command and its exit code: table lookup, options, help, and the one place where errors are worded.
import { parseArgs } from "node:util";
import { Fault, FAULTS } from "../core/fault.ts";
import { nearest } from "../core/nearest.ts";
import type { Redactor } from "../core/redact.ts";
import { createRedactor } from "../core/redact.ts";
import { VARIABLES } from "../variables.ts";
import type { Call, Options } from "./call.ts";
import { createCall, createOptions } from "./call.ts";
import { COMMANDS } from "./commands.ts";
import type { Doors } from "./doors.ts";
import { EXIT, exitOf } from "./exit.ts";
import { mark, muted } from "./frame.ts";
import { commandHelp, exitCodesHelp, overview } from "./help.ts";
import type { Io, Output } from "./io.ts";
import type { OptionTable } from "./row.ts";
import { isStop, stop } from "./stop.ts";

/** Runs a command line (without node and script) and says how it ended. Never throws. */
export async function run(argv: readonly string[], io: Io, openDoors: () => Promise<Doors>): Promise<number> {
  const safe = redacted(io);
  const quick = createCall(safe, [], createOptions({ "no-color": argv.includes("--no-color") }), openDoors);
  try {
    const [first, ...rest] = argv;
    if (first === undefined || first === "--help" || first === "-h") return await help(quick, []);
    if (first === "help") return await help(quick, rest);
    const name = first === "--version" || first === "-V" ? "version" : first;
    const command = COMMANDS.find((one) => one.name === name);
    if (command === undefined) throw noCommand(first);
    const { words, options } = readArguments(command.name, command.options, rest);
    if (options.flag("help")) return await help(quick, [name]);
    return await (
      await command.load()
    )(createCall(safe, words, options, openDoors));
  } catch (thrown) {
    return explainFailure(quick, thrown, argv.includes("-v") || argv.includes("--verbose"));
  }
}

const GLOBALS = {
  json: { type: "boolean" },
  "no-color": { type: "boolean" },
  quiet: { type: "boolean" },
  verbose: { type: "boolean", short: "v" },
  repo: { type: "string" },
  url: { type: "string" },
  yes: { type: "boolean" },
  "no-input": { type: "boolean" },
  progress: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const satisfies OptionTable;

const PROGRESS = ["auto", "live", "lines", "none"];

function readArguments(
  command: string,
  own: OptionTable,
  args: readonly string[],
): { readonly words: readonly string[]; readonly options: Options } {
  const known = { ...GLOBALS, ...own };
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: known,
      allowPositionals: true,
      strict: true,
    });
    const options = createOptions(values);
    const progress = options.text("progress");
    if (progress !== undefined && !PROGRESS.includes(progress)) {
      throw stop(EXIT.usage, `--progress: ${JSON.stringify(progress)} is not one of ${PROGRESS.join(", ")}`);
    }
    return { words: positionals, options };
  } catch (thrown) {
    if (isStop(thrown) || !(thrown instanceof TypeError)) throw thrown;
    throw wrongOption(command, thrown, Object.keys(known), args);
  }
}

function wrongOption(command: string, error: TypeError, known: readonly string[], args: readonly string[]): Error {
  const unknown = args.find((arg) => {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    return name !== undefined && !known.includes(name);
  });
  const written = unknown?.replace(/^--/, "").replace(/=.*$/, "");
  const meant = written === undefined ? undefined : nearest(written, known);
  const usage = `lockstep ${command} --help lists the options.`;
  if (written === undefined) return stop(EXIT.usage, firstSentence(error.message), usage);
  return stop(
    EXIT.usage,
    `${command} has no option --${written}`,
    meant === undefined ? usage : `Did you mean --${meant}?`,
  );
}

function firstSentence(message: string): string {
  return message.split(/\. (?=[A-Z])/, 1)[0] ?? message;
}

function noCommand(written: string): Error {
  const names = COMMANDS.map((command) => command.name);
  const meant = nearest(written, names);
  const next = meant === undefined ? "`lockstep --help` lists the commands." : `Did you mean \`lockstep ${meant}\`?`;
  return written.startsWith("-")
    ? stop(EXIT.usage, `${written} must stand after a command`, "`lockstep --help` lists the commands.")
    : stop(EXIT.usage, `there is no command ${JSON.stringify(written)}`, next);
}

async function help(call: Call, topic: readonly string[]): Promise<number> {
  const name = topic[0];
  if (name === undefined) call.print(overview(COMMANDS));
  else if (name === "exit-codes") call.print(exitCodesHelp());
  else {
    const command = COMMANDS.find((one) => one.name === name);
    if (command === undefined) throw noCommand(name);
    call.print(await commandHelp(command, call.style.out));
  }
  return EXIT.done;
}

/** What went wrong, where, and what to do next; always on stderr. */
function explainFailure(call: Call, thrown: unknown, verbose: boolean): number {
  const { io } = call;
  if (io.signal.aborted && !isStop(thrown)) return EXIT.interrupted;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const next = isStop(thrown) ? thrown.next : thrown instanceof Fault ? FAULTS[thrown.code].next : undefined;
  const code = thrown instanceof Fault ? `${thrown.code}: ` : "";
  const expected = isStop(thrown) || thrown instanceof Fault;
  call.complain([
    [mark("failed", `${code}${error.message}`)],
    ...(next === undefined ? [] : [[muted("  next: "), next]]),
    ...(expected ? [] : [[muted("  this is a mistake in Lockstep itself; -v shows where")]]),
    ...(verbose && !isStop(thrown) ? (error.stack ?? "").split("\n").map((line) => [muted(line)]) : []),
    ...(verbose && error.cause instanceof Error ? [[muted(`caused by ${error.cause.message}`)]] : []),
  ]);
  return isStop(thrown) ? thrown.exit : thrown instanceof Fault ? exitOf(thrown.code) : EXIT.failed;
}

/** The same outside, where no secret of the environment can be written. */
function redacted(io: Io): Io {
  const redact = createRedactor(secretsOf(io.env));
  return { ...io, stdout: guarded(io.stdout, redact), stderr: guarded(io.stderr, redact) };
}

function guarded(output: Output, redact: Redactor): Output {
  const { isTTY, columns } = output;
  return {
    isTTY,
    ...(columns === undefined ? {} : { columns }),
    write: (text) => output.write(redact(text)),
  };
}

/** Values of the environment that must never be shown: our own secrets and the AWS credentials. */
function secretsOf(env: Io["env"]): readonly string[] {
  const own = Object.entries(VARIABLES).flatMap(([name, row]) => ("secret" in row ? [name] : []));
  return [...own, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    .flatMap((name) => (env[name] ?? "").split(","))
    .map((value) => value.trim());
}
