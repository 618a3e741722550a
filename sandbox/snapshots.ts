// The last answer of each read, for the fault `stale`: what a read replica that lags behind would say.

import type { SandboxResponse } from "./api.ts";
import type { FaultedCall } from "./fault-order.ts";

/** Snapshots kept for stale reads, and how large a kept answer may be. */
const SNAPSHOT_LIMIT = 2000;
const SNAPSHOT_BYTES = 262_144;
const READ = /^(Batch)?(Get|Describe|List|Head|Filter|Search)/;

export interface Snapshots {
  of(call: FaultedCall): SandboxResponse | undefined;
  keep(call: FaultedCall, answer: SandboxResponse): SandboxResponse;
}

/** Answers are known by everything that was asked: service, operation, account, region and input. */
export function createSnapshots(): Snapshots {
  const answers = new Map<string, SandboxResponse>();
  const key = ({ service, operation, input, caller }: FaultedCall): string =>
    JSON.stringify([service, operation, caller.account, caller.region, input]);
  return {
    of: (call) => answers.get(key(call)),
    keep(call, answer) {
      if (!READ.test(call.operation) || answer.body.length > SNAPSHOT_BYTES) return answer;
      const name = key(call);
      answers.delete(name);
      answers.set(name, answer);
      const [oldest] = answers.keys();
      if (answers.size > SNAPSHOT_LIMIT && oldest !== undefined) answers.delete(oldest);
      return answer;
    },
  };
}
