// A distribution's configuration: CloudFront's checks and defaults on the way in, and what the edge reads out of it.
import { AwsError } from "../api.ts";
import { childrenOf, elementOf, textOf, type XmlElement } from "../s3/xml.ts";
import type { TimeToLive } from "./freshness.ts";

/** What the edge needs to know of a configuration. */
export interface EdgeConfig {
  readonly enabled: boolean;
  /** Without a leading slash; empty = none. */
  readonly rootObject: string;
  /** Undefined when the origin is no S3 bucket: those are not imitated. */
  readonly bucket: string | undefined;
  /** Empty, or with a leading and without a trailing slash. */
  readonly originPath: string;
  readonly timeToLive: TimeToLive;
  readonly errors: ReadonlyMap<number, ErrorPage>;
}

export interface ErrorPage {
  /** The path of the page to show instead; undefined = only the caching time is set. */
  readonly page: string | undefined;
  readonly responseCode: number;
  readonly cachingMinSeconds: number;
}

// Managed cache policies: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
const cachePolicies: Readonly<Record<string, TimeToLive>> = {
  "658327ea-f89d-4fab-a63d-7e88639e58f6": { min: 1, standard: 86_400, max: 31_536_000 },
  "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": { min: 1, standard: 86_400, max: 31_536_000 },
  "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": { min: 0, standard: 0, max: 0 },
  "83da9c7e-98b4-4e11-a168-04f0df8e2c65": { min: 0, standard: 0, max: 31_536_000 },
  "4cc15a8a-d715-48a4-82b8-cc0b614638fe": { min: 0, standard: 0, max: 31_536_000 },
};

const none: XmlElement = { Quantity: "0" };

/**
 * A configuration as CloudFront gives it back: with its defaults, error responses sorted by code.
 * Faults: `InconsistentQuantities`, `InvalidArgument`, `NoSuchOrigin`, `NoSuchCachePolicy`.
 */
export function completeConfig(sent: XmlElement): XmlElement {
  checkQuantities(sent);
  const behavior = elementOf(sent, "DefaultCacheBehavior");
  checkOrigins(sent, behavior);
  if ((textOf(sent, "CallerReference") ?? "") === "") throw invalid("The parameter CallerReference is missing.");
  if ((textOf(sent, "DefaultRootObject") ?? "").startsWith("/")) {
    throw invalid("The parameter DefaultRootObject does not start with a slash.");
  }
  const policy = textOf(behavior, "CachePolicyId");
  if (policy !== undefined && cachePolicies[policy] === undefined) {
    throw new AwsError("NoSuchCachePolicy", "The cache policy does not exist.", 404);
  }
  return {
    Aliases: none,
    DefaultRootObject: "",
    CacheBehaviors: none,
    Comment: "",
    Logging: { Enabled: "false", IncludeCookies: "false", Bucket: "", Prefix: "" },
    PriceClass: "PriceClass_All",
    ViewerCertificate: { CloudFrontDefaultCertificate: "true", MinimumProtocolVersion: "TLSv1" },
    Restrictions: { GeoRestriction: { RestrictionType: "none", Quantity: "0" } },
    WebACLId: "",
    HttpVersion: "http2",
    IsIPV6Enabled: "true",
    Staging: "false",
    ...sent,
    Origins: { ...elementOf(sent, "Origins"), Items: { Origin: originsOf(sent).map(completeOrigin) } },
    DefaultCacheBehavior: completeBehavior(behavior),
    CustomErrorResponses: sortedErrors(elementOf(sent, "CustomErrorResponses")),
  };
}

function completeOrigin(origin: XmlElement): XmlElement {
  return {
    OriginPath: "",
    CustomHeaders: none,
    ConnectionAttempts: "3",
    ConnectionTimeout: "10",
    OriginShield: { Enabled: "false" },
    OriginAccessControlId: "",
    ...origin,
  };
}

function completeBehavior(behavior: XmlElement): XmlElement {
  const methods = { Quantity: "2", Items: { Method: ["HEAD", "GET"] } };
  const legacy = textOf(behavior, "CachePolicyId") === undefined;
  return {
    TrustedSigners: { Enabled: "false", Quantity: "0" },
    TrustedKeyGroups: { Enabled: "false", Quantity: "0" },
    AllowedMethods: { ...methods, CachedMethods: methods },
    SmoothStreaming: "false",
    Compress: "false",
    LambdaFunctionAssociations: none,
    FunctionAssociations: none,
    FieldLevelEncryptionId: "",
    ...(legacy ? { MinTTL: "0", DefaultTTL: "86400", MaxTTL: "31536000" } : {}),
    ...behavior,
  };
}

