// `/env/:application/:environment`: one environment, complete.
import { short } from "../core/brand.ts";
import type { Instant } from "../core/brand.ts";
import { count, describeDifference } from "../core/describe.ts";
import type { ReleaseRecord } from "../core/history.ts";
import { differenceState, sameAsGit, serviceLook, webLook } from "../core/looks.ts";
import type { EnvironmentStatus } from "../core/status.ts";
import { Sentence } from "./page-overview.tsx";
import { Release, Releases } from "./page-release.tsx";
import type { Html } from "./page.tsx";
import { Frame, Mark, Time, worstOf } from "./page.tsx";

/** Releases listed; the API has all that are in memory. */
const LISTED = 20;

interface EnvironmentProps {
  readonly one: EnvironmentStatus;
  readonly releases: readonly ReleaseRecord[];
  readonly at: Instant;
  readonly version: string;
}

export function EnvironmentPage({ one, releases, at, version }: EnvironmentProps): Html {
  return (
    <Frame title={one.id} worst={worstOf([one])} version={version}>
      <h1>{one.id}</h1>
      <p>
        <Mark state={one.state} /> <Sentence one={one} at={at} />
      </p>
      <Facts one={one} at={at} />
      <h2>Components</h2>
      <Components one={one} />
      <h2>Differences</h2>
      {one.differences.length === 0 ? (
        <p>{sameAsGit(one) ? "Live equals Git." : "None is known; that is no proof that live equals Git."}</p>
      ) : (
        <ul>
          {one.differences.map((difference) => (
            <li>
              <Mark state={differenceState(one)} text={describeDifference(difference)} />
            </li>
          ))}
        </ul>
      )}
      {one.release === undefined ? undefined : (
        <>
          <h2>{`Release #${one.release.number}`}</h2>
          <Release one={one} release={one.release} at={at} />
        </>
      )}
      <h2>Releases</h2>
      {releases.length === 0 ? (
        <p>{`Nothing released to ${one.environment} yet. The first merge of its environment file starts it.`}</p>
      ) : (
        <Releases one={one} releases={releases.slice(0, LISTED)} />
      )}
    </Frame>
  );
}

function Facts({ one, at }: { readonly one: EnvironmentStatus; readonly at: Instant }): Html {
  return (
    <dl>
      {one.git === undefined ? undefined : (
        <>
          <dt>Git says</dt>
          <dd>
            <code>{one.git.sha}</code> {`since commit ${short(one.git.commit)}`}
          </dd>
        </>
      )}
      {one.healthy === undefined ? undefined : (
        <>
          <dt>proven healthy</dt>
          <dd>
            <code>{one.healthy.sha}</code> {`in release #${one.healthy.release}, `}
            <Time at={one.healthy.at} now={at} />
          </dd>
        </>
      )}
      {one.hold === undefined ? undefined : (
        <>
          <dt>on hold</dt>
          <dd>{one.hold.reason}</dd>
        </>
      )}
      {one.url === undefined ? undefined : (
        <>
          <dt>address</dt>
          <dd>{one.url.startsWith("https://") ? <a href={one.url}>{one.url}</a> : one.url}</dd>
        </>
      )}
      <dt>looked at</dt>
      <dd>{one.observedAt === undefined ? "not yet" : <Time at={one.observedAt} now={at} />}</dd>
    </dl>
  );
}

function Components({ one }: { readonly one: EnvironmentStatus }): Html {
  if (one.services.length + one.webs.length === 0) return <p>{count(0, "component")} known.</p>;
  return (
    <div class="scroll" role="region" aria-label="Components" tabindex={0}>
      <table>
        <thead>
          <tr>
            {["component", "state", "version", "note"].map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {one.services.map((service) => {
            const look = serviceLook(service, one);
            const rollout = service.rollout;
            const failed = rollout?.state === "failed" || rollout?.state === "rolled-back" ? rollout.why : undefined;
            return (
              <tr>
                <th scope="row">{service.name}</th>
                <td>
                  <Mark state={look.state} text={look.text} />
                </td>
                <td>
                  <code>{service.version?.slice(service.version.lastIndexOf("/") + 1) ?? ""}</code>
                </td>
                <td class="wide">{failed ?? service.why ?? ""}</td>
              </tr>
            );
          })}
          {one.webs.map((web) => {
            const look = webLook(web, one);
            return (
              <tr>
                <th scope="row">{web.name}</th>
                <td>
                  <Mark state={look.state} text={look.text} />
                </td>
                <td>
                  <code>{web.digest?.slice(0, 19) ?? ""}</code>
                </td>
                <td></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
