// Exit codes of the command line; scripts rely on them, so a number never changes its meaning.
import type { FaultCode } from "../core/fault.ts";

export const EXIT = {
  done: 0,
  failed: 1,
  differs: 2,
  blocked: 3,
  denied: 4,
  invalid: 5,
  releaseFailed: 6,
  timeout: 7,
  running: 8,
  usage: 64,
  interrupted: 130,
} as const;

/** Shown by `lockstep help exit-codes`. */
export const EXIT_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.done, "done; for plan and diff also when they found differences"],
  [EXIT.failed, "failed (AWS, network, Git server, bug)"],
  [EXIT.differs, "differences, only with --exit-code"],
  [EXIT.blocked, "blocked: gate, hold, halt"],
  [EXIT.denied, "not signed in or not allowed"],
  [EXIT.invalid, "manifest invalid"],
  [EXIT.releaseFailed, "release failed or rolled back"],
  [EXIT.timeout, "--timeout reached"],
  [EXIT.running, "still running"],
  [EXIT.usage, "wrong usage"],
  [EXIT.interrupted, "Ctrl-C; the release goes on"],
];

const BY_FAULT: Readonly<Partial<Record<FaultCode, number>>> = {
  "manifest-invalid": EXIT.invalid,
  "sha-unknown": EXIT.invalid,
  "task-template-invalid": EXIT.invalid,
  "count-owned-elsewhere": EXIT.invalid,
  denied: EXIT.denied,
  "credentials-missing": EXIT.denied,
  "repository-denied": EXIT.denied,
  "history-rewritten": EXIT.blocked,
  "migration-unknown": EXIT.blocked,
  "foreign-page": EXIT.blocked,
  "journal-foreign": EXIT.blocked,
  "migration-failed": EXIT.releaseFailed,
  "migration-timeout": EXIT.releaseFailed,
  "deployment-failed": EXIT.releaseFailed,
  "deployment-timeout": EXIT.releaseFailed,
  "deployment-replaced": EXIT.releaseFailed,
  "health-failed": EXIT.releaseFailed,
  "publish-conflict": EXIT.releaseFailed,
  "no-capacity": EXIT.releaseFailed,
  aborted: EXIT.releaseFailed,
};

/** What a fault means to a script; everything that is neither said to be wrong nor refused is 1. */
export function exitOf(code: FaultCode): number {
  return BY_FAULT[code] ?? EXIT.failed;
}
