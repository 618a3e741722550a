// Addresses and branches that could be options, secrets or other protocols do not pass.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressId, checkBranch, parseAddress, withoutUserinfo } from "../../controller/git/address.ts";
import { redact, sshCommand } from "../../controller/git/credentials.ts";
import { faultIn } from "./repository.ts";

describe("An address is refused", () => {
  test.each([
    ["that is an option", "--upload-pack=touch /tmp/x", "no https"],
    ["with a transport helper", "ext::sh -c touch% /tmp/x", "characters"],
    ["of the protocol ext", "ext://sh/a", "protocol ext is not used"],
    ["of the protocol git", "git://example.com/a", "protocol git is not used"],
    ["of another machine over http", "http://example.com/a.git", "http is neither secret nor safe"],
    ["whose host is an option", "ssh://-oProxyCommand=x/a", "host is not a plain name"],
    ["whose scp host is an option", "git@-oProxyCommand=x:a", "host is not a plain name"],
    ["whose user is an option", "-oProxyCommand=x@host:a", "user before @"],
    ["whose path is an option", "git@host:-x", "characters that no repository needs"],
    ["whose path climbs", "https://example.com/../a", "characters that no repository needs"],
    ["with a line end", "https://example.com/a\n.git", "no https"],
    ["with a query", "https://example.com/a?token=1", "characters that no repository needs"],
    ["with a port that is none", "https://example.com:x/a", "port is not a number"],
    ["with nothing in it", "", "no https"],
    ["of a path with a control character", "/tmp/a\u0000b", "control characters"],
  ])("%s", async (_what, text, message) => {
    expect(await faultIn(() => parseAddress(text, "/srv"))).toMatch(
      new RegExp(`^repository-denied: .*(?:${message})`, "s"),
    );
  });

  test.each([
    "https://ada:s3cret@example.com/a.git",
    "https://s3cret@example.com/a.git",
    "ssh://ada:s3cret@example.com/a",
  ])("with credentials, which are not repeated: %s", async (text) => {
    const fault = await faultIn(() => parseAddress(text, "/srv"));
    expect(fault).toMatch(/^repository-denied/);
    expect(fault).not.toContain("s3cret");
  });
});

test.each([
  [
    "https://git.example.com:8443/team/shop.git",
    "https",
    "https://git.example.com:8443/team/shop.git",
    "git.example.com:8443",
  ],
  ["acme/shop", "https", "https://github.com/acme/shop.git", "github.com"],
  ["acme/shop.git", "https", "https://github.com/acme/shop.git", "github.com"],
  ["git@github.com:acme/shop.git", "ssh", "git@github.com:acme/shop.git", "github.com"],
  ["ssh://git@example.com:2222/acme/shop", "ssh", "ssh://git@example.com:2222/acme/shop", "example.com:2222"],
  ["http://127.0.0.1:8080/a.git", "http", "http://127.0.0.1:8080/a.git", "127.0.0.1:8080"],
  ["./a", "file", "/srv/a", undefined],
  [".", "file", "/srv", undefined],
  ["/srv/a b", "file", "/srv/a b", undefined],
  ["file:///srv/a", "file", "/srv/a", undefined],
])("The address %s is read", (written, protocol, text, host) => {
  expect(parseAddress(written, "/srv")).toEqual({ protocol, text, ...(host === undefined ? {} : { host }) });
});

test("An id is 16 digits of the address alone", () => {
  const id = addressId(parseAddress("acme/shop", "/srv"));
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(addressId(parseAddress("https://github.com/acme/shop.git", "/"))).toBe(id);
  expect(addressId(parseAddress("acme/other", "/"))).not.toBe(id);
});

test.each(["main", "HEAD", "release/1.2", "feature_x", "a+b", "user@host"])("%s is a branch", (branch) => {
  expect(checkBranch(branch)).toBe(branch);
});

test.each([
  "",
  "-x",
  "--upload-pack=x",
  "a..b",
  "a b",
  "a:b",
  "+a",
  "*",
  "a~1",
  "a^",
  "@{1}",
  "a@{1}",
  "/a",
  "a/",
  "a//b",
  ".a",
  "a/.b",
  "a.lock",
  "a.",
  "a\nb",
  "a\\b",
])("%j is no branch", async (branch) => {
  expect(await faultIn(() => checkBranch(branch))).toMatch(/^branch-missing: .*correct LOCKSTEP_BRANCH/);
});

test("No text makes an address or a branch that begins with an option", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      for (const text of [`-${a}`, `git@-${a}:${b}`, `ssh://-${a}/${b}`, `https://-${a}/${b}`]) {
        expect(() => parseAddress(text, "/srv")).toThrow();
      }
      expect(() => checkBranch(`-${a}`)).toThrow();
    }),
  );
});

test("Userinfo is cut out of addresses anywhere in a text, and tokens in both their forms", () => {
  expect(withoutUserinfo("fatal: https://a:b@c@host/x and ssh://git@host/y")).toBe(
    "fatal: https://host/x and ssh://host/y",
  );
  const token = "canary-token";
  const header = Buffer.from(`x-access-token:${token}`).toString("base64");
  expect(redact(`a ${token} b ${header}`, { token })).toBe("a *** b ***");
  expect(redact("a pass b user:pass", { token: "user:pass" })).toBe("a *** b ***");
});

test("ssh gets a fixed command: no configuration, no question, only known hosts, only this key", () => {
  expect(sshCommand({ sshKey: "/etc/lockstep/key", knownHosts: "/etc/lockstep/known_hosts" })).toBe(
    "ssh -F /dev/null -i /etc/lockstep/key -o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile=/etc/lockstep/known_hosts" +
      " -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o GlobalKnownHostsFile=/dev/null -o PasswordAuthentication=no" +
      " -o ClearAllForwardings=yes -o ForwardAgent=no -o ControlMaster=no -o ControlPath=none -o ConnectTimeout=10" +
      " -o ServerAliveInterval=10 -o ServerAliveCountMax=2",
  );
});

test.each(["/a b", "/a;id", "/$(id)", "relative", "/a%h", "/a'b", "~/key"])(
  "ssh gets no file named %j",
  async (path) => {
    expect(await faultIn(() => sshCommand({ sshKey: path }))).toContain(
      "LOCKSTEP_GIT_SSH_KEY must be an absolute path",
    );
    expect(await faultIn(() => sshCommand({ knownHosts: path }))).toContain(
      "LOCKSTEP_GIT_KNOWN_HOSTS must be an absolute",
    );
  },
);
