// The AWS account of a run: the sandbox on stepped time, its call log as effects, and hands that write past the controller.
import { createChance as sandboxChance } from "../../../sandbox/chance.ts";
import type { SandboxRequest, SandboxResponse } from "../../../sandbox/api.ts";
import type { Call } from "../../../sandbox/calls.ts";
import { createSteppedClock, type SteppedClock } from "../../../sandbox/clock.ts";
import type { EcsRunner } from "../../../sandbox/ecs/runner.ts";
import { createOperations, type Operations } from "../../../sandbox/operations.ts";
import { createSandbox, type Sandbox } from "../../../sandbox/sandbox.ts";
import type { Chance } from "../chance.ts";

export const ACCOUNT = "111122223333";
export const REGION = "eu-west-1";
export const REGISTRY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;

export interface Account {
  readonly sandbox: Sandbox;
  readonly stepped: SteppedClock;
  /** Calls by people, infrastructure code and observers: no fault meets them, and they take no time. */
  readonly operations: Operations;
  /** Does it by and by; what goes wrong is a bug of the simulation, and ends the run. */
  readonly hand: (deed: (operations: Operations) => Promise<unknown>) => void;
  /** Answers one request of a controller, now. */
  send(request: SandboxRequest): Promise<SandboxResponse>;
  /** Calls that are being answered at this moment. */
  open(): number;
  /** Throws what went wrong behind a hand. */
  check(): void;
}

export interface AccountParts {
  readonly chance: Chance;
  readonly runner: (clock: SteppedClock) => EcsRunner;
  /** Hears every call that had an effect or may have had one, in order. */
  readonly onCall: (call: Call) => void;
}

export function createAccount({ chance, runner, onCall }: AccountParts): Account {
  const stepped = createSteppedClock();
  const sandbox = createSandbox({
    clock: stepped,
    chance: sandboxChance(chance.below(2 ** 32)),
    runner: runner(stepped),
    account: ACCOUNT,
    region: REGION,
    logIngestDelayMs: 1_000,
  });
  let open = 0;
  let heard = 0;
  const wrong: unknown[] = [];

  async function send(request: SandboxRequest): Promise<SandboxResponse> {
    open += 1;
    try {
      return await sandbox.handle(request);
    } finally {
      open -= 1;
      const calls = sandbox.calls.since(heard);
      heard = sandbox.calls.latest();
      for (const call of calls) onCall(call);
    }
  }

  const operations = createOperations(send, REGION);
  return {
    sandbox,
    stepped,
    operations,
    send,
    open: () => open,
    hand(deed) {
      open += 1;
      deed(operations)
        .catch((error: unknown) => void wrong.push(error))
        .finally(() => (open -= 1));
    },
    check() {
      if (wrong.length > 0) throw wrong[0];
    },
  };
}
