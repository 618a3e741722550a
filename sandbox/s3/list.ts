// ListObjectsV2: pages of at most 1,000 keys and common prefixes, in the order of their UTF-8 bytes.
import { AwsError, type SandboxResponse } from "../api.ts";
import { bucketOf, isoTime, quoted, xmlResponse, type S3Account } from "./account.ts";
import { compareKeys, lowerBound } from "./key-order.ts";
import type { S3Call } from "./request.ts";
import type { StoredObject } from "./store.ts";
import type { XmlElement } from "./xml.ts";

interface Query {
  readonly prefix: string;
  readonly delimiter: string;
  readonly startAfter: string | undefined;
  readonly token: string | undefined;
  readonly maxKeys: number;
}

/** One line of a listing: a key, or what several keys have in common up to the delimiter. */
interface Entry {
  readonly kind: "key" | "prefix";
  readonly name: string;
}

export function listObjectsV2(call: S3Call, on: S3Account): SandboxResponse {
  const bucket = bucketOf(call, on);
  const query = readQuery(call);
  const { entries, truncated } = selectEntries(on.store.keys(bucket.name), query);
  const last = entries.at(-1);
  const encode = call.query.get("encoding-type") === "url" ? encodeName : (name: string) => name;
  const withOwner = call.query.get("fetch-owner") === "true";
  const contents = entries.flatMap((entry): XmlElement[] => {
    const object = entry.kind === "key" ? bucket.objects.get(entry.name) : undefined;
    return object === undefined ? [] : [objectElement(object, encode, withOwner ? bucket.account : undefined)];
  });
  const prefixes = entries.filter((entry) => entry.kind === "prefix");
  return xmlResponse("ListBucketResult", {
    Name: bucket.name,
    Prefix: encode(query.prefix),
    Delimiter: query.delimiter === "" ? undefined : encode(query.delimiter),
    StartAfter: query.startAfter === undefined ? undefined : encode(query.startAfter),
    EncodingType: call.query.get("encoding-type") ?? undefined,
    ContinuationToken: query.token,
    NextContinuationToken: truncated && last !== undefined ? writeToken(last) : undefined,
    KeyCount: String(entries.length),
    MaxKeys: String(query.maxKeys),
    IsTruncated: String(truncated),
    Contents: contents,
    CommonPrefixes: prefixes.map((entry) => ({ Prefix: encode(entry.name) })),
  });
}

function readQuery(call: S3Call): Query {
  const maxKeys = Number(call.query.get("max-keys") ?? "1000");
  if (!Number.isInteger(maxKeys) || maxKeys < 0) {
    const members = { ArgumentName: "max-keys", ArgumentValue: call.query.get("max-keys") ?? "" };
    throw new AwsError(
      "InvalidArgument",
      "Argument max-keys must be an integer between 0 and 2147483647",
      400,
      members,
    );
  }
  const encoding = call.query.get("encoding-type") ?? "url";
  if (encoding !== "url") throw new AwsError("InvalidArgument", "Invalid Encoding Method specified in Request", 400);
  return {
    prefix: call.query.get("prefix") ?? "",
    delimiter: call.query.get("delimiter") ?? "",
    startAfter: call.query.get("start-after") ?? undefined,
    token: call.query.get("continuation-token") ?? undefined,
    // More than 1,000 is accepted and never given.
    maxKeys: Math.min(1000, maxKeys),
  };
}

function selectEntries(keys: readonly string[], query: Query): { entries: readonly Entry[]; truncated: boolean } {
  const resume = query.token === undefined ? undefined : readToken(query.token);
  const after = resume?.name ?? query.startAfter ?? "";
  const bound = compareKeys(after, query.prefix) > 0 ? after : query.prefix;
  const entries: Entry[] = [];
  for (let index = lowerBound(keys, bound); index < keys.length; index += 1) {
    const key = keys[index] ?? "";
    if (!key.startsWith(query.prefix)) break;
    const entry = entryOf(key, query);
    const passed = resume?.kind === "prefix" ? key.startsWith(resume.name) : key === after;
    const repeated = entry.kind === "prefix" && entry.name === entries.at(-1)?.name;
    if (passed || repeated) continue;
    if (entries.length === query.maxKeys) return { entries, truncated: query.maxKeys > 0 };
    entries.push(entry);
  }
  return { entries, truncated: false };
}

function entryOf(key: string, { prefix, delimiter }: Query): Entry {
  const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return cut < 0 ? { kind: "key", name: key } : { kind: "prefix", name: key.slice(0, cut + delimiter.length) };
}

// A token names the last line given, and of which kind it was: after a common prefix, all keys under it are passed.
function writeToken(last: Entry): string {
  return Buffer.from(JSON.stringify([last.kind, last.name])).toString("base64");
}

function readToken(token: string): Entry {
  try {
    const [kind, name]: unknown[] = JSON.parse(Buffer.from(token, "base64").toString());
    if ((kind === "key" || kind === "prefix") && typeof name === "string") return { kind, name };
  } catch {
    // Falls through: what cannot be read is not one of ours.
  }
  const members = { ArgumentName: "continuation-token" };
  throw new AwsError("InvalidArgument", "The continuation token provided is incorrect", 400, members);
}

function objectElement(object: StoredObject, encode: (name: string) => string, owner: string | undefined): XmlElement {
  return {
    Key: encode(object.key),
    LastModified: isoTime(object.lastModified),
    ETag: quoted(object.etag),
    ChecksumAlgorithm: object.checksum.algorithm,
    ChecksumType: object.checksum.type,
    Size: String(object.body.length),
    StorageClass: "STANDARD",
    Owner: owner === undefined ? undefined : { ID: owner },
  };
}

// As a Java URL encoder writes it: space is `+`, and `/` `*` stay.
function encodeName(name: string): string {
  const encoded = encodeURIComponent(name).replaceAll(/[!'()~]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return encoded.replaceAll("%20", "+").replaceAll("%2F", "/");
}
