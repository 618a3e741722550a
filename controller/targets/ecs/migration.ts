// The migrate step: a hard gate. One task per key and attempt, passed only on proof, never run twice on a guess.
import type { Service as EcsService } from "@aws-sdk/client-ecs";
import { assert } from "../../core/assert.ts";
import type { Instant } from "../../core/brand.ts";
import { cancelReason } from "../../core/cancel.ts";
import type { Outcome } from "../../core/event.ts";
import { Fault } from "../../core/fault.ts";
import type { MigrationMemory } from "../../core/history.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Runner } from "../../ports.ts";
import type { Aws } from "../aws.ts";
import { sessionFor } from "./deploy.ts";
import type { ServiceReader } from "./describe.ts";
import { missing, refusal } from "./describe.ts";
import { migrationFamily, tagsOf } from "./family.ts";
import type { Attempt, Started } from "./migration-task.ts";
import { findTask, mayReplay, runTask, startedByOf, tokenOf } from "./migration-task.ts";
import type { Job, WatchParts } from "./migration-watch.ts";
import { settle, watchTask } from "./migration-watch.ts";
import { render } from "./task-definition.ts";
import { readTemplate } from "./template.ts";
import { createPauses } from "./wait.ts";

export interface MigrateParts extends WatchParts {
  readonly aws: Aws;
  readonly reader: ServiceReader;
}

type Migrating = Job<MigrateParts>;

/** An attempt whose intent stands in the journal. */
interface Intended extends Attempt {
  readonly number: number;
  readonly startedAt: Instant;
  /** AWS's clock at the intent. */
  readonly awsAt?: Instant;
  readonly task?: string;
  /** Recorded just now, so that nothing can have been sent yet. */
  readonly fresh: boolean;
}

const CAPACITY_PAUSE_MS = 10_000;
const UNANSWERED_PAUSE_MS = 2_000;
/** How long a task of an earlier attempt may take to be gone. */
const PREDECESSOR_MS = 5 * 60_000;

export function createMigrate(parts: MigrateParts): Runner<"migrate"> {
  return async (step, turn, context) => {
    const migration = turn.environment.migrations.find(({ name }) => name === step.migration);
    assert(migration !== undefined, `the plan runs ${step.migration}, which the environment has not`);
    try {
      return await migrate({ parts, step, turn, context, migration });
    } catch (thrown) {
      // Stopped from outside: nothing is written, and the next life finds the task by reads.
      if (context.signal.aborted) return { status: "cancelled", by: cancelReason(context.signal) };
      throw thrown;
    }
  };
}

async function migrate(job: Migrating): Promise<Outcome> {
  const known = job.turn.memory.migrations.get(job.step.key);
  if (known === undefined || known.again || known.state === "refused")
    return run(job, await begin(job, (known?.attempt ?? 0) + 1));
  switch (known.state) {
    case "passed":
      return { status: "done", note: "it has passed before" };
    case "started":
      return run(job, resumed(job, known));
    case "failed":
      return { status: "failed", code: "migration-failed", message: known.message ?? "it failed before" };
    case "unknown":
      return { status: "failed", code: "migration-unknown", message: known.message ?? "its outcome is unknown" };
  }
}

/** Attempt after attempt while there is no room; everything else ends it. */
async function run(job: Migrating, first: Intended): Promise<Outcome> {
  const { context, migration } = job;
  let intended = first;
  for (let tries = 1; ; tries += 1) {
    const { task } = intended;
    const started: Launched = task === undefined ? await launch(job, intended) : { state: "started", task };
    if (started.state === "started") return watchTask(job, intended, started.task);
    if (started.state === "unknown") return settle(job, { result: "unknown", message: started.why }, []);
    const { fault } = started;
    if (!started.capacity || tries >= LIMITS.capacityAttempts) return givenUp(job, fault);
    await settle(job, { result: "refused", code: "no-capacity", message: fault.message }, []);
    const pauseMs = CAPACITY_PAUSE_MS * 2 ** (tries - 1);
    context.note(`${migration.name}: ${fault.message}; attempt ${intended.number + 1} in ${pauseMs / 1000} s`);
    await context.clock.sleep(pauseMs, context.signal);
    intended = await intend(job, intended.taskDefinition, intended.number + 1);
  }
}

/** AWS refused, so nothing runs. What the operator can mend is tried again at a later look, under the next attempt. */
async function givenUp(job: Migrating, fault: Fault): Promise<Outcome> {
  const { code, message } = fault;
  if (fault.consequence !== "stop") return settle(job, { result: "failed", code, message }, []);
  await settle(job, { result: "refused", code, message }, []);
  throw fault;
}

/** An earlier life recorded the intent, and perhaps the task. */
function resumed(job: Migrating, known: MigrationMemory): Intended {
  const { step, turn, migration, context } = job;
  const { token = tokenOf(step.key, known.attempt), taskDefinition = "", cluster, startedAt, awsAt, task } = known;
  const place = { ...turn.environment.place, ...(cluster === undefined ? {} : { cluster }) };
  context.note(`${migration.name}: looking for the task of attempt ${known.attempt}`);
  return {
    ...attemptOf(job, place, token, taskDefinition),
    number: known.attempt,
    startedAt,
    fresh: false,
    ...(awsAt === undefined ? {} : { awsAt }),
    ...(task === undefined ? {} : { task }),
  };
}

async function begin(job: Migrating, number: number): Promise<Intended> {
  const taskDefinition = await register(job, await liveService(job));
  await predecessorGone(job);
  return intend(job, taskDefinition, number);
}

