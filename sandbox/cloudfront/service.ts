// CloudFront of the sandbox: distributions, invalidations and their edges. What it imitates is listed in ../cloudfront.md.
import { AwsError, type Caller, type PublicEndpoint, type ReadObject } from "../api.ts";
import type { SandboxClock, SandboxRequest, SandboxResponse, Service } from "../api.ts";
import { childrenOf, elementOf, parseXml, type XmlElement } from "../s3/xml.ts";
import { xmlErrorResponse } from "../wire.ts";
import { createDistributions, type Distributions } from "./distributions.ts";
import { configDocument, distributionArn, distributionDocument, distributionSummary } from "./documents.ts";
import { invalidationDocument, invalidationSummary, namespace, pageDocument, tagsDocument } from "./documents.ts";
import { invalid } from "./config.ts";

export interface CloudFrontDependencies {
  readonly clock: SandboxClock;
  readonly readObject: ReadObject;
  /** What an S3 origin says for a missing key; 403 (the default) unless viewers may list the bucket. */
  readonly missingStatus?: 403 | 404;
  /** From InProgress to Deployed; 60 s. */
  readonly deploymentDelayMs?: number;
  /** From InProgress to Completed; 10 s. */
  readonly invalidationDelayMs?: number;
}

interface Call {
  readonly request: SandboxRequest;
  readonly caller: Caller;
  /** The parts of the path behind `/2020-05-31/`. */
  readonly id: string;
  readonly childId: string;
}

type Operation = (call: Call, on: Distributions) => SandboxResponse;

const operations: Readonly<Record<string, Operation>> = {
  CreateDistribution: ({ request, caller }, on) =>
    distributionDocument(on.create(caller.account, bodyOf(request, "DistributionConfig"), []), 201),
  CreateDistributionWithTags: createWithTags,
  GetDistribution: ({ caller, id }, on) => distributionDocument(on.get(caller.account, id), 200),
  GetDistributionConfig: ({ caller, id }, on) => configDocument(on.get(caller.account, id)),
  UpdateDistribution: updateDistribution,
  ListDistributions: listDistributions,
  ListTagsForResource: listTags,
  CreateInvalidation: createInvalidation,
  GetInvalidation: getInvalidation,
  ListInvalidations: listInvalidations,
};

export function createCloudFront(
  dependencies: CloudFrontDependencies,
): Service & { publicEndpoints(): readonly PublicEndpoint[] } {
  const distributions = createDistributions({
    missingStatus: 403,
    deploymentDelayMs: 60_000,
    invalidationDelayMs: 10_000,
    ...dependencies,
  });
  return {
    name: "cloudfront",
    operation: nameOperation,
    handle(operation, request, caller) {
      const run = operations[operation];
      if (run === undefined) {
        const message = `The sandbox does not imitate ${request.method} ${request.path}.`;
        throw new AwsError("NotImplemented", message, 501);
      }
      const [, , , id = "", , childId = ""] = request.path.split("/").map(decodeURIComponent);
      return run({ request, caller, id, childId }, distributions);
    },
    fail: (error, requestId) => xmlErrorResponse(error, requestId, namespace),
    publicEndpoints: () => distributions.endpoints(),
  };
}

function nameOperation({ method, path, query }: SandboxRequest): string | undefined {
  if (!path.startsWith("/2020-05-31/")) return undefined;
  const [, , kind, id, child, childId] = path.split("/");
  const address = [kind, id && "id", child, childId && "id"].filter(Boolean).join("/");
  switch (`${method} ${address}`) {
    case "POST distribution":
      return query.has("WithTags") ? "CreateDistributionWithTags" : "CreateDistribution";
    case "GET distribution":
      return "ListDistributions";
    case "GET distribution/id":
      return "GetDistribution";
    case "GET distribution/id/config":
      return "GetDistributionConfig";
    case "PUT distribution/id/config":
      return "UpdateDistribution";
    case "POST distribution/id/invalidation":
      return "CreateInvalidation";
    case "GET distribution/id/invalidation":
      return "ListInvalidations";
    case "GET distribution/id/invalidation/id":
      return "GetInvalidation";
    case "GET tagging":
      return "ListTagsForResource";
    default:
      return "NotImplemented";
  }
}

function createWithTags({ request, caller }: Call, on: Distributions): SandboxResponse {
  const body = bodyOf(request, "DistributionConfigWithTags");
  const items = childrenOf(elementOf(elementOf(body, "Tags"), "Items"), "Tag");
  const tags = items.filter((tag) => typeof tag !== "string");
  return distributionDocument(on.create(caller.account, elementOf(body, "DistributionConfig"), tags), 201);
}

function updateDistribution({ request, caller, id }: Call, on: Distributions): SandboxResponse {
  const config = bodyOf(request, "DistributionConfig");
  return distributionDocument(on.update(caller.account, id, config, request.headers["if-match"]), 200);
}

function listDistributions({ request, caller }: Call, on: Distributions): SandboxResponse {
  const entries = on.list(caller.account).map((distribution) => ({
    id: distribution.id,
    element: distributionSummary(distribution),
  }));
  return pageDocument({ list: "DistributionList", entry: "DistributionSummary" }, entries, request.query);
}

function listTags({ request, caller }: Call, on: Distributions): SandboxResponse {
  const arn = request.query.get("Resource");
  const found = on.list(caller.account).find((distribution) => distributionArn(distribution) === arn);
  if (found === undefined) throw new AwsError("NoSuchResource", "The specified resource does not exist.", 404);
  return tagsDocument(found);
}

function createInvalidation({ request, caller, id }: Call, on: Distributions): SandboxResponse {
  const distribution = on.get(caller.account, id);
  const invalidation = distribution.invalidations.create(bodyOf(request, "InvalidationBatch"));
  return invalidationDocument(distribution, invalidation, 201);
}

function getInvalidation({ caller, id, childId }: Call, on: Distributions): SandboxResponse {
  const distribution = on.get(caller.account, id);
  return invalidationDocument(distribution, distribution.invalidations.get(childId), 200);
}

function listInvalidations({ request, caller, id }: Call, on: Distributions): SandboxResponse {
  const entries = on
    .get(caller.account, id)
    .invalidations.list()
    .map((invalidation) => ({
      id: invalidation.id,
      element: invalidationSummary(invalidation),
    }));
  return pageDocument({ list: "InvalidationList", entry: "InvalidationSummary" }, entries, request.query);
}

function bodyOf(request: SandboxRequest, expected: string): XmlElement {
  if (request.body.length === 0) {
    throw new AwsError("MissingBody", "This operation requires a body. Ensure that the body is present.", 400);
  }
  const { root, element } = parseXml(request.body);
  if (root !== expected) throw invalid(`The body must be a ${expected}, not a ${root}.`);
  return element;
}
