// The doors out of the command line: what commands may ask for, and compose.ts provides.
import type { Config } from "../config.ts";
import type { Decision } from "../core/decision.ts";
import type { Environment, EnvironmentId } from "../core/environment.ts";
import type { Event } from "../core/event.ts";
import type { Memory } from "../core/history.ts";
import type { LiveState } from "../core/live.ts";
import type { Plan } from "../core/plan.ts";
import type { StatusDocument } from "../core/status.ts";
import type { Told } from "../core/told.ts";
import type { Control } from "../ports.ts";
import type { Output } from "./io.ts";

export interface Doors {
  /** Reads manifests; what is wrong with them comes as problems. Faults: repository-unreachable, repository-denied. */
  readManifests(where: Where, signal: AbortSignal): Promise<Manifests>;
  /** AWS by the SDK's own chain and the journal of LOCKSTEP_JOURNAL, both read only. Fault: credentials-missing. */
  openWorld(signal: AbortSignal): Promise<Outlook>;
  /** Runs the controller until the signal aborts. */
  startController(options: ControllerOptions): Promise<Running>;
  /** A world to try things in: an account on this machine, a repository, and the real controller on it. */
  openDemo(options: DemoOptions): Promise<Demo>;
  /** What the schemas say about a key of a manifest; `near` holds keys of like spelling when there is no such key. */
  explain(key: string): Promise<{ readonly entry?: KeyReference; readonly near: readonly string[] }>;
  /** The text of a JSON Schema. */
  schema(kind: SchemaKind): Promise<string>;
}

export const SCHEMA_KINDS = ["application", "environment", "controller"] as const;
export type SchemaKind = (typeof SCHEMA_KINDS)[number];

/** Where manifests are read: the work tree around `cwd`, or a repository's branch head. */
export interface Where {
  readonly cwd: string;
  /** URL or path given by `--repo`; undefined = the work tree. */
  readonly repository?: string;
  /** Branch or commit; only with `repository`. */
  readonly ref?: string;
  /** Only these files, by path as the user gave them; their folders are read as well. */
  readonly files?: readonly string[];
  /** Read as if the environment's `sha` were this one (`plan --sha`); 7 digits or more, expanded as a manifest's. */
  readonly bump?: { readonly environment: string; readonly sha: string };
}

/** Something wrong in a manifest. Line and column count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string;
  /** The source line it stands in. */
  readonly excerpt?: string;
}

export interface Manifests {
  /** What was read, for people: a path or an address with its commit. */
  readonly from: string;
  /** Configuration folders found, relative to the root; "" is the root itself. */
  readonly folders: readonly string[];
  /** Files that were checked. */
  readonly files: readonly string[];
  readonly environments: readonly Environment[];
  readonly problems: readonly Problem[];
  /** The merged manifest of each environment, and where each value stands. */
  readonly merged: readonly Merged[];
}

export interface Merged {
  readonly id: EnvironmentId;
  /** Application and environment merged, as a JSON value in the words of a manifest. */
  readonly manifest: unknown;
  readonly origins: readonly Origin[];
}

/** Where a value comes from; without a file it is a default. */
export interface Origin {
  /** `services.api.count`. */
  readonly path: string;
  readonly value: string;
  readonly file?: string;
  readonly line?: number;
}

/** A world that is only looked at. */
export interface Outlook {
  plan(environment: Environment, signal: AbortSignal): Promise<Foresight>;
  close(): Promise<void>;
}

/** What would happen, and what was known when that was said. */
export interface Foresight {
  readonly plan: Plan;
  readonly live: LiveState;
  readonly decision: Decision;
  readonly memory: Memory;
  /** Without the journal nobody knows which migrations ran. */
  readonly journal: "read" | "unreachable";
}

export interface ControllerOptions {
  readonly config: Config;
  /** Statuses and drift only; nothing is written to AWS. */
  readonly observe: boolean;
  readonly version: string;
  /** Where people watch: log lines as JSON go here, or human lines when it is a terminal. */
  readonly output: Output;
  readonly colour: boolean;
  readonly unicode: boolean;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
}

export interface Running {
  /** `http://127.0.0.1:4600`: where page and API listen. */
  readonly address: string;
  status(): StatusDocument;
  /** Hears of every event until the returned function is called. */
  subscribe(listener: (event: Event) => void): () => void;
  readonly control: Control;
  /** Resolves with the exit code when everything has been closed. */
  readonly closed: Promise<number>;
}

export const DEMO_FAULTS = ["denied", "throttle", "5xx"] as const;
export type DemoDeed = "begin" | "promote" | "migration" | "crash" | "drift" | "hold" | "revert";

export interface DemoOptions extends Omit<ControllerOptions, "config" | "observe"> {
  /** What goes wrong with every call of an operation, from before the first release on. */
  readonly faults: readonly { readonly operation: string; readonly kind: (typeof DEMO_FAULTS)[number] }[];
}

export interface Demo {
  /** Where the controller's page is. */
  readonly address: string;
  /** The repository that the controller reads, and a clone of it to commit in. */
  readonly bare: string;
  readonly clone: string;
  /** What a shell needs to reach the account. */
  readonly variables: Readonly<Record<string, string>>;
  /** Plays the whole story, checking each line; ends at the first that is untrue. */
  story(): AsyncIterable<Told>;
  /** Does one thing that people do; what comes of it, the controller tells. */
  do(deed: DemoDeed): AsyncIterable<Told>;
  status(): StatusDocument;
  /** Ends every process and removes every file. */
  close(): Promise<void>;
}

/** One key of a manifest, as its schema describes it. */
export interface KeyReference {
  readonly key: string;
  readonly type: string;
  readonly description: string;
  readonly default?: string;
  /** Files it may stand in: `application.yaml`, `environment files`. */
  readonly where: readonly string[];
  readonly examples: readonly string[];
  /** Keys below it. */
  readonly children: readonly string[];
}
