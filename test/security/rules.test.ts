// Every security rule of the design with the test that holds it, wherever that stands; no rule may lose its test.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";

/** Rule → file below test/ and the words its test is named with. */
const RULES: Readonly<Record<string, readonly (readonly [file: string, name: string])[]>> = {
  "traversal: no path leaves the repository": [
    ["git/reading.test.ts", "files that manifests name, without those that are missing, folders or outside"],
    ["git/tree.test.ts", "Files named by manifests stay inside, and missing ones are left out"],
    ["manifest/read.test.ts", "a path with .. says so"],
    ["manifest/tasks.test.ts", "is relative to the folder that holds environments/, templates expanded"],
    ["server/routes.test.ts", "%s names no environment"],
  ],
  "symlinks are never followed": [
    ["git/reading.test.ts", "no link, submodule, huge file or file that is not UTF-8"],
    ["git/reading.test.ts", "no link although a file of the same bytes is read"],
    ["git/reading.test.ts", "an application.yaml that is a link is shown as refused, not left out"],
    ["git/tree.test.ts", "Links are not followed, and sockets, huge files and other encodings are not read"],
    ["manifest/tasks.test.ts", "of a symbolic link is not read"],
  ],
  "submodules are never read": [["git/reading.test.ts", "no link, submodule, huge file or file that is not UTF-8"]],
  "option injection: refs and addresses have a grammar": [
    ["git/address.test.ts", "No text makes an address or a branch that begins with an option"],
    ["git/address.test.ts", "An address is refused"],
    ["git/mirror.test.ts", "--upload-pack=touch pwned"],
    ["security/sources.test.ts", "a source that a manifest names is refused"],
  ],
  "Git children: environment from nothing, no hook, no configuration, objects checked": [
    ["git/cache.test.ts", "that runs no hook and reads no configuration of the machine"],
    ["git/cache.test.ts", "that takes no object that Git's checks refuse"],
    ["git/http.test.ts", "a redirect, which is not followed, so that the token does not travel"],
    ["git/ssh.test.ts", "a host whose key is not known is not spoken to"],
    ["git/address.test.ts", "ssh gets a fixed command: no configuration, no question, only known hosts, only this key"],
  ],
  "oversized and deeply nested YAML": [
    ["manifest/yaml.test.ts", "deep nesting in a line of dashes"],
    ["manifest/yaml.test.ts", "a large file"],
    ["security/bombs.test.ts", "A manifest that is made to be slow is read in time"],
  ],
  "billion laughs: neither anchors nor aliases": [
    ["manifest/yaml.test.ts", "an anchor and its alias"],
    ["security/bombs.test.ts", "billion laughs"],
  ],
  "pack bombs: limits of size, time and output": [
    ["git/http.test.ts", "when it sends more than the limit"],
    ["git/http.test.ts", "after the time given, and its processes end"],
    ["git/reading.test.ts", "more files than the limit are a fault, not a part of them"],
    ["security/bombs.test.ts", "A pack bomb"],
  ],
  "regular expressions without backtracking": [
    ["security/bombs.test.ts", "%s does not backtrack"],
    ["core/redact.test.ts", "takes time in proportion to the text, also for hostile ones"],
  ],
  "credentials never in errors, argv, addresses or on disk": [
    ["git/http.test.ts", "a token that is not taken, which no message repeats"],
    ["git/http.test.ts", "goes to the server in a header, and neither into argv nor onto the disk"],
    ["git/http.test.ts", "reaches only the processes that speak to the server"],
    ["git/address.test.ts", "with credentials, which are not repeated: %s"],
    ["security/sources.test.ts", "go to the configured host alone, and an address on another port is another host"],
  ],
  "a canary secret leaves by no exit": [
    ["server/canary.test.ts", "a secret leaves by no exit"],
    ["sinks/sinks.test.ts", "keeps secrets, tokens and what a release is made of to itself"],
    ["server/events.test.ts", "what a release is made of never leaves: task definitions carry environment values"],
    ["cli/plan.test.ts", "--json holds plan and decision, and nothing that a task definition may hide"],
    ["core/redact.test.ts", "of any text never survive, wherever they stand"],
  ],
  "DNS rebinding": [
    ["server/routes.test.ts", "the Host header"],
    ["targets/probe.test.ts", "connects to the address that was checked, and keeps the name"],
  ],
  "cross-site requests: only ours, only JSON, only this origin": [
    ["server/routes.test.ts", "%s needs every header, each for its own reason"],
  ],
  "deny by default: every route is in the table": [
    ["server/routes.test.ts", "the table holds every route there is, and each is either read, a nudge or signed"],
    ["server/routes.test.ts", "%s changes nothing by another method"],
  ],
  "SSRF by the address of a health check or its redirect": [
    ["targets/probe.test.ts", "never asks link-local and metadata addresses, by name or number"],
    ["targets/probe.test.ts", "follows no redirect to another host, port or scheme, and none without end"],
    ["manifest/problems.test.ts", "a health check may not ask %s"],
  ],
  "SSRF by the address of a source": [
    ["security/sources.test.ts", "what listens beside the controller"],
    ["security/sources.test.ts", "metadata"],
  ],
  "HTML injection by what manifests and commits say": [
    ["server/pages.test.ts", "%s shows hostile text as text"],
    [
      "server/pages.test.ts",
      "%s stands alone: no script, no other host, one heading, a language, a way past the header",
    ],
    ["server/routes.test.ts", "%s answers whoever reaches it, with strict headers"],
  ],
  "prototype pollution": [
    ["security/decoders.test.ts", "%s as a key changes no object, and as a name is one like any other"],
    ["security/decoders.test.ts", "a body with %s inherits nothing from it"],
    ["journal/record.test.ts", "an inherited field"],
    ["manifest/merge.test.ts", "no key is lost, and none is invented"],
  ],
  "terminal escapes and forged lines": [
    ["security/terminal.test.ts", "leave %s %s as text"],
    ["security/terminal.test.ts", "are one line of the log and one of the terminal"],
    ["sinks/sinks.test.ts", "text of others cannot move the cursor"],
    ["cli/look.test.ts", "text of others cannot move the cursor"],
    ["cli/wait.test.ts", "GitHub Actions gets the failure as an annotation that cannot begin another command"],
    ["server/routes.test.ts", "%s takes only a sound actor, reason and body"],
  ],
  "webhook: forged, replayed, too large": [
    ["server/webhook.test.ts", "a delivery that is not signed with a secret makes nobody look"],
    ["server/webhook.test.ts", "either secret makes us look, and a recorded delivery only once"],
    ["server/webhook.test.ts", "a body over 1 MiB is refused before it is read to its end"],
    ["server/routes.test.ts", "without a webhook secret there is no webhook"],
    ["security/decoders.test.ts", "any signature that was guessed is refused"],
  ],
  "one bad manifest among many stops only itself": [
    ["manifest/folder.test.ts", "one bad environment does not stop its siblings"],
    [
      "security/hostile-repository.test.ts",
      "the good one is read and valid; each bad one has its own message with its place",
    ],
    ["security/hostile-release.test.ts", "beside 200 hostile manifests the good environment releases"],
    ["manifest/problems.test.ts", "a repository that cannot be read now stops only environments that need it"],
  ],
  "decoders are total": [
    ["manifest/yaml.test.ts", "no text throws"],
    ["manifest/read.test.ts", "any JSON as %s is a manifest or has problems"],
    ["journal/record.test.ts", "Any bytes at all are either a record or damage, never another error"],
    ["security/decoders.test.ts", "any text is expanded, or the first thing wrong with it is named"],
    ["security/decoders.test.ts", "any body to any route that asks for something is taken or refused"],
    ["security/decoders.test.ts", "any bytes as a signature are refused with the reason"],
    ["cli/command.test.ts", "whatever argv holds, the end is one of the exit codes and no exception"],
  ],
  "what an environment may reach is the operator's to say": [
    ["manifest/operator.test.ts", "an environment that no key fits is refused"],
    ["manifest/parse.test.ts", "account, role and region come from the operator"],
  ],
  "signed commits: a head needs a signature of a signer in force": [
    ["security/signed-commits.test.ts", "is refused without a signature, by an unknown key"],
    ["security/signed-commits.test.ts", "is refused by a key that has expired or was revoked"],
    ["security/signers-in-force.test.ts", "halts the repository with the reason, and what was in force stays"],
    ["security/signers-in-force.test.ts", "cannot add its own signer, nor drop the list; a listed one can do both"],
  ],
};

describe.each(Object.entries(RULES))("%s", (_, tests) => {
  test.each(tests)("is held by %s: %s", async (file, name) => {
    const text = await readFile(new URL(`../${file}`, import.meta.url), "utf8");
    const named = text.split("\n").filter((line) => line.includes(name) && !line.trim().startsWith("//"));
    expect(named.some((line) => /["`]/.test(line))).toBe(true);
    expect(text).not.toMatch(/\b(?:test|it|describe)\.(?:skip|todo|only)\b/);
  });
});
