// The verdict of a health check: green only after every sample was green for as long as the manifest says.
import type { HealthCheck } from "./environment.ts";
import type { Instant } from "./brand.ts";

/** One request to a health endpoint. */
export interface Sample {
  /** When it was sent. */
  readonly at: Instant;
  readonly green: boolean;
  /** What came back, for people: `200`, `503: starting`, `ECONNREFUSED`. */
  readonly what: string;
}

export type HealthVerdict =
  | { readonly state: "passed" }
  | { readonly state: "waiting"; readonly greenMs: number }
  | { readonly state: "failed"; readonly why: string };

/**
 * Judges samples in the order in which they were sent, the first being the start of the check. One sample that is not
 * green starts the count anew; what has not been green for long enough within the time-out has failed.
 */
export function verdict(
  samples: readonly Sample[],
  health: Pick<HealthCheck, "forMs" | "timeoutMs">,
  now: Instant,
): HealthVerdict {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return { state: "waiting", greenMs: 0 };
  const since = samples[samples.findLastIndex((sample) => !sample.green) + 1];
  const greenMs = since === undefined ? 0 : last.at - since.at;
  if (since !== undefined && greenMs >= health.forMs) return { state: "passed" };
  if (now - first.at < health.timeoutMs) return { state: "waiting", greenMs };
  const lately = last.green
    ? `green for only ${seconds(greenMs)} of ${seconds(health.forMs)}`
    : `not green within ${seconds(health.timeoutMs)}`;
  const red = samples.findLast((sample) => !sample.green);
  const said = red === undefined ? "" : red === last ? `; last answer ${red.what}` : `; before that ${red.what}`;
  return { state: "failed", why: `${lately}${said}` };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

const STEP = /\.([A-Za-z_$][\w$-]*)|\[(\d{1,6})\]|\['([^'\]]*)'\]/y;

/** The value at a path such as `$.build.sha` or `$.items[0]['git-sha']`; undefined when there is none. */
export function valueAt(json: unknown, path: string): unknown {
  if (!path.startsWith("$")) return undefined;
  let value = json;
  let at = 1;
  while (at < path.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(path);
    if (match === null) return undefined;
    at = STEP.lastIndex;
    const name = match[1] ?? match[2] ?? match[3] ?? "";
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** The whole SHA, or at least its first seven digits. */
export function isVersionOf(value: unknown, sha: string): boolean {
  return typeof value === "string" && value.length >= 7 && sha.startsWith(value.toLowerCase());
}
