// SSH signatures, checked in this process: the format of `ssh-keygen -Y sign`, without agent, file or child.
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { createHash, createPublicKey, verify } from "node:crypto";
import { wireFields } from "../core/signer.ts";
import type { Verdict } from "./signatures.ts";

const MAGIC = "SSHSIG";
/** Git signs under this name, so that a signature made for a file or a login counts for nothing here. */
const NAMESPACE = "git";
const HASHES = ["sha256", "sha512"];
/** NIST curves by the name in the key: the one of JWK, the hash of RFC 5656, and bytes of a coordinate. */
const CURVES: Readonly<Record<string, readonly [string, string, number]>> = {
  nistp256: ["P-256", "sha256", 32],
  nistp384: ["P-384", "sha384", 48],
  nistp521: ["P-521", "sha512", 66],
};

/** Total. `keys` are those that may sign, in base64 of their wire format. */
export function checkSshSignature(blob: Uint8Array, payload: Uint8Array, keys: ReadonlySet<string>): Verdict {
  const parts = partsOf(Buffer.from(blob));
  if (parts === undefined) return { wrong: "has an SSH signature that cannot be read" };
  const { key, namespace, reserved, hash, signature } = parts;
  const fingerprint = `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
  if (!keys.has(key.toString("base64"))) return { wrong: `is signed by an unknown key ${fingerprint}` };
  if (namespace !== NAMESPACE) return { wrong: `has a signature of ${fingerprint} that was made for another purpose` };
  if (!HASHES.includes(hash)) return { wrong: `has a signature of ${fingerprint} over a hash that is not used` };
  const digest = createHash(hash).update(payload).digest();
  const signed = Buffer.concat([Buffer.from(MAGIC), ...[namespace, reserved, hash, digest].map(wire)]);
  if (isGood(key, signature, signed)) return "good";
  return { wrong: `has a signature of ${fingerprint} that does not fit what it holds` };
}

interface Parts {
  readonly key: Buffer;
  readonly namespace: string;
  readonly reserved: Buffer;
  readonly hash: string;
  readonly signature: Buffer;
}

function partsOf(blob: Buffer): Parts | undefined {
  const isVersion1 = blob.toString("latin1", 0, 6) === MAGIC && blob.length > 10 && blob.readUInt32BE(6) === 1;
  const fields = isVersion1 ? wireFields(blob.subarray(10)) : undefined;
  const [key, namespace, reserved, hash, signature] = (fields ?? []).map((field) => Buffer.from(field));
  if (fields?.length !== 5 || key === undefined || namespace === undefined || reserved === undefined) return undefined;
  if (hash === undefined || signature === undefined) return undefined;
  return { key, namespace: namespace.toString("latin1"), reserved, hash: hash.toString("latin1"), signature };
}

function isGood(key: Buffer, signature: Buffer, signed: Buffer): boolean {
  const [type, ...numbers] = (wireFields(key) ?? []).map((field) => Buffer.from(field));
  const name = type?.toString("latin1") ?? "";
  try {
    if (name.startsWith("sk-")) return isGoodOfDevice(name, numbers, signature, signed);
    const [algorithm, value, ...rest] = (wireFields(signature) ?? []).map((field) => Buffer.from(field));
    if (algorithm === undefined || value === undefined || rest.length > 0) return false;
    return fits(name, algorithm.toString("latin1"), numbers, { value, signed });
  } catch {
    // Numbers that make no key: OpenSSL refuses them, and so do we.
    return false;
  }
}

/** A security key signs hashes, with what it knows about its user between them; only a touched one counts. */
function isGoodOfDevice(name: string, numbers: readonly Buffer[], signature: Buffer, signed: Buffer): boolean {
  const tail = signature.subarray(-5);
  const [algorithm, value, ...rest] = (wireFields(signature.subarray(0, -5)) ?? []).map((field) => Buffer.from(field));
  const application = numbers.at(-1);
  if (algorithm?.toString("latin1") !== name || value === undefined || rest.length > 0) return false;
  const touched = ((tail[0] ?? 0) & 1) === 1;
  if (application === undefined || !touched) return false;
  const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
  const plainName = name.slice("sk-".length, -"@openssh.com".length);
  const message = Buffer.concat([sha256(application), tail, sha256(signed)]);
  return fits(plainName, plainName, numbers.slice(0, -1), { value, signed: message });
}

interface Claim {
  readonly value: Buffer;
  readonly signed: Buffer;
}

function fits(type: string, algorithm: string, numbers: readonly Buffer[], { value, signed }: Claim): boolean {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = numbers;
  if (type === "ssh-ed25519") {
    const key = publicKey({ kty: "OKP", crv: "Ed25519", x: first.toString("base64url") });
    return algorithm === type && verify(undefined, signed, key, value);
  }
  if (type === "ssh-rsa") {
    const hash = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" }[algorithm];
    const key = publicKey({ kty: "RSA", e: first.toString("base64url"), n: second.toString("base64url") });
    // SHA-1, which the algorithm `ssh-rsa` means, is not taken.
    return hash !== undefined && verify(hash, signed, key, value);
  }
  const [crv, hash, size] = CURVES[first.toString("latin1")] ?? [];
  if (crv === undefined || hash === undefined || size === undefined || algorithm !== type) return false;
  if (second.length !== 1 + 2 * size || second[0] !== 4) return false;
  const [x, y] = [second.subarray(1, 1 + size), second.subarray(1 + size)].map((one) => one.toString("base64url"));
  const key = publicKey({ kty: "EC", crv, x, y });
  const [r, s] = (wireFields(value) ?? []).map((number) => padded(Buffer.from(number), size));
  if (r === undefined || s === undefined) return false;
  return verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.concat([r, s]));
}

function publicKey(key: Readonly<Record<string, string | undefined>>): KeyObject {
  return createPublicKey({ key, format: "jwk" });
}

/** A number of the wire format as exactly so many bytes; undefined when it is larger. */
function padded(number: Buffer, size: number): Buffer | undefined {
  const bare = number.subarray(Math.max(0, number.length - size));
  if (number.subarray(0, number.length - bare.length).some((byte) => byte !== 0)) return undefined;
  return Buffer.concat([Buffer.alloc(size - bare.length), bare]);
}

function wire(field: string | Buffer): Buffer {
  const bytes = Buffer.from(field);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
