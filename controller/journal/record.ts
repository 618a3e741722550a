// How a record is written down and read back: one JSON document, checked in full before anything trusts it.
import type { Durable, Recorded } from "../core/event.ts";
import { RECORD_VERSION } from "../core/event.ts";
import { assert } from "../core/assert.ts";
import { Digest, Instant, PublicationId, Sha } from "../core/brand.ts";
import { Fault } from "../core/fault.ts";

/** The largest record that is written or read: a `release-started` holds a whole environment with its templates. */
export const RECORD_BYTES = 16 * 1024 * 1024;

type Check = (value: unknown) => boolean;
type Shape<Event extends Durable> = { readonly [Field in Exclude<keyof Event, "type">]-?: Check };
type Shapes = { readonly [Type in Durable["type"]]: Shape<Extract<Durable, { readonly type: Type }>> };

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const count: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const table: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const list: Check = (value) => Array.isArray(value);
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const sha: Check = (value) => typeof value === "string" && Sha.is(value);
const digest: Check = (value) => typeof value === "string" && Digest.is(value);
const digests: Check = (value) => Array.isArray(value) && value.every(digest);
const publication: Check = (value) => typeof value === "string" && PublicationId.is(value);
const nudge = { actor: text, reason: text };
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);
const artifacts: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(digest);

/** What each event must carry; an event without its row here does not compile. */
const SHAPES: Shapes = {
  "journal-opened": { journalId: text },
  "head-seen": { commit: sha },
  halted: { from: sha, to: optional(sha), environments: texts, why: text },
  accepted: { head: sha, ...nudge },
  arrived: { fingerprint: digest, sha, commit: sha, repository: text, before: optional(table) },
  adopted: { services: list, matches: flag, applied: digests, by: table },
  "drift-found": { differences: list },
  "drift-cleared": {},
  "hold-seen": { reason: text, until: optional(count) },
  "hold-cleared": {},
  unmanaged: { why: text },
  managed: {},
  "release-requested": nudge,
  "retry-requested": { fingerprint: digest, ...nudge },
  "repair-requested": nudge,
  "abort-requested": { release: count, ...nudge },
  resolved: { migration: text, key: digest, outcome: oneOf("applied", "not-applied"), ...nudge },
  lease: { ttlMs: count, released: optional((value) => value === true) },
  "release-adopted": { from: text },
  "release-started": {
    release: count,
    releaseId: text,
    kind: oneOf("release", "rollback", "repair"),
    direction: oneOf("forward", "back"),
    desired: table,
    arrival: sha,
    artifacts,
    steps: list,
    undoes: optional(count),
    why: text,
  },
  "release-succeeded": { release: count },
  "release-failed": { release: count, step: text, code: text, message: text, undone: flag },
  "release-superseded": { release: count, by: sha },
  "release-rolled-back": { release: count, to: count },
  "rollback-failed": { release: count, code: text, message: text },
  "step-started": { release: count, step: text, what: table },
  "step-settled": { release: count, step: text, outcome: table },
  "health-passed": { release: count, fingerprint: digest, sha, artifacts },
  "migration-started": {
    release: count,
    migration: text,
    key: digest,
    attempt: count,
    token: text,
    taskDefinition: text,
    cluster: text,
    awsAt: optional(count),
  },
  "migration-task": { migration: text, key: digest, task: text },
  "migration-settled": {
    migration: text,
    key: digest,
    result: oneOf("passed", "failed", "unknown", "refused"),
    code: optional(text),
    message: text,
    exitCode: optional((value) => Number.isSafeInteger(value)),
    log: texts,
  },
  "deploy-intended": { release: count, service: text, version: text, key: digest, settings: digest, before: table },
  "deploy-accepted": { release: count, service: text, version: text, deployment: optional(text) },
  "publication-started": { release: count, web: text, publication, digest },
  "publication-settled": { web: text, publication, digest, written: count, deleted: count },
  invalidated: { web: text, publication, invalidation: text },
};

/** One line of JSON with its line end. */
export function encode(record: Recorded): string {
  const line = `${JSON.stringify(record)}\n`;
  assert(Buffer.byteLength(line) <= RECORD_BYTES, `a record of ${record.event.type} is over ${RECORD_BYTES} bytes`);
  return line;
}

/**
 * Reads a record back, or throws Fault `journal-damaged` that names `where` (a file or an object) and what is wrong.
 * Never returns anything that was not checked against the version and the event's row.
 */
export function decode(line: string, where: string, sequence: number): Recorded {
  const value = parse(line, where);
  if (!isTable(value)) throw damaged(where, "is not a record");
  if (value["v"] !== RECORD_VERSION) {
    throw damaged(where, `has version ${show(value["v"])}; this Lockstep reads version ${RECORD_VERSION}`);
  }
  const { at, writer, epoch, nonce, event } = value;
  if (value["sequence"] !== sequence) throw damaged(where, `has sequence ${show(value["sequence"])} inside`);
  if (typeof at !== "number" || !Number.isSafeInteger(at)) throw damaged(where, "has no time");
  if (typeof writer !== "string" || writer === "") throw damaged(where, "has no writer");
  if (typeof epoch !== "number" || !count(epoch)) throw damaged(where, "has no epoch");
  if (typeof nonce !== "string" || nonce === "") throw damaged(where, "has no nonce");
  return { v: RECORD_VERSION, sequence, at: Instant.of(at), writer, epoch, nonce, event: readEvent(event, where) };
}

/** The text of a record's bytes. Fault `journal-damaged` when they are no text. */
export function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw damaged(where, "is not UTF-8", thrown);
  }
}

function readEvent(event: unknown, where: string): Durable {
  if (!isTable(event)) throw damaged(where, "has no event");
  const type = event["type"];
  if (typeof type !== "string" || !Object.hasOwn(SHAPES, type)) {
    throw damaged(where, `holds an event ${show(type)} that this Lockstep does not know`);
  }
  const shape: Readonly<Record<string, Check>> = SHAPES[type as Durable["type"]];
  const wrong = Object.keys(shape).find((field) => shape[field]?.(own(event, field)) !== true);
  if (wrong !== undefined) throw damaged(where, `holds an event ${type} whose \`${wrong}\` is ${show(event[wrong])}`);
  // Every field that the type names was checked against its row; deeper values are ours and versioned as a whole.
  return event as unknown as Durable;
}

/** A field of the document itself, never of its prototype. */
function own(event: Readonly<Record<string, unknown>>, field: string): unknown {
  return Object.hasOwn(event, field) ? event[field] : undefined;
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (thrown) {
    throw damaged(where, line === "" ? "is empty" : "is not JSON", thrown);
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return table(value);
}

function show(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value) ?? "unreadable").slice(0, 60);
}

/** A fault that names the file or object, what is wrong with it and how to go on. */
export function damaged(where: string, what: string, cause?: unknown): Fault {
  return new Fault(
    "journal-damaged",
    `${where} ${what}; restore the journal from a copy and change no file of it by hand`,
    cause,
  );
}
