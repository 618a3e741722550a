// `source:` of a manifest, which whoever may open a pull request writes: it reaches nothing that the operator does not.
import { afterAll, describe, expect, test } from "vitest";
import { createSources } from "../../controller/compose/sources.ts";
import { parseAddress } from "../../controller/git/address.ts";
import { environment, faultIn, folder, removeFolders, shop, signal } from "../git/repository.ts";
import { serveGit } from "../git/server.ts";

afterAll(removeFolders);

const TOKEN = "canary-5f4dcc3b5aa7";

function open(address: string) {
  const sources = createSources({
    repositories: [{ address, branch: "main" }],
    folder: folder(),
    credentials: { token: TOKEN },
    env: environment,
  });
  const [configured] = sources.configured;
  if (configured === undefined) throw new Error("there is no repository");
  return { configured, ofShas: (source: string) => sources.ofShas(source, configured) };
}

describe("a source that a manifest names is refused", () => {
  test.each([
    ["a path", "/etc"],
    ["a relative path", "../ops"],
    ["a file URL", "file:///etc"],
    ["what listens beside the controller", "http://127.0.0.1:4600/x"],
    ["it by name", "http://localhost/x"],
    ["it by IPv6", "http://[::1]:8080/x"],
    ["it over TLS", "https://127.1/x"],
    ["it as a number", "https://2130706433/x"],
    ["it over ssh", "git@127.0.0.1:x.git"],
    ["metadata", "https://169.254.169.254/latest"],
    ["metadata by IPv6", "https://[fe80::1]/latest"],
    ["plain http", "http://git.example.com/x.git"],
    ["an option", "--upload-pack=touch /tmp/x"],
    ["an option behind ssh", "ssh://-oProxyCommand=touch/x"],
    ["a helper", "ext::sh -c touch% /tmp/x"],
    ["a helper in capitals", "EXT::sh -c touch"],
    ["credentials", `https://x:${TOKEN}@git.example.com/x.git`],
  ])("%s", async (_, source) => {
    const said = await faultIn(() => open("https://git.example.com/ops.git").ofShas(source));
    expect(said).toMatch(/^repository-denied: /);
    expect(said).not.toContain(TOKEN);
  });

  test("not where the configuration itself is there", () => {
    expect(open("http://127.0.0.1:1/ops.git").ofShas("http://127.0.0.1:2/x.git").address).toBe(
      "http://127.0.0.1:2/x.git",
    );
    expect(open("/srv/ops.git").ofShas("/srv/x.git").address).toBe(parseAddress("/srv/x.git", ".").text);
  });
});

describe("credentials", () => {
  test("go to the configured host alone, and an address on another port is another host", async () => {
    const made = shop();
    made.commit("begin");
    const [ours, theirs] = [await serveGit(made.path), await serveGit(made.path)];
    const { configured, ofShas } = open(`${ours.url}/.git`);
    await configured.head(signal);
    await ofShas(`${theirs.url}/.git`).head(signal);
    await ofShas(`${ours.url}/.git/`).head(signal);
    expect(new Set(theirs.authorizations)).toEqual(new Set([undefined]));
    expect(ours.authorizations.every((header) => header?.startsWith("Basic ") === true)).toBe(true);
    await Promise.all([ours.close(), theirs.close()]);
  });
});
