// Tags of ECS resources: reading them from a request, and the operations on them.

import type { Caller } from "../api.ts";
import { type Input, records, requiredText, text, texts } from "../members.ts";
import type { Accounts } from "./account.ts";
import { clusterNotFound, invalid } from "./errors.ts";
import { TAGS_PER_RESOURCE } from "./limits.ts";
import type { Tag, Tagged } from "./model.ts";

/** The `tags` of a request. Fault: InvalidParameterException. */
export function readTags(input: Input, { mayBeEmpty = true } = {}): readonly Tag[] {
  const given = records(input, "tags");
  if (given === undefined) return [];
  if (given.length === 0 && !mayBeEmpty) throw invalid("Tags can not be empty.");
  const tags = given.map((tag) => ({ key: requiredText(tag, "key"), value: text(tag, "value") ?? "" }));
  checkTags(tags);
  return tags;
}

function checkTags(tags: readonly Tag[]): void {
  if (tags.length > TAGS_PER_RESOURCE) throw invalid(`The number of tags must not exceed ${TAGS_PER_RESOURCE}.`);
  for (const { key, value } of tags) {
    if (key.length > 128) throw invalid("Tag keys must be at most 128 characters long.");
    if (value.length > 256) throw invalid("Tag values must be at most 256 characters long.");
    if (key.toLowerCase().startsWith("aws:")) throw invalid("Tag keys must not begin with 'aws:'.");
  }
  if (new Set(tags.map(({ key }) => key)).size !== tags.length) throw invalid("Duplicate tag keys found.");
}

export function tagResource(accounts: Accounts, input: Input, caller: Caller): unknown {
  const resource = taggedResource(accounts, input, caller);
  const fresh = readTags(input);
  const keys = new Set(fresh.map(({ key }) => key));
  const tags = [...resource.tags.filter(({ key }) => !keys.has(key)), ...fresh];
  if (tags.length > TAGS_PER_RESOURCE) throw invalid(`The number of tags must not exceed ${TAGS_PER_RESOURCE}.`);
  resource.tags = tags;
  return {};
}

export function untagResource(accounts: Accounts, input: Input, caller: Caller): unknown {
  const resource = taggedResource(accounts, input, caller);
  const keys = texts(input, "tagKeys") ?? [];
  resource.tags = resource.tags.filter(({ key }) => !keys.includes(key));
  return {};
}

export function listTagsForResource(accounts: Accounts, input: Input, caller: Caller): unknown {
  return { tags: taggedResource(accounts, input, caller).tags };
}

function taggedResource(accounts: Accounts, input: Input, caller: Caller): Tagged {
  const arn = requiredText(input, "resourceArn");
  const [kind = "", path] = /^arn:[^:]+:ecs:[^:]+:\d+:([^/]+)\/(.+)$/.exec(arn)?.slice(1) ?? [];
  const found = path === undefined ? undefined : find(accounts, caller, kind, path);
  if (found !== undefined) return found;
  if (kind === "cluster") throw clusterNotFound();
  throw invalid(`The specified ${kind || "resource"} was not found. Specify a valid ARN and try again.`);
}

function find(accounts: Accounts, caller: Caller, kind: string, path: string): Tagged | undefined {
  const region = accounts.region(caller);
  const [first = "", second = ""] = path.split("/");
  const cluster = region.clusters.get(first);
  if (kind === "cluster") return cluster;
  if (kind === "service") return cluster?.services.get(second);
  if (kind === "task") return cluster?.tasks.get(second);
  if (kind !== "task-definition") return undefined;
  const [family = "", revision = ""] = path.split(":");
  return region.families.get(family)?.find((definition) => definition.revision === Number(revision));
}
