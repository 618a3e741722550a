// What CI leaves behind for one commit: images whose annotations say how they behave, and a web release with its list.
import { createHash } from "node:crypto";
import { CreateRepositoryCommand, PutImageCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { imageManifest } from "../../../sandbox/images.ts";
import { type Account, ARTIFACTS, REGION } from "./account.ts";

export interface Build {
  /**
   * Built into the images: CRASH_AFTER_MS for one that crashes, MIGRATE_EXIT and MIGRATE_MS for its migration, GIT_SHA
   * for one that says it is another. Left out, all is well.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** Keys of the web release that CI lists and fails to upload. */
  readonly withoutFiles?: readonly string[];
  /** What tags begin with and end in beside the SHA. */
  readonly tags?: (sha: string) => readonly string[];
}

interface Page {
  readonly content: string;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** Image repositories of an application; their tags may move, as those of many accounts may. */
export async function createImageRepositories(account: Account, application: string): Promise<void> {
  for (const service of ["api", "worker"]) {
    const repositoryName = `${application}/${service}`;
    await account.ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability: "MUTABLE" }));
  }
}

export async function pushImages(account: Account, application: string, sha: string, build: Build): Promise<void> {
  const tags = build.tags ?? ((one: string) => [one]);
  for (const service of ["api", "worker"]) {
    const built = { GIT_SHA: sha, SERVICE: service, BEAT_MS: "600000", ...build.environment };
    const manifest = imageManifest({ environment: built });
    for (const imageTag of tags(sha)) {
      const repositoryName = `${application}/${service}`;
      await account.ecr.send(new PutImageCommand({ repositoryName, imageTag, imageManifest: manifest }));
    }
  }
}

export async function pushRelease(account: Account, application: string, sha: string, build: Build): Promise<void> {
  const prefix = `${application}-web/releases/${sha}/`;
  const pages = webRelease(application, sha);
  for (const [key, page] of Object.entries(pages)) {
    if (build.withoutFiles?.includes(key) !== true) await put(account, ARTIFACTS, `${prefix}${key}`, page);
  }
  const files = Object.entries(pages).map(([key, { content, contentType, cacheControl }]) => {
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { key, size: Buffer.byteLength(content), sha256, contentType, cacheControl };
  });
  const list = { content: JSON.stringify({ files }), contentType: "application/json", cacheControl: "no-store" };
  await put(account, ARTIFACTS, `${prefix}lockstep.json`, list);
}

/** A page, an asset with a hash in its name, and a file that changes under the same name. */
export function webRelease(application: string, sha: string): Readonly<Record<string, Page>> {
  const script = `document.title = ${JSON.stringify(`${application} ${sha}`)};\n`;
  const asset = `assets/app-${createHash("sha256").update(script).digest("hex").slice(0, 8)}.js`;
  const minutes = "public, max-age=0, s-maxage=86400";
  return {
    [asset]: { content: script, contentType: "text/javascript", cacheControl: "public, max-age=31536000, immutable" },
    "release.txt": { content: `${sha}\n`, contentType: "text/plain", cacheControl: minutes },
    "index.html": {
      content: `<!doctype html><html lang="en"><title>${application}</title><p>${sha}</p><script src="/${asset}"></script></html>\n`,
      contentType: "text/html; charset=utf-8",
      cacheControl: minutes,
    },
  };
}

export async function createBucket(account: Account, Bucket: string): Promise<void> {
  const place = { CreateBucketConfiguration: { LocationConstraint: REGION } } as const;
  await account.s3.send(new CreateBucketCommand({ Bucket, ...place }));
}

export async function put(account: Account, Bucket: string, Key: string, page: Page): Promise<void> {
  const { content, contentType, cacheControl } = page;
  const headers = { ContentType: contentType, CacheControl: cacheControl };
  await account.s3.send(new PutObjectCommand({ Bucket, Key, Body: content, ...headers }));
}
