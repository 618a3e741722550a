// The log: one structured line for each event, in one place, at a level that says who is needed.
import { pino } from "pino";
import type { DestinationStream } from "pino";
import { Instant } from "../core/brand.ts";
import { about, narrate, weight } from "../core/narrate.ts";
import { cleanJson } from "../core/paint.ts";
import type { Redactor } from "../core/redact.ts";
import type { Sink } from "../ports.ts";

type Level = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  readonly level: Level;
  readonly redact: Redactor;
  readonly output: DestinationStream;
}

/** Details for who looks closely, news for everybody; what an operator must mend is an error, the rest warns. */
const LEVELS: { readonly [Weight in ReturnType<typeof weight>]: Level } = {
  detail: "debug",
  news: "info",
  author: "warn",
  world: "warn",
  operator: "error",
};

/** Fields that say nothing to a reader, or that only AWS should see. */
const LEFT_OUT: ReadonlySet<string> = new Set(["type", "token", "nonce", "releaseId", "ttlMs"]);

/** Messages are static (the event's type), everything that varies is a field, so that lines can be counted. */
export function createLogSink({ level, redact, output }: LogOptions): Sink {
  const logger = pino(
    {
      level,
      // Neither process id nor host name: a container has better ones. Times are the events' own.
      base: null,
      timestamp: false,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => output.write(cleanJson(line)) },
  );
  return {
    name: "log",
    take(event) {
      const what = event.durable ? event.record.event : event.event;
      const at = event.durable ? event.record.at : event.at;
      const fields = { time: Instant.toIso(at), about: about(event), ...facts(what), text: narrate(event) };
      logger[LEVELS[weight(event)]](redact.deep(fields), what.type.replaceAll("-", " "));
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        logger.flush(() => resolve());
      });
    },
  };
}

/** The simple facts of an event; lists and whole values stay in the journal. */
function facts(event: object): Readonly<Record<string, unknown>> {
  const simple = ["string", "number", "boolean"];
  return Object.fromEntries(
    Object.entries(event).filter(([key, value]) => !LEFT_OUT.has(key) && simple.includes(typeof value)),
  );
}
