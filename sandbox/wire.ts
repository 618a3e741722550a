// The wire protocols AWS services speak: JSON 1.1, query XML and REST XML, with their errors.

import { AwsError, type SandboxRequest, type SandboxResponse } from "./api.ts";

export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** The operation of a JSON 1.1 request for the service with this target prefix; undefined when it is another's. */
export function targetOperation(request: SandboxRequest, prefix: string): string | undefined {
  const target = request.headers["x-amz-target"];
  return target?.startsWith(`${prefix}.`) === true ? target.slice(prefix.length + 1) : undefined;
}

/** The members of a JSON 1.1 request. Fault: SerializationException, as AWS answers a body that is no JSON object. */
export function readJson(request: SandboxRequest): Readonly<Record<string, unknown>> {
  const text = Buffer.from(request.body).toString("utf8");
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AwsError("SerializationException", `The request body is not JSON: ${String(cause)}`);
  }
  if (!isRecord(value))
    throw new AwsError("SerializationException", "Start of structure or map found where not expected.");
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON 1.1 answer. Times are seconds since the epoch as numbers: use {@link seconds}. */
export function json(value: unknown, status = 200): SandboxResponse {
  return { status, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(value) };
}

/** A JSON 1.1 error: the code in `__type`, the modelled members beside it. */
export function jsonError(error: AwsError, requestId: string): SandboxResponse {
  const answer = json({ __type: error.code, message: error.message, ...error.members }, error.status);
  return { ...answer, headers: { ...answer.headers, "x-amzn-requestid": requestId } };
}

/** Milliseconds since the epoch as JSON 1.1 writes a timestamp. */
export function seconds(atMs: number): number {
  return atMs / 1000;
}

/** An XML answer with its declaration; arrays repeat their element, undefined members are left out. */
export function xml(
  name: string,
  value: XmlValue,
  { status = 200, namespace = "", headers = {} }: XmlOptions = {},
): SandboxResponse {
  const attribute = namespace === "" ? "" : ` xmlns="${namespace}"`;
  return {
    status,
    headers: { "content-type": "application/xml", ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${xmlElement(name, value, attribute)}`,
  };
}

interface XmlOptions {
  readonly status?: number;
  readonly namespace?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The `<ErrorResponse>` of the query protocol (STS) and of CloudFront. */
export function xmlErrorResponse(error: AwsError, requestId: string, namespace: string): SandboxResponse {
  const blame = error.status >= 500 ? "Receiver" : "Sender";
  return xml(
    "ErrorResponse",
    { Error: { Type: blame, Code: error.code, Message: error.message }, RequestId: requestId },
    { status: error.status, namespace, headers: { "x-amzn-requestid": requestId } },
  );
}

function xmlElement(name: string, value: XmlValue, attribute = ""): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((item: XmlValue) => xmlElement(name, item)).join("");
  if (typeof value !== "object") return `<${name}${attribute}>${escapeXml(String(value))}</${name}>`;
  const children = Object.entries(value).map(([child, content]: [string, XmlValue]) => xmlElement(child, content));
  return `<${name}${attribute}>${children.join("")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
};

export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? character);
}
