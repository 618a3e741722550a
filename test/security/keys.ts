// Keys and signatures for tests, made by the programs that people use: ssh-keygen and gpg.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sha } from "../../controller/core/brand.ts";
import { Sha as sha } from "../../controller/core/brand.ts";
import type { Repository } from "../git/repository.ts";
import { folder } from "../git/repository.ts";

/** Debian's packages openssh-client, gnupg and gpgv; what needs one of them is left out where it is missing. */
export const HAS_SSH = existsSync("/usr/bin/ssh-keygen");
export const HAS_GPG = existsSync("/usr/bin/gpg") && existsSync("/usr/bin/gpgv");

export interface SigningKey {
  /** As `verify.commits` lists it. */
  readonly public: string;
  /** Settings of Git with which it signs. */
  readonly settings: readonly string[];
}

export function sshKey(type: "ed25519" | "rsa" | "ecdsa", bits?: number): SigningKey {
  const path = join(folder(), "key");
  const size = bits === undefined ? [] : ["-b", String(bits)];
  execFileSync("ssh-keygen", ["-q", "-t", type, ...size, "-N", "", "-C", "ada@example.com", "-f", path]);
  return {
    public: readFileSync(`${path}.pub`, "utf8").trim(),
    settings: ["gpg.format=ssh", `user.signingKey=${path}.pub`],
  };
}

export interface Gpg {
  /** `days` before now, with which its time of validity begins; it lasts for `lasts`. */
  key(name: string, validity?: { readonly beganDays: number; readonly lastsDays: number }): SigningKey;
  /** The key as it stands after `gpg --import` of its revocation. */
  revoked(key: SigningKey, name: string): string;
  /** Ends the agent that gpg started. */
  close(): void;
}

/** A home of gpg for itself. */
export function gpg(): Gpg {
  const home = folder();
  const env = { PATH: process.env["PATH"], GNUPGHOME: home, LC_ALL: "C" };
  const run = (argv: readonly string[], input = ""): string =>
    execFileSync("gpg", ["--batch", "--quiet", "--no-tty", ...argv], { env, input, stdio: "pipe" }).toString();

  function at(daysAgo: number): readonly string[] {
    const seconds = Math.floor(Date.now() / 1000) - daysAgo * 86_400;
    return daysAgo === 0 ? [] : ["--faked-system-time", `${seconds}!`];
  }

  return {
    key(name, { beganDays, lastsDays } = { beganDays: 0, lastsDays: 365 }) {
      const user = `${name} <${name}@example.com>`;
      const then = at(beganDays);
      run([...then, "--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", `${lastsDays}d`]);
      // Git knows one program and no environment for it.
      const program = join(folder(), "gpg");
      writeFileSync(program, `#!/bin/sh\nGNUPGHOME='${home}' exec gpg ${then.join(" ")} "$@"\n`);
      chmodSync(program, 0o755);
      return {
        public: run(["--armor", "--export", name]).trim(),
        settings: [`gpg.program=${program}`, `user.signingKey=${name}`],
      };
    },
    revoked(_key, name) {
      const [, fingerprint = ""] = /^fpr:+([0-9A-F]{40}):/m.exec(run(["--with-colons", "--list-keys", name])) ?? [];
      const certificate = readFileSync(join(home, "openpgp-revocs.d", `${fingerprint}.rev`), "utf8");
      run(["--import"], certificate.replace(":-----BEGIN", "-----BEGIN"));
      return run(["--armor", "--export", name]).trim();
    },
    close: () => void execFileSync("gpgconf", ["--kill", "all"], { env }),
  };
}

/** A commit of everything in the folder, signed with the key; without one it is not signed. */
export function commitAs(repository: Repository, message: string, key?: SigningKey): Sha {
  repository.git(["add", "--all"]);
  const settings = (key?.settings ?? []).flatMap((setting) => ["-c", setting]);
  const signing = key === undefined ? "--no-gpg-sign" : "-S";
  repository.git([...settings, "commit", "--quiet", "--allow-empty", signing, "-m", message]);
  return sha.parse(repository.git(["rev-parse", "HEAD"]));
}

/** `application.yaml` that lists these keys. */
export function listing(application: string, keys: readonly string[]): string {
  const items = keys.map((key) =>
    key.includes("\n") ? `    - |\n${key.replaceAll(/^/gm, "      ")}\n` : `    - ${JSON.stringify(key)}\n`,
  );
  return `${application}verify:\n  commits:\n${items.join("")}`;
}
