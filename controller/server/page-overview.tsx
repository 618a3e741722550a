// `/`: what runs where, and what needs somebody.
import { short } from "../core/brand.ts";
import type { Instant } from "../core/brand.ts";
import { clears, count, stepPosition } from "../core/describe.ts";
import type { CellLook } from "../core/looks.ts";
import { attention, nextFor, serviceLook, STATES, webLook } from "../core/looks.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import type { Html } from "./page.tsx";
import { environmentPath, Frame, Mark, Time, worstOf } from "./page.tsx";

export function OverviewPage({ status, version }: { readonly status: StatusDocument; readonly version: string }): Html {
  const { environments, at } = status;
  const applications = [...new Set(environments.map((one) => one.application))].sort();
  return (
    <Frame title={applications.join(", ") || "Overview"} worst={worstOf(environments)} version={version}>
      <h1>What runs where</h1>
      <Repositories status={status} />
      <Attention environments={environments} at={at} />
      {applications.map((name) => (
        <Matrix application={name} environments={environments.filter((one) => one.application === name)} at={at} />
      ))}
      {applications.length === 0 ? (
        <p>
          No application here yet: no <code>environments/application.yaml</code> was found at the branch's head.
        </p>
      ) : (
        <Legend />
      )}
    </Frame>
  );
}

function Repositories({ status }: { readonly status: StatusDocument }): Html {
  return (
    <ul class="repositories">
      {status.repositories.map(({ address, branch, head, readAt, halted, trouble }) => (
        <li>
          <code>
            {address} {branch}
            {head === undefined ? "" : `@${short(head)}`}
          </code>{" "}
          {readAt === undefined ? (
            "not read yet"
          ) : (
            <>
              read <Time at={readAt} now={status.at} />
            </>
          )}
          {halted === undefined ? undefined : (
            <p>
              <Mark state="blocked" text={`Halted: ${halted}`} />
            </p>
          )}
          {trouble === undefined ? undefined : (
            <p>
              <Mark state="unknown" text={`${trouble}. What is shown was true when it was last read.`} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function Attention({
  environments,
  at,
}: {
  readonly environments: readonly EnvironmentStatus[];
  readonly at: Instant;
}): Html {
  const needy = attention(environments);
  if (needy.length === 0) {
    return <p role="status">{environments.length === 0 ? "" : "Nothing needs you."}</p>;
  }
  return (
    <section aria-labelledby="attention" class="attention">
      <h2 id="attention">{`Needs attention (${needy.length})`}</h2>
      <ul>
        {needy.map((one) => (
          <li>
            <Mark state={one.problems.length > 0 ? "failed" : one.state} /> <a href={environmentPath(one)}>{one.id}</a>{" "}
            <Sentence one={one} at={at} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Why an environment is as it is, when that clears, what to do, and what is wrong in its manifest. */
export function Sentence({ one, at }: { readonly one: EnvironmentStatus; readonly at: Instant }): Html {
  const next = nextFor(one);
  return (
    <>
      {one.why}
      {one.until === undefined ? "" : `; clears ${clears(one.until, at)}`}
      {one.problems.map((problem) => (
        <code class="problem">{problem}</code>
      ))}
      {next === undefined ? undefined : <span class="next">{`Next: ${next}`}</span>}
    </>
  );
}

function Matrix({
  application,
  environments,
  at,
}: {
  readonly application: string;
  readonly environments: readonly EnvironmentStatus[];
  readonly at: Instant;
}): Html {
  const services = [...new Set(environments.flatMap((one) => one.services.map(({ name }) => name)))];
  const webs = [...new Set(environments.flatMap((one) => one.webs.map(({ name }) => name)))];
  return (
    <div class="scroll" role="region" aria-label={`${application}: components by environment`} tabindex={0}>
      <table>
        <caption>
          {application} <small>{count(environments.length, "environment")}</small>
        </caption>
        <thead>
          <tr>
            <td></td>
            {environments.map((one) => (
              <th scope="col">
                <a href={environmentPath(one)}>{one.environment}</a>
                <Mark state={one.state} /> {one.since === undefined ? undefined : <Time at={one.since} now={at} />}
                <Now one={one} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">sha</th>
            {environments.map((one) => (
              <td>
                <ShaCell one={one} />
              </td>
            ))}
          </tr>
          {services.map((name) => (
            <tr>
              <th scope="row">{name}</th>
              {environments.map((one) => {
                const service = one.services.find((candidate) => candidate.name === name);
                return <Cell look={service === undefined ? undefined : serviceLook(service, one)} />;
              })}
            </tr>
          ))}
          {webs.map((name) => (
            <tr>
              <th scope="row">{name}</th>
              {environments.map((one) => {
                const web = one.webs.find((candidate) => candidate.name === name);
                return <Cell look={web === undefined ? undefined : webLook(web, one)} />;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Now({ one }: { readonly one: EnvironmentStatus }): Html {
  const position = one.release === undefined ? undefined : stepPosition(one.release);
  return <>{position === undefined ? undefined : <small>{position}</small>}</>;
}

function Cell({ look }: { readonly look: CellLook | undefined }): Html {
  return <td>{look === undefined ? <Mark state="none" text="" /> : <Mark state={look.state} text={look.text} />}</td>;
}

function ShaCell({ one }: { readonly one: EnvironmentStatus }): Html {
  const [live, git] = [one.healthy?.sha, one.git?.sha];
  return (
    <>
      <code>{live === undefined ? "–" : short(live)}</code>
      {git === undefined || git === live ? undefined : <small>{`Git says ${short(git)}`}</small>}
    </>
  );
}

function Legend(): Html {
  return (
    <p class="legend">
      {Object.keys(STATES).map((state) => (
        <Mark state={state as keyof typeof STATES} />
      ))}
    </p>
  );
}
