// Why a deployment does not get well: the last stopped task's reason and its last log line. Never fails as a whole.
import type { Task } from "@aws-sdk/client-ecs";
import type { Place } from "../../core/environment.ts";
import { faultOf } from "../../core/fault.ts";
import type { Logs } from "./logs.ts";
import { logPlace } from "./logs.ts";
import type { Revisions } from "./revisions.ts";
import type { Tasks } from "./tasks.ts";
import { stopWords } from "./tasks.ts";

export interface Patient {
  readonly place: Place;
  readonly service: string;
  readonly version: string;
  readonly deployment: string;
}

/** `last task stopped: …; last log line: …`; a part that cannot be read says so in its place. */
export type Diagnose = (patient: Patient, signal: AbortSignal) => Promise<string>;

const LINES = 5;

export function createDiagnose(parts: {
  readonly tasks: Tasks;
  readonly logs: Logs;
  readonly revisions: Revisions;
}): Diagnose {
  const { tasks, logs, revisions } = parts;

  async function lastLine(patient: Patient, task: Task, signal: AbortSignal): Promise<string> {
    const revision = await revisions.read(patient.place, patient.version, signal);
    const container = task.containers?.find(({ exitCode }) => exitCode !== undefined && exitCode !== 0);
    const name = container?.name ?? task.containers?.[0]?.name;
    const at =
      revision === undefined || name === undefined || task.taskArn === undefined
        ? undefined
        : logPlace(revision.definition, name, task.taskArn);
    if (at === undefined) return "no log is known";
    const lines = await logs.tail(patient.place, at, LINES, signal);
    const last = lines.findLast((line) => line.trim() !== "");
    return last === undefined ? "its log is empty" : `last log line: ${last}`;
  }

  return async (patient, signal) => {
    const stopped = await orElse(signal, "the stopped tasks could not be read", async () => {
      const all = await tasks.list(patient.place, { serviceName: patient.service, desiredStatus: "STOPPED" }, signal);
      return newestOf(all, patient) ?? "no task of it has stopped";
    });
    if (typeof stopped === "string") return stopped;
    const log = await orElse(signal, "the log could not be read", () => lastLine(patient, stopped, signal));
    return `last task stopped: ${stopWords(stopped)}; ${log}`;
  };
}

/** A task of the deployment; of the same version when none names the deployment. Scaling in is no illness. */
function newestOf(all: readonly Task[], { deployment, version }: Patient): Task | undefined {
  const byTime = (a: Task, b: Task): number => (b.stoppedAt?.getTime() ?? 0) - (a.stoppedAt?.getTime() ?? 0);
  const own = all.filter((task) => task.startedBy === deployment);
  const same = own.length > 0 ? own : all.filter((task) => task.taskDefinitionArn === version);
  return same.filter(({ stoppedReason = "" }) => !/^scaling activity/i.test(stoppedReason)).sort(byTime)[0];
}

async function orElse<Value>(
  signal: AbortSignal,
  instead: string,
  read: () => Promise<Value | string>,
): Promise<Value | string> {
  try {
    return await read();
  } catch (thrown) {
    signal.throwIfAborted();
    return `${instead} (${faultOf(thrown).message})`;
  }
}
