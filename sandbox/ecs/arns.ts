// Names of ECS resources: building ARNs, and reading what a caller may write instead of them.

import { invalid } from "./errors.ts";

/** Which account and region something belongs to. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

export function ecsArn(place: Place, resource: string): string {
  return `arn:${partition(place.region)}:ecs:${place.region}:${place.account}:${resource}`;
}

function partition(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/**
 * The path behind a resource's kind: `name` stays, `arn:…:service/cluster/name` becomes [`cluster`, `name`].
 * Fault: InvalidParameterException when an ARN is of another kind, account or region.
 */
export function readReference(reference: string, kind: string, place: Place): readonly string[] {
  if (!reference.startsWith("arn:")) return reference.split("/");
  const [, , service, region = "", account = "", ...rest] = reference.split(":");
  const [found, ...path] = rest.join(":").split("/");
  if (service !== "ecs" || found !== kind || path.length === 0)
    throw invalid(`Invalid identifier: '${reference}' is no ARN of a ${kind}`);
  if (account !== place.account)
    throw invalid(`Invalid identifier: Identifier is for ${account}. Your accountId is ${place.account}`);
  if (region !== place.region)
    throw invalid(`Invalid identifier: Identifier is for ${region}. The request went to ${place.region}`);
  return path;
}

/** The short name at the end of a reference of this kind. */
export function shortName(reference: string, kind: string, place: Place): string {
  return readReference(reference, kind, place).at(-1) ?? "";
}