function sortedErrors(responses: XmlElement): XmlElement {
  const items = itemsOf(responses, "CustomErrorResponse");
  if (items.length === 0) return none;
  const sorted = [...items].sort((a, b) => Number(textOf(a, "ErrorCode")) - Number(textOf(b, "ErrorCode")));
  return { Quantity: String(items.length), Items: { CustomErrorResponse: sorted } };
}

/** Every list says how many items it has, and must be right. */
export function checkQuantities(element: XmlElement): void {
  const quantity = textOf(element, "Quantity");
  if (quantity !== undefined && element["Items"] !== undefined) {
    const lists = Object.keys(elementOf(element, "Items"));
    const count = lists.reduce((sum, name) => sum + childrenOf(elementOf(element, "Items"), name).length, 0);
    if (count !== Number(quantity)) throw inconsistent();
  } else if (quantity !== undefined && quantity !== "0" && element["RestrictionType"] === undefined) {
    throw inconsistent();
  }
  for (const name of Object.keys(element)) {
    for (const child of childrenOf(element, name)) if (typeof child !== "string") checkQuantities(child);
  }
}

function checkOrigins(config: XmlElement, behavior: XmlElement): void {
  const origins = originsOf(config);
  if (origins.length === 0) throw invalid("The parameter Origins is required.");
  for (const origin of origins) {
    const path = textOf(origin, "OriginPath") ?? "";
    if (path !== "" && (!path.startsWith("/") || path.endsWith("/"))) {
      throw invalid("The parameter OriginPath starts with a slash and does not end with one.");
    }
  }
  const target = textOf(behavior, "TargetOriginId");
  if (origins.some((origin) => textOf(origin, "Id") === target)) return;
  const message = "One or more of your origins or origin groups do not exist.";
  throw new AwsError("NoSuchOrigin", message, 404);
}

export function aliasesOf(config: XmlElement): readonly string[] {
  const names = childrenOf(elementOf(elementOf(config, "Aliases"), "Items"), "CNAME");
  return names.filter((name) => typeof name === "string");
}

export function readEdgeConfig(config: XmlElement): EdgeConfig {
  const behavior = elementOf(config, "DefaultCacheBehavior");
  const target = textOf(behavior, "TargetOriginId");
  const origin = originsOf(config).find((candidate) => textOf(candidate, "Id") === target) ?? {};
  const domain = textOf(origin, "DomainName") ?? "";
  return {
    enabled: textOf(config, "Enabled") === "true",
    rootObject: textOf(config, "DefaultRootObject") ?? "",
    bucket: /^(.+?)\.s3(?:[.-][a-z]{2}-[a-z-]+-\d)?\.amazonaws\.com$/.exec(domain)?.[1],
    originPath: textOf(origin, "OriginPath") ?? "",
    timeToLive: cachePolicies[textOf(behavior, "CachePolicyId") ?? ""] ?? {
      min: Number(textOf(behavior, "MinTTL") ?? "0"),
      standard: Number(textOf(behavior, "DefaultTTL") ?? "86400"),
      max: Number(textOf(behavior, "MaxTTL") ?? "31536000"),
    },
    errors: new Map(itemsOf(elementOf(config, "CustomErrorResponses"), "CustomErrorResponse").map(readErrorPage)),
  };
}

function readErrorPage(response: XmlElement): readonly [number, ErrorPage] {
  const code = Number(textOf(response, "ErrorCode"));
  const page = textOf(response, "ResponsePagePath") ?? "";
  const shown = textOf(response, "ResponseCode") ?? "";
  const caching = textOf(response, "ErrorCachingMinTTL") ?? "";
  return [
    code,
    {
      page: page === "" ? undefined : page,
      responseCode: shown === "" ? code : Number(shown),
      cachingMinSeconds: caching === "" ? 10 : Number(caching),
    },
  ];
}

function originsOf(config: XmlElement): readonly XmlElement[] {
  return itemsOf(elementOf(config, "Origins"), "Origin");
}

function itemsOf(list: XmlElement, name: string): readonly XmlElement[] {
  return childrenOf(elementOf(list, "Items"), name).filter((item) => typeof item !== "string");
}

export function invalid(message: string): AwsError {
  return new AwsError("InvalidArgument", message, 400);
}

function inconsistent(): AwsError {
  return new AwsError("InconsistentQuantities", "The value of Quantity and the size of Items don't match.", 400);
}
