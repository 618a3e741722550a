import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { expect, test } from "vitest";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { createLogs } from "../../sandbox/logs/service.ts";
import { openAccount, openHttpAccount, type TestAccount } from "./account.ts";

const logGroupName = "/ecs/migrate";
const logStreamName = "migrate/app/1";

async function stream(account: TestAccount): Promise<CloudWatchLogsClient> {
  const logs = new CloudWatchLogsClient(account.config);
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return logs;
}

const write = (logs: CloudWatchLogsClient, ...lines: readonly (readonly [number, string])[]): Promise<object> =>
  logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName,
      logEvents: lines.map(([timestamp, message]) => ({ timestamp, message })),
    }),
  );

const read = async (
  logs: CloudWatchLogsClient,
  input: Partial<GetLogEventsCommandInput> = {},
): Promise<{ lines: readonly (string | undefined)[]; forward: string; backward: string }> => {
  const answer = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, ...input }));
  const lines = (answer.events ?? []).map(({ message }) => message);
  return { lines, forward: answer.nextForwardToken ?? "", backward: answer.nextBackwardToken ?? "" };
};

test("groups and streams that do not exist, or exist already, are said to", async () => {
  const account = openAccount();
  const logs = new CloudWatchLogsClient(account.config);
  await expect(read(logs)).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The specified log group does not exist.",
  });
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await expect(read(logs)).rejects.toMatchObject({ message: "The specified log stream does not exist." });
  await expect(logs.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toMatchObject({
    name: "ResourceAlreadyExistsException",
  });
});

test("a batch out of order is refused, and events too old or too new are left out and counted", async () => {
  const clock = createSteppedClock(Date.UTC(2026, 5, 30));
  const logs = await stream(openAccount({ clock }));
  const now = clock.now();
  await expect(write(logs, [now, "later"], [now - 1, "earlier"])).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
  const answer = await write(logs, [now - 15 * 86_400_000, "old"], [now, "now"], [now + 3 * 3_600_000, "new"]);
  expect(answer).toMatchObject({ rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 2 } });
  expect((await read(logs)).lines).toEqual(["now"]);
});

test("a token that was made up is refused", async () => {
  const logs = await stream(openAccount());
  await expect(read(logs, { nextToken: "f/1/s" })).rejects.toMatchObject({ name: "InvalidParameterException" });
});

test("a stream is read to its end, where the token stays the same, and goes on when more is written, over real HTTP", async () => {
  const logs = await stream(await openHttpAccount());
  const at = Date.now() - 1000;
  await write(logs, [at, "one"], [at, "two"], [at + 1, "three"]);
  const first = await read(logs, { startFromHead: true, limit: 2 });
  expect(first.lines).toEqual(["one", "two"]);
  const second = await read(logs, { startFromHead: true, limit: 2, nextToken: first.forward });
  expect(second.lines).toEqual(["three"]);
  const end = await read(logs, { startFromHead: true, nextToken: second.forward });
  expect(end).toMatchObject({ lines: [], forward: second.forward });
  await write(logs, [at + 2, "four"]);
  expect((await read(logs, { startFromHead: true, nextToken: end.forward })).lines).toEqual(["four"]);
});

test("without startFromHead the newest come first, and the backward token leads to the older ones", async () => {
  const logs = await stream(openAccount());
  const at = Date.now() - 1000;
  await write(logs, [at, "one"], [at + 1, "two"], [at + 2, "three"]);
  const newest = await read(logs, { limit: 2 });
  expect(newest.lines).toEqual(["two", "three"]);
  const older = await read(logs, { limit: 2, nextToken: newest.backward });
  expect(older.lines).toEqual(["one"]);
  expect(await read(logs, { nextToken: older.backward })).toMatchObject({ lines: [], backward: older.backward });
});

test("a token read from an empty stream finds what is written later", async () => {
  const logs = await stream(openAccount());
  const { lines, forward } = await read(logs, { startFromHead: true });
  expect(lines).toEqual([]);
  await write(logs, [Date.now(), "one"]);
  expect((await read(logs, { startFromHead: true, nextToken: forward })).lines).toEqual(["one"]);
});

test("a group is searched over its streams by time and plain terms", async () => {
  const logs = await stream(openAccount());
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "other" }));
  const at = Date.now() - 1000;
  await write(logs, [at + 1, "error: second"], [at + 2, "fine"]);
  await logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName: "other",
      logEvents: [{ timestamp: at, message: "error: first" }],
    }),
  );
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: '"error:"' }));
  expect(events?.map(({ message }) => message)).toEqual(["error: first", "error: second"]);
  await expect(
    logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: "{ $.level = 50 }" })),
  ).rejects.toMatchObject({ name: "InvalidParameterException" });
});

test("a container's line can be read after the ingest delay, at the time it was written", async () => {
  const clock = createSteppedClock();
  const service = createLogs({ clock, ingestDelayMs: 2000 });
  const account = openAccount({ clock, services: [service] });
  const logs = new CloudWatchLogsClient(account.config);
  const writtenAt = clock.now();
  service.writeLog(
    { group: logGroupName, stream: logStreamName, account: "111122223333", region: "eu-central-1" },
    "migrating",
  );
  await expect(read(logs)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  clock.advanceTo(writtenAt + 2000);
  const { events } = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName }));
  expect(events).toEqual([{ message: "migrating", timestamp: writtenAt, ingestionTime: writtenAt + 2000 }]);
  const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
  expect(logStreams).toMatchObject([{ logStreamName, lastEventTimestamp: writtenAt }]);
});
