// Health over HTTP: asks services and pages until they were green for long enough, or for too long were not.
import { cancellation, cancelReason } from "../core/cancel.ts";
import type { Sha } from "../core/brand.ts";
import type { HealthCheck, Service } from "../core/environment.ts";
import type { Outcome } from "../core/event.ts";
import type { Sample } from "../core/health.ts";
import { isVersionOf, valueAt, verdict } from "../core/health.ts";
import { LIMITS } from "../core/limits.ts";
import type { Clock, Runner } from "../ports.ts";
import { type Answer, createGet, type Get } from "./probe/get.ts";

export interface ProbeParts {
  readonly clock: Clock;
  /** Asks one URL once; the real one by default. */
  readonly get?: Get;
}

export interface Probe {
  readonly runner: Runner<"health">;
  /** Asks every second until the check passes or fails. `note` hears each change of what the endpoint answers. */
  check(health: HealthCheck, sha: Sha, signal: AbortSignal, note?: (text: string) => void): Promise<Outcome>;
  /** A service's own check, for the end of its deployment; done at once when it has none. */
  checkService(
    service: Pick<Service, "sha" | "health">,
    signal: AbortSignal,
    note?: (text: string) => void,
  ): Promise<Outcome>;
}

const INTERVAL_MS = 1_000;
/** Characters of a body shown to people. */
const EXCERPT = 200;

export function createProbe({ clock, get = createGet() }: ProbeParts): Probe {
  async function sample(health: HealthCheck, sha: Sha, signal: AbortSignal): Promise<Sample> {
    const at = clock.now();
    const stop = new AbortController();
    const follow = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", follow, { once: true });
    const limit = clock.sleep(LIMITS.healthRequestMs, stop.signal).then(
      () => stop.abort(cancellation("timeout")),
      () => undefined,
    );
    try {
      signal.throwIfAborted();
      return { at, ...judge(await get(health.url, stop.signal), health, sha) };
    } catch (error) {
      signal.throwIfAborted();
      if (stop.signal.aborted) return { at, green: false, what: `no answer within ${LIMITS.healthRequestMs / 1000} s` };
      return { at, green: false, what: reasonOf(error) };
    } finally {
      signal.removeEventListener("abort", follow);
      stop.abort();
      await limit;
    }
  }

  async function check(
    health: HealthCheck,
    sha: Sha,
    signal: AbortSignal,
    note: (text: string) => void = () => undefined,
  ): Promise<Outcome> {
    const samples: Sample[] = [];
    try {
      for (;;) {
        const startMs = clock.monotonicMs();
        const taken = await sample(health, sha, signal);
        const before = samples.at(-1);
        if (before?.green !== taken.green || before.what !== taken.what) note(`${health.url}: ${taken.what}`);
        samples.push(taken);
        const judged = verdict(samples, health, clock.now());
        if (judged.state === "passed") return { status: "done", note: `${health.url}: ${taken.what}` };
        if (judged.state === "failed") {
          return { status: "failed", code: "health-failed", message: `${health.url} was ${judged.why}` };
        }
        await clock.sleep(Math.max(0, INTERVAL_MS - (clock.monotonicMs() - startMs)), signal);
      }
    } catch (error) {
      if (signal.aborted) return { status: "cancelled", by: cancelReason(signal) };
      throw error;
    }
  }

  const runner: Runner<"health"> = async (_, turn, context) => {
    const { services, webs } = turn.environment;
    const checks = [...services, ...webs].flatMap(({ name, sha, health }) => (health ? [{ name, sha, health }] : []));
    if (checks.length === 0) return { status: "done", note: "nothing to check" };
    // The first that fails ends the others: the verdict cannot get better.
    const others = new AbortController();
    const follow = (): void => others.abort(context.signal.reason);
    if (context.signal.aborted) follow();
    context.signal.addEventListener("abort", follow, { once: true });
    try {
      let failed: Outcome | undefined;
      const outcomes = await Promise.all(
        checks.map(async ({ name, sha, health }) => {
          const outcome = await check(health, sha, others.signal, (text) => context.note(`${name}: ${text}`));
          if (outcome.status === "failed" && failed === undefined) {
            failed = { ...outcome, message: `${name}: ${outcome.message}` };
            others.abort(cancellation("aborted"));
          }
          return outcome;
        }),
      );
      const cancelled = outcomes.find((outcome) => outcome.status === "cancelled");
      const green = `${checks.length} ${checks.length === 1 ? "check" : "checks"} green`;
      return failed ?? cancelled ?? { status: "done", note: green };
    } finally {
      context.signal.removeEventListener("abort", follow);
    }
  };

  return {
    runner,
    check,
    async checkService(service, signal, note) {
      if (service.health === undefined) return { status: "done", note: "nothing to check" };
      return check(service.health, service.sha, signal, note);
    },
  };
}

function judge(answer: Answer, health: HealthCheck, sha: Sha): Pick<Sample, "green" | "what"> {
  const { status } = answer;
  const good = health.status === undefined ? status >= 200 && status <= 299 : health.status.includes(status);
  if (!good) return { green: false, what: `${status}${excerptOf(answer.body)}` };
  if (health.version === undefined) return { green: true, what: String(status) };
  if (answer.truncated) return { green: false, what: `${status}, longer than ${LIMITS.healthBytes / 1024} KiB` };
  let json: unknown;
  try {
    json = JSON.parse(answer.body);
  } catch {
    return { green: false, what: `${status}, not JSON${excerptOf(answer.body)}` };
  }
  const version = valueAt(json, health.version);
  if (isVersionOf(version, sha)) return { green: true, what: `${status}, ${health.version} is ${sha.slice(0, 7)}` };
  const says = version === undefined ? "is missing" : `is ${excerpt(JSON.stringify(version))}`;
  return { green: false, what: `${status}, ${health.version} ${says}, not ${sha.slice(0, 7)}` };
}

function excerptOf(body: string): string {
  const text = excerpt(body);
  return text === "" ? "" : `: ${text}`;
}

function excerpt(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}

/** `ECONNREFUSED 127.0.0.1:80`, `self-signed certificate`: what Node says, without the stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const message = error instanceof AggregateError && error.message === "" ? String(error.errors[0]) : error.message;
  return excerpt(code === undefined || message.includes(code) ? message : `${code}: ${message}`);
}
