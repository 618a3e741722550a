// What CloudWatch Logs holds: groups, their streams, and events ordered by time.

import type { Caller, SandboxClock, WriteLog } from "../api.ts";

export interface LogEvent {
  readonly timestampMs: number;
  readonly ingestedAtMs: number;
  readonly message: string;
  /** Order of arrival over everything, so that events of one millisecond keep their order. */
  readonly sequence: number;
}

export interface Stream {
  readonly name: string;
  readonly createdAtMs: number;
  /** By timestamp, then arrival. */
  readonly events: LogEvent[];
}

export interface Group {
  readonly name: string;
  readonly createdAtMs: number;
  readonly streams: Map<string, Stream>;
}

export interface Store {
  readonly clock: SandboxClock;
  group(at: Pick<Caller, "account" | "region">, name: string): Group | undefined;
  groups(at: Pick<Caller, "account" | "region">): readonly Group[];
  addGroup(at: Pick<Caller, "account" | "region">, name: string): Group;
  removeGroup(at: Pick<Caller, "account" | "region">, name: string): void;
  addStream(group: Group, name: string): Stream;
  append(stream: Stream, timestampMs: number, message: string): void;
}

/** Events kept per stream; the oldest go first. */
const EVENT_LIMIT = 100_000;

export function createStore(clock: SandboxClock): Store {
  const groups = new Map<string, Group>();
  let sequence = 0;
  const key = (at: { account: string; region: string }, name: string): string => `${at.account}/${at.region}/${name}`;
  return {
    clock,
    group: (at, name) => groups.get(key(at, name)),
    groups: (at) => [...groups].filter(([name]) => name.startsWith(key(at, ""))).map(([, group]) => group),
    addGroup(at, name) {
      const group: Group = { name, createdAtMs: clock.now(), streams: new Map() };
      groups.set(key(at, name), group);
      return group;
    },
    removeGroup: (at, name) => void groups.delete(key(at, name)),
    addStream(group, name) {
      const stream: Stream = { name, createdAtMs: clock.now(), events: [] };
      group.streams.set(name, stream);
      return stream;
    },
    append({ events }, timestampMs, message) {
      const event: LogEvent = { timestampMs, ingestedAtMs: clock.now(), message, sequence: sequence++ };
      let at = events.length;
      while (at > 0 && (events[at - 1]?.timestampMs ?? 0) > timestampMs) at -= 1;
      events.splice(at, 0, event);
      if (events.length > EVENT_LIMIT) events.shift();
    },
  };
}

/**
 * What the awslogs driver does with a container's lines: the stream appears with the container's first line, and a line
 * can be read `ingestDelayMs` after it was written.
 */
export function createWriteLog(store: Store, ingestDelayMs: number): WriteLog {
  return (at, line) => {
    const writtenAtMs = store.clock.now();
    const ingest = (): void => {
      const group = store.group(at, at.group) ?? store.addGroup(at, at.group);
      const stream = group.streams.get(at.stream) ?? store.addStream(group, at.stream);
      store.append(stream, writtenAtMs, line);
    };
    if (ingestDelayMs === 0) ingest();
    else store.clock.after(ingestDelayMs, ingest);
  };
}
