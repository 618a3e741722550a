// GPG signatures, checked by gpgv: made for exactly this, it knows a file of keys and neither agent, trust nor network.
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../core/fault.ts";
import type { Verdict } from "./signatures.ts";

const TIMEOUT_MS = 20_000;
const OUTPUT_BYTES = 256 * 1024;

export interface GpgCheck {
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
  /** The keys that may sign, each as OpenPGP packets. */
  readonly packets: readonly Uint8Array[];
  /** Where a folder for the moment may be made. */
  readonly folder: string;
  readonly path: string | undefined;
}

/** Fault `repository-unreachable` when there is no gpgv on PATH, or it does not come to an end. */
export async function checkGpgSignature(check: GpgCheck, signal: AbortSignal): Promise<Verdict> {
  const { signature, payload, packets, path = "" } = check;
  await mkdir(check.folder, { recursive: true });
  const folder = await mkdtemp(join(check.folder, "signature-"));
  try {
    const put = async (name: string, bytes: Uint8Array): Promise<string> => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    };
    const keys = await put("keys.gpg", Buffer.concat(packets));
    const detached = await put("signature.sig", signature);
    const data = await put("payload", payload);
    const argv = ["--status-fd", "1", "--weak-digest", "SHA1", "--keyring", keys, "--", detached, data];
    return verdictOf(await gpgv(argv, { PATH: path, HOME: folder, GNUPGHOME: folder, LC_ALL: "C" }, signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its words for programs (`--status-fd`); its exit code says less than they do. */
function gpgv(argv: readonly string[], env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { env, signal, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES, killSignal: "SIGKILL" } as const;
    execFile("gpgv", [...argv], limits, (error, stdout) => {
      if (error === null || typeof error.code === "number") return resolve(stdout);
      if (signal.aborted) return reject(signal.reason);
      const why =
        error.code === "ENOENT"
          ? "the program `gpgv` was not found on PATH; install it (Debian: gpgv), or list SSH keys only"
          : `gpgv was stopped: ${error.message.slice(0, 200)}`;
      return reject(new Fault("repository-unreachable", `Commits signed with GPG cannot be checked: ${why}`, error));
    });
  });
}

/** https://github.com/gpg/gnupg/blob/master/doc/DETAILS: exactly one signature, good, of a key that is neither expired nor revoked. */
function verdictOf(status: string): Verdict {
  const said = status
    .split("\n")
    .flatMap((line) => [/^\[GNUPG:\] ([A-Z_]+) ?(.*)$/.exec(line)?.slice(1) ?? []])
    .filter((words) => words.length === 2);
  const about = (word: string): readonly string[] => said.flatMap(([name, rest = ""]) => (name === word ? [rest] : []));
  const key = (word: string): string | undefined => /^[0-9A-F]{16,40}/.exec(about(word)[0] ?? "")?.[0];
  const [unknown, bad, expired] = [key("NO_PUBKEY"), key("BADSIG"), key("EXPKEYSIG")];
  const [revoked, old] = [key("REVKEYSIG"), key("EXPSIG")];
  if (unknown !== undefined) return { wrong: `is signed by an unknown key ${unknown}` };
  if (bad !== undefined) return { wrong: `has a signature of ${bad} that does not fit what it holds` };
  if (expired !== undefined) return { wrong: `is signed by ${expired}, which has expired; list its renewed form` };
  if (revoked !== undefined) return { wrong: `is signed by ${revoked}, which was revoked` };
  if (old !== undefined) return { wrong: `has a signature of ${old} that has expired` };
  const isGood = about("GOODSIG").length === 1 && about("VALIDSIG").length === 1 && about("ERRSIG").length === 0;
  return isGood ? "good" : { wrong: "has a GPG signature that gpgv does not call good" };
}
