// Release records → lines: one release with its steps, the list of releases, the block that `wait` redraws.
import type { Instant } from "../core/brand.ts";
import { describeOutcome, duration, elapsed, journey, moment, stepIdName, stepName } from "../core/describe.ts";
import type { ReleaseRecord, StepRecord } from "../core/history.ts";
import { RELEASE_STATES, RELEASE_WORDS, stepState } from "../core/looks.ts";
import type { EnvironmentStatus } from "../core/status.ts";
import type { Line, Style } from "../core/paint.ts";
import { mark, muted, strong, table } from "./frame.ts";

/** `#12 release 4b825dc → 9f2c1ab`, its state, and its steps. */
export function releaseLines(release: ReleaseRecord, now: Instant, style: Style, progress?: string): readonly Line[] {
  const word = mark(RELEASE_STATES[release.state], RELEASE_WORDS[release.state]);
  const took = elapsed(release, release.endedAt, now);
  return [
    [
      strong(`#${release.number} ${release.kind}`),
      ` ${journey(release.from, release.sha)}  `,
      word,
      muted(`  ${took}`),
    ],
    ...table(
      release.steps.map((record) => stepRow(record, now)),
      style,
      "  ",
    ),
    ...(progress === undefined ? [] : [[muted(`  ${progress}`)]]),
    ...(release.failure === undefined
      ? []
      : [[mark("failed", `${stepIdName(release.failure.step)}: ${release.failure.message}`)]]),
  ];
}

function stepRow(record: StepRecord, now: Instant): readonly Line[] {
  const { state, word } = stepState(record);
  const said = record.outcome === undefined ? word : describeOutcome(record.outcome);
  const took = elapsed(record, record.settledAt, now);
  return [[mark(state, stepName(record.step))], [muted(took.padStart(6))], [said]];
}

/** One line for each release: number, when, how long, from → to, how it ended. */
export function releasesLines(releases: readonly ReleaseRecord[], now: Instant, style: Style): readonly Line[] {
  return table(
    releases.map((release): readonly Line[] => [
      [`#${release.number}`.padStart(5)],
      [mark(RELEASE_STATES[release.state], RELEASE_WORDS[release.state])],
      [journey(release.from, release.sha)],
      [muted(release.kind)],
      [muted(moment(release.startedAt))],
      [muted(elapsed(release, release.endedAt, now).padStart(6))],
      [release.failure === undefined ? "" : `${stepIdName(release.failure.step)}: ${release.failure.message}`],
    ]),
    style,
  );
}

/** Steps shown in the block; with head, progress and foot it has at most 8 lines. */
const BLOCK_STEPS = 5;

/** The block that a terminal redraws while it waits: never more than 8 lines. */
export function waitBlock(one: EnvironmentStatus, since: Instant, now: Instant, style: Style): readonly Line[] {
  const release = one.release?.state === "running" ? one.release : undefined;
  const waited = duration(now - since);
  const foot: Line = [muted("Ctrl-C stops watching, not the release")];
  if (release === undefined) {
    return [[strong(one.id), "  ", mark(one.state), muted(`  ${waited}`)], [one.why], foot];
  }
  const title = `${journey(release.from, release.sha)}  ${release.kind} #${release.number}`;
  return [
    [strong(one.id), ` ${title}  `, muted(elapsed(release, undefined, now))],
    ...windowed(release.steps, now, style),
    ...(one.progress === undefined ? [] : [[muted(`  ${one.progress}`)]]),
    foot,
  ];
}

/** The steps around the running one; what lies before and behind is counted. */
function windowed(steps: readonly StepRecord[], now: Instant, style: Style): readonly Line[] {
  const rows = (some: readonly StepRecord[]): readonly Line[] =>
    table(
      some.map((record) => stepRow(record, now)),
      style,
    );
  if (steps.length <= BLOCK_STEPS) return rows(steps);
  const settled = steps.filter((record) => record.outcome !== undefined).length;
  const inner = BLOCK_STEPS - 2;
  const first = Math.min(settled, steps.length - inner);
  const shown = steps.slice(first, first + inner);
  const left = steps.length - first - shown.length;
  return [
    ...(first === 0 ? [] : [[mark("healthy", `${first} of ${steps.length} steps done`)]]),
    ...rows(shown),
    ...(left === 0 ? [] : [[mark("none", `${left} to come`)]]),
  ];
}
