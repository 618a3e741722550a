// Reading manifests for the commands that need no controller, and showing what is wrong with them.
import { count } from "../core/describe.ts";
import type { Call } from "./call.ts";
import type { Manifests, Problem, Where } from "./doors.ts";
import { EXIT } from "./exit.ts";
import type { Line } from "../core/paint.ts";
import { clean } from "../core/paint.ts";
import { mark, muted } from "./frame.ts";
import { stop } from "./stop.ts";

/** Reads the work tree, or the repository of `--repo`. */
export async function readManifests(call: Call, also: Pick<Where, "files" | "bump">): Promise<Manifests> {
  const { io, options } = call;
  const [repository, ref] = [options.text("repo"), options.text("ref")];
  if (ref !== undefined && repository === undefined) {
    throw stop(EXIT.usage, "--ref needs --repo", "For example: --repo . --ref main");
  }
  const where: Where = {
    cwd: io.cwd,
    ...(repository === undefined ? {} : { repository }),
    ...(ref === undefined ? {} : { ref }),
    ...also,
  };
  const doors = await call.doors();
  const manifests = await doors.readManifests(where, io.signal);
  if (manifests.folders.length === 0 && manifests.problems.length === 0) {
    throw stop(
      EXIT.invalid,
      `no environments/application.yaml in ${manifests.from}`,
      "Run it in the configuration repository, or name one with --repo.",
    );
  }
  return manifests;
}

/** Each problem with the line it stands in and a caret under its column. */
export function problemLines(problems: readonly Problem[]): readonly Line[] {
  return problems.flatMap((problem): readonly Line[] => {
    const place = `${problem.file}:${problem.line}:${problem.column}`;
    const hint = problem.hint === undefined ? "" : `; ${problem.hint}`;
    return [[mark("failed", place), `  ${problem.message}${hint}`], ...excerptLines(problem)];
  });
}

function excerptLines({ excerpt, line, column }: Problem): readonly Line[] {
  if (excerpt === undefined || excerpt.length > 160 || column > excerpt.length + 1) return [];
  const gutter = `  ${line} | `;
  const before = excerpt.slice(0, column - 1).replace(/\t/g, "  ").length;
  return [
    [muted(gutter), excerpt],
    [" ".repeat(gutter.length - 2), muted("| "), " ".repeat(before), "^"],
  ];
}

export function problemCount(problems: readonly Problem[]): string {
  const files = new Set(problems.map((problem) => problem.file)).size;
  return `${count(problems.length, "error")} in ${count(files, "file")}.`;
}

/** In GitHub Actions every problem becomes an annotation at its line. */
export function annotate(call: Call, problems: readonly Problem[]): void {
  if (call.io.env["GITHUB_ACTIONS"] !== "true") return;
  for (const problem of problems) {
    const hint = problem.hint === undefined ? "" : `; ${problem.hint}`;
    call.io.stderr.write(
      `::error file=${property(problem.file)},line=${problem.line},col=${problem.column}::${escaped(`${problem.message}${hint}`)}\n`,
    );
  }
}

/** A line about something that stands in no file. */
export function annotateMessage(call: Call, message: string): void {
  if (call.io.env["GITHUB_ACTIONS"] === "true") call.io.stderr.write(`::error::${escaped(message)}\n`);
}

/** Escapes as the runner's workflow commands ask for, so that no text can begin a command of its own. */
function escaped(text: string): string {
  return clean(text).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function property(text: string): string {
  return escaped(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
