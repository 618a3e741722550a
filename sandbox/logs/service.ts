// CloudWatch Logs of the sandbox, behind the JSON 1.1 protocol. What it imitates: ../logs.md.

import { AwsError, type Caller, type SandboxClock, type Service, type WriteLog } from "../api.ts";
import { type Input, invalidParameter, notImitated, page, requiredText, text, wholeNumber } from "../members.ts";
import { json, jsonError, readJson, targetOperation } from "../wire.ts";
import { filterLogEvents, getLogEvents, groupOf, putLogEvents, streamOf } from "./events.ts";
import { createStore, createWriteLog, type Group, type Store, type Stream } from "./streams.ts";

const TARGET = "Logs_20140328";
const GROUP_NAME = /^[.\-_/#A-Za-z0-9]{1,512}$/;
const STREAM_NAME = /^[^:*]{1,512}$/;

const OPERATIONS: Readonly<Record<string, (store: Store, input: Input, caller: Caller) => unknown>> = {
  CreateLogGroup: createLogGroup,
  CreateLogStream: createLogStream,
  DeleteLogGroup: deleteLogGroup,
  DeleteLogStream: deleteLogStream,
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  PutLogEvents: putLogEvents,
};

export interface Logs extends Service {
  readonly writeLog: WriteLog;
}

export interface LogsDependencies {
  readonly clock: SandboxClock;
  /** How long after it was written a container's line can be read. Default 0. */
  readonly ingestDelayMs?: number;
}

export function createLogs({ clock, ingestDelayMs = 0 }: LogsDependencies): Logs {
  const store = createStore(clock);
  return {
    name: "logs",
    operation: (request) => targetOperation(request, TARGET),
    handle(operation, request, caller) {
      const perform = OPERATIONS[operation];
      if (perform === undefined) throw notImitated("logs", operation);
      return json(perform(store, readJson(request), caller));
    },
    fail: jsonError,
    writeLog: createWriteLog(store, ingestDelayMs),
  };
}

function createLogGroup(store: Store, input: Input, caller: Caller): unknown {
  const name = requiredText(input, "logGroupName");
  if (!GROUP_NAME.test(name))
    throw invalidParameter("logGroupName", "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
  if (store.group(caller, name) !== undefined) {
    throw new AwsError("ResourceAlreadyExistsException", "The specified log group already exists");
  }
  store.addGroup(caller, name);
  return {};
}

function createLogStream(store: Store, input: Input, caller: Caller): unknown {
  const group = groupOf(store, input, caller);
  const name = requiredText(input, "logStreamName");
  if (!STREAM_NAME.test(name))
    throw invalidParameter("logStreamName", "Member must satisfy regular expression pattern: [^:*]*");
  if (group.streams.has(name))
    throw new AwsError("ResourceAlreadyExistsException", "The specified log stream already exists");
  store.addStream(group, name);
  return {};
}

function deleteLogGroup(store: Store, input: Input, caller: Caller): unknown {
  store.removeGroup(caller, groupOf(store, input, caller).name);
  return {};
}

function deleteLogStream(store: Store, input: Input, caller: Caller): unknown {
  const group = groupOf(store, input, caller);
  group.streams.delete(streamOf(group, requiredText(input, "logStreamName")).name);
  return {};
}

function describeLogGroups(store: Store, input: Input, caller: Caller): unknown {
  const prefix = text(input, "logGroupNamePrefix") ?? "";
  const found = store.groups(caller).filter(({ name }) => name.startsWith(prefix));
  const { items, nextToken } = page(found.sort(byName), text(input, "nextToken"), pageSize(input));
  return { logGroups: items.map((group) => describedGroup(group, caller)), nextToken };
}

function describeLogStreams(store: Store, input: Input, caller: Caller): unknown {
  const group = groupOf(store, input, caller);
  const prefix = text(input, "logStreamNamePrefix") ?? "";
  const byTime = text(input, "orderBy") === "LastEventTime";
  if (byTime && prefix !== "") {
    throw new AwsError("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
  const found = [...group.streams.values()].filter(({ name }) => name.startsWith(prefix));
  found.sort(byTime ? (left, right) => lastEventMs(left) - lastEventMs(right) : byName);
  if (input["descending"] === true) found.reverse();
  const { items, nextToken } = page(found, text(input, "nextToken"), pageSize(input));
  return { logStreams: items.map((stream) => describedStream(group, stream, caller)), nextToken };
}

function pageSize(input: Input): number {
  return wholeNumber(input, "limit", { least: 1, most: 50, otherwise: 50 });
}

function byName(left: { name: string }, right: { name: string }): number {
  return left.name < right.name ? -1 : 1;
}

function lastEventMs(stream: Stream): number {
  return stream.events.at(-1)?.timestampMs ?? 0;
}

function arnOf(group: Group, { region, account }: Caller): string {
  return `arn:aws:logs:${region}:${account}:log-group:${group.name}`;
}

function describedGroup(group: Group, caller: Caller): object {
  const arn = arnOf(group, caller);
  return {
    logGroupName: group.name,
    creationTime: group.createdAtMs,
    arn: `${arn}:*`,
    logGroupArn: arn,
    storedBytes: 0,
    metricFilterCount: 0,
  };
}

function describedStream(group: Group, stream: Stream, caller: Caller): object {
  const { events } = stream;
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAtMs,
    arn: `${arnOf(group, caller)}:log-stream:${stream.name}`,
    firstEventTimestamp: events[0]?.timestampMs,
    lastEventTimestamp: events.at(-1)?.timestampMs,
    lastIngestionTime: events.at(-1)?.ingestedAtMs,
    uploadSequenceToken: "0",
    storedBytes: 0,
  };
}
