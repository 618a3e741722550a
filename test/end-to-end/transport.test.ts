// The repository behind a Git server: smart HTTP over TLS with a token, as a real one is reached.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { dirname, join } from "node:path";
import { createServer } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type GitServer, serveGit } from "../git/server.ts";
import { type Account, openAccount } from "./support/account.ts";
import { openSite } from "./support/site.ts";
import { openShop } from "./support/shop.ts";
import { createRepository } from "./support/repository.ts";

const TOKEN = "ghp_0123456789abcdefABCDEF";

let account: Account;
beforeAll(async () => {
  account = await openAccount();
});
afterAll(() => account.close());

/** TLS in front of a Git server, with a certificate made for this test; answers its port. */
async function secured(server: GitServer, folder: string): Promise<{ port: number; certificate: string }> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", certificate];
  await promisify(execFile)("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "1",
    ...subject,
    ...files,
  ]);
  const tls = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (socket) => {
    const inner = connect(Number(new URL(server.url).port), "127.0.0.1");
    inner.on("error", () => socket.destroy());
    socket.on("error", () => inner.destroy());
    socket.pipe(inner).pipe(socket);
  });
  tls.listen(0, "127.0.0.1");
  await once(tls, "listening");
  onTestFinished(() => void tls.close());
  return { port: (tls.address() as AddressInfo).port, certificate };
}

test("a push to a Git server over https becomes a release; the token travels in a header and is never shown", async () => {
  const repository = await createRepository(join(account.folder, "https"));
  const root = dirname(repository.bare);
  const basic = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
  const server = await serveGit(root, (request, response) => {
    if (request.headers.authorization === `Basic ${basic}`) return "git";
    response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    return "handled";
  });
  onTestFinished(() => server.close());
  const { port, certificate } = await secured(server, root);
  const { controller } = await openSite(account, "over-https", {
    repository: `https://127.0.0.1:${port}/ops.git`,
    cwd: repository.clone,
    variables: { LOCKSTEP_GIT_TOKEN: TOKEN, GIT_SSL_CAINFO: certificate },
  });
  const shop = await openShop(account, repository, "remote", { services: ["api"], migrate: "false" });
  const sha = await shop.build();
  await shop.bump("dev", sha);
  await controller.start();
  await controller.healthy("remote/dev", sha);
  expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
  const status = await controller.run("status", "--json");
  expect(status.stdout).toContain(`https://127.0.0.1:${port}/ops.git`);
  expect(server.requests.length).toBeGreaterThan(1);
  for (const text of [status.stdout, status.stderr, controller.output()]) expect(text).not.toContain(TOKEN);
});
