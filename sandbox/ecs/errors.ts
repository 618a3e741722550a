// The errors ECS answers, in its own words where they are known.

import { AwsError } from "../api.ts";

export function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}

/** What ECS answers for most requests it understands and will not do. */
export function refused(message: string): AwsError {
  return new AwsError("ClientException", message);
}

export function unsupported(message: string): AwsError {
  return new AwsError("UnsupportedFeatureException", message);
}

export function clusterNotFound(): AwsError {
  return new AwsError("ClusterNotFoundException", "Cluster not found.");
}

export function serviceNotFound(): AwsError {
  return new AwsError("ServiceNotFoundException", "Service not found.");
}

export function serviceNotActive(): AwsError {
  return new AwsError("ServiceNotActiveException", "Service was not ACTIVE.");
}

/** `resourceIds` are the task ARNs a token is bound to: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html */
export function conflict(message: string, resourceIds?: readonly string[]): AwsError {
  return new AwsError("ConflictException", message, 400, resourceIds === undefined ? {} : { resourceIds });
}
