// Puts AWS's errors into our words: which fault it is, and whether a call may have taken effect.
import type { FaultCode } from "../../core/fault.ts";
import { Fault } from "../../core/fault.ts";

/** What was asked of AWS, and where: it goes into every message. */
export interface About {
  readonly operation: string;
  /** `service api in cluster prod`. */
  readonly resource: string;
  readonly region: string;
  readonly account?: string;
  readonly role?: string;
  readonly write: boolean;
}

interface ThrownByAws {
  readonly name: string;
  readonly message: string;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** Node's own code of a broken connection: ECONNRESET, ENOTFOUND. */
  readonly code: string | undefined;
}

const NAMES: Readonly<Partial<Record<FaultCode, readonly string[]>>> = {
  denied: ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess", "Forbidden"],
  "credentials-missing": [
    "CredentialsProviderError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
  ],
  throttled: [
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
  ],
  "cluster-missing": ["ClusterNotFoundException"],
  "bucket-missing": ["NoSuchBucket"],
  "distribution-missing": ["NoSuchDistribution"],
  "service-missing": ["ServiceNotFoundException"],
  "service-unsupported": ["ServiceNotActiveException"],
  "region-wrong": ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"],
};

/** Refused before it was looked at, because the two clocks differ; the SDK corrects its own from the answer. */
const SKEWED = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"];
/** The connection was never made, so nothing was sent. */
const UNSENT = ["ECONNREFUSED", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const BROKEN = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ERR_HTTP2_STREAM_ERROR", "ERR_SOCKET_CLOSED"];
const TIMEOUTS = ["TimeoutError", "RequestTimeout", "RequestTimeoutException", "AbortError"];

/** The fault in what a client threw; its cause is the SDK's own error. */
export function awsFault(thrown: unknown, about: About): Fault {
  if (thrown instanceof Fault) return thrown;
  const error = readError(thrown);
  const code = faultCode(error, about.write);
  return new Fault(code, sentence(error, code, about), thrown);
}

function faultCode(error: ThrownByAws, write: boolean): FaultCode {
  const named = (Object.keys(NAMES) as FaultCode[]).find((code) => NAMES[code]?.includes(error.name));
  if (named !== undefined) return named;
  if (error.code === "ENOTFOUND" || /region is missing/i.test(error.message)) return "region-wrong";
  if (error.code !== undefined && UNSENT.includes(error.code)) return "unavailable";
  if (SKEWED.includes(error.name)) return "unavailable";
  const lost = TIMEOUTS.includes(error.name) || (error.code !== undefined && BROKEN.includes(error.code));
  if (error.status === 429) return "throttled";
  // An error of the server may come after the effect; so may a time-out.
  if (lost || (error.status !== undefined && error.status >= 500)) return write ? "outcome-unknown" : "unavailable";
  if (error.status === 403) return "denied";
  if (error.status === 301 || error.status === 307) return "region-wrong";
  // An answer that is no answer of AWS (a proxy's page): the SDK fails to read it.
  if (error.status === 200 || error.name === "SyntaxError") return write ? "outcome-unknown" : "unavailable";
  return error.status === undefined ? (write ? "outcome-unknown" : "unavailable") : "aws-refused";
}

function sentence(error: ThrownByAws, code: FaultCode, about: About): string {
  const { operation, resource, region, account, role } = about;
  const where = [region, account === undefined ? "" : `account ${account}`, role === undefined ? "" : `as ${role}`];
  const words = error.message === "" || error.message === error.name ? error.name : `${error.message} (${error.name})`;
  const lost = code === "outcome-unknown" ? "no answer came, so whether it took effect is not known: " : "";
  return `${operation} of ${resource} (${where.filter((part) => part !== "").join(", ")}): ${lost}${clip(words)}`;
}

/** AWS's messages are short; a proxy's page is not. */
function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 600 ? `${line.slice(0, 600)}…` : line;
}

function readError(thrown: unknown): ThrownByAws {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), status: undefined, code: undefined };
  const { $metadata, code, cause } = thrown as Error & { $metadata?: { httpStatusCode?: number }; code?: unknown };
  const inner = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const known = code ?? inner;
  return {
    name: thrown.name,
    message: thrown.message,
    status: $metadata?.httpStatusCode,
    code: typeof known === "string" ? known : undefined,
  };
}

/** AWS's name of an error (`NoSuchKey`, `ConflictException`) behind a fault, for answers that mean something. */
export function awsErrorName(thrown: unknown): string | undefined {
  const error = thrown instanceof Fault ? thrown.cause : thrown;
  return error instanceof Error ? error.name : undefined;
}

/** AWS's own words behind a fault; empty when it said nothing. */
export function awsErrorMessage(thrown: unknown): string {
  const error = thrown instanceof Fault ? thrown.cause : thrown;
  return error instanceof Error ? error.message : "";
}

/** Refused without effect for a reason that goes away by asking again at once: skewed clocks, expired sessions. */
export function isStaleSignature(fault: Fault): boolean {
  const name = awsErrorName(fault) ?? "";
  const expired = name === "InvalidSignatureException" && /signature (expired|not yet current)/i.test(fault.message);
  return SKEWED.includes(name) || expired || name.startsWith("ExpiredToken");
}
