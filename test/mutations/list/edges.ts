// Bugs where others' bytes come in: Git, manifests, the webhook, the API, whatever leaves for people.
import type { Mutation } from "../mutation.ts";

const LISTING = "controller/git/listing.ts";
const ENVIRONMENT = "controller/git/environment.ts";

export const EDGES: readonly Mutation[] = [
  {
    name: "symlink-followed",
    breaks: "no symbolic link is ever read from a commit",
    file: LISTING,
    edits: [
      { find: 'if (mode === "120000") return', replace: 'if (mode === "120001") return' },
      { find: 'mode !== "100644" && mode !== "100755"', replace: 'mode === ""' },
    ],
    caughtBy: ["test/git/reading.test.ts"],
  },
  {
    name: "mode-ignored",
    breaks: "only plain files are read: modes 100644 and 100755",
    file: LISTING,
    edits: [{ find: 'mode !== "100644" && mode !== "100755"', replace: 'mode === ""' }],
    caughtBy: ["test/git/tree.test.ts"],
  },
  {
    name: "link-on-disk-followed",
    breaks: "no symbolic link of a checkout is followed",
    file: "controller/git/tree.ts",
    edits: [
      { find: "return await lstat(path);", replace: 'return await (await import("node:fs/promises")).stat(path);' },
    ],
    caughtBy: ["test/git/tree.test.ts"],
  },
  {
    name: "path-out-of-the-repository",
    breaks: "files that manifests name stay inside the repository",
    file: LISTING,
    edits: [{ find: 'part !== "" && part !== "." && part !== ".."', replace: 'part !== "" && part !== "."' }],
    caughtBy: ["test/git/reading.test.ts"],
  },
  {
    name: "branch-as-option",
    breaks: "no text makes a branch that begins with an option",
    file: "controller/git/address.ts",
    edits: [
      {
        find: "const plain = /^[A-Za-z0-9_][A-Za-z0-9_./+#@=-]{0,199}$/",
        replace: "const plain = /^[A-Za-z0-9_./+#@=-]{1,200}$/",
      },
    ],
    caughtBy: ["test/git/address.test.ts"],
  },
  {
    name: "redirect-followed",
    breaks: "a token does not travel to where a server points",
    file: ENVIRONMENT,
    edits: [{ find: '["http.followRedirects", "false"],', replace: '["http.followRedirects", "true"],' }],
    caughtBy: ["test/git/http.test.ts"],
  },
  {
    name: "objects-not-checked",
    breaks: "what arrives is checked by fsck before it counts",
    file: ENVIRONMENT,
    edits: [{ find: '["transfer.fsckObjects", "true"],', replace: '["transfer.fsckObjects", "false"],' }],
    caughtBy: ["test/git/cache.test.ts"],
  },
  {
    name: "signer-adds-itself",
    breaks: "a head is held to the signers in force, not to those it brings",
    file: "controller/engine/repository.ts",
    edits: [{ find: "(await read(seen ?? head, signal)).signers", replace: "(await read(head, signal)).signers" }],
    caughtBy: ["test/security/signers-in-force.test.ts"],
  },
  {
    name: "unsigned-trusted",
    breaks: "an unsigned head halts where signers are listed",
    file: "controller/git/signatures.ts",
    edits: [
      { find: 'const verdict = "wrong" in signed ? signed :', replace: 'const verdict = "wrong" in signed ? "good" :' },
    ],
    caughtBy: ["test/security/signed-commits.test.ts"],
  },
  {
    name: "sha-read-by-value",
    breaks: "a SHA is the text that stands there, also 72225e2 and 0000123",
    file: "controller/manifest/tree.ts",
    edits: [
      { find: 'const TEXT_KEYS = new Set(["sha", "account"]);', replace: 'const TEXT_KEYS = new Set(["account"]);' },
    ],
    caughtBy: ["test/manifest/yaml.test.ts"],
  },
  {
    name: "ambiguous-sha-taken",
    breaks: "an abbreviation that fits two commits is refused",
    file: "controller/manifest/shas.ts",
    edits: [{ find: "if (other === undefined) return found;", replace: "if (other !== found) return found;" }],
    caughtBy: ["test/manifest/problems.test.ts"],
  },
  {
    name: "hold-moves-fingerprint",
    breaks: "hold, gates, drift and onFailure never make a release nor clear a failure",
    file: "controller/core/fingerprint.ts",
    edits: [
      {
        find: "    sha: environment.sha,\n    region",
        replace: "    sha: environment.sha,\n    hold: environment.hold,\n    region",
      },
    ],
    caughtBy: ["test/manifest/fingerprint.test.ts"],
  },
  {
    name: "health-not-in-fingerprint",
    breaks: "what is released decides the fingerprint, all of it",
    file: "controller/core/fingerprint.ts",
    edits: [
      {
        find: "({ paths: _, recorded: __, ...service }) => service),",
        replace: "({ paths: _, recorded: __, health: ___, ...service }) => service),",
      },
    ],
    caughtBy: ["test/manifest/fingerprint.test.ts"],
  },
  {
    name: "webhook-trusted",
    breaks: "a delivery that is not signed with a secret makes nobody look",
    file: "controller/server/webhook.ts",
    edits: [
      {
        find: "wanted !== undefined && timingSafeEqual(given, wanted);",
        replace: "wanted !== undefined && given.length === wanted.length;",
      },
    ],
    caughtBy: ["test/server/webhook.test.ts"],
  },
  {
    name: "any-host-answered",
    breaks: "only the listen address may be asked for (DNS rebinding)",
    file: "controller/server/guard.ts",
    edits: [
      {
        find: "if (known.has(host) || anyAddress) return next();",
        replace: 'if (known.has(host) || anyAddress || host !== "") return next();',
      },
    ],
    caughtBy: ["test/server/routes.test.ts"],
  },
  {
    name: "form-may-nudge",
    breaks: "a nudge needs headers that no form can send",
    file: "controller/server/guard.ts",
    edits: [
      {
        find: 'if (context.req.header("lockstep-request") !== "1") {',
        replace: 'if (context.req.header("lockstep-request") === "0") {',
      },
    ],
    caughtBy: ["test/server/routes.test.ts"],
  },
  {
    name: "secret-shown",
    breaks: "no secret leaves through page, API, log or event stream",
    file: "controller/core/redact.ts",
    edits: [
      {
        find: "const masked = known === undefined ? text : text.replace(known, MASK);",
        replace: "const masked = text;",
      },
    ],
    caughtBy: ["test/core/redact.test.ts", "test/server/canary.test.ts"],
  },
];
