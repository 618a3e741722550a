// One English line for every event that can be seen: log, terminal and followers use these sentences.
import { unreachable } from "./assert.ts";
import { Instant, short } from "./brand.ts";
import { count, describeDifference, describeOutcome, digestName, journey, stepIdName } from "./describe.ts";
import type { EnvironmentEvent, Ephemeral, Event, JournalEvent, Mark, ReleaseEvent, RepositoryEvent } from "./event.ts";
import type { Blame } from "./fault.ts";
import { FAULTS } from "./fault.ts";

/** What an event is about: `shop/prod`, `repository 1f2e…`, `journal`. */
export function about(event: Event): string {
  const [kind = "", ...rest] = event.stream.split("/");
  return kind === "environment" ? rest.join("/") : [kind, ...rest].join(" ");
}

/** What happened, one sentence without a full stop. */
export function narrate(event: Event): string {
  if (!event.durable) return ephemeral(event.event);
  return durable(event.record.event);
}

/** Whether a person wants to see it at once, or only when looking closely; faults by who can mend them. */
export function weight(event: Event): "detail" | "news" | Blame {
  const what = event.durable ? event.record.event : event.event;
  switch (what.type) {
    case "lease":
    case "head-seen":
    case "step-started":
    case "migration-started":
    case "migration-task":
    case "deploy-intended":
    case "deploy-accepted":
    case "publication-started":
    case "publication-settled":
    case "progress":
      return "detail";
    case "trouble":
      return FAULTS[what.fault.code].blame;
    case "release-failed":
    case "rollback-failed":
      return FAULTS[what.code].blame;
    case "decided":
      return what.code === undefined ? "news" : FAULTS[what.code].blame;
    case "manifest-invalid":
      return "author";
    case "halted":
      return "operator";
    case "step-settled":
      return what.outcome.status === "failed" ? FAULTS[what.outcome.code].blame : "news";
    default:
      return "news";
  }
}

function ephemeral(event: Ephemeral): string {
  switch (event.type) {
    case "progress":
      return `#${event.release} ${stepIdName(event.step)}: ${event.text}`;
    case "decided":
      return event.next === undefined
        ? `${event.decision}: ${event.why}`
        : `${event.decision}: ${event.why}; next: ${event.next}`;
    case "manifest-invalid":
      return `manifest invalid, nothing of it is applied: ${event.problems[0] ?? "no reason given"}${event.problems.length > 1 ? ` (and ${event.problems.length - 1} more)` : ""}`;
    case "trouble":
      return `${event.where}: ${event.fault.message}`;
    case "trouble-cleared":
      return `${event.where}: works again`;
    default:
      return unreachable(event);
  }
}

function durable(event: EnvironmentEvent | RepositoryEvent | JournalEvent): string {
  switch (event.type) {
    case "journal-opened":
      return `journal ${event.journalId} opened`;
    case "head-seen":
      return `head is ${short(event.commit)}`;
    case "halted":
      return `halted: ${event.why}`;
    case "accepted":
      return `history accepted at ${short(event.head)} by ${event.actor}: ${event.reason}`;
    case "arrived":
      return `Git says ${short(event.sha)} since commit ${short(event.commit)}`;
    case "adopted":
      return `adopted ${count(event.services.length, "service")} as they run${event.matches ? "; live is what Git says" : ""}`;
    case "drift-found":
      return `drift: ${event.differences.map(describeDifference).join(", ")}`;
    case "drift-cleared":
      return "drift is gone: live is what Git says";
    case "hold-seen":
      return `on hold: ${event.reason}${event.until === undefined ? "" : ` (until ${Instant.toIso(event.until)})`}`;
    case "hold-cleared":
      return "hold is gone";
    case "unmanaged":
      return `unmanaged: ${event.why}; nothing is stopped`;
    case "managed":
      return "managed again";
    case "release-requested":
      return `first release asked for by ${event.actor}: ${event.reason}`;
    case "retry-requested":
      return `retry asked for by ${event.actor}: ${event.reason}`;
    case "repair-requested":
      return `repair asked for by ${event.actor}: ${event.reason}`;
    case "abort-requested":
      return `abort of #${event.release} asked for by ${event.actor}: ${event.reason}`;
    case "resolved":
      return `migration ${event.migration} resolved as ${event.outcome} by ${event.actor}: ${event.reason}`;
    case "lease":
      return event.released === true ? "lease released" : "lease renewed";
    case "release-adopted":
      return `release taken over from ${event.from}`;
    case "migration-started":
    case "migration-task":
    case "migration-settled":
    case "deploy-intended":
    case "deploy-accepted":
    case "publication-started":
    case "publication-settled":
    case "invalidated":
      return mark(event);
    default:
      return release(event);
  }
}

function release(event: ReleaseEvent): string {
  switch (event.type) {
    case "release-started":
      return `#${event.release} ${event.kind} of ${short(event.desired.sha)} started, ${count(event.steps.length, "step")}: ${event.why}`;
    case "release-succeeded":
      return `#${event.release} succeeded`;
    case "release-failed":
      return `#${event.release} failed at ${stepIdName(event.step)}: ${event.message}${event.undone ? "; the last good release is put back" : ""}`;
    case "release-superseded":
      return `#${event.release} superseded by ${short(event.by)}`;
    case "release-rolled-back":
      return `#${event.release} rolled back to #${event.to}`;
    case "rollback-failed":
      return `rollback of #${event.release} failed: ${event.message}`;
    case "step-started":
      return `#${event.release} ${stepIdName(event.step)} started`;
    case "step-settled":
      return `#${event.release} ${stepIdName(event.step)} ${describeOutcome(event.outcome)}`;
    case "health-passed":
      return `healthy on ${journey(undefined, event.sha)} (#${event.release})`;
    default:
      return unreachable(event);
  }
}

function mark(event: Mark): string {
  switch (event.type) {
    case "migration-started":
      return `#${event.release} migration ${event.migration} starts, attempt ${event.attempt}`;
    case "migration-task":
      return `migration ${event.migration} runs as ${event.task.slice(event.task.lastIndexOf("/") + 1)}`;
    case "migration-settled":
      return `migration ${event.migration} ${event.result}: ${event.message}`;
    case "deploy-intended":
      return `#${event.release} ${event.service} goes to ${event.version.slice(event.version.lastIndexOf("/") + 1)}`;
    case "deploy-accepted":
      return `#${event.release} ${event.service}: ECS accepted ${event.deployment ?? "the change"}`;
    case "publication-started":
      return `#${event.release} ${event.web} publishes ${digestName(event.digest)}`;
    case "publication-settled":
      return `${event.web} published: ${count(event.written, "file")} written, ${event.deleted} deleted`;
    case "invalidated":
      return `${event.web} invalidated: ${event.invalidation}`;
    default:
      return unreachable(event);
  }
}
