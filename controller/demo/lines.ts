// Lines that several chapters tell: a push, an environment that runs a build, what the controller's page says.
import type { Told } from "../core/told.ts";
import type { Build } from "./builds.ts";
import type { Claim, Reading } from "./claim.ts";
import type { EnvironmentWord } from "./manifests.ts";
import { fileOf } from "./manifests.ts";
import type { World } from "./world.ts";
import { idOf } from "./world.ts";

export const seven = (sha: string): string => sha.slice(0, 7);

export function chapter(title: string, text: string): Told {
  return { kind: "chapter", title, text };
}

export function pushed(commit: string, what: string): Told {
  return { kind: "deed", text: what, by: `git push: ${seven(commit)}` };
}

export function bumped(commit: string, environment: string, sha: string): Told {
  return pushed(commit, `${fileOf(environment)} now says sha: ${seven(sha)}`);
}

/** Services, the API's own word, and the page behind the CDN: everything a SHA is. */
export function runs(world: World, environment: EnvironmentWord, build: Build): Claim {
  const { eyes } = world;
  const sha = build.sha;
  return {
    sentence: `${environment} runs ${seven(sha)}: both services by digest, and the page`,
    expected: `images ${imagesOf(build)} in one completed deployment each, and a page of ${seven(sha)}`,
    environment: idOf(environment),
    look: () =>
      Promise.all([eyes.services(environment, build), eyes.version(environment, sha), eyes.page(environment, sha)]),
    hopeless: () => world.hopeless(environment, sha),
  };
}

function imagesOf({ digests }: Build): string {
  return Object.entries(digests)
    .map(([service, digest]) => `shop/${service}@${digest.slice(0, 19)}…`)
    .join(" and ");
}

/** What Lockstep's own page says; only ever beside what AWS says. */
export async function saidByPage(world: World, environment: EnvironmentWord, text: RegExp): Promise<Reading> {
  const url = `${world.controller.address}/api/v1/environments/${idOf(environment)}`;
  const response = await fetch(url);
  const body = (await response.json()) as { readonly environment?: { readonly state: string; readonly why: string } };
  const said = `${body.environment?.state ?? response.status}: ${body.environment?.why ?? "nothing"}`;
  return { by: `GET ${url}`, found: said, holds: text.test(said) };
}
