// What a person sees while waiting: a block redrawn on a terminal, a line per change and a heartbeat elsewhere.
import { Instant } from "../core/brand.ts";
import { duration, journey, runningSteps, stepIdName, stepPosition } from "../core/describe.ts";
import { STATES } from "../core/looks.ts";
import type { EnvironmentStatus } from "../core/status.ts";
import type { Call } from "./call.ts";
import type { Change } from "./follow.ts";
import type { Line } from "../core/paint.ts";
import { paint } from "../core/paint.ts";
import { mark, muted } from "./frame.ts";
import { waitBlock } from "./view-release.ts";

const HEARTBEAT_MS = 60_000;

export interface Ticker {
  show(one: EnvironmentStatus, changes: readonly Change[], now: Instant): void;
  /** The controller does not answer, for now. */
  trouble(message: string): void;
  /** What is waited for, in one line. */
  still(one: EnvironmentStatus, now: Instant): string;
  /** Removes the block; what was said stays. */
  close(): void;
}

export function createTicker(call: Call): Ticker {
  if (call.options.flag("json")) return createJsonTicker(call);
  switch (mode(call)) {
    case "live":
      return createLiveTicker(call);
    case "lines":
      return createLineTicker(call);
    case "none":
      return { show: () => undefined, trouble: () => undefined, still, close: () => undefined };
  }
}

function mode({ io, options }: Call): "live" | "lines" | "none" {
  const wanted = options.text("progress") ?? "auto";
  if (options.flag("quiet") || wanted === "none") return "none";
  if (wanted === "live" || wanted === "lines") return wanted;
  return io.stderr.isTTY && (io.env["CI"] ?? "") === "" && io.env["TERM"] !== "dumb" ? "live" : "lines";
}

function still(one: EnvironmentStatus, now: Instant): string {
  const { release } = one;
  if (release?.state !== "running") return `${STATES[one.state].word}: ${one.why}`;
  const began = runningSteps(release)[0]?.startedAt;
  const took = began === undefined ? "" : ` for ${duration(now - began)}`;
  const progress = one.progress === undefined ? "" : `: ${one.progress}`;
  return `release #${release.number}, ${stepPosition(release) ?? "between two steps"}${took}${progress}`;
}

function createJsonTicker(call: Call): Ticker {
  return {
    show(one, changes, at) {
      for (const change of changes) call.json({ schema: "lockstep/v1", ...change, environment: one.id, at }, true);
    },
    trouble: () => undefined,
    still,
    close: () => undefined,
  };
}

function createLineTicker(call: Call): Ticker {
  const { clock } = call.io;
  let lastMs = clock.monotonicMs();
  let troubled = false;
  const say = (now: Instant, line: Line): void => {
    lastMs = clock.monotonicMs();
    call.say([[muted(`${Instant.toIso(now).slice(11, 19)}  `), ...line]]);
  };
  return {
    show(one, changes, now) {
      troubled = false;
      for (const change of changes) say(now, changeLine(one, change));
      if (clock.monotonicMs() - lastMs >= HEARTBEAT_MS) say(now, ["still      ", still(one, now)]);
    },
    trouble(message) {
      if (!troubled) say(clock.now(), [mark("unknown", `${message}; trying on`)]);
      troubled = true;
    },
    still,
    close: () => undefined,
  };
}

const STEP_STATES = { done: "healthy", running: "converging", failed: "failed", cancelled: "none" } as const;

function changeLine(one: EnvironmentStatus, change: Change): Line {
  switch (change.type) {
    case "state":
      return [mark(change.state, STATES[change.state].word.padEnd(9)), ` ${change.why}`];
    case "release":
      return [`${one.id} ${change.kind} #${change.release}  ${journey(change.from, change.sha)}`];
    case "progress":
      return [muted(`             ${change.text}`)];
    case "step": {
      const state = STEP_STATES[change.state as keyof typeof STEP_STATES] ?? "none";
      const took = change.elapsedMs === undefined ? "" : `  ${duration(change.elapsedMs)}`;
      const detail = change.detail === undefined ? "" : `  ${change.detail}`;
      return [mark(state, change.state.padEnd(9)), ` ${stepIdName(change.step)}${took}${detail}`];
    }
  }
}

const CLEAR_BELOW = "\u001b[0J";

/** Redraws in place; releases that end leave their last line above the block. */
function createLiveTicker(call: Call): Ticker {
  const { io, style } = call;
  let begun: Instant | undefined;
  let drawn = 0;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A${CLEAR_BELOW}`);
  return {
    show(one, changes, now) {
      begun ??= now;
      const columns = io.stderr.columns ?? 80;
      const block = waitBlock(one, begun, now, style.err).slice(0, 8);
      const ended = changes.flatMap((change): readonly Line[] =>
        change.type === "step" && change.state === "failed" ? [changeLine(one, change)] : [],
      );
      const text = `${paint(ended, style.err)}${paint(block, { ...style.err, columns })}`;
      io.stderr.write(`${erase()}${text}`);
      drawn = block.length;
    },
    trouble(message) {
      io.stderr.write(
        `${erase()}${paint([[mark("unknown", `${message}; trying on`)]], { ...style.err, columns: io.stderr.columns ?? 80 })}`,
      );
      drawn = 1;
    },
    still,
    close() {
      io.stderr.write(erase());
      drawn = 0;
    },
  };
}
