// Text armor of keys and signatures: base64 between two lines of dashes.

/**
 * The bytes of the one block of this label that a text holds; undefined when it is anything else. Headers of PGP, such
 * as `Version:`, and its checksum line are skipped: the bytes prove themselves.
 */
export function dearmor(text: string, label: string): Uint8Array | undefined {
  const lines = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim());
  if (lines[0] !== `-----BEGIN ${label}-----` || lines.at(-1) !== `-----END ${label}-----`) return undefined;
  const inner = lines.slice(1, -1);
  const blank = inner.indexOf("");
  const body = inner.slice(blank + 1).filter((line) => !/^=[A-Za-z0-9+/]{4}$/.test(line));
  if (inner.slice(0, Math.max(0, blank)).some((line) => !/^[A-Za-z]{1,40}: /.test(line))) return undefined;
  return bytesOf(body.join(""));
}

/** Canonical base64 only, so that the same bytes are always the same text. */
export function bytesOf(base64: string): Uint8Array | undefined {
  if (base64 === "" || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes = Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0);
  return base64Of(bytes) === base64 ? bytes : undefined;
}

export function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCodePoint(byte);
  return btoa(text);
}
