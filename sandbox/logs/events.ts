// Writing and reading log events, with the tokens that lead through a stream.

import { AwsError, type Caller } from "../api.ts";
import { type Input, invalidParameter, page, records, requiredText, text, texts, wholeNumber } from "../members.ts";
import type { Group, LogEvent, Store, Stream } from "./streams.ts";

const BATCH_EVENTS = 10_000;
const BATCH_BYTES = 1_048_576;
/** CloudWatch Logs counts 26 bytes more for each event. */
const EVENT_OVERHEAD_BYTES = 26;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export function groupOf(store: Store, input: Input, caller: Caller): Group {
  const identifier = text(input, "logGroupIdentifier");
  const named =
    identifier === undefined
      ? requiredText(input, "logGroupName")
      : identifier.replace(/^arn:.*:log-group:([^:]+).*$/, "$1");
  const group = store.group(caller, named);
  if (group === undefined) throw new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
  return group;
}

export function streamOf(group: Group, name: string): Stream {
  const stream = group.streams.get(name);
  if (stream === undefined) throw new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");
  return stream;
}

export function putLogEvents(store: Store, input: Input, caller: Caller): unknown {
  const stream = streamOf(groupOf(store, input, caller), requiredText(input, "logStreamName"));
  const events = (records(input, "logEvents") ?? []).map((event) => ({
    timestampMs: wholeNumber(event, "timestamp", { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 }),
    message: requiredText(event, "message"),
  }));
  if (events.length === 0) throw invalidParameter("logEvents", "Member must have length greater than or equal to 1");
  if (events.length > BATCH_EVENTS)
    throw invalidParameter("logEvents", "Member must have length less than or equal to 10000");
  const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES, 0);
  if (bytes > BATCH_BYTES)
    throw new AwsError("InvalidParameterException", `Upload too large: ${bytes} bytes exceeds limit of ${BATCH_BYTES}`);
  if (events.some(({ timestampMs }, at) => timestampMs < (events[at - 1]?.timestampMs ?? 0))) {
    throw new AwsError(
      "InvalidParameterException",
      "Log events in a single PutLogEvents request must be in chronological order.",
    );
  }
  const nowMs = store.clock.now();
  const tooOld = events.filter(({ timestampMs }) => timestampMs < nowMs - 14 * DAY_MS).length;
  const tooNew = events.findIndex(({ timestampMs }) => timestampMs > nowMs + 2 * HOUR_MS);
  for (const { timestampMs, message } of events.slice(tooOld, tooNew < 0 ? undefined : tooNew))
    store.append(stream, timestampMs, message);
  const rejected = {
    ...(tooOld > 0 ? { tooOldLogEventEndIndex: tooOld } : {}),
    ...(tooNew >= 0 ? { tooNewLogEventStartIndex: tooNew } : {}),
  };
  return { nextSequenceToken: "0", ...(tooOld > 0 || tooNew >= 0 ? { rejectedLogEventsInfo: rejected } : {}) };
}

/**
 * Without a token, the newest events, or the oldest with `startFromHead`. With one, the page after or before the place it
 * names; at the end of the stream the token comes back as it was sent, which is how a reader knows.
 */
export function getLogEvents(store: Store, input: Input, caller: Caller): unknown {
  const stream = streamOf(groupOf(store, input, caller), requiredText(input, "logStreamName"));
  const limit = wholeNumber(input, "limit", { least: 1, most: 10_000, otherwise: 10_000 });
  const { startMs, endMs } = range(input);
  const events = stream.events.filter(({ timestampMs }) => timestampMs >= startMs && timestampMs < endMs);
  const token = readToken(text(input, "nextToken"));
  const chosen = choose(events, token, limit, input["startFromHead"] === true);
  const first = chosen[0] ?? token?.place;
  const last = chosen.at(-1) ?? token?.place;
  return {
    events: chosen.map(({ timestampMs, ingestedAtMs, message }) => ({
      timestamp: timestampMs,
      message,
      ingestionTime: ingestedAtMs,
    })),
    nextForwardToken: writeToken("f", last),
    nextBackwardToken: writeToken("b", first),
  };
}

