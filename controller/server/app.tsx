// The HTTP application: one table of routes, everything else is denied; page and API show the same documents.
import { Hono } from "hono";
import type { Context } from "hono";
import { html } from "hono/html";
import { streamSSE } from "hono/streaming";
import { ApplicationName, EnvironmentName } from "../core/brand.ts";
import { environmentId } from "../core/environment.ts";
import type { ReleaseRecord } from "../core/history.ts";
import type { Redactor } from "../core/redact.ts";
import type { EnvironmentStatus } from "../core/status.ts";
import type { Control } from "../ports.ts";
import type { Board } from "./board.ts";
import { createFeed } from "./feed.ts";
import type { Feed } from "./feed.ts";
import { onlyKnownHosts, onlyOurRequests, onlySmallBodies, strictHeaders } from "./guard.ts";
import { accept, ACTIONS, nudge, refresh } from "./nudges.ts";
import { EnvironmentPage } from "./page-environment.tsx";
import type { Html } from "./page.tsx";
import { MissingPage } from "./page.tsx";
import { OverviewPage } from "./page-overview.tsx";
import { ReleasePage } from "./page-release.tsx";
import { answer, problem, problemOf } from "./problem.ts";
import { STYLE } from "./style.ts";
import { createWebhook } from "./webhook.ts";

export interface AppOptions {
  readonly board: Board;
  readonly control: Control;
  readonly redact: Redactor;
  readonly version: string;
  /** Host of the listen address. */
  readonly host: string;
  /** More names under which it may be asked for. */
  readonly hosts: readonly string[];
  /** Without a secret there is no webhook. */
  readonly webhookSecrets: readonly string[];
  /** Random digits that tell this process from an earlier one. */
  readonly life: string;
  /** How often a quiet event stream shows that it is alive. */
  readonly heartbeatMs?: number;
  /** Hears of our own mistakes while answering. */
  readonly onError: (error: unknown) => void;
}

export interface App {
  fetch(request: Request): Response | Promise<Response>;
  readonly routes: readonly Route[];
  /** Ends the event streams. */
  close(): void;
}

/** Who may call a route: anybody who reaches it; who sends our headers; who signs with the webhook's secret. */
type Access = "read" | "nudge" | "signed";

/** The whole table; what is not in it is answered 404. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly access: Access;
  readonly handle: (context: Context) => Response | Promise<Response>;
}

const HEARTBEAT_MS = 15_000;
const API = "/api/v1";
const OF_ENVIRONMENT = ":application/:environment";

export function createApp(options: AppOptions): App {
  const feed = createFeed(options.board, options.redact, options.life);
  const table = routes({ ...options, board: redacted(options.board, options.redact) }, feed);
  const app = new Hono();
  app.use(strictHeaders, onlyKnownHosts(options.host, options.hosts));
  for (const route of table) {
    const guards = route.access === "nudge" ? [onlyOurRequests, onlySmallBodies] : [];
    app.on([route.method], [route.path], ...guards, (context) => route.handle(context));
  }
  app.notFound((context) =>
    answer(context, problem(404, "not-found", "There is nothing here.", "See / and /api/v1/status.")),
  );
  app.onError((error, context) => {
    options.onError(error);
    return answer(context, problemOf(error));
  });
  return { fetch: (request) => app.fetch(request), routes: table, close: () => feed.close() };
}

/** No secret leaves through page, API or event stream. */
function redacted(board: Board, redact: Redactor): Board {
  return {
    status: () => redact.deep(board.status()),
    environment: (id) => redact.deep(board.environment(id)),
    releases: (id) => redact.deep(board.releases(id)),
    logs: async (id, step, signal) => redact.deep(await board.logs(id, step, signal)),
    subscribe: (listener) => board.subscribe(listener),
    readiness: () => redact.deep(board.readiness()),
  };
}

function routes(options: AppOptions, feed: Feed): readonly Route[] {
  const { control, webhookSecrets } = options;
  const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, access: "read", handle });
  const post = (path: string, handle: Route["handle"]): Route => ({ method: "POST", path, access: "nudge", handle });
  const webhook = createWebhook(webhookSecrets, () => control.look());
  return [
    ...pages(options, get),
    ...documents(options, get),
    get(`${API}/events`, (context) => events(context, feed, options.heartbeatMs ?? HEARTBEAT_MS)),
    ...ACTIONS.map((action) =>
      post(`${API}/environments/${OF_ENVIRONMENT}/${action}`, (context) =>
        withEnvironment(options, context, (one) => nudge(context, control, one.id, action)),
      ),
    ),
    post(`${API}/refresh`, (context) => refresh(context, control)),
    post(`${API}/accept`, (context) => accept(context, control)),
    ...(webhookSecrets.length === 0
      ? []
      : [{ method: "POST", path: "/webhook", access: "signed", handle: webhook } satisfies Route]),
  ];
}

type Get = (path: string, handle: Route["handle"]) => Route;

