// The shop's manifests as text, and the small edits that people make in them.
import type { Account } from "./account.ts";

export const APPLICATION = "shop";
/** In the order of promotion. */
export const ENVIRONMENTS = ["dev", "staging", "prod"] as const;
export type EnvironmentWord = (typeof ENVIRONMENTS)[number];
export const SERVICES = ["api", "worker"] as const;
export const ARTIFACTS = "acme-artifacts";

export const APPLICATION_FILE = "environments/application.yaml";
export const fileOf = (environment: string): string => `environments/${environment}.yaml`;
export const aliasOf = (environment: string): string => `${environment}.acme.dev`;
export const prefixOf = (sha: string): string => `shop-web/releases/${sha}/`;

/** What the shop is made of, without the order of promotion. */
export function applicationText({ id, region }: Account): string {
  return `# What the shop is made of, and defaults for all its environments. \`lockstep explain services.health\` explains a key.
application: ${APPLICATION}
aws: { region: ${region} }
image: ${id}.dkr.ecr.{region}.amazonaws.com/shop/{service}:{sha}
services:
  api: { timeout: 30s }
  worker: { timeout: 30s }
migrate: { service: api, command: [node, migrate.mjs], timeout: 30s }
web:
  site: { artifact: "s3://${ARTIFACTS}/shop-web/releases/{sha}/", bucket: "acme-shop-web-{env}", domain: "{env}.acme.dev" }
`;
}

/** From now on an environment takes only what is healthy in the one before. */
export function withPipeline(application: string): string {
  return `${application}pipeline: [${ENVIRONMENTS.join(", ")}]\n`;
}

export interface Addresses {
  readonly api: string;
  readonly site: string;
}

export function environmentText(environment: EnvironmentWord, sha: string, { api, site }: Addresses): string {
  const drift = environment === "prod" ? "drift: repair\n" : "";
  return `sha: ${sha}
url: ${site}
services:
  api: { health: { url: "${api}/version", version: $.sha, for: 1s, timeout: 20s } }
${drift}`;
}

const SHA_LINE = /^sha: *["']?([0-9a-fA-F]{7,40})["']?/m;
const HOLD_LINE = /^hold:.*\n/m;

/** The SHA a manifest names; undefined when somebody wrote it in another way. */
export function shaIn(manifest: string): string | undefined {
  return SHA_LINE.exec(manifest)?.[1];
}

/** A bump is one line. */
export function withSha(manifest: string, sha: string): string {
  return manifest.replace(SHA_LINE, `sha: ${sha}`);
}

export function withHold(manifest: string, reason: string): string {
  return `${withoutHold(manifest).trimEnd()}\nhold: { reason: ${JSON.stringify(reason)} }\n`;
}

export function withoutHold(manifest: string): string {
  return manifest.replace(HOLD_LINE, "");
}

export function isHeld(manifest: string): boolean {
  return HOLD_LINE.test(manifest);
}
