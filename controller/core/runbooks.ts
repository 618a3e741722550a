// Which codes have a page for people: what Lockstep has done, what to look at, how to go on.
import type { FaultCode } from "./fault.ts";

const PAGES = {
  "migration-unknown": "migration-unknown",
  "migration-failed": "migration-failed",
  "migration-timeout": "migration-failed",
  "deployment-failed": "rollback-failed",
  "deployment-timeout": "rollback-failed",
  "deployment-replaced": "rollback-failed",
  "health-failed": "rollback-failed",
  "publish-conflict": "rollback-failed",
  "history-rewritten": "halted-history",
  "branch-missing": "halted-history",
  "head-unsigned": "halted-history",
  "journal-unavailable": "journal",
  "journal-damaged": "journal",
  "journal-foreign": "journal",
  "foreign-page": "journal",
  "artifact-missing": "image-gone",
  "artifact-archived": "image-gone",
  "artifact-rebuilt": "image-gone",
  "artifact-ambiguous": "image-gone",
  "release-incomplete": "image-gone",
  denied: "denied",
  "credentials-missing": "denied",
} as const satisfies Readonly<Partial<Record<FaultCode, string>>>;

/** Path of the page below the root of the repository: `docs/runbooks/denied.md`. Undefined = the code says all there is. */
export function runbookOf(code: FaultCode): string | undefined {
  return Object.hasOwn(PAGES, code) ? `docs/runbooks/${PAGES[code as keyof typeof PAGES]}.md` : undefined;
}
