// Status documents → lines: the matrix, the attention list, one environment in detail.
import { short } from "../core/brand.ts";
import type { Instant } from "../core/brand.ts";
import { ago, clears, count, describeDifference, stepPosition } from "../core/describe.ts";
import { attention, differenceState, nextFor, serviceLook, STATES, webLook } from "../core/looks.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import type { Line, Style } from "../core/paint.ts";
import { mark, muted, strong, table } from "./frame.ts";
import { releaseLines } from "./view-release.ts";

/** Log lines shown beside a failure; `lockstep logs` shows all. */
const TAIL = 8;

export function statusLines(document: StatusDocument, style: Style): readonly Line[] {
  const applications = [...new Set(document.environments.map((one) => one.application))].sort();
  const needy = attention(document.environments);
  return [
    ...document.repositories.flatMap((repository) => repositoryLines(repository, document.at)),
    ...(applications.length === 0
      ? [[], ["No application here yet: no environments/application.yaml was found at the branch's head."]]
      : applications.flatMap((application): readonly Line[] => [
          [],
          [strong(application)],
          ...matrix(
            document.environments.filter((one) => one.application === application),
            document.at,
            style,
          ),
        ])),
    ...needy.flatMap((one): readonly Line[] => [[], ...attentionLines(one, document.at)]),
  ];
}

function repositoryLines(repository: StatusDocument["repositories"][number], now: Instant): readonly Line[] {
  const head = repository.head === undefined ? "" : `@${short(repository.head)}`;
  const read = repository.readAt === undefined ? "not read yet" : `read ${ago(repository.readAt, now)}`;
  const { halted, trouble } = repository;
  return [
    [strong(repository.address), muted(` · ${repository.branch}${head} · ${read}`)],
    ...(halted === undefined ? [] : [[mark("blocked", `halted: ${halted}`)]]),
    ...(trouble === undefined ? [] : [[mark("unknown", `${trouble}. What is shown was true when it was last read.`)]]),
  ];
}

function matrix(environments: readonly EnvironmentStatus[], now: Instant, style: Style): readonly Line[] {
  const services = [...new Set(environments.flatMap((one) => one.services.map(({ name }) => name)))];
  const webs = [...new Set(environments.flatMap((one) => one.webs.map(({ name }) => name)))];
  const row = (name: string, cell: (one: EnvironmentStatus) => Line): readonly Line[] => [
    [name],
    ...environments.map(cell),
  ];
  return table(
    [
      row("", (one) => [strong(one.environment)]),
      row("", (one) => stateCell(one, now)),
      row("sha", shaCell),
      ...services.map((name) =>
        row(name, (one) => {
          const service = one.services.find((candidate) => candidate.name === name);
          const look = service === undefined ? { state: "none" as const, text: "" } : serviceLook(service, one);
          return [mark(look.state, look.text)];
        }),
      ),
      ...webs.map((name) =>
        row(name, (one) => {
          const web = one.webs.find((candidate) => candidate.name === name);
          const look = web === undefined ? { state: "none" as const, text: "" } : webLook(web, one);
          return [mark(look.state, look.text)];
        }),
      ),
    ],
    style,
    "  ",
  );
}

function stateCell(one: EnvironmentStatus, now: Instant): Line {
  const age = one.since === undefined ? "" : ago(one.since, now).replace(" ago", "");
  return [mark(one.state), muted(age === "" ? "" : ` ${age}`)];
}

function shaCell(one: EnvironmentStatus): Line {
  const [live, git] = [one.healthy?.sha, one.git?.sha];
  if (git === undefined) return [live === undefined ? "–" : short(live)];
  if (live === git) return [short(git)];
  return [live === undefined ? "–" : short(live), muted(` (Git says ${short(git)})`)];
}

/** What is wrong in one environment, and what to do about it. */
export function attentionLines(one: EnvironmentStatus, now: Instant): readonly Line[] {
  const until = one.until === undefined ? "" : `; clears ${clears(one.until, now)}`;
  const next = nextFor(one);
  return [
    [mark(one.problems.length > 0 ? "failed" : one.state, one.id), `  ${one.why}${until}`],
    ...one.problems.map((problem): Line => ["  ", mark("failed", problem)]),
    ...(one.log === undefined ? [] : logTail(one.log)),
    ...(next === undefined ? [] : [[muted("  next: "), next]]),
  ];
}

function logTail(log: readonly string[]): readonly Line[] {
  const more = log.length > TAIL ? [[muted(`  │ … ${log.length - TAIL} lines before`)]] : [];
  return [...more, ...log.slice(-TAIL).map((line): Line => [muted("  │ "), line])];
}

/** One environment in detail. */
export function environmentLines(one: EnvironmentStatus, now: Instant, style: Style): readonly Line[] {
  const observed = one.observedAt === undefined ? "not looked at yet" : `looked at ${ago(one.observedAt, now)}`;
  return [
    [strong(one.id), muted(`  ${observed}`)],
    ...(STATES[one.state].urgency === undefined && one.problems.length === 0
      ? [[mark(one.state), `  ${one.why}`]]
      : attentionLines(one, now)),
    [],
    ...table(facts(one, now), style, "  "),
    ...(one.release === undefined ? [] : [[], ...releaseLines(one.release, now, style, one.progress)]),
    ...(one.differences.length === 0
      ? []
      : [[], [strong(count(one.differences.length, "difference"))], ...differenceLines(one)]),
  ];
}

function facts(one: EnvironmentStatus, now: Instant): readonly (readonly Line[])[] {
  return [
    ...(one.git === undefined ? [] : [[["Git"], [`${short(one.git.sha)} at commit ${short(one.git.commit)}`]]]),
    ...(one.healthy === undefined
      ? []
      : [[["healthy"], [`${short(one.healthy.sha)}, release #${one.healthy.release}, ${ago(one.healthy.at, now)}`]]]),
    ...one.services.map((service) => {
      const look = serviceLook(service, one);
      const version = service.version === undefined ? "" : service.version.slice(service.version.lastIndexOf("/") + 1);
      return [[service.name], [mark(look.state, look.text), muted(`  ${version}${service.why ?? ""}`)]];
    }),
    ...one.webs.map((web) => {
      const look = webLook(web, one);
      return [[web.name], [mark(look.state, look.text)]];
    }),
    ...(one.hold === undefined ? [] : [[["hold"], [one.hold.reason]]]),
    ...(one.url === undefined ? [] : [[["url"], [one.url]]]),
    ...(one.release !== undefined && stepPosition(one.release) !== undefined
      ? [[["now"], [stepPosition(one.release) ?? ""]]]
      : []),
  ];
}

export function differenceLines(one: Pick<EnvironmentStatus, "differences" | "state">): readonly Line[] {
  return one.differences.map((difference): Line => ["  ", mark(differenceState(one), describeDifference(difference))]);
}
