// Viewer paths and invalidation paths: how an address becomes a cache key, and which keys an invalidation means.
import { AwsError } from "../api.ts";

// Characters RFC 1738 calls unsafe; an invalidation path has to carry them percent-encoded.
const unsafe = /[\s<>"#{}|\\^~[\]`]|[^\u0020-\u007E]|%(?![\dA-Fa-f]{2})/u;

/**
 * The cache key of a viewer's path: unreserved characters literal, the rest as the viewer sent it, unsafe ones encoded.
 * So `/a%7Eb` and `/a~b` are one object, and `/a+b` and `/a%2Bb` are two.
 */
export function cacheKey(path: string): string {
  const upper = path.replaceAll(/%[\dA-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
  });
  return upper.replaceAll(/[\s<>"{}|\\^[\]`]|[^\u0020-\u007E]/gu, (character) => encodeURIComponent(character));
}

/**
 * Checks one path of an invalidation batch. Fault: `InvalidArgument`, in CloudFront's one sentence for all of them.
 * A `~` is refused, and `%7E` is accepted but means no object (aws/aws-sdk#525).
 */
export function checkInvalidationPath(path: string): void {
  const star = path.indexOf("*");
  const valid = path.startsWith("/") && path.length <= 4000 && (star < 0 || star === path.length - 1);
  if (valid && !unsafe.test(path)) return;
  throw new AwsError("InvalidArgument", "Your request contains one or more invalid invalidation paths.", 400);
}

export function isWildcard(path: string): boolean {
  return path.endsWith("*");
}

/** Whether an invalidation path means this cache key; `*` stands for any characters, also none. */
export function invalidates(path: string, key: string): boolean {
  const literal = path.replaceAll(/%[\da-f]{2}/gi, (escape) => escape.toUpperCase());
  return isWildcard(path) ? key.startsWith(literal.slice(0, -1)) : key === literal;
}

/** The object key an origin request names; undefined when it is no valid encoding. S3 reads `+` as a space. */
export function objectKey(originPath: string, path: string): string | undefined {
  try {
    return decodeURIComponent(`${originPath}${path}`.slice(1).replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