async function intend(job: Migrating, taskDefinition: string, number: number): Promise<Intended> {
  const { step, turn, context, migration, parts } = job;
  const { place } = turn.environment;
  const token = tokenOf(step.key, number);
  const clock = parts.aws.date();
  const awsAt = clock === undefined ? {} : { awsAt: clock };
  const startedAt = context.clock.now();
  await context.record({
    type: "migration-started",
    release: turn.release.number,
    migration: migration.name,
    key: step.key,
    attempt: number,
    token,
    taskDefinition,
    cluster: place.cluster,
    ...awsAt,
  });
  return { ...attemptOf(job, place, token, taskDefinition), number, startedAt, ...awsAt, fresh: true };
}

function attemptOf(job: Migrating, place: Attempt["place"], token: string, taskDefinition: string): Attempt {
  const { turn, migration } = job;
  return {
    place,
    session: sessionFor(turn),
    family: migrationFamily(turn.environment, migration.name),
    token,
    startedBy: startedByOf(turn.environment, migration.name, token),
    taskDefinition,
  };
}

type Launched = Started | { readonly state: "unknown"; readonly why: string };

/** Sends RunTask; without an answer, reads first, and sends the same token again only while AWS still knows it. */
async function launch(job: Migrating, intended: Intended): Promise<Launched> {
  const { parts, context, migration } = job;
  const { aws, tasks } = parts;
  const deadlineMs = context.clock.monotonicMs() + migration.timeoutMs;
  for (let look = !intended.fresh; ; look = true) {
    try {
      if (look) {
        const found = await findTask(tasks, intended, context.signal);
        if (found?.taskArn !== undefined) return await started(job, found.taskArn);
        if (!mayReplay(intended.awsAt, aws.date())) return { state: "unknown", why: lost(intended) };
      }
      const answer = await runTask(aws, intended, await liveService(job), context);
      return answer.state === "started" ? await started(job, answer.task) : answer;
    } catch (thrown) {
      const world = thrown instanceof Fault && thrown.consequence === "retry";
      // A call that nobody answered is looked for at least once, however long the answer was waited for.
      if (!world || (look && context.clock.monotonicMs() >= deadlineMs)) throw thrown;
      context.note(`${migration.name}: ${thrown.message}; looking whether it was started`);
      await context.clock.sleep(UNANSWERED_PAUSE_MS, context.signal);
    }
  }
}

async function started({ step, migration, context }: Migrating, task: string): Promise<Started> {
  await context.record({ type: "migration-task", migration: migration.name, key: step.key, task });
  context.note(`${migration.name}: task ${task.slice(task.lastIndexOf("/") + 1)} started`);
  return { state: "started", task };
}

function lost({ number, place }: Intended): string {
  return (
    `attempt ${number} was sent, no answer was kept, and cluster ${place.cluster} shows no task of it; ` +
    "it is too late to ask AWS again under the same token"
  );
}

async function liveService({ parts, turn, migration, context }: Migrating): Promise<EcsService> {
  const { place } = turn.environment;
  const live = await parts.reader.find(place, migration.service, context.signal);
  if (live === undefined) throw missing(migration.service, place.cluster);
  const unfit = refusal(live, place.cluster);
  if (unfit !== undefined) throw unfit;
  return live;
}

/** The service's template with the migration's image and command, under a family of its own. */
async function register(job: Migrating, live: EcsService): Promise<string> {
  const { parts, step, turn, migration, context } = job;
  const { environment, memory, release } = turn;
  const service = environment.services.find(({ name }) => name === migration.service);
  assert(
    service !== undefined,
    `migration ${migration.name} names ${migration.service}, which the environment has not`,
  );
  const template = await readTemplate({ environment, service, live, memory }, parts.revisions, context.signal);
  const container = migration.container ?? service.container;
  const { registration, content } = render(template, {
    family: migrationFamily(environment, migration.name),
    subject: `migration ${migration.name}`,
    name: service.name,
    image: migration.image,
    digest: step.image,
    command: migration.command,
    ...(container === undefined ? {} : { container }),
  });
  const tags = tagsOf({ turn, sha: migration.sha, content, origin: template.origin, own: template.tags });
  const place = { ...environment.place, session: sessionFor(turn) };
  return parts.revisions.register({ place, registration, content, journal: release.journal, tags }, context);
}

/** At most one task of a migration at a time: one that was timed out, or started by hand, has to be gone first. */
async function predecessorGone({ parts, turn, migration, context }: Migrating): Promise<void> {
  const { environment } = turn;
  const family = migrationFamily(environment, migration.name);
  const pauses = createPauses(context.clock);
  const untilMs = context.clock.monotonicMs() + PREDECESSOR_MS;
  for (let said = false; ; said = true) {
    const running = await parts.tasks.list(environment.place, { family, desiredStatus: "RUNNING" }, context.signal);
    const ending = await parts.tasks.list(environment.place, { family, desiredStatus: "STOPPED" }, context.signal);
    const left = [...running, ...ending.filter(({ lastStatus }) => lastStatus !== "STOPPED")];
    const task = left[0]?.taskArn;
    if (task === undefined) return;
    if (context.clock.monotonicMs() >= untilMs)
      throw new Fault("migration-unknown", `migration ${migration.name}: task ${task} of another attempt still runs`);
    if (!said) context.note(`${migration.name}: waiting for task ${task} of another attempt to end`);
    await pauses.next(context.signal);
  }
}
