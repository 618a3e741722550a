// What CI makes of a commit: an image for each service, and a web release whose list is uploaded last.
import { createHash } from "node:crypto";
import type { Account } from "./account.ts";
import type { Clients } from "./clients.ts";
import { ARTIFACTS, prefixOf, SERVICES } from "./manifests.ts";
import type { Repository } from "./repository.ts";

/** What is wrong with a build, if anything. */
export type Flaw = "none" | "migration" | "crash";

export interface Build {
  readonly sha: string;
  /** Digest of each service's image, as ECR answered it. */
  readonly digests: Readonly<Record<(typeof SERVICES)[number], string>>;
}

export interface Builds {
  /** Commits a piece of work, pushes it and builds it. */
  make(flaw?: Flaw): Promise<Build>;
}

/** Variables built into the images; the programs of the shop act on them. */
const FLAWS: { readonly [Name in Flaw]: Readonly<Record<string, string>> } = {
  none: {},
  migration: { MIGRATE_EXIT: "1" },
  crash: { CRASH_AFTER_MS: "1" },
};

const WORK: { readonly [Name in Flaw]: readonly (readonly [message: string, headline: string])[] } = {
  none: [
    ["Show the delivery date at checkout", "Order today, have it on Friday."],
    ["Let customers pay by invoice", "Buy now, pay by invoice."],
    ["Suggest what goes with the basket", "Goes well with your basket."],
    ["Say when something is back in stock", "Back in stock: the blue one."],
    ["Make the search forgive typing errors", "Find it, however you spell it."],
  ],
  migration: [["Keep prices in several currencies", "Pay in your own currency."]],
  crash: [["Read orders from the new database", "Your orders, faster."]],
};

export function createBuilds(account: Account, clients: Clients, repository: Repository): Builds {
  const made: Record<Flaw, number> = { none: 0, migration: 0, crash: 0 };

  async function pushImages(sha: string, flaw: Flaw): Promise<Build["digests"]> {
    const digests = SERVICES.map(async (service) => {
      const imageManifest = account.image({ GIT_SHA: sha, SERVICE: service, BEAT_MS: "600000", ...FLAWS[flaw] });
      const { image } = await clients.ecr.putImage({ repositoryName: `shop/${service}`, imageTag: sha, imageManifest });
      return image?.imageId?.imageDigest ?? "";
    });
    const [api = "", worker = ""] = await Promise.all(digests);
    return { api, worker };
  }

  async function pushRelease(sha: string, headline: string): Promise<void> {
    const files = releaseFiles(sha, headline);
    await Promise.all(files.map((file) => put(`${prefixOf(sha)}${file.key}`, file)));
    const list = files.map(({ key, content, contentType, cacheControl }) => {
      const sha256 = createHash("sha256").update(content).digest("hex");
      return { key, size: Buffer.byteLength(content), sha256, contentType, cacheControl };
    });
    const key = "lockstep.json";
    const content = JSON.stringify({ files: list });
    await put(`${prefixOf(sha)}${key}`, { key, content, contentType: "application/json", cacheControl: "no-store" });
  }

  async function put(key: string, { content, contentType, cacheControl }: ReleaseFile): Promise<void> {
    const headers = { ContentType: contentType, CacheControl: cacheControl };
    await clients.s3.putObject({ Bucket: ARTIFACTS, Key: key, Body: content, ...headers });
  }

  return {
    async make(flaw = "none") {
      const number = (made[flaw] += 1);
      const [message, headline] = WORK[flaw][(number - 1) % WORK[flaw].length] ?? ["Work", "Acme shop"];
      const sha = await repository.push(message, {
        "web/headline.txt": `${headline}\n`,
        "CHANGES.md": `${message}.\n`,
      });
      const [digests] = await Promise.all([pushImages(sha, flaw), pushRelease(sha, headline)]);
      return { sha, digests };
    },
  };
}

interface ReleaseFile {
  readonly key: string;
  readonly content: string;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** A page with a hashed style sheet, as a front end's build writes them; every build has a colour of its own. */
function releaseFiles(sha: string, headline: string): readonly ReleaseFile[] {
  const hue = Number.parseInt(sha.slice(0, 4), 16) % 360;
  const style = `:root { color-scheme: light dark }
body { font: 1.25rem/1.6 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center;
       background: light-dark(hsl(${hue} 70% 94%), hsl(${hue} 30% 14%)) }
h1 { font-size: 3rem; margin: 0 }
code { background: light-dark(#0001, #fff2); padding: .1em .4em; border-radius: .3em }
`;
  const asset = `assets/shop-${createHash("sha256").update(style).digest("hex").slice(0, 8)}.css`;
  const html = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>Acme shop ${sha.slice(0, 7)}</title>
  <link rel="stylesheet" href="/${asset}">
</head>
<body>
  <h1>Acme shop</h1>
  <p>${headline}</p>
  <p><small>This page is <code>${sha}</code>.</small></p>
</body>
</html>
`;
  return [
    { key: asset, content: style, contentType: "text/css", cacheControl: "public, max-age=31536000, immutable" },
    {
      key: "index.html",
      content: html,
      contentType: "text/html; charset=utf-8",
      cacheControl: "public, max-age=0, s-maxage=86400",
    },
  ];
}
