// The rules of the script runner: which containers meet which fate.

import { type Input, invalidParameter, record, records, text, texts, wholeNumber } from "../members.ts";
import type { StopCode } from "./model.ts";
import type { Refusal } from "./runner.ts";

export interface ScriptRule {
  /** A part of the image reference. */
  readonly image?: string;
  /** A part of the command, its words joined by spaces. */
  readonly command?: string;
  /** The container's name. */
  readonly container?: string;
  /** For how many containers the rule holds. Default: all. */
  readonly times?: number;
  readonly outcome: Outcome;
}

/** Milliseconds are counted from the container's start, on the sandbox's clock. */
export interface Outcome {
  /**
   * `serve` runs until it is stopped; `exit` ends by itself (as a service: a crash loop); `never-healthy` runs and never
   * listens; `refused` never starts; `interrupted` loses its host.
   */
  readonly kind: "serve" | "exit" | "never-healthy" | "refused" | "interrupted";
  readonly exitCode?: number;
  readonly afterMs?: number;
  /** When it listens. Default 0; what exits by itself only ever listens when this is given. */
  readonly healthyAfterMs?: number;
  readonly log?: readonly string[];
  /** Ends only by SIGKILL, after the stop timeout. */
  readonly ignoresSigterm?: boolean;
  /** What SIGTERM makes of it. Default 143. */
  readonly stopExitCode?: number;
  /** For `refused`. Default CannotPullContainerError. */
  readonly error?: Refusal["kind"];
  readonly message?: string;
  /** For `interrupted`. Default SpotInterruption. */
  readonly stopCode?: StopCode;
}

const KINDS = ["serve", "exit", "never-healthy", "refused", "interrupted"] as const;
const ERRORS = ["CannotPullContainerError", "ResourceInitializationError", "CannotStartContainerError"] as const;
const STOP_CODES = ["SpotInterruption", "TerminationNotice", "InfrastructureHealth"] as const;
const LONGEST_MS = 86_400_000;

/** Reads `{rules: [{image?, command?, container?, times?, outcome}]}`. Fault: InvalidParameterException. */
export function parseRules(body: Input): readonly ScriptRule[] {
  return (records(body, "rules") ?? []).map((rule) =>
    present<ScriptRule>({
      image: text(rule, "image"),
      command: text(rule, "command"),
      container: text(rule, "container"),
      times: count(rule, "times"),
      outcome: parseOutcome(record(rule, "outcome") ?? {}),
    }),
  );
}

function parseOutcome(outcome: Input): Outcome {
  const kind = oneOf(outcome, "kind", KINDS);
  if (kind === undefined) throw invalidParameter("outcome.kind", `Member must be one of ${KINDS.join(", ")}`);
  return present<Outcome>({
    kind,
    exitCode: count(outcome, "exitCode"),
    afterMs: count(outcome, "afterMs"),
    healthyAfterMs: count(outcome, "healthyAfterMs"),
    log: texts(outcome, "log"),
    ignoresSigterm: outcome["ignoresSigterm"] === true ? true : undefined,
    stopExitCode: count(outcome, "stopExitCode"),
    error: oneOf(outcome, "error", ERRORS),
    message: text(outcome, "message"),
    stopCode: oneOf(outcome, "stopCode", STOP_CODES),
  });
}

function oneOf<T extends string>(input: Input, name: string, values: readonly T[]): T | undefined {
  const value = text(input, name);
  const found = values.find((candidate) => candidate === value);
  if (value !== undefined && found === undefined)
    throw invalidParameter(name, `Member must be one of ${values.join(", ")}`);
  return found;
}

function count(input: Input, name: string): number | undefined {
  const value = wholeNumber(input, name, { least: 0, most: LONGEST_MS, otherwise: -1 });
  return value < 0 ? undefined : value;
}

/** Leaves out what was not given. */
function present<T>(value: { readonly [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
