// A mirror over a real sshd of its own: only known hosts, only the key given.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createMirror } from "../../controller/git/mirror.ts";
import type { GitCredentials } from "../../controller/git/credentials.ts";
import { environment, faultIn, folder, removeFolders, repository, seen, signal } from "./repository.ts";

/** Debian's package openssh-server; without it the command line of ssh is what address.test.ts holds. */
const SSHD = "/usr/sbin/sshd";
const KEYGEN = "/usr/bin/ssh-keygen";
const ending: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  removeFolders();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function key(path: string): string {
  execFileSync(KEYGEN, ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  return readFileSync(`${path}.pub`, "utf8").trim();
}

async function startServer() {
  const home = folder();
  const port = await freePort();
  const host = key(join(home, "host"));
  const client = key(join(home, "client"));
  key(join(home, "stranger"));
  writeFileSync(join(home, "authorized"), `${client}\n`);
  writeFileSync(join(home, "known"), `[127.0.0.1]:${port} ${host}\n`);
  writeFileSync(join(home, "nobody"), "");
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(home, "host")}`,
    `AuthorizedKeysFile ${join(home, "authorized")}`,
    "PidFile none",
    "UsePAM no",
    "StrictModes no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
  ];
  writeFileSync(join(home, "config"), `${settings.join("\n")}\n`);
  // Debian's sshd wants this folder when it starts as root; its service would have made it.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const server = spawn(SSHD, ["-D", "-e", "-f", join(home, "config")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  ending.push(async () => {
    const exit = once(server, "exit");
    if (server.exitCode === null && server.kill()) await exit;
  });
  await expect.poll(() => said, { timeout: 10_000 }).toContain("Server listening");
  return { home, port };
}

describe.runIf(existsSync(SSHD))("Over ssh", () => {
  const file = (home: string, name: string) => join(home, name);

  async function look(credentialsIn: (home: string) => GitCredentials) {
    const { home, port } = await startServer();
    const made = repository();
    made.write("environments/application.yaml", "application: shop\n");
    const head = made.commit("first");
    const watched = seen();
    const source = createMirror({
      address: `ssh://${userInfo().username}@127.0.0.1:${port}${made.path}`,
      branch: "main",
      folder: folder(),
      environment,
      credentials: credentialsIn(home),
      ...watched,
    });
    return { source, head, watched };
  }

  test("a host whose key is not known is not spoken to", async () => {
    const { source } = await look((home) => ({ sshKey: file(home, "client"), knownHosts: file(home, "nobody") }));
    const fault = await faultIn(() => source.head(signal));
    expect(fault).toMatch(/^repository-denied: 127\.0\.0\.1:.*not in LOCKSTEP_GIT_KNOWN_HOSTS/);
  });

  test("a key that the server does not know is a refusal", async () => {
    const { source } = await look((home) => ({ sshKey: file(home, "stranger"), knownHosts: file(home, "known") }));
    const fault = await faultIn(() => source.head(signal));
    expect(fault).toMatch(/^repository-denied: 127\.0\.0\.1:.*check LOCKSTEP_GIT_SSH_KEY/);
  });

  test("the repository is read, and no other protocol is open", async () => {
    const { source, head, watched } = await look((home) => ({
      sshKey: file(home, "client"),
      knownHosts: file(home, "known"),
    }));
    expect(await source.head(signal)).toBe(head);
    expect((await source.folders(head, signal))[0]?.files[0]?.text).toBe("application: shop\n");
    const remote = watched.environments.filter((each) => each["GIT_SSH_COMMAND"] !== undefined);
    expect(remote.map((each) => each["GIT_ALLOW_PROTOCOL"])).toEqual(["ssh", "ssh"]);
  });
});
