// The environment of a Git child, built from nothing: what is not named here does not reach it.
import type { Address } from "./address.ts";
import type { GitCredentials } from "./credentials.ts";
import { sshCommand, tokenSetting } from "./credentials.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** Of the controller's own environment: where programs are, the way out, and whom to trust. */
const INHERITED = ["PATH", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "GIT_SSL_CAINFO", "SSH_AUTH_SOCK"];

/** Settings of every child, whatever the mirror's own configuration says. */
const SETTINGS: readonly (readonly [string, string])[] = [
  // Nothing that a repository or a folder brings along is run.
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.symlinks", "false"],
  ["credential.helper", ""],
  ["submodule.recurse", "false"],
  // A token must not travel to where a server points.
  ["http.followRedirects", "false"],
  // What arrives is checked before it counts; old repositories hold harmless oddities.
  ["transfer.fsckObjects", "true"],
  ["fetch.fsck.zeroPaddedFilemode", "warn"],
  ["fetch.fsck.badTimezone", "warn"],
  ["fetch.fsck.missingSpaceBeforeDate", "warn"],
  ["fetch.unpackLimit", "1"],
  // Old heads must stay readable after a force-push.
  ["gc.autoDetach", "false"],
  ["gc.pruneExpire", "never"],
  ["gc.reflogExpire", "never"],
];

/** The name under which a partial mirror knows its repository: Git filters only what a named remote promised to keep. */
export const PROMISOR = "source";

export interface Surroundings {
  readonly inherited: Variables;
  /** A folder where nobody keeps configuration. */
  readonly home: string;
  /** The mirror; undefined = Git looks from the folder it is started in. */
  readonly gitDir?: string;
  /** For `ls-remote` and `fetch`; without it no protocol and no credential is given. */
  readonly remote?: { readonly address: Address; readonly credentials: GitCredentials; readonly stallMs: number };
  /** Where the objects are that a partial mirror leaves out. */
  readonly promisor?: Address;
}

export function environmentOf(surroundings: Surroundings): Readonly<Record<string, string>> {
  const { inherited, home, gitDir, remote, promisor } = surroundings;
  const isSsh = remote?.address.protocol === "ssh";
  const token = remote === undefined ? undefined : tokenSetting(remote.address, remote.credentials);
  // A connection that trickles is as good as none. This also ends the transport of a Git that was killed.
  const slow: readonly (readonly [string, string])[] =
    remote === undefined
      ? []
      : [
          ["http.lowSpeedLimit", "1000"],
          ["http.lowSpeedTime", String(Math.ceil(remote.stallMs / 1000))],
        ];
  const promised: readonly (readonly [string, string])[] =
    promisor === undefined
      ? []
      : [
          [`remote.${PROMISOR}.url`, promisor.text],
          [`remote.${PROMISOR}.promisor`, "true"],
        ];
  return {
    ...base(inherited, home),
    ...(gitDir === undefined ? {} : { GIT_DIR: gitDir }),
    GIT_ALLOW_PROTOCOL: remote?.address.protocol ?? "none",
    ...(isSsh ? { GIT_SSH_COMMAND: sshCommand(remote.credentials), GIT_SSH_VARIANT: "ssh" } : {}),
    ...settings([...SETTINGS, ...slow, ...promised, ...(token === undefined ? [] : [token])]),
  };
}

function base(inherited: Variables, home: string): Record<string, string> {
  const passed = INHERITED.flatMap((name) => {
    const value = inherited[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    HOME: home,
    // Messages are read to tell a refusal from an outage.
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_OPTIONAL_LOCKS: "0",
  };
}

function settings(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const named = pairs.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ]);
  return { GIT_CONFIG_COUNT: String(pairs.length), ...Object.fromEntries(named) };
}
