// Web releases of an environment: from which folder of S3, to which bucket, behind which distribution.
import { NO_SHA, WebName, type Sha } from "../core/brand.ts";
import type { Web } from "../core/environment.ts";
import { holds, type Values } from "../core/template.ts";
import { expanded, refuse, sortedEntries, type Draft, type WebPart } from "./draft.ts";
import { healthCheck } from "./health.ts";
import { artifactValues } from "./images.ts";
import { quoted } from "./problem.ts";

interface WebContext {
  readonly sha: Sha | undefined;
  /** `web/site` → the commit it is pinned to. */
  readonly pins: ReadonlyMap<string, Sha>;
}

/** Names of buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const HOST = /^(\*\.)?[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,10}$/;

/** Webs by name; what is wrong is said in the draft. */
export function websOf(draft: Draft, context: WebContext): readonly Web[] {
  const webs = sortedEntries(draft.manifest.web).flatMap(([name, part]) => web(draft, name, part, context) ?? []);
  const taken = new Map<string, string>();
  for (const { name, bucket, prefix } of webs) {
    const first = taken.get(`${bucket}/${prefix}`);
    taken.set(`${bucket}/${prefix}`, first ?? name);
    if (first === undefined) continue;
    refuse(
      draft,
      ["web", name, "bucket"],
      `: web.${first} has the same bucket and prefix`,
      "give one of them a `prefix:`",
    );
  }
  return webs;
}

function web(draft: Draft, name: string, part: WebPart, { sha: shared, pins }: WebContext): Web | undefined {
  const path = ["web", name];
  const sha = pins.get(`web/${name}`) ?? shared ?? NO_SHA;
  const values = artifactValues(draft, sha);
  const at = (key: keyof WebPart): readonly string[] => [...path, key];
  const text = (key: "domain" | "distribution", grammar: RegExp, what: string): string | undefined => {
    const template = part[key];
    const found = template === undefined ? undefined : expanded(draft, at(key), template, draft.values);
    if (found === undefined || grammar.test(found)) return found;
    return refuse(draft, at(key), `: ${quoted(found)} is not ${what}`);
  };
  const artifact = artifactOf(draft, name, part, values);
  const bucket = bucketOf(draft, name, part);
  const prefix = prefixOf(draft, name, part);
  const domain = text("domain", HOST, "a domain name");
  const distribution = text("distribution", /^[A-Z0-9]{2,64}$/, "the id of a CloudFront distribution");
  const health = part.health === undefined ? undefined : healthCheck(draft, at("health"), part.health, values);
  if (artifact === undefined || bucket === undefined || prefix === undefined) return undefined;
  return {
    name: WebName.parse(name),
    sha,
    artifact,
    bucket,
    prefix,
    ...(domain === undefined ? {} : { domain }),
    ...(distribution === undefined ? {} : { distribution }),
    ...(part.invalidate === undefined ? {} : { invalidate: part.invalidate }),
    keep: part.keep ?? 10,
    ...(health === undefined ? {} : { health }),
  };
}

function artifactOf(draft: Draft, name: string, { artifact }: WebPart, values: Values): string | undefined {
  const path = ["web", name, "artifact"];
  const example = "such as s3://acme-artifacts/shop-web/releases/{sha}/";
  if (artifact === undefined) return refuse(draft, ["web", name], " has no artifact", example);
  const text = expanded(draft, path, artifact, values);
  if (text === undefined) return undefined;
  if (!holds(artifact, "sha", "sha7")) {
    return refuse(draft, path, ": no {sha} or {sha7}: moving artifacts are not deployed", example);
  }
  const [, bucket = "", folder = ""] = /^s3:\/\/([^/]*)\/(.+)$/.exec(text) ?? [];
  if (!BUCKET.test(bucket) || !isFolder(folder)) {
    return refuse(draft, path, `: ${quoted(text)} is not a folder in S3`, example);
  }
  return text.endsWith("/") ? text : `${text}/`;
}

function bucketOf(draft: Draft, name: string, { bucket }: WebPart): string | undefined {
  if (bucket === undefined) return refuse(draft, ["web", name], " has no bucket", "name the bucket CloudFront serves");
  const path = ["web", name, "bucket"];
  const text = expanded(draft, path, bucket, draft.values);
  if (text === undefined || BUCKET.test(text)) return text;
  return refuse(draft, path, `: ${quoted(text)} is not the name of a bucket`);
}

function prefixOf(draft: Draft, name: string, { prefix = "" }: WebPart): string | undefined {
  const path = ["web", name, "prefix"];
  const text = expanded(draft, path, prefix, draft.values);
  if (text === undefined || text === "") return text;
  if (!isFolder(text)) return refuse(draft, path, `: ${quoted(text)} is not a folder in the bucket`, "such as docs/");
  return text.endsWith("/") ? text : `${text}/`;
}

/** `a/b/` without empty or dotted segments and without what would make another key of it. */
function isFolder(text: string): boolean {
  const segments = text.replace(/\/$/, "").split("/");
  return /^[A-Za-z0-9!_.'()/-]+$/.test(text) && segments.every((segment) => !["", ".", ".."].includes(segment));
}
