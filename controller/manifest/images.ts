// Image templates: whose template a service uses, and what it says for one SHA.
import { NAME, NO_SHA, type Sha } from "../core/brand.ts";
import type { ImageReference } from "../core/environment.ts";
import { holds, type Values } from "../core/template.ts";
import { expanded, refuse, type Draft, type Path } from "./draft.ts";
import { didYouMean } from "../core/nearest.ts";
import { quoted } from "./problem.ts";

/** Where an image comes from: a template, the service it is expanded for, and the services passed on the way. */
export interface ImageOrigin {
  readonly template: string;
  readonly path: Path;
  /** The service `{service}` stands for. */
  readonly service: string;
  /** Services from the one that asked to the one that has the template; the first pin among them counts. */
  readonly chain: readonly string[];
}

/** Follows names of services to a template; undefined after saying what is wrong. */
export function imageOrigin(draft: Draft, service: string): ImageOrigin | undefined {
  const { services, image } = draft.manifest;
  const chain: string[] = [];
  for (let current = service; ;) {
    const path = ["services", current, "image"];
    if (chain.includes(current)) {
      return refuse(
        draft,
        ["services", service, "image"],
        `: ${[...chain, current].join(" → ")} goes round in a circle`,
      );
    }
    chain.push(current);
    const own = services?.[current]?.image;
    if (own === undefined && image === undefined) {
      return refuse(draft, ["services", current], " has no image", "set `image:` at the top or for the service");
    }
    if (own === undefined) return { template: image ?? "", path: ["image"], service: current, chain };
    if (!NAME.test(own)) return { template: own, path, service: current, chain };
    if (!serviceIsThere(draft, path, own)) return undefined;
    current = own;
  }
}

/** Says so when a manifest names a service that the environment does not have. */
export function serviceIsThere(draft: Draft, path: Path, name: string): boolean {
  const names = Object.keys(draft.manifest.services ?? {});
  if (names.includes(name)) return true;
  const message = `: there is no service ${quoted(name)} in ${draft.name}${didYouMean(name, names)}`;
  refuse(draft, path, message, names.length === 0 ? undefined : `services: ${names.join(", ")}`);
  return false;
}

/** What the placeholders stand for in an artifact of one commit. */
export function artifactValues(draft: Draft, sha: Sha, service?: string): Values {
  return { ...draft.values, sha, sha7: sha.slice(0, 7), ...(service === undefined ? {} : { service }) };
}

/** A tag, in which * stands for anything; at most three of them, so that matching stays cheap. */
const TAG = /^[A-Za-z0-9_*][A-Za-z0-9._*-]{0,127}$/;
const REGISTRY = /^(?=.*[.:])[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/;

/** The image of one SHA; undefined after saying what is wrong. */
export function imageReference(draft: Draft, origin: ImageOrigin, sha: Sha): ImageReference | undefined {
  const { template, path } = origin;
  if (template.includes("@")) {
    return refuse(draft, path, " names a digest", "give a tag with {sha}: Lockstep fixes the digest itself");
  }
  const text = expanded(draft, path, template, artifactValues(draft, sha, origin.service));
  if (text === undefined) return undefined;
  const slash = template.indexOf("/");
  const colon = template.lastIndexOf(":");
  const tagged = colon > template.lastIndexOf("/");
  if (!tagged || !holds(template.slice(colon), "sha", "sha7")) {
    return refuse(draft, path, ": no {sha} or {sha7} in the tag: moving tags are not deployed", EXAMPLE);
  }
  const end = text.lastIndexOf(":");
  const begin = text.indexOf("/");
  const reference = {
    registry: text.slice(0, begin),
    repository: text.slice(begin + 1, end),
    tag: text.slice(end + 1),
  };
  if (slash < 1 || !REGISTRY.test(reference.registry)) {
    return refuse(draft, path, ` must begin with a registry`, EXAMPLE);
  }
  if (reference.repository.length > 256 || !REPOSITORY.test(reference.repository)) {
    return refuse(draft, path, `: ${quoted(reference.repository)} is not an image repository`, EXAMPLE);
  }
  if (!TAG.test(reference.tag) || reference.tag.split("*").length > 4) {
    return refuse(draft, path, `: ${quoted(reference.tag)} is not a tag`, "a tag has at most 128 characters and 3 *");
  }
  return reference;
}

const EXAMPLE = "such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/{service}:{sha}";

/** The SHA of a service: its own pin, else that of the service whose image it shares, else the environment's. */
export function serviceSha(chain: readonly string[], pins: ReadonlyMap<string, Sha>, sha: Sha | undefined): Sha {
  const pin = chain.map((service) => pins.get(`services/${service}`)).find((found) => found !== undefined);
  return pin ?? sha ?? NO_SHA;
}
