// What a person sees who runs `lockstep serve` in a terminal: one line for each piece of news.
import { Instant } from "../core/brand.ts";
import type { Event } from "../core/event.ts";
import { STATES } from "../core/looks.ts";
import { about, narrate, weight } from "../core/narrate.ts";
import type { Style } from "../core/paint.ts";
import { paint } from "../core/paint.ts";
import type { Redactor } from "../core/redact.ts";
import type { State } from "../core/status.ts";
import type { Sink } from "../ports.ts";

export interface TerminalOptions {
  readonly output: { write(text: string): void };
  readonly style: Style;
  readonly redact: Redactor;
}

type EventType = ReturnType<typeof typeOf>;

/** Shapes of the events that change how an environment looks; all others have none. */
const SHAPES: { readonly [Type in EventType]?: State } = {
  "release-started": "converging",
  "release-succeeded": "healthy",
  "health-passed": "healthy",
  "release-failed": "failed",
  "release-rolled-back": "rolled-back",
  "rollback-failed": "failed",
  "manifest-invalid": "failed",
  "drift-found": "drift",
  "drift-cleared": "healthy",
  "hold-seen": "waiting",
  halted: "blocked",
  trouble: "unknown",
  "trouble-cleared": "healthy",
  progress: "converging",
};

export function createTerminalSink({ output, style, redact }: TerminalOptions): Sink {
  return {
    name: "terminal",
    take(event) {
      if (weight(event) === "detail" && typeOf(event) !== "progress") return;
      const at = event.durable ? event.record.at : event.at;
      const state = stateOf(event);
      const { symbol, tone } = STATES[state ?? "none"];
      const shape = state === undefined ? " " : symbol;
      const line = [
        { text: `${Instant.toIso(at).slice(11, 19)}  `, tone: "muted" as const },
        { text: `${shape} ${about(event).padEnd(14)} `, tone },
        redact(narrate(event)),
      ];
      output.write(paint([line], style));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function typeOf(
  event: Event,
): (Event & { durable: false })["event"]["type"] | (Event & { durable: true })["record"]["event"]["type"] {
  return event.durable ? event.record.event.type : event.event.type;
}

/** A settled step and a decision look as what they say. */
function stateOf(event: Event): State | undefined {
  if (event.durable && event.record.event.type === "step-settled") {
    const { status } = event.record.event.outcome;
    return status === "done" ? "healthy" : status === "failed" ? "failed" : "none";
  }
  if (!event.durable && event.event.type === "decided") {
    return ({ rest: "healthy", act: "converging", wait: "waiting", blocked: "blocked" } as const)[
      event.event.decision as "rest" | "act" | "wait" | "blocked"
    ];
  }
  return SHAPES[typeOf(event)];
}
