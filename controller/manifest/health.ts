// Health checks of services and webs: an address that may be asked, and how long it must answer well.
import type { HealthCheck } from "../core/environment.ts";
import type { Values } from "../core/template.ts";
import { duration, expanded, refuse, type Draft, type Path } from "./draft.ts";
import type { HealthManifest } from "./manifest.generated.ts";
import { quoted } from "./problem.ts";

/** The check at a path; undefined after saying what is wrong. */
export function healthCheck(draft: Draft, path: Path, health: HealthManifest, values: Values): HealthCheck | undefined {
  const url = health.url === undefined ? refuse(draft, path, " has no url") : address(draft, path, health.url, values);
  const forMs = duration(draft, [...path, "for"], health.for, "10s");
  const timeoutMs = duration(draft, [...path, "timeout"], health.timeout, "5m");
  if (forMs >= timeoutMs) refuse(draft, [...path, "for"], " must be shorter than the timeout of the check");
  if (url === undefined) return undefined;
  return {
    url,
    ...(health.status === undefined ? {} : { status: [...new Set([health.status].flat())].sort((a, b) => a - b) }),
    ...(health.version === undefined ? {} : { version: health.version }),
    forMs,
    timeoutMs,
  };
}

function address(draft: Draft, path: Path, template: string, values: Values): string | undefined {
  const at = [...path, "url"];
  const text = expanded(draft, at, template, values);
  if (text === undefined) return undefined;
  const url = parsed(text);
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return refuse(draft, at, `: ${quoted(text)} is not an http or https address`);
  }
  if (url.username !== "" || url.password !== "") {
    return refuse(draft, at, " holds a user or password", "whoever reads the repository would know it");
  }
  if (isLinkLocal(url.hostname)) {
    return refuse(
      draft,
      at,
      `: ${url.hostname} is a link-local address`,
      "it would answer for the controller's own host",
    );
  }
  return text;
}

/** Link-local in every spelling (WHATWG URL has made them one), and the address of EC2's metadata in IPv6. */
export function isLinkLocal(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const mapped = /^::(?:ffff:)?([0-9a-f]{1,4}):[0-9a-f]{1,4}$/.exec(host);
  return (
    host.startsWith("169.254.") ||
    mapped?.[1] === "a9fe" ||
    /^fe[89ab][0-9a-f]:/.test(host) ||
    host.startsWith("fd00:ec2:")
  );
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
