// Images in ECR: a tag template to the one digest it stands for, or the reason why there is none. Never writes.
import type { ImageDetail, ImageIdentifier } from "@aws-sdk/client-ecr";
import type { ComponentName, Sha } from "../core/brand.ts";
import { Digest } from "../core/brand.ts";
import type { Environment, ImageReference } from "../core/environment.ts";
import { Fault, faultValue } from "../core/fault.ts";
import type { FaultCode } from "../core/fault.ts";
import type { Artifact } from "../core/live.ts";
import type { Aws, AwsPlace } from "./aws.ts";
import { awsErrorName } from "./aws/faults.ts";

export interface Images {
  /**
   * The artifacts of services and migrations. `pins` are digests fixed by earlier environments, `service/api@<sha>`.
   * What cannot be resolved or read is `unresolved` with its fault. Rejects only when aborted.
   */
  resolve(
    environment: Environment,
    pins: ReadonlyMap<string, Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<ComponentName, Artifact>>;
}

interface Component {
  readonly name: ComponentName;
  readonly sha: Sha;
  readonly image: ImageReference;
}

/** One image under the tags that match a template. */
interface Candidate {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAtMs: number;
  readonly status: string;
}

/** ListImages and DescribeImages pages; the most AWS gives. */
const PAGE = 1_000;
/** Images described by digest in one call. */
const DESCRIBED = 100;
/** Pages of a repository that are read: 100,000 tags. */
const PAGES_MAX = 100;

export function createImages(aws: Aws): Images {
  async function tagged(at: Repository, tag: string, signal: AbortSignal): Promise<readonly Candidate[]> {
    try {
      return (await describe(at, [{ imageTag: tag }], signal)).map((one) => candidate(one, [tag]));
    } catch (thrown) {
      if (awsErrorName(thrown) === "ImageNotFoundException") return [];
      throw thrown;
    }
  }

  async function matching(at: Repository, template: string, signal: AbortSignal): Promise<readonly Candidate[]> {
    const found = new Map<string, string[]>();
    let nextToken: string | undefined;
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const filter = { tagStatus: "TAGGED" } as const;
      const input = { ...at.input, maxResults: PAGE, filter, ...(nextToken === undefined ? {} : { nextToken }) };
      const call = { ...at.call, operation: "ListImages", signal } as const;
      const answer = await aws.read(call, (ecr, http) => ecr.listImages(input, http));
      for (const { imageTag, imageDigest } of answer.imageIds ?? []) {
        if (imageTag === undefined || imageDigest === undefined || !matches(template, imageTag)) continue;
        found.set(imageDigest, [...(found.get(imageDigest) ?? []), imageTag]);
      }
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
    if (found.size === 0) return [];
    const ids = [...found.keys()].map((imageDigest) => ({ imageDigest }));
    const details: ImageDetail[] = [];
    for (let from = 0; from < ids.length; from += DESCRIBED)
      details.push(...(await describe(at, ids.slice(from, from + DESCRIBED), signal)));
    return details.map((one) => candidate(one, found.get(one.imageDigest ?? "") ?? []));
  }

  async function describe(
    at: Repository,
    imageIds: readonly ImageIdentifier[],
    signal: AbortSignal,
  ): Promise<readonly ImageDetail[]> {
    const call = { ...at.call, operation: "DescribeImages", signal } as const;
    const input = { ...at.input, imageIds: [...imageIds] };
    return (await aws.read(call, (ecr, http) => ecr.describeImages(input, http))).imageDetails ?? [];
  }

  async function candidates(
    place: AwsPlace,
    image: ImageReference,
    signal: AbortSignal,
  ): Promise<readonly Candidate[]> {
    const at = repositoryOf(place, image);
    try {
      return image.tag.includes("*") ? await matching(at, image.tag, signal) : await tagged(at, image.tag, signal);
    } catch (thrown) {
      if (awsErrorName(thrown) !== "RepositoryNotFoundException") throw thrown;
      throw new Fault("artifact-missing", `ECR has no repository ${image.registry}/${image.repository}`, thrown);
    }
  }

  return {
    async resolve(environment, pins, signal) {
      // Services and migrations often share an image: it is asked about once.
      const asked = new Map<string, Promise<readonly Candidate[]>>();
      const find = (image: ImageReference): Promise<readonly Candidate[]> => {
        const key = imageName(image);
        const known = asked.get(key) ?? candidates(environment.place, image, signal);
        asked.set(key, known);
        return known;
      };
      const resolved = components(environment).map(async (component): Promise<[ComponentName, Artifact]> => {
        try {
          const pin = pins.get(`${component.name}@${component.sha}`);
          return [component.name, choose(component, await find(component.image), pin)];
        } catch (thrown) {
          signal.throwIfAborted();
          if (!(thrown instanceof Fault)) throw thrown;
          return [component.name, { state: "unresolved", why: faultValue(thrown) }];
        }
      });
      return new Map(await Promise.all(resolved));
    },
  };
}

/** A recorded version needs no image, and the SHA of what ran before Lockstep came stands for none. */
function components(environment: Environment): readonly Component[] {
  const services = environment.services
    .filter(({ recorded }) => recorded === undefined)
    .map(({ name, sha, image }): Component => ({ name: `service/${name}`, sha, image }));
  const migrations = environment.migrations.map(({ name, sha, image }): Component => ({
    name: `migration/${name}`,
    sha,
    image,
  }));
  return [...services, ...migrations];
}

/**
 * The rules of release.md, "Artifacts": what an earlier environment fixed is taken or refused; without it several
 * digests are told apart by their time of push.
 */
function choose({ name, sha, image }: Component, found: readonly Candidate[], pin: Digest | undefined): Artifact {
  const subject = `${name.replace("/", " ")}: ${imageName(image)}`;
  if (found.length === 0)
    return unresolved("artifact-missing", `${subject} does not exist; no image of ${sha.slice(0, 7)} was pushed`);
  const byTime = found.toSorted((a, b) => b.pushedAtMs - a.pushedAtMs);
  const [newest, second] = byTime;
  const chosen = pin === undefined ? newest : found.find(({ digest }) => digest === pin);
  if (chosen === undefined) {
    const now = byTime.map(({ digest, tags }) => `${tags[0] ?? ""} is ${digest.slice(0, 19)}`).join(", ");
    return unresolved(
      "artifact-rebuilt",
      `${subject} was rebuilt since it was healthy in an earlier environment as ${pin?.slice(0, 19)}: now ${now}`,
    );
  }
  if (pin === undefined && second !== undefined && second.pushedAtMs === chosen.pushedAtMs) {
    const both = [chosen, second].map(({ digest, tags }) => `${tags[0] ?? ""} (${digest.slice(0, 19)})`).join(" and ");
    return unresolved("artifact-ambiguous", `${subject} is ${both}, pushed at the same time`);
  }
  const [tag = image.tag] = chosen.tags.toSorted();
  if (chosen.status === "ARCHIVED" || chosen.status === "ACTIVATING")
    return unresolved("artifact-archived", `${subject}: ${tag} is ${chosen.status} and cannot be pulled`);
  if (!Digest.is(chosen.digest))
    return unresolved("artifact-missing", `${subject}: ECR gives it the digest ${chosen.digest}, which is none`);
  const others = found.length - 1;
  const note =
    others > 0
      ? `${tag}: the ${pin === undefined ? "newest" : "proven"} of ${others + 1} images of this SHA`
      : undefined;
  const from = `${image.registry}/${image.repository}:${tag}`;
  return { state: "resolved", digest: chosen.digest, from, ...(note === undefined ? {} : { note }) };
}

function unresolved(code: FaultCode, message: string): Artifact {
  return { state: "unresolved", why: { code, message } };
}

function candidate(detail: ImageDetail, tags: readonly string[]): Candidate {
  return {
    digest: detail.imageDigest ?? "",
    tags,
    pushedAtMs: detail.imagePushedAt?.getTime() ?? 0,
    // Older accounts and emulators do not say; an image that can be described can then be pulled.
    status: detail.imageStatus ?? "ACTIVE",
  };
}

function imageName({ registry, repository, tag }: ImageReference): string {
  return `${registry}/${repository}:${tag}`;
}

/** Whether a tag fits a template in which each `*` stands for anything; in time linear in the tag for each star. */
export function matches(template: string, tag: string): boolean {
  const [first = "", ...rest] = template.split("*");
  if (!tag.startsWith(first)) return false;
  const last = rest.pop();
  if (last === undefined) return tag === first;
  let at = first.length;
  for (const part of rest) {
    const found = tag.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return tag.length - last.length >= at && tag.endsWith(last);
}

interface Repository {
  readonly call: { readonly place: AwsPlace; readonly service: "ecr"; readonly resource: string };
  readonly input: { readonly registryId: string; readonly repositoryName: string };
}

/** `111122223333.dkr.ecr.eu-west-1.amazonaws.com`, in any partition, also FIPS and dual-stack. */
const ECR = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.[a-z0-9.-]+$/;

/** The registry says in whose account and region the image lies; the role stays the environment's. */
function repositoryOf(place: AwsPlace, { registry, repository }: ImageReference): Repository {
  const [, registryId, region] = ECR.exec(registry) ?? [];
  if (registryId === undefined || region === undefined) {
    throw new Fault(
      "artifact-missing",
      `${registry}/${repository}: only images in Amazon ECR (<account>.dkr.ecr.<region>.amazonaws.com) can be resolved`,
    );
  }
  const resource = `repository ${repository} of registry ${registryId}`;
  return {
    call: { place: { ...place, region }, service: "ecr", resource },
    input: { registryId, repositoryName: repository },
  };
}