function pages(options: AppOptions, get: Get): readonly Route[] {
  const { board, version } = options;
  const missing = (context: Context): Response | Promise<Response> =>
    page(context, <MissingPage version={version} path={context.req.path} />, 404);
  return [
    get("/", (context) => page(context, <OverviewPage status={board.status()} version={version} />)),
    get(`/env/${OF_ENVIRONMENT}`, (context) => {
      const one = find(board, context);
      if (one === undefined) return missing(context);
      const releases = board.releases(one.id) ?? [];
      return page(context, <EnvironmentPage one={one} releases={releases} at={board.status().at} version={version} />);
    }),
    get(`/env/${OF_ENVIRONMENT}/release/:number`, (context) => {
      const one = find(board, context);
      const release = one === undefined ? undefined : findRelease(board, one, context);
      if (one === undefined || release === undefined) return missing(context);
      return page(context, <ReleasePage one={one} release={release} at={board.status().at} version={version} />);
    }),
    get("/style.css", (context) => {
      context.header("cache-control", "max-age=300");
      return context.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" });
    }),
    get("/healthz", (context) => context.text("ok\n")),
    get("/readyz", (context) => {
      const readiness = board.readiness();
      return context.json({ schema: "lockstep/v1", ...readiness }, readiness.ready ? 200 : 503);
    }),
  ];
}

function page(context: Context, content: Html, status: 200 | 404 = 200): Response | Promise<Response> {
  return context.html(html`<!doctype html>${content}`, status);
}

function documents(options: AppOptions, get: Get): readonly Route[] {
  const { board } = options;
  const document = (context: Context, content: object): Response =>
    context.json({ schema: "lockstep/v1", at: board.status().at, ...content });
  return [
    get(`${API}/status`, (context) => context.json(board.status())),
    get(`${API}/environments/${OF_ENVIRONMENT}`, (context) =>
      withEnvironment(options, context, (environment) => document(context, { environment })),
    ),
    get(`${API}/releases/${OF_ENVIRONMENT}`, (context) =>
      withEnvironment(options, context, ({ id }) =>
        document(context, { environment: id, releases: board.releases(id) ?? [] }),
      ),
    ),
    get(`${API}/releases/${OF_ENVIRONMENT}/:number`, (context) =>
      withEnvironment(options, context, (one) => {
        const release = findRelease(board, one, context);
        if (release !== undefined) return document(context, { environment: one.id, release });
        const next = `See ${API}/releases/${one.id}.`;
        return answer(context, problem(404, "release-missing", `${one.id} has no such release in memory.`, next));
      }),
    ),
    get(`${API}/logs/${OF_ENVIRONMENT}`, (context) => log(options, context)),
    get(`${API}/logs/${OF_ENVIRONMENT}/:step`, (context) => log(options, context)),
  ];
}

function log(options: AppOptions, context: Context): Response | Promise<Response> {
  return withEnvironment(options, context, async ({ id }) => {
    const found = await options.board.logs(id, context.req.param("step"), context.req.raw.signal);
    if (found !== undefined) return context.json({ schema: "lockstep/v1", environment: id, log: found });
    const next = "Steps write logs while they run; `lockstep status` shows which one runs.";
    return answer(context, problem(404, "log-missing", `${id}: no log of this step is kept.`, next));
  });
}

function withEnvironment(
  { board }: AppOptions,
  context: Context,
  then: (one: EnvironmentStatus) => Response | Promise<Response>,
): Response | Promise<Response> {
  const one = find(board, context);
  if (one !== undefined) return then(one);
  const next = "`lockstep status` lists those there are.";
  return answer(context, problem(404, "environment-missing", "There is no such environment.", next));
}

function find(board: Board, context: Context): EnvironmentStatus | undefined {
  const { application = "", environment: name = "" } = context.req.param();
  return ApplicationName.is(application) && EnvironmentName.is(name)
    ? board.environment(environmentId({ application, name }))
    : undefined;
}

function findRelease(board: Board, one: EnvironmentStatus, context: Context): ReleaseRecord | undefined {
  const number = context.req.param("number") ?? "";
  if (!/^\d{1,9}$/.test(number)) return undefined;
  return board.releases(one.id)?.find((release) => release.number === Number(number));
}

/** Server-sent events: what was missed since `Last-Event-ID`, then everything as it happens. */
function events(context: Context, feed: Feed, heartbeatMs: number): Response {
  const listener = feed.listen(context.req.header("last-event-id"));
  if (listener === undefined) {
    return answer(
      context,
      problem(503, "too-many-listeners", "Too many listen already.", "Ask /api/v1/status instead."),
    );
  }
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    try {
      if (!listener.complete) await stream.writeSSE({ event: "reset", data: "{}" });
      await stream.write(": welcome\n\n");
      for (;;) {
        const items = await listener.next(heartbeatMs, gone.signal);
        if (items === undefined) return;
        if (items.length === 0) await stream.write(": heartbeat\n\n");
        for (const item of items) await stream.writeSSE({ id: item.id, data: item.data });
      }
    } finally {
      listener.close();
    }
  });
}
