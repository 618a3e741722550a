// Which addresses of repositories are accepted: https, ssh or a path, in a grammar that leaves no room for options.
import { resolve } from "node:path";
import { Fault } from "../core/fault.ts";
import { sha256 } from "../core/sha256.ts";

export interface Address {
  /** `http` is accepted for this machine only. */
  readonly protocol: "https" | "http" | "ssh" | "file";
  /** What Git is given and people are shown; it never holds a password. */
  readonly text: string;
  /** `git.example.com`, with its port if one was written; undefined for a path. */
  readonly host?: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-fA-F:]{2,39}\])$/;
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;
const PORT = /^[0-9]{1,5}$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
/** No space, quote, backslash, control character, or `-` that a program could take for an option. */
const REMOTE_PATH = /^[A-Za-z0-9_~.][A-Za-z0-9_~./@+%=,-]{0,1023}$/;
const GITHUB = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9_.-]{1,100}$/;
const SCP = /^(?:([^@:/]+)@)?([^@:/]+):(?!\/\/)(.+)$/;
const URL_PARTS = /^([a-z+]+):\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/@]*)(?::([^/]*))?\/(.*)$/;

/**
 * Reads an address as operators and manifests write it: URL, `git@host:path`, `owner/name` on GitHub, or a path that
 * begins with `/`, `.` or `file://`. Throws Fault `repository-denied` for anything else, without showing passwords.
 */
export function parseAddress(text: string, workingFolder: string): Address {
  if (text.startsWith("file:///")) return localPath(text.slice("file://".length), text);
  if (text.startsWith("/") || text === "." || /^\.{1,2}\//.test(text)) {
    return localPath(resolve(workingFolder, text), text);
  }
  const parts = URL_PARTS.exec(text);
  if (parts !== null) return remote(text, parts);
  if (GITHUB.test(text)) {
    const name = text.replace(/\.git$/, "");
    return { protocol: "https", text: `https://github.com/${name}.git`, host: "github.com" };
  }
  const scp = SCP.exec(text);
  if (scp !== null) return overSsh(text, scp);
  throw refused(text, "it is no https or ssh URL, no git@host:path, no owner/name and no path beginning with / or .");
}

function remote(text: string, parts: RegExpExecArray): Address {
  const [, protocol = "", userinfo, host = "", port, path = ""] = parts;
  if (protocol !== "https" && protocol !== "http" && protocol !== "ssh") {
    throw refused(text, `the protocol ${protocol} is not used; write https or ssh`);
  }
  if (protocol === "http" && !LOOPBACK.test(host)) throw refused(text, "http is neither secret nor safe; write https");
  if (protocol !== "ssh" && userinfo !== undefined) {
    throw refused(text, "credentials do not belong into an address; put the token into LOCKSTEP_GIT_TOKEN");
  }
  if (userinfo !== undefined && !USER.test(userinfo)) throw refused(text, "the user before @ is not a plain name");
  if (!HOST.test(host)) throw refused(text, "the host is not a plain name");
  if (port !== undefined && !PORT.test(port)) throw refused(text, "the port is not a number");
  checkPath(text, path);
  const authority = port === undefined ? host : `${host}:${port}`;
  const user = userinfo === undefined ? "" : `${userinfo}@`;
  return { protocol, text: `${protocol}://${user}${authority}/${path}`, host: authority };
}

function overSsh(text: string, scp: RegExpExecArray): Address {
  const [, user, host = "", path = ""] = scp;
  if (user !== undefined && !USER.test(user)) throw refused(text, "the user before @ is not a plain name");
  if (!HOST.test(host)) throw refused(text, "the host is not a plain name");
  checkPath(text, path.replace(/^\//, ""));
  return { protocol: "ssh", text, host };
}

function checkPath(text: string, path: string): void {
  if (!REMOTE_PATH.test(path) || path.split("/").includes("..")) {
    throw refused(text, "its path holds characters that no repository needs");
  }
}

function localPath(path: string, text: string): Address {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused here
  if (/[\u0000-\u001f\u007f]/.test(path)) throw refused(text, "its path holds control characters");
  return { protocol: "file", text: resolve(path) };
}

/** The name of a repository's journal stream and cache folder: 16 digits. */
export function addressId(address: Address): string {
  return sha256(address.text).slice(0, 16);
}

/**
 * A branch by the grammar of git-check-ref-format(1), narrowed so that no name can be an option, a range, a pattern or
 * a refspec. `HEAD` is the branch the server calls its default.
 */
export function checkBranch(branch: string): string {
  const plain = /^[A-Za-z0-9_][A-Za-z0-9_./+#@=-]{0,199}$/.test(branch);
  const parts = branch.split("/");
  const whole = parts.every((part) => part !== "" && !part.startsWith(".") && !/(?:\.lock|\.)$/.test(part));
  if (plain && whole && !branch.includes("..") && !branch.includes("@{")) return branch;
  throw new Fault(
    "branch-missing",
    `${JSON.stringify(branch.slice(0, 80))} is not the name of a branch; correct LOCKSTEP_BRANCH`,
  );
}

function refused(text: string, why: string): Fault {
  return new Fault(
    "repository-denied",
    `The repository ${JSON.stringify(withoutUserinfo(text).slice(0, 200))}: ${why}`,
  );
}

/** Passwords and tokens in front of `@` are cut out of addresses anywhere in a text. */
export function withoutUserinfo(text: string): string {
  return text.replaceAll(/([a-z+]+:\/\/)[^\s/@'"]*(?:@[^\s/@'"]*)*@/gi, "$1");
}
