// One environment's lane: one turn at a time, the newest wish wins, and a newer release may end an older one.
import { cancellation } from "../core/cancel.ts";
import type { Digest } from "../core/brand.ts";
import type { Decision } from "../core/decision.ts";
import type { Environment, EnvironmentId } from "../core/environment.ts";
import type { EnvironmentEvent, Ephemeral, Nudge } from "../core/event.ts";
import { NOTHING } from "../core/history.ts";
import { Fault, faultOf } from "../core/fault.ts";
import type { FaultValue } from "../core/fault.ts";
import type { LiveState } from "../core/live.ts";
import { withMarks } from "../core/marks.ts";
import { startedMigrations } from "../core/decision.ts";
import { plan } from "../core/plan.ts";
import type { Glimpse } from "../core/status.ts";
import { adoption, foreignJournal } from "./adoption.ts";
import type { Considered, ConsiderParts } from "./consider.ts";
import { consider, depthOf } from "./consider.ts";
import type { Ledger } from "./ledger.ts";
import type { ReleaseParts } from "./release.ts";
import { release, valueOf } from "./release.ts";
import { noteDrift, noteHold, noteManaged } from "./transitions.ts";
import { createVoice, decisionOf } from "./voice.ts";

/** What Git says of one environment now. */
export interface Wish {
  /** Undefined = its file is gone, or no version of it was ever readable. */
  readonly desired?: Environment;
  readonly problems: readonly string[];
  readonly halted?: FaultValue;
  readonly unmanaged?: string;
}

export interface Lane {
  readonly id: EnvironmentId;
  readonly ledger: Ledger;
  /** Takes what Git says; the next look acts on it. */
  wish(wish: Wish): void;
  /** One look; a look asked for during a turn makes one more turn. Resolves when the lane is quiet again. */
  look(): Promise<void>;
  /** Resolves when no turn runs. */
  settled(): Promise<void>;
  /** The record that takes over what runs now, whoever released it; undefined when it cannot be read. */
  adoptAsIs(by: Nudge): Extract<EnvironmentEvent, { type: "adopted" }> | undefined;
  /** Ends the running release because a person asked. */
  abort(): boolean;
  glimpse(): Glimpse;
  /** Stops waiting and writes nothing more; resolves when the turn has ended. */
  stop(): Promise<void>;
}

export interface LaneParts extends ConsiderParts, ReleaseParts {
  readonly id: EnvironmentId;
}

/** What a release that is tried again records each time, without having got any further. */
const REPEATED: ReadonlySet<string> = new Set(["lease", "release-adopted", "step-started"]);

/** Turns in a row that a lane may take without waiting for the next look. */
const TURNS_MAX = 8;

