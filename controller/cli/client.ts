// Talks to a controller over its API; what goes wrong on the way becomes a sentence with a next step.
import type { Instant } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { ReleaseRecord } from "../core/history.ts";
import { nearest } from "../core/nearest.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import type { StepId } from "../core/step.ts";
import { VARIABLES } from "../variables.ts";
import type { Call } from "./call.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./stop.ts";

/** Answers of the API, as `/api/v1` documents them. */
export interface EnvironmentDocument {
  readonly at: Instant;
  readonly environment: EnvironmentStatus;
}
export interface ReleasesDocument {
  readonly at: Instant;
  readonly environment: EnvironmentId;
  readonly releases: readonly ReleaseRecord[];
}
export interface LogDocument {
  readonly environment: EnvironmentId;
  readonly log: {
    readonly release: number;
    readonly step: StepId;
    readonly running: boolean;
    readonly first: number;
    readonly lines: readonly { readonly at?: Instant; readonly text: string }[];
  };
}

export interface Client {
  readonly url: string;
  status(): Promise<StatusDocument>;
  environment(id: EnvironmentId): Promise<EnvironmentDocument>;
  releases(id: EnvironmentId): Promise<ReleasesDocument>;
  /** Undefined when the step wrote nothing, or there is none. */
  logs(id: EnvironmentId, step: string | undefined): Promise<LogDocument | undefined>;
  /** `path` below /api/v1. */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<void>;
}

const TIMEOUT_MS = 30_000;

export function createClient({ io, options }: Pick<Call, "io" | "options">): Client {
  const url = address(options.text("url") ?? io.env["LOCKSTEP_URL"] ?? listening(io.env["LOCKSTEP_LISTEN"]));

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      return await fetch(new URL(`/api/v1${path}`, url), { ...init, signal, redirect: "error" });
    } catch (thrown) {
      io.signal.throwIfAborted();
      throw stop(
        EXIT.failed,
        `no controller answers at ${url} (${reason(thrown)})`,
        "Start one with `lockstep serve`, or name its address with --url or LOCKSTEP_URL.",
      );
    }
  }

  async function get<Document>(path: string): Promise<Document> {
    const response = await ask(path);
    if (!response.ok) throw await refused(response, url);
    return (await readJson(response, url)) as Document;
  }

  return {
    url,
    status: () => get("/status"),
    environment: (id) => get(`/environments/${id}`),
    releases: (id) => get(`/releases/${id}`),
    async logs(id, step) {
      const response = await ask(`/logs/${id}${step === undefined ? "" : `/${encodeURIComponent(step)}`}`);
      if (response.status === 404) {
        const { code } = await problemOf(response);
        if (code === "log-missing") return undefined;
        throw stop(EXIT.usage, `the controller knows no environment ${id}`, "`lockstep status` lists them.");
      }
      if (!response.ok) throw await refused(response, url);
      return (await readJson(response, url)) as LogDocument;
    },
    async post(path, body) {
      const headers = {
        "content-type": "application/json",
        "lockstep-request": "1",
        // Names may hold letters that a header may not.
        "lockstep-actor": encodeURIComponent(io.user),
      };
      const response = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
      if (!response.ok) throw await refused(response, url);
      await response.body?.cancel();
    },
  };
}

function listening(listen: string | undefined): string {
  return listen === undefined || listen === "" ? VARIABLES.LOCKSTEP_URL.default : `http://${listen}`;
}

function address(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw stop(EXIT.usage, `${JSON.stringify(text)} is no address of a controller`, VARIABLES.LOCKSTEP_URL.next);
  }
  return url.origin;
}

function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.name === "TimeoutError") return `nothing within ${TIMEOUT_MS / 1000} seconds`;
  const cause = thrown.cause instanceof Error ? thrown.cause : thrown;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}

async function readJson(response: Response, url: string): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw stop(EXIT.failed, `what answers at ${url} is no Lockstep controller`, "Check --url or LOCKSTEP_URL.");
  }
}

interface ApiProblem {
  readonly code?: string;
  readonly message?: string;
  readonly next?: string;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => undefined);
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  return typeof error === "object" && error !== null ? error : {};
}

async function refused(response: Response, url: string): Promise<Error> {
  const { code, message, next } = await problemOf(response);
  if (message === undefined) {
    const exit = response.status === 401 || response.status === 403 ? EXIT.denied : EXIT.failed;
    return stop(exit, `${url} answered ${response.status}`, "Check that --url is the address of a controller.");
  }
  if (response.status === 401 || response.status === 403) return stop(EXIT.denied, message, next);
  return stop(code === "environment-missing" ? EXIT.usage : EXIT.failed, message, next);
}

/** `shop/prod`, or `prod` alone. */
export function isNamed(id: string, name: string): boolean {
  return id === name || (!name.includes("/") && id.endsWith(`/${name}`));
}

/** The environment meant by `prod` or `shop/prod`. */
export function select<One extends { readonly id: EnvironmentId }>(all: readonly One[], name: string): One {
  const found = all.filter(({ id }) => isNamed(id, name));
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    const ids = found.map(({ id }) => id).join(", ");
    throw stop(EXIT.usage, `${name} exists in several applications: ${ids}`, `For example: ${first.id}`);
  }
  const names = all.flatMap(({ id }) => [id, id.slice(id.indexOf("/") + 1)]);
  const meant = nearest(name, names);
  const known = all.length === 0 ? "There is none yet." : `There are: ${all.map(({ id }) => id).join(", ")}.`;
  throw stop(
    EXIT.usage,
    `there is no environment ${JSON.stringify(name)}`,
    meant === undefined ? known : `Did you mean ${meant}? ${known}`,
  );
}
