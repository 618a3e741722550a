// `/env/:application/:environment/release/:n`: one release, step by step; also the list of releases and a log.
import { short } from "../core/brand.ts";
import type { Instant } from "../core/brand.ts";
import { describeOutcome, describeStep, elapsed, journey, moment, stepIdName, stepName } from "../core/describe.ts";
import type { ReleaseRecord, StepRecord } from "../core/history.ts";
import { RELEASE_STATES, RELEASE_WORDS, stepState } from "../core/looks.ts";
import type { EnvironmentStatus } from "../core/status.ts";
import type { Html } from "./page.tsx";
import { environmentPath, Frame, Mark, Time } from "./page.tsx";

interface ReleaseProps {
  readonly one: EnvironmentStatus;
  readonly release: ReleaseRecord;
  readonly at: Instant;
}

export function ReleasePage({ one, release, at, version }: ReleaseProps & { readonly version: string }): Html {
  return (
    <Frame title={`${one.id} #${release.number}`} worst={RELEASE_STATES[release.state]} version={version}>
      <p>
        <a href={environmentPath(one)}>{one.id}</a>
      </p>
      <h1>{`Release #${release.number}`}</h1>
      <Release one={one} release={release} at={at} />
    </Frame>
  );
}

/** State, journey and steps; the log of a failed migration stands under it. */
export function Release({ one, release, at }: ReleaseProps): Html {
  const latest = one.release?.number === release.number;
  const log = latest ? one.log : undefined;
  return (
    <>
      <p>
        <Mark state={RELEASE_STATES[release.state]} text={RELEASE_WORDS[release.state]} />{" "}
        {`${release.kind} ${journey(release.from, release.sha)}, `}
        <Time at={release.startedAt} now={at} />
        {`, ${elapsed(release, release.endedAt, at)}. ${release.why}`}
      </p>
      {release.failure === undefined ? undefined : (
        <p>
          <Mark state="failed" text={`${stepIdName(release.failure.step)}: ${release.failure.message}`} />{" "}
          <code>{release.failure.code}</code>
        </p>
      )}
      <Steps steps={release.steps} at={at} />
      {latest && one.progress !== undefined ? <p role="status">{one.progress}</p> : undefined}
      {log === undefined ? undefined : (
        <figure>
          <figcaption>Last lines of the migration</figcaption>
          <pre tabindex={0}>{log.join("\n")}</pre>
        </figure>
      )}
    </>
  );
}

function Steps({ steps, at }: { readonly steps: readonly StepRecord[]; readonly at: Instant }): Html {
  return (
    <div class="scroll" role="region" aria-label="Steps" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">step</th>
            <th scope="col">state</th>
            <th scope="col">took</th>
            <th scope="col">what</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((record) => {
            const { state, word } = stepState(record);
            const { outcome } = record;
            return (
              <tr>
                <th scope="row">{stepName(record.step)}</th>
                <td>
                  <Mark state={state} text={word} />
                </td>
                <td>{elapsed(record, record.settledAt, at)}</td>
                <td class="wide">
                  {describeStep(record.step)}
                  {outcome === undefined || (outcome.status === "done" && outcome.note === undefined) ? undefined : (
                    <small>{describeOutcome(outcome)}</small>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

interface ReleasesProps {
  readonly one: EnvironmentStatus;
  readonly releases: readonly ReleaseRecord[];
}

export function Releases({ one, releases }: ReleasesProps): Html {
  return (
    <div class="scroll" role="region" aria-label="Releases" tabindex={0}>
      <table>
        <thead>
          <tr>
            {["release", "state", "from → to", "kind", "started", "took", "cause"].map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {releases.map((release) => (
            <tr>
              <th scope="row">
                <a href={`${environmentPath(one)}/release/${release.number}`}>{`#${release.number}`}</a>
              </th>
              <td>
                <Mark state={RELEASE_STATES[release.state]} text={RELEASE_WORDS[release.state]} />
              </td>
              <td>
                <code>{journey(release.from, release.sha)}</code>
              </td>
              <td>{release.kind}</td>
              <td>{moment(release.startedAt)}</td>
              <td>{release.endedAt === undefined ? "" : elapsed(release, release.endedAt, release.endedAt)}</td>
              <td class="wide">
                {release.failure === undefined
                  ? release.supersededBy === undefined
                    ? ""
                    : `superseded by ${short(release.supersededBy)}`
                  : `${stepIdName(release.failure.step)}: ${release.failure.message}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
