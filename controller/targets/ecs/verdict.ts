// Whether a migration's task did what it should: passed only on proof. Pure.
import type { Failure, Task } from "@aws-sdk/client-ecs";
import { stopWords } from "./tasks.ts";

export interface Verdict {
  readonly result: "passed" | "failed" | "unknown";
  readonly message: string;
  readonly exitCode?: number;
}

/** The host went away under the task: nobody knows how far it came. */
const INTERRUPTED: readonly string[] = ["SpotInterruption", "TerminationNotice", "InfrastructureHealth"];

/** The verdict on a STOPPED task; sidecars do not count. */
export function verdict(task: Task, container: string): Verdict {
  const exitCode = task.containers?.find(({ name }) => name === container)?.exitCode;
  const words = stopWords(task, container);
  const stopCode = task.stopCode ?? "";
  if (INTERRUPTED.includes(stopCode))
    return { result: "unknown", message: `interrupted: ${words}`, ...given(exitCode) };
  if (exitCode === undefined) return { result: "failed", message: `the container never started: ${words}` };
  if (exitCode !== 0)
    return { result: "failed", message: `container ${container} exited ${exitCode}: ${words}`, exitCode };
  if (stopCode === "EssentialContainerExited") return { result: "passed", message: "exited 0", exitCode };
  if (stopCode === "UserInitiated") return { result: "failed", message: `it was stopped: ${words}`, exitCode };
  return {
    result: "unknown",
    message: `container ${container} exited 0, but the task ended otherwise: ${words}`,
    exitCode,
  };
}

function given(exitCode: number | undefined): { exitCode?: number } {
  return exitCode === undefined ? {} : { exitCode };
}

/** RunTask refused for want of room: another attempt may find some. */
export function isCapacity(words: string): boolean {
  return /^(RESOURCE|AGENT|CAPACITY)\b|capacity|limit on the number of tasks|tasks in (the )?provisioning/i.test(words);
}

/** Why RunTask started nothing although it answered well. */
export function failureWords(failures: readonly Failure[]): string {
  const words = failures.map(({ reason = "", detail = "" }) =>
    [reason, detail].filter((part) => part !== "").join(": "),
  );
  return [...new Set(words)].join("; ") || "AWS gave no reason";
}
