// The XML documents CloudFront answers with.
import { type XmlElement } from "../s3/xml.ts";
import { xml } from "../wire.ts";
import type { SandboxResponse } from "../api.ts";
import { invalid } from "./config.ts";
import type { Distribution } from "./distributions.ts";
import type { Invalidation } from "./invalidations.ts";

export const namespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

const root = "https://cloudfront.amazonaws.com/2020-05-31/distribution";

export function distributionArn(distribution: Distribution): string {
  return `arn:aws:cloudfront::${distribution.account}:distribution/${distribution.id}`;
}

/** The answer of Get, Create and Update; 201 carries the Location of what was created. */
export function distributionDocument(distribution: Distribution, status: 200 | 201): SandboxResponse {
  const location: Record<string, string> = status === 201 ? { location: `${root}/${distribution.id}` } : {};
  const content = {
    ...headOf(distribution),
    InProgressInvalidationBatches: String(distribution.invalidations.inProgress()),
    ActiveTrustedSigners: { Enabled: "false", Quantity: "0" },
    ActiveTrustedKeyGroups: { Enabled: "false", Quantity: "0" },
    DistributionConfig: distribution.config,
  };
  return xml("Distribution", content, { status, namespace, headers: { etag: distribution.etag, ...location } });
}

export function configDocument(distribution: Distribution): SandboxResponse {
  return xml("DistributionConfig", distribution.config, { namespace, headers: { etag: distribution.etag } });
}

/** One entry of ListDistributions. */
export function distributionSummary(distribution: Distribution): XmlElement {
  const { CallerReference: _, Logging: __, DefaultRootObject: ___, ...config } = distribution.config;
  return { ...headOf(distribution), ETag: distribution.etag, ...config };
}

function headOf(distribution: Distribution): XmlElement {
  return {
    Id: distribution.id,
    ARN: distributionArn(distribution),
    Status: distribution.status,
    LastModifiedTime: new Date(distribution.lastModified).toISOString(),
    DomainName: `d${distribution.id.slice(1).toLowerCase()}.cloudfront.net`,
  };
}

export function invalidationDocument(
  distribution: Distribution,
  invalidation: Invalidation,
  status: 200 | 201,
): SandboxResponse {
  const location = `${root}/${distribution.id}/invalidation/${invalidation.id}`;
  const content = {
    ...invalidationSummary(invalidation),
    InvalidationBatch: {
      Paths: { Quantity: String(invalidation.paths.length), Items: { Path: invalidation.paths } },
      CallerReference: invalidation.callerReference,
    },
  };
  return xml("Invalidation", content, { status, namespace, headers: status === 201 ? { location } : {} });
}

/** One entry of ListInvalidations. */
export function invalidationSummary(invalidation: Invalidation): XmlElement {
  return {
    Id: invalidation.id,
    Status: invalidation.status,
    CreateTime: new Date(invalidation.createdAt).toISOString(),
  };
}

export function tagsDocument(distribution: Distribution): SandboxResponse {
  return xml("Tags", { Items: { Tag: distribution.tags } }, { namespace });
}

/**
 * One page of a list: `Marker` is the id of the last entry of the page before, `MaxItems` at most 100.
 * @param name of the document and of its entries: `DistributionList` of `DistributionSummary`.
 */
export function pageDocument(
  names: { readonly list: string; readonly entry: string },
  entries: readonly { readonly id: string; readonly element: XmlElement }[],
  query: URLSearchParams,
): SandboxResponse {
  const marker = query.get("Marker") ?? "";
  const asked = Number(query.get("MaxItems") ?? "100");
  const maxItems = Number.isInteger(asked) && asked > 0 ? Math.min(asked, 100) : 100;
  const start = marker === "" ? 0 : entries.findIndex((entry) => entry.id === marker) + 1;
  if (marker !== "" && start === 0) throw invalid("The parameter Marker is invalid.");
  const page = entries.slice(start, start + maxItems);
  const more = start + page.length < entries.length;
  const content = {
    Marker: marker,
    NextMarker: more ? page.at(-1)?.id : undefined,
    MaxItems: String(maxItems),
    IsTruncated: String(more),
    Quantity: String(page.length),
    Items: page.length === 0 ? undefined : { [names.entry]: page.map((entry) => entry.element) },
  };
  return xml(names.list, content, { namespace });
}
