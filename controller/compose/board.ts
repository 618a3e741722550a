// The engine as server and command line see it: read-only, with the lines that steps wrote.
import type { EnvironmentId } from "../core/environment.ts";
import type { Event } from "../core/event.ts";
import { migrationKey } from "../core/fingerprint.ts";
import type { ReleaseRecord } from "../core/history.ts";
import { recordOf } from "../core/status.ts";
import { LIMITS } from "../core/limits.ts";
import type { StepId } from "../core/step.ts";
import { stepId } from "../core/step.ts";
import type { Engine } from "../engine/engine.ts";
import type { Board, StepLog } from "../server/board.ts";

type Line = StepLog["lines"][number];

interface Written {
  readonly release: number;
  first: number;
  lines: Line[];
}

export function createBoard(engine: Engine): Board {
  const written = new Map<string, Written>();
  engine.subscribe((event) => keep(written, event));
  return {
    status: () => engine.status(),
    environment: (id) => engine.environment(id),
    releases: (id) => releases(engine, id),
    logs: (id, step) => Promise.resolve(logs(engine, written, id, step)),
    subscribe(listener) {
      const subscription = engine.subscribe(listener);
      return () => subscription[Symbol.dispose]();
    },
    readiness() {
      const unread = engine.status().repositories.filter((one) => one.readAt === undefined);
      const first = unread[0];
      if (first === undefined) return { ready: true };
      return { ready: false, why: first.trouble ?? `${first.address} has not been read yet` };
    },
  };
}

function releases(engine: Engine, id: EnvironmentId): readonly ReleaseRecord[] | undefined {
  const memory = engine.memory(id);
  if (memory === undefined) return undefined;
  const open = memory.open === undefined ? [] : [recordOf(memory.open)];
  return [...memory.releases, ...open].reverse();
}

/** Progress of the last release of each step; a new release begins a new page. */
function keep(written: Map<string, Written>, event: Event): void {
  if (event.durable || event.event.type !== "progress" || !event.stream.startsWith("environment/")) return;
  const { release, step, text } = event.event;
  const key = `${event.stream.slice("environment/".length)} ${step}`;
  const known = written.get(key);
  const page = known?.release === release ? known : { release, first: 0, lines: [] };
  page.lines.push({ at: event.at, text: text.slice(0, LIMITS.logLineLength) });
  const over = page.lines.length - LIMITS.progressLines;
  if (over > 0) {
    page.lines.splice(0, over);
    page.first += over;
  }
  written.set(key, page);
}

function logs(
  engine: Engine,
  written: ReadonlyMap<string, Written>,
  id: EnvironmentId,
  asked: StepId | undefined,
): StepLog | undefined {
  const memory = engine.memory(id);
  const release = memory?.open ?? memory?.releases.at(-1);
  if (memory === undefined || release === undefined) return undefined;
  const running = release.steps.find((one) => one.startedAt !== undefined && one.settledAt === undefined);
  const failed = release.steps.find((one) => one.outcome?.status === "failed");
  const last = release.steps.findLast((one) => one.settledAt !== undefined);
  const record =
    asked === undefined ? (failed ?? running ?? last) : release.steps.find((one) => isAsked(stepId(one.step), asked));
  if (record === undefined) return undefined;
  const step = stepId(record.step);
  const page = written.get(`${id} ${step}`);
  const said = page?.release === release.number ? page : undefined;
  const task = record.step.kind === "migrate" ? taskLog(engine, id, record.step.migration) : [];
  return {
    release: release.number,
    step,
    running: record.settledAt === undefined && memory.open !== undefined,
    first: said?.first ?? 0,
    lines: [...(said?.lines ?? []), ...task],
  };
}

/** `migrate` stands for `migrate/migrate`, `api` for `deploy/api`. */
function isAsked(step: StepId, asked: string): boolean {
  return step === asked || step.startsWith(`${asked}/`) || step.endsWith(`/${asked}`);
}

/** What the journal kept of a migration's task log. */
function taskLog(engine: Engine, id: EnvironmentId, name: string): readonly Line[] {
  const memory = engine.memory(id);
  const open = memory?.open?.desired;
  const settled = [...(memory?.migrations.values() ?? [])].filter((one) => one.name === name && one.log.length > 0);
  const own = open?.migrations.find((migration) => migration.name === name);
  const current = open === undefined || own === undefined ? undefined : memory?.migrations.get(migrationKey(open, own));
  const log = current === undefined ? settled.at(-1)?.log : current.log;
  return (log ?? []).map((text) => ({ text }));
}
