// The wire of one life: every request of its SDK clients, with the latency, faults and crashes that meet it.
import { ConnectionLost, type SandboxRequest, type SandboxResponse } from "../../../sandbox/api.ts";
import { createChance } from "../chance.ts";
import type { Life, Weather } from "../life.ts";
import type { Tally } from "../tally.ts";
import type { Account } from "./account.ts";
import { type AwsOperation, isAwsWrite, isKnown, operationOf } from "./operations.ts";

/** What may go wrong with an AWS call; each is an order to the sandbox, but the pause of the machine. */
export const AWS_FAULTS = ["throttle", "5xx", "denied", "before", "after", "stale", "frozen"] as const;
export type AwsFault = (typeof AWS_FAULTS)[number];

export interface WireLife {
  readonly life: Life;
  /** The AWS call at which it died. */
  diedAt?: string;
  /** Dies at the next call of this operation, before its effect or after it. */
  crash?: { readonly at: AwsOperation; readonly side: "before" | "after" };
  /** The next call of this operation meets this fault. */
  aim?: { readonly at: AwsOperation; readonly fault: AwsFault };
}

export interface LineParts {
  readonly seed: string;
  readonly wire: WireLife;
  readonly account: Account;
  readonly tally: Tally;
  readonly weather: Weather;
  /** Called when a request leaves. */
  readonly onSent: (life: Life, operation: string, request: SandboxRequest) => void;
}

/** Reads of these lag behind by seconds; S3 and ECR do not. */
const LAGGING = /^(ecs|cloudfront):/;
const STALE_MS = 10_000;

export function createLine(parts: LineParts): (request: SandboxRequest) => Promise<SandboxResponse> {
  const { seed, wire, account, tally, weather, onSent } = parts;
  const { life } = wire;
  const counts = new Map<string, number>();
  const freshMs = new Map<string, number>();
  const leaving: { readonly question: string; readonly go: () => void }[] = [];

  function die(operation: string, side: "before" | "after"): never {
    delete wire.crash;
    wire.diedAt = operation;
    life.dead = true;
    tally.count(`crash ${side} ${operation}`);
    throw gone(operation);
  }

  /** A process that has ended hears nothing any more; its last calls lose their connection like any other. */
  function gone(operation: string): Error {
    return new ConnectionLost(operation);
  }

  function roll(operation: string, question: string): { readonly fault: AwsFault | undefined; readonly ms: number } {
    // Drawn from what is asked and how often, not from the order of calls: parallel calls may leave in any order.
    const nth = (counts.get(question) ?? 0) + 1;
    counts.set(question, nth);
    const dice = createChance(`${seed} ${life.writer} ${nth} ${question}`);
    const ms = dice.between(2, 60);
    const { aim } = wire;
    if (aim?.at === operation) {
      delete wire.aim;
      return { fault: aim.fault, ms };
    }
    if (weather.rate === 0 || !dice.is(weather.rate)) return { fault: undefined, ms };
    const fault = LAGGING.test(operation) && dice.is(0.4) ? "stale" : dice.pick(AWS_FAULTS);
    return { fault: fault === "after" && !isAwsWrite(operation) ? "before" : fault, ms };
  }

  /** Calls that leave at the same instant, in the order of what they ask: which promise runs first is nobody's decision. */
  function inOrder(question: string): Promise<void> {
    return new Promise((go) => {
      leaving.push({ question, go });
      if (leaving.length > 1) return;
      account.stepped.after(1, () => {
        const all = leaving.splice(0).sort((one, other) => (one.question < other.question ? -1 : 1));
        for (const one of all) one.go();
      });
    });
  }

  return async (request) => {
    const operation = operationOf(request);
    if (life.dead) throw gone(operation);
    onSent(life, operation, request);
    const question = `${operation} ${request.path} ${isAwsWrite(operation) ? "" : Buffer.from(request.body).toString()}`;
    await inOrder(question);
    if (life.dead) throw gone(operation);
    life.calls += 1;
    const { fault, ms } = roll(operation, question);
    const here = wire.crash?.at === operation || life.crash?.at === life.calls;
    const side = here ? (wire.crash ?? life.crash)?.side : undefined;
    if (side === "before") die(operation, "before");
    if (fault === "frozen") {
      tally.count("aws frozen");
      life.frozenUntilMs = account.stepped.now() + 20_000 + ms * 2_000;
    }
    await life.clock.sleep(ms, new AbortController().signal).catch(() => Promise.reject(gone(operation)));
    const nowMs = account.stepped.now();
    const lags = LAGGING.test(operation) && (freshMs.get(question) ?? Number.NEGATIVE_INFINITY) > nowMs - STALE_MS;
    const order = fault === "frozen" || (fault === "stale" && !lags) ? undefined : fault;
    if (order !== undefined) tally.count(`aws ${order}`);
    if (order !== undefined && isAwsWrite(operation)) tally.count(`${order} ${operation}`);
    if (order !== "stale") freshMs.set(question, nowMs);
    const id = order === undefined ? undefined : account.sandbox.faults.add({ operation: "*", kind: order });
    // The order strikes this very call: nothing else can come between.
    const answering = account.send(request);
    if (id !== undefined && account.sandbox.faults.status().orders.length > 0) account.sandbox.faults.clear();
    try {
      const answer = await answering;
      if (isKnown(operation)) tally.count(`call ${operation}`);
      return answer;
    } finally {
      if (side === "after") die(operation, "after");
    }
  };
}
