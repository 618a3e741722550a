// CloudWatch Logs: order, pages and ends of a stream.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { type Account, failure } from "../account.ts";
import type { Contract } from "../contract.ts";

interface Stream {
  readonly logGroupName: string;
  readonly logStreamName: string;
}

/** A stream with these lines, a millisecond apart. */
async function stream({ logs, fresh }: Account, lines: readonly string[]): Promise<Stream> {
  const at = { logGroupName: fresh("/contract/group"), logStreamName: "app/app/1" };
  await logs.send(new CreateLogGroupCommand({ logGroupName: at.logGroupName }));
  await logs.send(new CreateLogStreamCommand(at));
  const start = Date.now() - 60_000;
  const logEvents = lines.map((message, index) => ({ message, timestamp: start + index }));
  await logs.send(new PutLogEventsCommand({ ...at, logEvents }));
  return at;
}

export const LOGS: readonly Contract[] = [
  {
    name: "lines come in the order in which they were written",
    async observe(account) {
      const at = await stream(account, ["one", "two", "three"]);
      const { events = [] } = await account.logs.send(new GetLogEventsCommand({ ...at, startFromHead: true }));
      return events.map(({ message }) => message);
    },
    promised: ["one", "two", "three"],
  },
  {
    name: "a limit without startFromHead answers the newest lines, still in order",
    async observe(account) {
      const at = await stream(account, ["one", "two", "three"]);
      const { events = [] } = await account.logs.send(new GetLogEventsCommand({ ...at, limit: 2 }));
      return events.map(({ message }) => message);
    },
    promised: ["two", "three"],
  },
  {
    name: "a token leads on from where a page ended, and at the end the token that was sent comes back",
    async observe(account) {
      const at = await stream(account, ["one", "two", "three"]);
      const input = { ...at, startFromHead: true, limit: 2 };
      const first = await account.logs.send(new GetLogEventsCommand(input));
      const next = first.nextForwardToken ?? "";
      const second = await account.logs.send(new GetLogEventsCommand({ ...input, nextToken: next }));
      const last = second.nextForwardToken ?? "";
      const third = await account.logs.send(new GetLogEventsCommand({ ...input, nextToken: last }));
      return [second.events?.map(({ message }) => message), third.events, third.nextForwardToken === last];
    },
    promised: [["three"], [], true],
  },
  {
    name: "a missing group and a missing stream are ResourceNotFound",
    async observe(account) {
      const { logGroupName } = await stream(account, ["one"]);
      const ask = (group: string) =>
        failure(account.logs.send(new GetLogEventsCommand({ logGroupName: group, logStreamName: "none" })));
      return [await ask(logGroupName), await ask("/contract/none")];
    },
    promised: ["400 ResourceNotFoundException", "400 ResourceNotFoundException"],
  },
];
