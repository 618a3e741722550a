// What CI leaves in the account for each commit: images under tags, web releases under prefixes, good, late, rebuilt or incomplete.
import { imageManifest } from "../../../sandbox/images.ts";
import { Digest } from "../../../controller/core/brand.ts";
import { digestOf } from "../../../controller/core/fingerprint.ts";
import type { Artifact } from "../../../controller/core/live.ts";
import { sha256 } from "../../../controller/core/sha256.ts";
import type { Builds, SourceCommit } from "../builds.ts";
import { createBuilds } from "../builds.ts";
import type { Chance } from "../chance.ts";
import type { Shape } from "../repository.ts";
import type { Tally } from "../tally.ts";
import type { Account } from "./account.ts";

export const ARTIFACTS = "shop-artifacts";
const LATE_MS = 300_000;

/** One file of a web release. */
export interface WebFile {
  readonly content: string;
  readonly type: string;
  readonly cacheControl: string;
}
export type WebFiles = ReadonlyMap<string, WebFile>;

export interface WireBuilds extends Builds {
  /** Every page that was built of a web, by the digest that stands in its index.html. */
  pages(web: string): ReadonlyMap<Digest, WebFiles>;
}

export interface WireBuildsParts {
  readonly chance: Chance;
  readonly tally: Tally;
  readonly account: Account;
  readonly shape: Shape;
  /** Releases carry a lockstep.json. */
  readonly lists: boolean;
}

export function createWireBuilds({ chance, tally, account, shape, lists }: WireBuildsParts): WireBuilds {
  const { stepped } = account;
  const model = createBuilds(chance, () => stepped.now(), tally);
  const made = new Map<Digest, SourceCommit>();
  const current = new Map<string, Digest>();
  const pages = new Map<string, Map<Digest, WebFiles>>(shape.webs.map((web) => [web, new Map()]));
  const images = [...shape.services, ...shape.migrations];

  function pushImage(name: string, tag: string, commit: SourceCommit, variant: string): void {
    const manifest = imageManifest({ environment: { GIT_SHA: commit.sha, NAME: name, VARIANT: variant } });
    const digest = Digest.parse(`sha256:${sha256(manifest)}`);
    made.set(digest, commit);
    current.set(`${name}@${commit.sha}`, digest);
    const input = { repositoryName: `shop/${name}`, imageManifest: manifest, imageTag: tag };
    account.hand((operations) => operations.json("ecr", "PutImage", input));
  }

  function pushPage(web: string, commit: SourceCommit, variant: string, without: boolean): void {
    const digest = digestOf(`page ${web} ${commit.sha} ${variant}`);
    const files = pageFiles(web, commit.sha, digest, lists);
    made.set(digest, commit);
    current.set(`${web}@${commit.sha}`, digest);
    pages.get(web)?.set(digest, files);
    const sent = without ? [...files].slice(1) : [...files];
    account.hand(async (operations) => {
      for (const [key, file] of sent) {
        await operations.rest("PUT", `/${ARTIFACTS}/${web}/${commit.sha}/${key}`, file.content, {
          "content-type": file.type,
          "cache-control": file.cacheControl,
        });
      }
    });
  }

  function push(commit: SourceCommit): void {
    for (const name of images) pushImage(name, commit.sha, commit, "1");
    if (commit.artifact === "ambiguous") pushImage("api", `${commit.sha}-b`, commit, "2");
    for (const web of shape.webs) pushPage(web, commit, "1", commit.artifact === "incomplete");
  }

  let rebuilt = 0;
  return {
    commits: model.commits,
    commit: (sha) => model.commit(sha),
    builtOf: (digest) => made.get(digest),
    pages: (web) => pages.get(web) ?? new Map(),
    add(kind) {
      const commit = model.add(kind);
      if (commit.artifact === "late") stepped.after(LATE_MS, () => push(commit));
      else if (commit.artifact !== "missing") push(commit);
      return commit;
    },
    rebuild(commit) {
      if (!current.has(`api@${commit.sha}`)) return;
      rebuilt += 1;
      for (const name of images) pushImage(name, commit.sha, commit, `again ${rebuilt}`);
      for (const web of shape.webs) pushPage(web, commit, `again ${rebuilt}`, false);
    },
    resolve(component, sha): Artifact {
      const digest = current.get(`${component.slice(component.indexOf("/") + 1)}@${sha}`);
      if (digest === undefined) return { state: "unresolved", why: { code: "artifact-missing", message: component } };
      return { state: "resolved", digest, from: sha };
    },
  };
}

const FOREVER = "public, max-age=31536000, immutable";
/** Readers of the CDN keep what they have for a day, so that a forgotten invalidation shows. */
const PAGE_CACHE = "public, max-age=0, s-maxage=86400";

/** A page that names its build, two assets of its own, and one it shares with every other build. */
function pageFiles(web: string, sha: string, build: Digest, lists: boolean): WebFiles {
  const script = `document.title = "${web} ${sha} ${build}";\n`;
  const style = `body { --build: "${sha}" }\n`;
  const logo = `<svg xmlns="http://www.w3.org/2000/svg"><title>${web}</title></svg>\n`;
  const name = (stem: string, text: string, end: string): string => `assets/${stem}-${sha256(text).slice(0, 8)}.${end}`;
  const [scriptKey, styleKey, logoKey] = [
    name("app", script, "js"),
    name("app", style, "css"),
    name("logo", logo, "svg"),
  ];
  const at = prefixOf(web);
  const html = `<!doctype html>
<html lang="en" data-build="${build}"><head><link rel="stylesheet" href="/${at}${styleKey}"></head>
<body><img src="/${at}${logoKey}"><script src="/${at}${scriptKey}"></script></body></html>
`;
  const files: [string, WebFile][] = [
    [scriptKey, { content: script, type: "text/javascript", cacheControl: FOREVER }],
    [styleKey, { content: style, type: "text/css", cacheControl: FOREVER }],
    [logoKey, { content: logo, type: "image/svg+xml", cacheControl: FOREVER }],
    ["index.html", { content: html, type: "text/html; charset=utf-8", cacheControl: PAGE_CACHE }],
  ];
  if (!lists) return new Map(files);
  const list = files.map(([key, { content, type, cacheControl }]) => {
    return { key, size: Buffer.byteLength(content), sha256: sha256(content), contentType: type, cacheControl };
  });
  const last = { content: JSON.stringify({ files: list }), type: "application/json", cacheControl: "no-store" };
  return new Map([...files, ["lockstep.json", last]]);
}

/** Two webs share one bucket and one distribution. */
export function prefixOf(web: string): string {
  return web === "site" ? "" : `${web}/`;
}
