// May a release start now: verdicts of the gates, pure. Only `promotedFrom` acts so far.
import type { EnvironmentName, Sha } from "./brand.ts";
import type { Instant } from "./brand.ts";
import { short } from "./brand.ts";
import type { Environment } from "./environment.ts";

export type Verdict =
  | { readonly gate: string; readonly state: "passed"; readonly why: string }
  | { readonly gate: string; readonly state: "waiting"; readonly until?: Instant; readonly why: string }
  | { readonly gate: string; readonly state: "blocked"; readonly why: string; readonly next?: string };

/** What is known of an environment of an earlier rank. */
export interface Neighbour {
  readonly name: EnvironmentName;
  /** SHA whose health passed last, with no write since. */
  readonly healthy?: Sha;
  /** SHAs that were healthy there at any time. */
  readonly everHealthy: ReadonlySet<Sha>;
  /** What it passed was released by the same `application.yaml`. */
  readonly shared?: boolean;
  /** `healthy` is a descendant of the SHA asked about; undefined = ancestry could not be read. */
  readonly descends?: boolean;
}

export interface GateSituation {
  readonly desired: Environment;
  readonly neighbours: ReadonlyMap<EnvironmentName, Neighbour>;
  /** The SHA was healthy in this very environment before: going back skips `promotedFrom`. */
  readonly wasHealthyHere: boolean;
}

export function verdicts(situation: GateSituation): readonly Verdict[] {
  return situation.desired.gates.promotedFrom.map((name) => promotedFrom(situation, name));
}

/** The previous environment is healthy on this SHA or a descendant. */
function promotedFrom({ desired, neighbours, wasHealthyHere }: GateSituation, name: EnvironmentName): Verdict {
  const gate = "promotedFrom";
  const sha = short(desired.sha);
  if (wasHealthyHere) return { gate, state: "passed", why: `${sha} was healthy here before` };
  const neighbour = neighbours.get(name);
  if (neighbour === undefined) {
    return {
      gate,
      state: "blocked",
      why: `${name} is not managed, so ${sha} cannot come from it`,
      next: `add environments/${name}.yaml or take ${name} out of \`pipeline\``,
    };
  }
  const contains = neighbour.healthy === desired.sha || neighbour.descends === true;
  if (contains && neighbour.shared === false) {
    return { gate, state: "waiting", why: `${name} has not passed this application.yaml yet` };
  }
  if (neighbour.healthy === desired.sha) return { gate, state: "passed", why: `${name} is healthy on ${sha}` };
  if (neighbour.healthy !== undefined && neighbour.descends === true) {
    return { gate, state: "passed", why: `${name} is healthy on ${short(neighbour.healthy)}, which contains ${sha}` };
  }
  const at = neighbour.healthy === undefined ? "not healthy now" : `at ${short(neighbour.healthy)}`;
  const known = neighbour.everHealthy.has(desired.sha) ? "is no longer healthy" : "has not been healthy";
  return { gate, state: "waiting", why: `${sha} ${known} in ${name} (${name} is ${at})` };
}
