// What a Git child gets to prove who we are: only in its environment, and cut out of whatever it says.
import { Buffer } from "node:buffer";
import type { Address } from "./address.ts";
import { withoutUserinfo } from "./address.ts";
import { Fault } from "../core/fault.ts";

export interface GitCredentials {
  /** LOCKSTEP_GIT_TOKEN: a token, or `user:token` where the server wants a certain user. */
  readonly token?: string;
  /** LOCKSTEP_GIT_SSH_KEY: path of a private key without passphrase. */
  readonly sshKey?: string;
  /** LOCKSTEP_GIT_KNOWN_HOSTS: path of a known_hosts file; undefined = the one of the user. */
  readonly knownHosts?: string;
}

/** ssh expands `%` and `~` and splits at spaces in file options, and Git hands the command to a shell. */
const PLAIN_PATH = /^\/[A-Za-z0-9_./@+=,-]{1,1023}$/;

/**
 * The header that answers before the server asks, as a Git setting; undefined without a token. It reaches one host
 * only, because a child speaks to one address and neither redirects nor alternates are followed. (Scoped by host it
 * would be a key that simple-git's patterns refuse for hosts like `git.pagerduty.com`.)
 * GitHub, GitLab, Gitea and Azure DevOps take any user beside a token.
 */
export function tokenSetting(address: Address, credentials: GitCredentials): readonly [string, string] | undefined {
  if (credentials.token === undefined || !address.protocol.startsWith("http")) return undefined;
  return ["http.extraHeader", `Authorization: Basic ${basic(credentials.token)}`];
}

function basic(token: string): string {
  return Buffer.from(token.includes(":") ? token : `x-access-token:${token}`).toString("base64");
}

/** GIT_SSH_COMMAND: no configuration of the user, no question, no forwarding, and only hosts that are known. */
export function sshCommand({ sshKey, knownHosts }: GitCredentials): string {
  const key = sshKey === undefined ? [] : ["-i", plain("LOCKSTEP_GIT_SSH_KEY", sshKey), ...ONLY_KEY];
  const hosts =
    knownHosts === undefined ? [] : ["-o", `UserKnownHostsFile=${plain("LOCKSTEP_GIT_KNOWN_HOSTS", knownHosts)}`];
  return ["ssh", "-F", "/dev/null", ...key, ...hosts, ...SSH_OPTIONS.flatMap((option) => ["-o", option])].join(" ");
}

const ONLY_KEY = ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"];
const SSH_OPTIONS = [
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  "UpdateHostKeys=no",
  "GlobalKnownHostsFile=/dev/null",
  "PasswordAuthentication=no",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ControlMaster=no",
  "ControlPath=none",
  "ConnectTimeout=10",
  "ServerAliveInterval=10",
  "ServerAliveCountMax=2",
];

function plain(name: string, path: string): string {
  if (PLAIN_PATH.test(path)) return path;
  throw new Fault("repository-denied", `${name} must be an absolute path of letters, digits and . _ / @ + = , -`);
}

/** Cuts tokens, in both of their forms, and userinfo of any address out of a text. */
export function redact(text: string, { token }: GitCredentials): string {
  const secrets = token === undefined || token === "" ? [] : [token, basic(token), token.slice(token.indexOf(":") + 1)];
  return secrets
    .filter(Boolean)
    .reduce((redacted, secret) => redacted.replaceAll(secret, "***"), withoutUserinfo(text));
}
