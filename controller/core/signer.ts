// Who may sign commits (`verify.commits`): public keys as manifests write them.
import { bytesOf, dearmor } from "./armor.ts";

export type Signer =
  | {
      readonly kind: "ssh";
      /** Base64 of the key in the wire format of OpenSSH, which names its algorithm and is the same for equal keys. */
      readonly key: string;
    }
  | {
      readonly kind: "gpg";
      /** OpenPGP packets of the public key. */
      readonly packets: Uint8Array;
    };

/** Key types with which OpenSSH signs today; `sk-` are those of security keys. */
const SSH_TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];
const RSA_BITS = 2048;
const PGP = "PGP PUBLIC KEY BLOCK";

/** Total: a signer, or why the text is none, in words that follow its name. */
export function parseSigner(text: string): Signer | { readonly refused: string } {
  if (text.includes("-----BEGIN")) return gpgSigner(text);
  const [type = "", key = ""] = text.trim().split(/ +/);
  if (!SSH_TYPES.includes(type)) {
    return { refused: "is neither an SSH public key (`ssh-ed25519 AAAA… name`) nor an armored GPG public key" };
  }
  const bytes = bytesOf(key);
  const fields = bytes === undefined ? undefined : wireFields(bytes);
  if (fields === undefined || text.trim().includes("\n")) {
    return { refused: `is no ${type} key: copy the whole line of the .pub file` };
  }
  if (new TextDecoder().decode(fields[0]) !== type) return { refused: `says ${type}, and its key is of another type` };
  if (fields.length !== FIELDS[type]) return { refused: `is no ${type} key: copy the whole line of the .pub file` };
  if (type === "ssh-rsa" && bitsOf(fields[2]) < RSA_BITS) {
    return { refused: `is an RSA key of ${bitsOf(fields[2])} bits; at least ${RSA_BITS} are needed` };
  }
  return { kind: "ssh", key };
}

/** How many fields a key of each type has, its name being the first. */
const FIELDS: Readonly<Record<string, number>> = {
  "ssh-ed25519": 2,
  "ssh-rsa": 3,
  "ecdsa-sha2-nistp256": 3,
  "ecdsa-sha2-nistp384": 3,
  "ecdsa-sha2-nistp521": 3,
  "sk-ssh-ed25519@openssh.com": 3,
  "sk-ecdsa-sha2-nistp256@openssh.com": 4,
};

function gpgSigner(text: string): Signer | { readonly refused: string } {
  if (/PRIVATE KEY/.test(text)) return { refused: "is a private key: take it out, renew it, and list its public key" };
  const packets = dearmor(text, PGP);
  // A public key packet (tag 6) comes first, with its length in the old or the new form: RFC 4880, section 4.2.
  const isKey = packets !== undefined && [0x98, 0x99, 0x9a, 0xc6].includes(packets[0] ?? 0);
  return isKey ? { kind: "gpg", packets } : { refused: "is no GPG public key as `gpg --armor --export` prints it" };
}

/** The length-prefixed fields of the SSH wire format (RFC 4251, section 5); undefined when they do not fill the bytes. */
export function wireFields(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

/** Bits of an unsigned number in the wire format, which may begin with a zero byte. */
function bitsOf(number: Uint8Array | undefined): number {
  const first = number?.findIndex((byte) => byte !== 0) ?? -1;
  if (number === undefined || first < 0) return 0;
  return (number.length - first - 1) * 8 + (32 - Math.clz32(number[first] ?? 0));
}
