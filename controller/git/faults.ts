// What Git said, as a fault: refused, unreachable or gone, with the host named and no secret repeated.
import { Fault } from "../core/fault.ts";
import type { Address } from "./address.ts";
import type { Ended } from "./child.ts";
import { isOverrun } from "./child.ts";
import type { GitCredentials } from "./credentials.ts";
import { redact } from "./credentials.ts";

/** In the words of Git 2.32 and later, curl and OpenSSH, with LC_ALL=C; the hint says what to do. */
const DENIED: readonly (readonly [RegExp, string])[] = [
  [/Host key verification failed/, "the host's key is not in LOCKSTEP_GIT_KNOWN_HOSTS; add it with ssh-keyscan"],
  [/Permission denied/, "the server does not take the SSH key; check LOCKSTEP_GIT_SSH_KEY"],
  [/could not read Username|could not read Password/, "it wants a token; set LOCKSTEP_GIT_TOKEN"],
  [/Authentication failed|returned error: 401/, "it does not take the token; renew LOCKSTEP_GIT_TOKEN"],
  [/returned error: 403|[Aa]ccess denied|not authorized/, "the credentials may not read it; grant read access"],
  [
    /repository '.*' not found|Repository not found|returned error: 404/,
    "it does not exist, or is hidden from these credentials",
  ],
  [/dubious ownership/, "it belongs to another user of this machine; run Lockstep as its owner"],
];

const UNREACHABLE: readonly (readonly [RegExp, string])[] = [
  [/returned error: 30[1278]/, "it has moved, and redirects are not followed; correct LOCKSTEP_REPOSITORY"],
  [/Could not resolve host/, "the name does not resolve; check LOCKSTEP_REPOSITORY and DNS"],
  [/SSL|certificate/i, "the TLS connection is not trusted; check the certificate, or name the CA with GIT_SSL_CAINFO"],
  [/does not (?:appear to be a git repository|exist)/, "there is no Git repository; check LOCKSTEP_REPOSITORY"],
  [/fsck error|object corrupt/i, "it sent an object that Git's checks refuse; find out who pushed it"],
  [/[Oo]peration too slow|timed out/, "it answers too slowly"],
];

/** A remote command that ended with an exit code other than 0. */
export function remoteFault(ended: Ended, address: Address, credentials: GitCredentials): Fault {
  const said = lastWords(redact(ended.stderr, credentials));
  const denied = DENIED.find(([pattern]) => pattern.test(ended.stderr));
  const hint = (denied ?? UNREACHABLE.find(([pattern]) => pattern.test(ended.stderr)))?.[1];
  const code = denied === undefined ? "repository-unreachable" : "repository-denied";
  return new Fault(code, `${place(address)}: ${hint === undefined ? "" : `${hint}: `}${said}`);
}

/** A command that did not come to its end: killed by a limit, or never started. Signals' reasons pass through. */
export function brokenFault(thrown: unknown, address: Address, signal: AbortSignal, limit: string): unknown {
  if (signal.aborted || thrown instanceof Fault) return thrown;
  if (isOverrun(thrown)) {
    const what = { time: "took longer than", output: "answered more than", size: "sent more than" }[thrown.overrun];
    return new Fault("repository-unreachable", `${place(address)}: ${what} ${limit}; the transfer was ended`);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (/ENOENT/.test(message)) {
    return new Fault("repository-unreachable", "The program `git` was not found on PATH; install Git 2.32 or later");
  }
  return new Fault("repository-unreachable", `${place(address)}: Git was stopped: ${lastWords(message)}`);
}

/** A command that reads the mirror and failed: the cache is damaged, and is made anew by the next look. */
export function mirrorFault(stderr: string, address: Address, folder: string): Fault {
  const said = lastWords(stderr);
  return new Fault("repository-unreachable", `${place(address)}: its mirror in ${folder} cannot be read: ${said}`);
}

export function place(address: Address): string {
  return address.host === undefined ? address.text : `${address.host} (${address.text})`;
}

/** Git's own verdict, one printable line: what a server sends may hold control characters and be long. */
function lastWords(text: string): string {
  const lines = text
    // oxlint-disable-next-line no-control-regex -- control characters are what is cut out here
    .replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const verdict = lines.filter((line) => /^(?:fatal|error|ssh|remote: (?:fatal|error))\b/i.test(line));
  return (verdict.length > 0 ? verdict : lines).slice(-2).join("; ").slice(0, 400) || "it said nothing";
}
