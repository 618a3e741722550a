// `lockstep wait <env>`: follows an environment until it is healthy, has failed, or time is up.
import type { Instant } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { ReleaseRecord } from "../core/history.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import type { Call } from "./call.ts";
import { readDuration, required } from "./call.ts";
import type { Client } from "./client.ts";
import { createClient, select } from "./client.ts";
import { EXIT } from "./exit.ts";
import type { Ending, Goal, Told } from "./follow.ts";
import { ending, news, NOTHING_TOLD } from "./follow.ts";
import { mark, muted } from "./frame.ts";
import { annotateMessage } from "./manifests.ts";
import { isStop, stop } from "./stop.ts";
import type { Ticker } from "./ticker.ts";
import { createTicker } from "./ticker.ts";
import { attentionLines } from "./view-status.ts";

const POLL_MS = 1000;
/** A controller that restarts is waited for this long. */
const SILENCE_MS = 60_000;
/** The first look at a repository may take this long. */
const START_MS = 20_000;
const DEFAULT_TIMEOUT = "1h";

interface Watch {
  readonly call: Call;
  readonly client: Client;
  readonly id: EnvironmentId;
  readonly sha?: string;
  readonly waitsForGates: boolean;
  readonly timeoutMs: number;
  readonly ticker: Ticker;
  /** The controller's own clock when waiting began. */
  readonly begun: Instant;
}

export async function wait(call: Call): Promise<number> {
  const name = required(call, "environment", "lockstep wait prod");
  const sha = call.options.text("sha");
  if (sha !== undefined && !/^[0-9a-f]{7,40}$/.test(sha)) {
    throw stop(EXIT.usage, `--sha: ${JSON.stringify(sha)} is not a commit SHA`, "Write 7 to 40 of its digits.");
  }
  const timeoutMs = readDuration(call.options.text("timeout") ?? DEFAULT_TIMEOUT, "--timeout");
  const client = createClient(call);
  const first = await readOnce(call, client);
  const { id } = select(first.environments, name);
  const ticker = createTicker(call);
  const watch: Watch = {
    call,
    client,
    id,
    ...(sha === undefined ? {} : { sha }),
    waitsForGates: !call.options.flag("no-wait-gates"),
    timeoutMs,
    ticker,
    begun: first.at,
  };
  try {
    if (timeoutMs > 0) await client.post("/refresh", {});
    return await watchUntilEnd(watch, first);
  } catch (thrown) {
    if (!call.io.signal.aborted) throw thrown;
    call.complain([[`The release goes on: lockstep wait ${id}`]]);
    return EXIT.interrupted;
  } finally {
    ticker.close();
  }
}

async function watchUntilEnd(watch: Watch, first: StatusDocument): Promise<number> {
  const { call, id, timeoutMs, ticker } = watch;
  const { clock, signal } = call.io;
  const startedMs = clock.monotonicMs();
  let told: Told = NOTHING_TOLD;
  let freshness: Freshness = {};
  let seen = false;
  for (let document: StatusDocument = first; ; document = await look(watch)) {
    const one = select(document.environments, id);
    freshness = fresher(freshness, document, one, watch.begun);
    seen ||= watch.sha !== undefined && one.git?.sha.startsWith(watch.sha) === true;
    const latest = news(told, one, await missed(watch, told, one));
    told = latest.told;
    ticker.show(one, latest.changes, document.at);
    const goal: Goal = {
      ...(watch.sha === undefined ? {} : { sha: watch.sha }),
      seen,
      waitsForGates: watch.waitsForGates,
      fresh: timeoutMs === 0 || freshness.proven === true,
    };
    const end = ending(one, goal, document.at);
    if (end !== undefined) return finish(watch, one, end, document.at);
    const leftMs = timeoutMs - (clock.monotonicMs() - startedMs);
    if (leftMs <= 0) return timedOut(watch, one, document.at);
    await clock.sleep(Math.min(POLL_MS, leftMs), signal);
  }
}

/** A controller that has just started knows no environment before it has read its repositories, or could not. */
async function readOnce({ io }: Call, client: Client): Promise<StatusDocument> {
  const sinceMs = io.clock.monotonicMs();
  for (;;) {
    const document = await client.status();
    const isRead = document.repositories.every(({ readAt, trouble }) => readAt !== undefined || trouble !== undefined);
    if (isRead || io.clock.monotonicMs() - sinceMs >= START_MS) return document;
    await io.clock.sleep(POLL_MS, io.signal);
  }
}