type Place = Pick<LogEvent, "timestampMs" | "sequence">;

interface Token {
  readonly direction: "f" | "b";
  readonly place: Place;
}

function choose(
  events: readonly LogEvent[],
  token: Token | undefined,
  limit: number,
  fromHead: boolean,
): readonly LogEvent[] {
  if (token === undefined) return bounded(fromHead ? events.slice(0, limit) : events.slice(-limit), fromHead);
  if (token.direction === "f")
    return bounded(events.filter((event) => compare(event, token.place) > 0).slice(0, limit), true);
  return bounded(events.filter((event) => compare(event, token.place) < 0).slice(-limit), false);
}

/** A page is at most 1 MiB too. */
function bounded(events: readonly LogEvent[], fromHead: boolean): readonly LogEvent[] {
  const kept: LogEvent[] = [];
  let bytes = 0;
  for (const event of fromHead ? events : events.toReversed()) {
    bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
    if (bytes > BATCH_BYTES && kept.length > 0) break;
    kept.push(event);
  }
  return fromHead ? kept : kept.reverse();
}

function compare(left: Place, right: Place): number {
  return left.timestampMs - right.timestampMs || left.sequence - right.sequence;
}

/** A place in a stream: 13 digits of time and 43 of arrival, as long as the real ones. */
function writeToken(direction: Token["direction"], place: Place | undefined): string {
  const { timestampMs, sequence } = place ?? { timestampMs: 0, sequence: 0 };
  return `${direction}/${String(timestampMs).padStart(13, "0")}${String(sequence).padStart(43, "0")}/s`;
}

function readToken(token: string | undefined): Token | undefined {
  if (token === undefined) return undefined;
  const [, direction, timestampMs, sequence] = /^([fb])\/(\d{13})(\d{43})\/s$/.exec(token) ?? [];
  if (direction === undefined) throw new AwsError("InvalidParameterException", "The specified nextToken is invalid.");
  return {
    direction: direction === "f" ? "f" : "b",
    place: { timestampMs: Number(timestampMs), sequence: Number(sequence) },
  };
}

function range(input: Input): { startMs: number; endMs: number } {
  const limits = { least: 0, most: Number.MAX_SAFE_INTEGER };
  return {
    startMs: wholeNumber(input, "startTime", { ...limits, otherwise: 0 }),
    endMs: wholeNumber(input, "endTime", { ...limits, otherwise: Number.MAX_SAFE_INTEGER }),
  };
}

/** Over all streams of a group, by time. A filter pattern is taken as plain terms that must all occur. */
export function filterLogEvents(store: Store, input: Input, caller: Caller): unknown {
  const group = groupOf(store, input, caller);
  const names = texts(input, "logStreamNames");
  const prefix = text(input, "logStreamNamePrefix") ?? "";
  const terms = filterTerms(text(input, "filterPattern") ?? "");
  const { startMs, endMs } = range(input);
  const found = [...group.streams.values()]
    .filter(({ name }) => (names?.includes(name) ?? true) && name.startsWith(prefix))
    .flatMap((stream) => stream.events.map((event) => ({ stream, event })))
    .filter(({ event }) => event.timestampMs >= startMs && event.timestampMs <= endMs)
    .filter(({ event }) => terms.every((term) => event.message.includes(term)))
    .sort((left, right) => compare(left.event, right.event));
  const { items, nextToken } = page(
    found,
    text(input, "nextToken"),
    wholeNumber(input, "limit", { least: 1, most: 10_000, otherwise: 10_000 }),
  );
  return {
    events: items.map(({ stream, event }) => ({
      logStreamName: stream.name,
      timestamp: event.timestampMs,
      message: event.message,
      ingestionTime: event.ingestedAtMs,
      eventId: String(event.sequence).padStart(56, "0"),
    })),
    searchedLogStreams: [],
    nextToken,
  };
}

function filterTerms(pattern: string): readonly string[] {
  if (/^\s*[{[%]/.test(pattern) || /(^|\s)[?-]/.test(pattern)) {
    throw new AwsError("InvalidParameterException", "The sandbox filters by plain terms only; see sandbox/logs.md");
  }
  return [...pattern.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
