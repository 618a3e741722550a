// How each service words the failures every service has: throttled, broken, denied, not signed.

import { AwsError, type Service } from "./api.ts";

type Name = Service["name"];

/** "Rate exceeded": https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html; S3 says SlowDown with 503. */
export function throttled(service: Name): AwsError {
  if (service === "s3") return new AwsError("SlowDown", "Please reduce your request rate.", 503);
  const code =
    service === "sts" || service === "cloudfront" || service === "cloudwatch" ? "Throttling" : "ThrottlingException";
  return new AwsError(code, "Rate exceeded", 400);
}

const BROKEN: Readonly<Record<Name, readonly [code: string, message: string, status: number]>> = {
  ecs: ["ServerException", "Service Unavailable. Please try again later.", 500],
  ecr: ["ServerException", "Service Unavailable. Please try again later.", 500],
  logs: ["ServiceUnavailableException", "The service cannot complete the request.", 503],
  autoscaling: ["InternalServiceException", "The service encountered an internal error.", 500],
  cloudwatch: ["InternalServiceFault", "The service encountered an internal error.", 500],
  sts: ["InternalFailure", "The request processing has failed because of an unknown error.", 500],
  cloudfront: ["InternalError", "We encountered an internal error. Please try again.", 500],
  s3: ["InternalError", "We encountered an internal error. Please try again.", 500],
};

export function broken(service: Name): AwsError {
  return new AwsError(...BROKEN[service]);
}

/**
 * Identities word their errors once, as the query and XML services do; JSON services say AccessDeniedException,
 * UnrecognizedClientException and so on, all with status 400.
 */
export function worded(service: Name, error: AwsError): AwsError {
  if (service === "s3" && error.code === "MissingAuthenticationToken")
    return new AwsError("AccessDenied", "Access Denied", 403);
  if (service === "s3" && error.code === "InvalidClientTokenId") {
    return new AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403);
  }
  const jsonCode = JSON_CODES[error.code];
  const isJson = service === "ecs" || service === "ecr" || service === "logs" || service === "autoscaling";
  return isJson && jsonCode !== undefined ? new AwsError(jsonCode, error.message, 400) : error;
}

const JSON_CODES: Readonly<Record<string, string>> = {
  AccessDenied: "AccessDeniedException",
  MissingAuthenticationToken: "MissingAuthenticationTokenException",
  InvalidClientTokenId: "UnrecognizedClientException",
  ExpiredToken: "ExpiredTokenException",
};
