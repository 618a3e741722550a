// Who signed a commit: its signature taken apart as Git does, and held against the keys that may sign.
import { Buffer } from "node:buffer";
import { dearmor } from "../core/armor.ts";
import type { Sha } from "../core/brand.ts";
import { short } from "../core/brand.ts";
import type { Signer } from "../core/signer.ts";
import { checkSshSignature } from "./ssh-signature.ts";

/** What gpgv finds out; `gpg.ts` asks it. */
export type CheckGpg = (signature: Uint8Array, payload: Uint8Array, packets: readonly Uint8Array[]) => Promise<Verdict>;

/** `good`, or what is wrong in words that follow "commit 1f2e3d4". */
export type Verdict = "good" | { readonly wrong: string };

interface Signed {
  readonly payload: Buffer;
  readonly signature: string;
}

const PGP = "PGP SIGNATURE";

/**
 * Undefined when the commit carries a good signature of one of the signers, else why not. `object` is the commit as
 * `git cat-file commit` prints it.
 */
export async function distrust(
  commit: Sha,
  object: Buffer,
  signers: readonly Signer[],
  checkGpg: CheckGpg,
): Promise<string | undefined> {
  const signed = takeApart(object);
  const verdict = "wrong" in signed ? signed : await check(signed, signers, checkGpg);
  return verdict === "good" ? undefined : `commit ${short(commit)} ${verdict.wrong}`;
}

async function check({ payload, signature }: Signed, signers: readonly Signer[], checkGpg: CheckGpg): Promise<Verdict> {
  const ssh = dearmor(signature, "SSH SIGNATURE");
  if (ssh !== undefined) {
    const keys = signers.flatMap((signer) => (signer.kind === "ssh" ? [signer.key] : []));
    return checkSshSignature(ssh, payload, new Set(keys));
  }
  const pgp = dearmor(signature, PGP);
  if (pgp === undefined) {
    const label = /^-----BEGIN ([A-Z ]{1,40})-----/.exec(signature)?.[1] ?? "something else";
    return { wrong: `is signed with ${label}, and only SSH and GPG signatures are checked` };
  }
  if (!isOneSignature(pgp)) return { wrong: "has a GPG signature that is more than one plain signature" };
  const packets = signers.flatMap((signer) => (signer.kind === "gpg" ? [signer.packets] : []));
  if (packets.length === 0) return { wrong: "is signed with GPG, and no GPG key is listed" };
  return checkGpg(pgp, payload, packets);
}

/**
 * The payload is the object without its `gpgsig` header, whose value goes on in lines that begin with a space:
 * https://git-scm.com/docs/signature-format
 */
function takeApart(object: Buffer): Signed | { readonly wrong: string } {
  const text = object.toString("latin1");
  const end = text.indexOf("\n\n");
  const headers = end < 0 ? text : text.slice(0, end + 1);
  const found = [...headers.matchAll(/^gpgsig (.*\n(?: .*\n)*)/gm)];
  const [only] = found;
  if (only === undefined) return { wrong: "is not signed" };
  if (found.length > 1) return { wrong: "carries several signatures, of which none can be the one that counts" };
  const payload = text.slice(0, only.index) + text.slice(only.index + only[0].length);
  return { payload: Buffer.from(payload, "latin1"), signature: (only[1] ?? "").replaceAll("\n ", "\n").trimEnd() };
}

/**
 * One packet of tag 2 that fills the bytes (RFC 4880, section 4.2), so that no text is smuggled in beside the signature
 * and no second signature is counted.
 */
function isOneSignature(bytes: Uint8Array): boolean {
  const [head = 0, one = 0, two = 0, three = 0] = bytes;
  if (head === 0x88) return bytes.length === 2 + one;
  if (head === 0x89) return bytes.length === 3 + one * 256 + two;
  if (head !== 0xc2) return false;
  if (one < 192) return bytes.length === 2 + one;
  if (one < 224) return bytes.length === 3 + (one - 192) * 256 + two + 192;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return one === 255 && three >= 0 && bytes.length > 6 && bytes.length === 6 + view.getUint32(2);
}
