// `verify.commits`: real commits, signed by real ssh-keygen and gpg, read through a real mirror.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import type { Signer } from "../../controller/core/signer.ts";
import { parseSigner } from "../../controller/core/signer.ts";
import type { Source } from "../../controller/ports.ts";
import { environment, faultIn, folder, mirror, removeFolders, repository, signal } from "../git/repository.ts";
import type { Gpg, SigningKey } from "./keys.ts";
import { commitAs, gpg, HAS_GPG, HAS_SSH, sshKey } from "./keys.ts";

afterAll(removeFolders);

function signer(key: string): Signer {
  const parsed = parseSigner(key);
  if ("refused" in parsed) throw new Error(parsed.refused);
  return parsed;
}

const signers = (...keys: readonly { readonly public: string }[]): readonly Signer[] =>
  keys.map((key) => signer(key.public));

/** What a mirror says of the head, which `change` may rewrite first as an attacker would. */
async function verdict(key: SigningKey | undefined, listed: readonly Signer[], change?: (object: string) => string) {
  const made = repository();
  let commit = commitAs(made, "work", key);
  if (change !== undefined) {
    const object = `${made.git(["cat-file", "commit", commit])}\n`;
    const other = change(object);
    expect(other).not.toBe(object);
    commit = Sha.parse(made.git(["hash-object", "-t", "commit", "-w", "--stdin"], other));
    made.git(["update-ref", "refs/heads/main", commit]);
  }
  const source = mirror(made.path);
  const head = await source.head(signal);
  expect(head).toBe(commit);
  return (await source.distrust(head, listed, signal))?.replace(head.slice(0, 7), "<head>");
}

describe.runIf(HAS_SSH)("A commit signed with SSH", () => {
  let ada: SigningKey;
  let eve: SigningKey;
  beforeAll(() => {
    ada = sshKey("ed25519");
    eve = sshKey("ed25519");
  });

  test("is refused without a signature, by an unknown key, and when nobody of its kind is listed", async () => {
    expect(await verdict(undefined, signers(ada))).toBe("commit <head> is not signed");
    const unknown = await verdict(eve, signers(ada));
    expect(unknown).toMatch(/^commit <head> is signed by an unknown key SHA256:[A-Za-z0-9+/]{43}$/);
    const [, key = ""] = eve.public.split(" ");
    const fingerprint = createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace("=", "");
    expect(unknown).toContain(fingerprint);
  });

  test.each([
    ["message", (object: string) => `${object}and more\n`, "that does not fit what it holds"],
    ["author", (object: string) => object.replace("author Ada", "author Eve"), "that does not fit what it holds"],
    ["a line before the signature", (object: string) => object.replace("gpgsig", "x y\ngpgsig"), "that does not fit"],
    [
      "its armor",
      (object: string) => object.replace("BEGIN SSH", "BEGIN SSL"),
      "is signed with SSL SIGNATURE, and only",
    ],
    ["its base64", (object: string) => object.replace("U1NIU0lH", "!!!!!!!!"), "only SSH and GPG signatures"],
    ["its magic", (object: string) => object.replace("U1NIU0lH", "U1NIU0lI"), "cannot be read"],
    [
      "a second signature",
      (object: string) => object.replace("\n\n", "\ngpgsig -----BEGIN SSH SIGNATURE-----\n\n"),
      "carries several signatures",
    ],
    [
      "the header into the message",
      (object: string) => object.replace(/(gpgsig [^]*?)(\n\n)/, "$2$1"),
      "is not signed",
    ],
  ])("is refused when somebody changes %s", async (_, change, why) => {
    expect(await verdict(ada, signers(ada), change)).toContain(why);
  });

  test("is refused when the signature was made for another purpose than Git", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const key = { public: `ssh-ed25519 ${wire("ssh-ed25519", rawKey(publicKey)).toString("base64")}` };
    for (const [namespace, hash, why] of [
      ["git", "sha512", undefined],
      ["file", "sha512", "that was made for another purpose"],
      ["git", "md5", "over a hash that is not used"],
    ] as const) {
      const said = await verdict(undefined, signers(key), (object) => {
        const digest = createHash(hash).update(object).digest();
        const signed = Buffer.concat([Buffer.from("SSHSIG"), wire(namespace, "", hash, digest)]);
        const blob = wire("ssh-ed25519", sign(undefined, signed, privateKey));
        return withSignature(object, wire(wire("ssh-ed25519", rawKey(publicKey)), namespace, "", hash, blob));
      });
      if (why === undefined) expect(said).toBeUndefined();
      else expect(said).toContain(why);
    }
  });

  test("of a security key counts only when somebody touched it", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const type = "sk-ssh-ed25519@openssh.com";
    const key = wire(type, rawKey(publicKey), "ssh:");
    const sha256 = (data: string | Buffer): Buffer => createHash("sha256").update(data).digest();
    for (const flags of [0, 1]) {
      const said = await verdict(undefined, signers({ public: `${type} ${key.toString("base64")}` }), (object) => {
        const digest = createHash("sha512").update(object).digest();
        const signed = Buffer.concat([Buffer.from("SSHSIG"), wire("git", "", "sha512", digest)]);
        const tail = Buffer.from([flags, 0, 0, 0, 7]);
        const message = Buffer.concat([sha256("ssh:"), tail, sha256(signed)]);
        const blob = Buffer.concat([wire(type, sign(undefined, message, privateKey)), tail]);
        return withSignature(object, wire(key, "git", "", "sha512", blob));
      });
      expect(said?.replace(/SHA256:\S+/, "…")).toBe(
        flags === 1 ? undefined : "commit <head> has a signature of … that does not fit what it holds",
      );
    }
  });

  test.each([
    ["ed25519", undefined],
    ["rsa", 2048],
    ["rsa", 3072],
    ["ecdsa", 256],
    ["ecdsa", 384],
    ["ecdsa", 521],
  ] as const)("of a listed %s key (%s) is taken, among others and after a merge", async (type, bits) => {
    const key = sshKey(type, bits);
    expect(await verdict(key, signers(eve, key, ada))).toBeUndefined();
  });

  test("is judged by its own signature, not by those of the tags it merges", async () => {
    const made = repository();
    const base = commitAs(made, "base", ada);
    made.git(["checkout", "--quiet", "-b", "other"]);
    commitAs(made, "theirs", eve);
    made.git([...eve.settings.flatMap((one) => ["-c", one]), "tag", "-s", "-m", "v1", "v1"]);
    made.git(["checkout", "--quiet", "-B", "main", base]);
    const name = made.git(["rev-parse", "v1"]);
    made.git([...ada.settings.flatMap((one) => ["-c", one]), "merge", "--quiet", "--no-ff", "-S", "-m", "merge", name]);
    expect(made.git(["cat-file", "commit", "HEAD"])).toContain("mergetag object");
    const source = mirror(made.path);
    const head = await source.head(signal);
    expect(await source.distrust(head, signers(ada), signal)).toBeUndefined();
    expect(await source.distrust(head, signers(eve), signal)).toContain("is signed by an unknown key");
  });
});

