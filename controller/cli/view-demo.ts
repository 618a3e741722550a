// What a story tells → lines: each true or untrue sentence with the calls it was checked with.
import type { Evidence, Told } from "../core/told.ts";
import type { Line, Span } from "../core/paint.ts";
import type { StatusDocument } from "../core/status.ts";
import { mark, muted, strong } from "./frame.ts";
import { attentionLines } from "./view-status.ts";

const INDENT = "      ";

/**
 * A claim that is still being checked has no lines; `pending` shows it where lines can be redrawn. What does not fit into
 * `columns` is broken where the answer begins; without them every call stands with its answer on one line.
 */
export function toldLines(told: Told, columns = Number.POSITIVE_INFINITY): readonly Line[] {
  switch (told.kind) {
    case "chapter":
      return [[], [strong(told.title), muted(`  ${told.text}`)]];
    case "deed":
      return [[muted(`  · ${told.text}`), muted(`  (${told.by})`)]];
    case "claim":
      return [];
    case "true":
      return [
        ["  ", mark("healthy", told.sentence), took(told.tookMs)],
        ...told.evidence.flatMap((one) => evidenceLines(one, columns)),
      ];
    case "untrue":
      return [
        ["  ", mark("failed", told.sentence), took(told.tookMs)],
        [INDENT, muted("expected  "), told.expected],
        ...told.evidence.flatMap(({ by, found }): readonly Line[] => [
          [INDENT, muted("found     "), found],
          [INDENT, muted(`          by ${by}`)],
        ]),
        [INDENT, muted("given up  "), told.why],
      ];
    case "end":
      return [[], [mark("healthy", `All ${told.lines} lines came true`), muted(` in ${seconds(told.tookMs)}.`)]];
  }
}

export function pending(sentence: string): Line {
  return ["  ", mark("converging", `${sentence} …`)];
}

/** What the controller itself says, as a help beside an untrue line. */
export function helpLines(told: Told & { readonly kind: "untrue" }, status: StatusDocument): readonly Line[] {
  const one = status.environments.find(({ id }) => id === told.environment);
  if (one === undefined) return [];
  return [[], [muted("The controller's own words, as a help:")], ...attentionLines(one, status.at).map(indented)];
}

/** How to go on with a real account. */
export function farewell(): readonly Line[] {
  const steps: readonly (readonly [string, string])[] = [
    ["environments/application.yaml, environments/prod.yaml", "say what runs now (`lockstep explain application`)"],
    ["lockstep plan", 'says what would change: "No changes" once they are right; it only reads'],
    [
      "LOCKSTEP_REPOSITORY=<url> lockstep serve --observe",
      "statuses and drift, no writes; the same without --observe releases",
    ],
  ];
  return [
    [],
    [strong("You just did it all with Git. On your own account, with the SDK's usual credentials:")],
    ...steps.map(([command, means]): Line => [`  ${command}`, muted(`  ${means}`)]),
  ];
}

function evidenceLines({ by, found }: Evidence, columns: number): readonly Line[] {
  const arrow = " → ";
  if (INDENT.length + by.length + arrow.length + found.length <= columns)
    return [[INDENT, muted(by), muted(arrow), found]];
  return [
    [INDENT, muted(by)],
    [INDENT, muted(arrow), found],
  ];
}

function took(ms: number): Span {
  return muted(`  ${seconds(ms)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

function indented(line: Line): Line {
  return ["  ", ...line];
}
