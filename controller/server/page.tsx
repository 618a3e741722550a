// The frame of every page: title, navigation, a favicon with the worst state, and where the facts come from.
import type { Child } from "hono/jsx";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Instant } from "../core/brand.ts";
import { ago, moment } from "../core/describe.ts";
import { attention, STATES } from "../core/looks.ts";
import type { EnvironmentStatus, State } from "../core/status.ts";

/** What a component returns: escaped by construction. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

interface FrameProps {
  readonly title: string;
  readonly worst: State;
  readonly version: string;
  readonly children?: Child;
}

export function Frame({ title, worst, version, children }: FrameProps): Html {
  const { symbol } = STATES[worst];
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${symbol} ${title} · Lockstep`}</title>
        <link rel="icon" href={favicon(worst)} />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header>
          <a href="/" class="home">
            Lockstep
          </a>
          <span>what Git says is what runs</span>
          <a href="">Refresh</a>
        </header>
        <main id="main">{children}</main>
        <footer>
          {`Lockstep ${version} · `}
          <a href="/api/v1/status">status as JSON</a>
        </footer>
      </body>
    </html>
  );
}

const FAVICON_COLOURS = {
  ok: "#116329",
  run: "#0550ae",
  wait: "#7d4e00",
  bad: "#a40e26",
  drift: "#6639ba",
  muted: "#59636e",
};

function favicon(state: State): string {
  const { symbol, tone } = STATES[state];
  const text = `<text x="8" y="12" font-size="11" text-anchor="middle" fill="#fff">${symbol}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="${FAVICON_COLOURS[tone]}"/>${text}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** The state that a tab shows: the most urgent one, else what is under way, else healthy. */
export function worstOf(environments: readonly EnvironmentStatus[]): State {
  const first = attention(environments)[0];
  if (first !== undefined) return first.problems.length > 0 ? "failed" : first.state;
  return environments.find((one) => one.state === "converging")?.state ?? environments[0]?.state ?? "none";
}

/** Shape, word and colour together; the shape is hidden from readers that speak the word. */
export function Mark({ state, text }: { readonly state: State; readonly text?: string }): Html {
  const { symbol, word, tone } = STATES[state];
  return (
    <span class={`mark ${tone}`}>
      <span aria-hidden="true">{symbol}</span> {text === undefined ? word : <>{text} </>}
      {text === undefined ? undefined : <span class="spoken">({word})</span>}
    </span>
  );
}

/** Relative in the text, exact in the tooltip and for copying. */
export function Time({ at, now }: { readonly at: Instant; readonly now: Instant }): Html {
  return (
    <time datetime={new Date(at).toISOString()} title={moment(at)}>
      {ago(at, now)}
    </time>
  );
}

export function environmentPath(one: Pick<EnvironmentStatus, "id">): string {
  return `/env/${one.id}`;
}

export function MissingPage({ version, path }: { readonly version: string; readonly path: string }): Html {
  return (
    <Frame title="Not here" worst="none" version={version}>
      <h1>Nothing here</h1>
      <p>
        There is no page at <code>{path}</code>. It may be an environment that Git no longer holds, or a release that is
        older than those kept in memory.
      </p>
      <p>
        <a href="/">What runs where</a>
      </p>
    </Frame>
  );
}