export function createLane(parts: LaneParts): Lane {
  const { id, ledger, clock, bus } = parts;
  let wish: Wish = { problems: [] };
  let considered: Considered | undefined;
  /** What was decided last, or what stood in the way of deciding. */
  let standing: Decision | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let passes = 0;
  let progress: string | undefined;
  /** What a release that goes on last ran into: shown until it gets further, however often it is tried. */
  let stuck: Decision | undefined;
  const life = new AbortController();
  let current: { readonly stop: AbortController; readonly fingerprint: Digest } | undefined;

  const emit = (event: Ephemeral): void =>
    bus.publish({ durable: false, stream: ledger.stream, at: clock.now(), event });
  const voice = createVoice(emit, id);
  bus.subscribe((event) => {
    if (event.stream !== ledger.stream) return;
    if (!event.durable && event.event.type === "progress") progress = event.event.text;
    if (event.durable && !REPEATED.has(event.record.event.type)) stuck = undefined;
  });

  async function turn(): Promise<"again" | "quiet"> {
    const memory = await ledger.refresh();
    await noteManaged(ledger, wish.unmanaged);
    const desired = wish.desired;
    if (desired === undefined || wish.unmanaged !== undefined) {
      considered = undefined;
      standing = undefined;
      return "quiet";
    }
    await noteHold(ledger, desired.hold, clock.now());
    const depth = depthOf(desired, memory, passes);
    passes += 1;
    const look = {
      desired,
      memory: ledger.memory(),
      depth,
      ...(wish.halted === undefined ? {} : { halted: wish.halted }),
    };
    considered = await consider(look, parts, life.signal);
    if (await meet(considered)) return "again";
    standing = considered.decision;
    await noteDrift(ledger, considered);
    voice.decided(standing);
    return considered.decision.kind === "act" ? act(considered) : "quiet";
  }

  /** First contact: what already runs is recorded before anything may move. True when something was recorded. */
  async function meet(seen: Considered): Promise<boolean> {
    const { live } = seen;
    const memory = ledger.memory();
    const foreign = foreignJournal(live, memory, parts.journalId);
    if (foreign !== undefined) throw new Fault("journal-foreign", `${id}: ${foreign}`);
    if (parts.observes || live.depth !== "full") return false;
    const event = adoption(seen, memory, (version) => parts.world.family(version));
    return event !== undefined && ledger.claim(event);
  }

  async function act(seen: Considered): Promise<"again" | "quiet"> {
    const value = valueOf(seen, ledger);
    if (value === undefined || seen.decision.kind !== "act") return "quiet";
    const { as: kind, why, target, only } = seen.decision;
    const pins = parts.surroundings.pins();
    const same = only !== undefined || (target === "desired" && seen.live.depth === "full");
    const live = same ? seen.live : await look(value.desired, pins);
    const whole = same ? seen.plan : plan(value.desired, live);
    // What else the open release would need does not matter any more, nor what stands in its way.
    const planned = only === undefined ? whole : { ...whole, steps: startedMigrations(seen.memory), blockers: [] };
    const blocker = planned.blockers[0];
    if (blocker !== undefined) throw new Fault(blocker.code, blocker.message);
    const stop = new AbortController();
    const follow = (): void => stop.abort(life.signal.reason);
    life.signal.addEventListener("abort", follow, { once: true });
    current = { stop, fingerprint: value.desired.fingerprint };
    try {
      const ending = await release(
        {
          kind,
          why,
          live,
          plan: planned,
          memory: seen.memory,
          ...value,
          ...(only === undefined ? {} : { partial: true }),
          ...(target === "open" ? { goesOn: true } : {}),
        },
        pins,
        parts,
        stop,
      );
      if (ending.how === "stopped") throw ending.fault;
      return ending.how === "held" || (ending.how === "cancelled" && ending.by === "shutdown") ? "quiet" : "again";
    } finally {
      current = undefined;
      progress = undefined;
      life.signal.removeEventListener("abort", follow);
    }
  }

  async function look(desired: Environment, pins: ReadonlyMap<string, Digest>): Promise<LiveState> {
    const memory = ledger.memory();
    const observation = await parts.world.observe(desired, { memory, pins }, "full", life.signal);
    return withMarks(observation, desired, memory);
  }

  async function turns(): Promise<void> {
    for (let count = 0; count < TURNS_MAX && !life.signal.aborted; count += 1) {
      again = false;
      try {
        const next = await turn();
        voice.wentWell();
        stuck = undefined;
        if (next === "quiet" && !again) return;
      } catch (thrown) {
        if (life.signal.aborted) return;
        settleTrouble(faultOf(thrown));
        if (!again) return;
      }
    }
  }

  /** What could not be done now is said once, shown as it is, and tried again at the next look. */
  function settleTrouble(fault: Fault): void {
    standing = decisionOf(fault);
    stuck = standing;
    voice.trouble(fault);
  }

  /** While a release runs, a newer wish that may start ends it at the next safe point. */
  async function interrupt(): Promise<void> {
    const running = current;
    const desired = wish.desired;
    if (running === undefined || desired === undefined || desired.fingerprint === running.fingerprint) return;
    const memory = ledger.memory();
    const halted = wish.halted === undefined ? {} : { halted: wish.halted };
    const newer = await consider({ desired, memory, depth: "full", ...halted }, parts, life.signal);
    const isNewer = newer.decision.kind === "act" && newer.decision.target === "desired";
    if (isNewer && current === running) running.stop.abort(cancellation("superseded"));
  }

  return {
    id,
    ledger,
    wish(next) {
      const isNews = next.problems.length > 0 && next.problems.join("\n") !== wish.problems.join("\n");
      wish = next;
      if (isNews) emit({ type: "manifest-invalid", problems: next.problems });
    },
    look() {
      if (life.signal.aborted) return Promise.resolve();
      again = true;
      if (running === undefined) {
        running = turns().finally(() => {
          running = undefined;
        });
      } else {
        interrupt().catch((thrown: unknown) => settleTrouble(faultOf(thrown)));
      }
      return running;
    },
    settled: () => running ?? Promise.resolve(),
    adoptAsIs(by) {
      const event = considered && adoption(considered, NOTHING, (version) => parts.world.family(version));
      return event === undefined ? undefined : { ...event, by };
    },
    abort() {
      if (current === undefined) return false;
      current.stop.abort(cancellation("aborted"));
      return true;
    },
    glimpse: () => ({
      id,
      memory: ledger.memory(),
      problems: wish.problems,
      ...(wish.desired === undefined ? {} : { desired: wish.desired }),
      ...(considered === undefined ? {} : { live: considered.live, plan: considered.plan }),
      ...(standing === undefined ? {} : { decision: stuck ?? standing }),
      ...(progress === undefined ? {} : { progress }),
    }),
    async stop() {
      life.abort(cancellation("shutdown"));
      await running;
    },
  };
}
