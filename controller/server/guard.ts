// What every request must pass before a route sees it: its Host, its headers where it changes something, its size.
import { isIP } from "node:net";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { answer, problem } from "./problem.ts";

/** Bodies of nudges are a few words. */
export const BODY_BYTES = 16 * 1024;

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const WILDCARD = ["0.0.0.0", "::"];

/**
 * Only the listen address and configured names may be asked for, so that a page whose name is rebound to this address
 * reads nothing. Ports are not compared: a container's port is often mapped, and a rebound page cannot choose the name.
 */
export function onlyKnownHosts(listenHost: string, names: readonly string[]): MiddlewareHandler {
  const own = listenHost.includes(":") ? `[${listenHost}]` : listenHost.toLowerCase();
  const local = LOOPBACK.includes(own) || WILDCARD.includes(listenHost);
  const known = new Set([own, ...(local ? LOOPBACK : []), ...names]);
  return async (context, next) => {
    const host = hostName(context.req.header("host"));
    // A wildcard address answers to any address of the machine: an address cannot be rebound, a name can.
    const anyAddress = WILDCARD.includes(listenHost) && isIP(host.replace(/^\[|\]$/g, "")) !== 0;
    if (known.has(host) || anyAddress) return next();
    return answer(
      context,
      problem(
        403,
        "host-refused",
        `This controller does not answer to the name ${JSON.stringify(host.slice(0, 80))}.`,
        "Ask for its listen address, or add the name to LOCKSTEP_HOSTS.",
      ),
    );
  };
}

function hostName(header: string | undefined): string {
  return (header ?? "").toLowerCase().replace(/:\d{1,5}$/, "");
}

/** No form and no script of another origin can send these headers without being asked first; nobody answers the asking. */
export const onlyOurRequests: MiddlewareHandler = async (context, next) => {
  const type = (context.req.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return answer(
      context,
      problem(415, "content-type", "A nudge is sent as JSON.", "Send the header Content-Type: application/json."),
    );
  }
  if (context.req.header("lockstep-request") !== "1") {
    return answer(
      context,
      problem(403, "request-refused", "The header Lockstep-Request is missing.", "Send Lockstep-Request: 1."),
    );
  }
  const origin = context.req.header("origin");
  if (origin !== undefined && !isSameHost(origin, context)) {
    return answer(
      context,
      problem(403, "request-refused", "Pages of another origin may not nudge.", "Use the lockstep command line."),
    );
  }
  return next();
};

function isSameHost(origin: string, context: Context): boolean {
  return URL.canParse(origin) && new URL(origin).host === (context.req.header("host") ?? "").toLowerCase();
}

export const onlySmallBodies: MiddlewareHandler = bodyLimit({
  maxSize: BODY_BYTES,
  onError: (context) =>
    answer(context, problem(413, "body-too-large", `A body has at most ${BODY_BYTES} bytes.`, "Shorten the reason.")),
});

/** Nothing from elsewhere, no frame around it, nothing kept by caches. */
export const strictHeaders: MiddlewareHandler = async (context, next) => {
  await next();
  const headers = context.res.headers;
  headers.set(
    "content-security-policy",
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  headers.set("cross-origin-resource-policy", "same-origin");
  headers.set("cross-origin-opener-policy", "same-origin");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
};
