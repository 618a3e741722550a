// One redactor at every exit: known secret values, and what looks like a credential wherever it stands.

export interface Redactor {
  (text: string): string;
  /** The same value with every string in it redacted; maps become plain objects as JSON would lose them. */
  deep<Value>(value: Value): Value;
}

const MASK = "***";

/** Shorter values would hide ordinary words. */
const SHORTEST = 6;

/** Linear patterns only: each alternative ends at a character it cannot contain, or at a bound. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@"'<>]{1,512}@/gi, `$1${MASK}@`],
  [/-----BEGIN ([A-Z ]{0,30}PRIVATE KEY)-----[^-]{0,16384}-----END \1-----/g, `-----${MASK}-----`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{20,255}|xox[abprs]-[\w-]{10,255})/g, MASK],
  [/\beyJ[\w-]{8,4096}\.eyJ[\w-]{8,8192}\.[\w-]{8,4096}/g, MASK],
  [/\b(authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|basic|token)\s{1,3})[^\s"',;]{1,8192}/gi, `$1${MASK}`],
  [/\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^\s&"'<>]{1,4096}/gi, `$1${MASK}`],
  [
    /((?:aws_?secret_?access_?key|aws_?session_?token|secretAccessKey|sessionToken)["']?\s{0,3}[:=]\s{0,3}["']?)[\w/+=.-]{8,4096}/gi,
    `$1${MASK}`,
  ],
  [/\b((?:\w{0,40}_)?(?:password|passwd|pwd|secret|token|api_?key)=)[^\s&"',;<>]{1,4096}/gi, `$1${MASK}`],
  [/("(?:password|passwd|secret|token|apiKey|api_key)"\s{0,3}:\s{0,3}")[^"]{1,4096}/gi, `$1${MASK}`],
];

/** Redacts the given values, also as URLs, JSON and base64 carry them, and everything the patterns know. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const values = [...new Set(secrets.flatMap(forms))].sort((a, b) => b.length - a.length);
  const known =
    values.length === 0
      ? undefined
      : new RegExp(values.map((value) => value.replace(/[$()*+.?[\\\]^{|}/-]/g, "\\$&")).join("|"), "g");
  const redact = (text: string): string => {
    const masked = known === undefined ? text : text.replace(known, MASK);
    return PATTERNS.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), masked);
  };
  return Object.assign(redact, { deep: <Value>(value: Value): Value => deep(value, redact) as Value });
}

function forms(secret: string): readonly string[] {
  if (secret.length < SHORTEST) return [];
  const base64 = btoa(String.fromCodePoint(...new TextEncoder().encode(secret.slice(0, 8192)))).replace(/=+$/, "");
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64];
}

function deep(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((member) => deep(member, redact));
  if (value instanceof Map) return deep(Object.fromEntries(value), redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, deep(member, redact)]));
}