describe.runIf(HAS_GPG)("A commit signed with GPG", () => {
  let home: Gpg;
  let ada: SigningKey;
  let eve: SigningKey;
  beforeAll(() => {
    home = gpg();
    ada = home.key("ada");
    eve = home.key("eve");
  });
  afterAll(() => home.close());

  test("is refused by an unknown key, and when no GPG key is listed", async () => {
    expect(await verdict(eve, signers(ada))).toMatch(/^commit <head> is signed by an unknown key [0-9A-F]{16}$/);
    const { publicKey } = generateKeyPairSync("ed25519");
    const ssh = { public: `ssh-ed25519 ${wire("ssh-ed25519", rawKey(publicKey)).toString("base64")}` };
    expect(await verdict(ada, signers(ssh))).toBe("commit <head> is signed with GPG, and no GPG key is listed");
  });

  test("is refused when somebody changes what it holds", async () => {
    const said = await verdict(ada, signers(ada, eve), (object) => `${object}and more\n`);
    expect(said).toMatch(/^commit <head> has a signature of [0-9A-F]{16} that does not fit what it holds$/);
  });

  test("is refused when a second signature or a text is hidden behind the first", async () => {
    const twice = (object: string): string =>
      object.replace(
        /(-----BEGIN PGP SIGNATURE-----\n \n)([^-]*?)( =....\n)?( -----END)/,
        (_, begin, body, _sum, end) => {
          const bytes = Buffer.from(String(body).replaceAll(/\s/g, ""), "base64");
          return `${String(begin)} ${Buffer.concat([bytes, bytes]).toString("base64")}\n${String(end)}`;
        },
      );
    expect(await verdict(ada, signers(ada), twice)).toContain("more than one plain signature");
  });

  test("is refused by a key that has expired or was revoked", async () => {
    const old = home.key("old", { beganDays: 9, lastsDays: 5 });
    expect(await verdict(old, signers(old))).toMatch(/is signed by [0-9A-F]{16}, which has expired/);
    const lost = home.key("lost");
    const made = await verdict(lost, signers(lost));
    expect(made).toBeUndefined();
    const other = home.key("gone");
    const said = repository();
    commitAs(said, "work", other);
    const source = mirror(said.path);
    const head = await source.head(signal);
    const listed = signers({ public: home.revoked(other, "gone") });
    expect(await source.distrust(head, listed, signal)).toMatch(/is signed by [0-9A-F]{16}, which was revoked/);
  });

  test("of a listed key is taken, among others", async () => {
    expect(await verdict(ada, signers(eve, ada))).toBeUndefined();
  });

  test("cannot be checked without gpgv, and that is a fault, not a pass", async () => {
    const made = repository();
    commitAs(made, "work", ada);
    const path = folder();
    const { symlinkSync } = await import("node:fs");
    symlinkSync("/usr/bin/git", `${path}/git`);
    const source: Source = mirror(made.path, { environment: { ...environment, PATH: path } });
    const head = await source.head(signal);
    expect(await faultIn(() => source.distrust(head, signers(ada), signal))).toBe(
      "repository-unreachable: Commits signed with GPG cannot be checked: the program `gpgv` was not found on PATH; install it (Debian: gpgv), or list SSH keys only",
    );
  });
});

function rawKey(key: ReturnType<typeof generateKeyPairSync>["publicKey"]): Buffer {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}

/** Fields in the wire format of SSH. */
function wire(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function withSignature(object: string, fields: Buffer): string {
  const blob = Buffer.concat([Buffer.from("SSHSIG"), Buffer.from([0, 0, 0, 1]), fields]).toString("base64");
  return object.replace("\n\n", `\ngpgsig -----BEGIN SSH SIGNATURE-----\n ${blob}\n -----END SSH SIGNATURE-----\n\n`);
}