/** Git was read after waiting began, and the environment was looked at after that. */
interface Freshness {
  readonly readAt?: number;
  readonly proven?: boolean;
}

function fresher(known: Freshness, document: StatusDocument, one: EnvironmentStatus, begun: Instant): Freshness {
  const reads = document.repositories.map((repository) => repository.readAt ?? 0);
  const readAt = known.readAt ?? (reads.every((at) => at >= begun) ? Math.max(0, ...reads) : undefined);
  if (readAt === undefined) return known;
  // What no manifest describes is never looked at: that Git was read is all there is to wait for.
  const isSeen = one.git === undefined || (one.observedAt ?? 0) >= readAt;
  return { readAt, proven: known.proven === true || isSeen };
}

/** Releases that began and ended between two looks are told as well. */
async function missed(watch: Watch, told: Told, one: EnvironmentStatus): Promise<readonly ReleaseRecord[]> {
  const { release } = one;
  if (release === undefined) return [];
  if (told.release === undefined || release.number === told.release) return [release];
  const before = told.release;
  const { releases } = await watch.client.releases(one.id);
  const between = releases.filter(({ number }) => number >= before && number < release.number);
  return [...between.toReversed(), release];
}

/** The next look; a controller that restarts meanwhile is waited for. */
async function look({ call, client, ticker }: Watch): Promise<StatusDocument> {
  const { clock, signal } = call.io;
  const sinceMs = clock.monotonicMs();
  for (;;) {
    try {
      return await client.status();
    } catch (thrown) {
      if (!isStop(thrown) || thrown.exit !== EXIT.failed || clock.monotonicMs() - sinceMs >= SILENCE_MS) throw thrown;
      ticker.trouble(thrown.message);
      await clock.sleep(POLL_MS, signal);
    }
  }
}

function finish(watch: Watch, one: EnvironmentStatus, end: Ending, now: Instant): number {
  const { call, id, ticker } = watch;
  ticker.close();
  if (call.options.flag("json")) {
    const { exit: exitCode, message, next } = end;
    call.json(
      { schema: "lockstep/v1", type: "result", environment: id, state: one.state, exitCode, message, next, at: now },
      true,
    );
    return end.exit;
  }
  if (end.exit === EXIT.done) {
    call.print([[mark("healthy", end.message)]]);
    return end.exit;
  }
  annotateMessage(call, end.message);
  const detailed = one.state === "failed" || one.state === "rolled-back";
  if (detailed) call.print(attentionLines(one, now));
  else call.print([[mark(one.state, end.message)], ...(end.next === undefined ? [] : [[muted("  next: "), end.next]])]);
  return end.exit;
}

/** Names the step, the resource, the last stop reason and the last log line. */
function timedOut(watch: Watch, one: EnvironmentStatus, now: Instant): number {
  const { call, id, timeoutMs, ticker } = watch;
  ticker.close();
  const still = ticker.still(one, now);
  const exit = timeoutMs === 0 ? EXIT.running : EXIT.timeout;
  if (call.options.flag("json")) {
    const [exitCode, message] = [exit, still];
    call.json(
      { schema: "lockstep/v1", type: "result", environment: id, state: one.state, exitCode, message, at: now },
      true,
    );
    return exit;
  }
  const last = one.log?.at(-1);
  const stopped = one.services.flatMap(({ name, rollout }) =>
    rollout?.state === "failed" || rollout?.state === "rolled-back" ? [`${name}: ${rollout.why}`] : [],
  );
  call.print([
    [
      mark(
        one.state,
        timeoutMs === 0
          ? `${id}: ${still}`
          : `${id}: time is up (${call.options.text("timeout") ?? DEFAULT_TIMEOUT}): ${still}`,
      ),
    ],
    ...stopped.map((why) => [muted("  last stop: "), why]),
    ...(last === undefined ? [] : [[muted("  last log line: "), last]]),
    ...(one.state === "converging" ? [[muted(`  The release goes on: lockstep wait ${id}`)]] : []),
  ]);
  return exit;
}
