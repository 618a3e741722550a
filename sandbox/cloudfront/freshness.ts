// How long the CDN keeps an object, from the origin's Cache-Control and the behaviour's three limits.

/** Limits of a cache behaviour or cache policy, in seconds. */
export interface TimeToLive {
  readonly min: number;
  readonly standard: number;
  readonly max: number;
}

/** `keep` false: not even stored. Kept for 0 seconds = stored, and revalidated with the origin on every request. */
export interface Freshness {
  readonly keep: boolean;
  readonly seconds: number;
}

/**
 * CloudFront's rule: `no-cache`, `no-store` and `private` mean the minimum; else s-maxage, else max-age, between minimum
 * and maximum; without either the default. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
 */
export function freshness(cacheControl: string | undefined, limits: TimeToLive): Freshness {
  const directives = readDirectives(cacheControl ?? "");
  if (directives.has("no-store") || directives.has("private")) return { keep: limits.min > 0, seconds: limits.min };
  if (directives.has("no-cache")) return { keep: true, seconds: limits.min };
  const asked = seconds(directives.get("s-maxage")) ?? seconds(directives.get("max-age"));
  if (asked === undefined) return { keep: true, seconds: Math.max(limits.min, limits.standard) };
  return { keep: true, seconds: Math.min(Math.max(asked, limits.min), Math.max(limits.max, limits.min)) };
}

function readDirectives(header: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  for (const directive of header.split(",")) {
    const [name = "", value = ""] = directive.split("=");
    if (name.trim() !== "") directives.set(name.trim().toLowerCase(), value.trim().replaceAll('"', ""));
  }
  return directives;
}

function seconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
