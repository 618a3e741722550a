// Whoever reads what others wrote is total: whatever comes in, the answer is a value or a reason, never an exception.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dearmor } from "../../controller/core/armor.ts";
import { Sha } from "../../controller/core/brand.ts";
import { createRedactor } from "../../controller/core/redact.ts";
import { parseSigner } from "../../controller/core/signer.ts";
import { expandTemplate, PLACEHOLDERS } from "../../controller/core/template.ts";
import { parseListing } from "../../controller/git/listing.ts";
import { distrust } from "../../controller/git/signatures.ts";
import { checkSshSignature } from "../../controller/git/ssh-signature.ts";
import { explainKey } from "../../controller/manifest/explain.ts";
import { readOperator } from "../../controller/manifest/operator.ts";
import { describeProblem } from "../../controller/manifest/problem.ts";
import { readManifest } from "../../controller/manifest/read.ts";
import { readTaskFile } from "../../controller/manifest/tasks.ts";
import { createApp } from "../../controller/server/app.tsx";
import { SHOP } from "../cli/shop.ts";
import { read, SHA, SMALL } from "../manifest/support.ts";
import type { Theatre } from "../server/board.ts";
import { createStage, open } from "../server/board.ts";

const anyText = fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.string({ unit: "grapheme", maxLength: 80 }));
/** Names that every object has, or that change what an object is. */
const POLLUTION = ["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty"];

describe("Templates", () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom("{", "}", "{{", ...PLACEHOLDERS.map((one) => `{${one}}`)), anyText));

  test("any text is expanded, or the first thing wrong with it is named", () => {
    fc.assert(
      fc.property(pieces, (all) => {
        const template = all.join("");
        const values = Object.fromEntries(PLACEHOLDERS.map((name) => [name, "v"]));
        const expansion = expandTemplate(template, values);
        if ("text" in expansion) expect(expansion.text).not.toMatch(/[{}]/);
        else expect(template).toContain(expansion.wrong);
      }),
    );
  });

  test.each(POLLUTION)("{%s} is no template, whatever objects inherit", (name) => {
    expect(expandTemplate(`{${name}}`, { env: "x" })).toEqual({ wrong: name, why: "unknown" });
  });

  test("values are put in as they are, and never expanded again", () => {
    expect(expandTemplate("{env}-{sha}", { env: "{sha}", sha: "$&$1{env}" })).toEqual({ text: "{sha}-$&$1{env}" });
  });
});

describe("Manifests", () => {
  test("any text in any place of a folder is an environment, or a message on one line with its place", async () => {
    const key = fc.oneof(fc.constantFrom("services", "sha", "hold", "url", "x-a", ...POLLUTION), anyText);
    await fc.assert(
      fc.asyncProperty(anyText, key, anyText, async (name, one, text) => {
        const reading = await read({
          files: {
            "environments/application.yaml": `${SMALL}${JSON.stringify(one)}: ${JSON.stringify(text)}\n`,
            "environments/prod.yaml": `sha: ${SHA}\n${JSON.stringify(one)}: ${JSON.stringify(text)}\n`,
            [`environments/${name}`]: text,
          },
        });
        for (const problem of [...reading.problems, ...reading.environments.flatMap((each) => each.problems)]) {
          expect(describeProblem(problem)).toMatch(/^environments\/.*:\d+:\d+ .+$/u);
          expect(describeProblem(problem)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("any text is an operator's file, a task file or a key to explain, or the reason why not", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.json()), (text) => {
        const { operator, problems } = readOperator("controller.yaml", text);
        expect(operator !== undefined || problems.length > 0).toBe(true);
        const task = readTaskFile({ path: "task.json", mode: "100644", id: "x", text });
        expect(task.definition !== undefined || task.problems.length > 0).toBe(true);
        expect(explainKey(text).near.length).toBeLessThan(100);
      }),
    );
  });

  test.each(POLLUTION)("%s as a key changes no object, and as a name is one like any other", async (name) => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    const polluted = `{ "${name}": { "polluted": true }, "hold": { "${name}": 1 } }`;
    readManifest("environment", "f.yaml", polluted);
    readManifest("application", "f.yaml", `application: shop\nx-a: ${polluted}\nservices: { api: ${polluted} }\n`);
    readTaskFile({ path: "t", mode: "100644", id: "x", text: `{"containerDefinitions":[${polluted}],"${name}":1}` });
    createRedactor(["secret-value"]).deep(JSON.parse(polluted));
    expect(explainKey(name).entry).toBeUndefined();
    expect(explainKey(`services.${name}.${name}`).entry).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
    expect(({} as Readonly<Record<string, unknown>>)["polluted"]).toBeUndefined();
    if (!/^[a-z]+$/.test(name)) return;
    const reading = await read({
      files: {
        "environments/application.yaml": SMALL.replace("shop\n", `${name}\n`).replace("  api:", `  ${name}:`),
        [`environments/${name}.yaml`]: `sha: ${SHA}\nservices: { ${name}: { count: 2 } }\n`,
      },
    });
    expect(reading).toMatchObject({ application: name, environments: [{ name, problems: [] }] });
    expect(reading.environments[0]?.environment?.services).toMatchObject([{ name, count: 2 }]);
  });
});

describe("Git's answers", () => {
  test("any listing is entries or undefined", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        parseListing(text);
        expect(parseListing(`${text}\0`) === undefined || text === "" || text.includes("\t")).toBe(true);
      }),
    );
  });
});

describe("Keys and signatures", () => {
  const bytes = fc.uint8Array({ maxLength: 120 });
  const commit = Sha.parse(SHA);
  const gpgv = async (): Promise<"good"> => "good";

  test("any text is a signer, or the reason why not", () => {
    const types = fc.constantFrom("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com");
    const key = fc.tuple(types, bytes).map(([type, blob]) => `${type} ${Buffer.from(blob).toString("base64")}`);
    fc.assert(
      fc.property(fc.oneof(anyText, key), (text) => {
        const signer = parseSigner(text);
        expect("kind" in signer || signer.refused.length > 0).toBe(true);
        dearmor(text, "SSH SIGNATURE");
      }),
    );
  });

  test("any bytes as a signature are refused with the reason", async () => {
    fc.assert(
      fc.property(bytes, bytes, (blob, payload) => {
        const all = Buffer.concat([Buffer.from("SSHSIG\0\0\0\u0001", "latin1"), blob]);
        expect(checkSshSignature(all, payload, new Set())).toMatchObject({ wrong: expect.any(String) as string });
      }),
    );
    await fc.assert(
      fc.asyncProperty(anyText, bytes, async (text, blob) => {
        const armor = ["SSH", "PGP"].map((kind) => {
          const lines = [`-----BEGIN ${kind} SIGNATURE-----`, "", Buffer.from(blob).toString("base64")];
          return `tree x\ngpgsig ${[...lines, `-----END ${kind} SIGNATURE-----`].join("\n ")}\n\n${text}`;
        });
        for (const object of [text, `gpgsig ${text}\n\n`, ...armor]) {
          expect(await distrust(commit, Buffer.from(object), [], gpgv)).toMatch(/^commit 9f2c1ab /);
        }
      }),
    );
  });
});

describe("The API", () => {
  let theatre: Theatre;
  beforeAll(async () => {
    theatre = await open(SHOP, { webhookSecrets: ["0123456789abcdef"] });
  });
  afterAll(() => theatre.server.close());

  const { routes } = createApp({
    ...createStage(SHOP),
    redact: createRedactor([]),
    version: "0.1.0",
    host: "127.0.0.1",
    hosts: [],
    webhookSecrets: ["0123456789abcdef"],
    life: "life",
    onError: () => undefined,
  });
  const writes = routes.filter(({ method }) => method === "POST").map(({ path }) => path);
  const segment = fc.oneof(fc.constantFrom("shop", "prod", "12", "..", "%00", "%2e%2e", "%ff", ...POLLUTION), anyText);

  /** No mistake of ours: 500 is one, and each is also reported. */
  async function answers(method: string, path: string, body?: string | Uint8Array): Promise<number> {
    const headers = { "content-type": "application/json", "lockstep-request": "1", "lockstep-actor": "mia" };
    const sent = body === undefined ? {} : { body };
    const response = await fetch(`${theatre.server.address}${path}`, { method, headers, ...sent });
    await response.text();
    expect(theatre.mistakes).toEqual([]);
    return response.status;
  }

  test("any body to any route that asks for something is taken or refused, and never a mistake of ours", async () => {
    const how = fc.record(
      { kind: fc.oneof(fc.constantFrom("migration", "adopt"), fc.jsonValue()), outcome: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const known = fc.record({ reason: fc.jsonValue(), head: fc.jsonValue(), how: fc.oneof(how, fc.jsonValue()) });
    const polluted = fc.constantFrom(...POLLUTION).map((name) => `{"${name}":{"reason":"x","how":{"kind":"adopt"}}}`);
    const body = fc.oneof(
      anyText,
      fc.json(),
      fc.uint8Array({ maxLength: 50 }),
      polluted,
      known.map((one) => JSON.stringify(one)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...writes), body, async (path, sent) => {
        const concrete = path.replace(":application", "shop").replace(":environment", "prod");
        expect([202, 400, 401]).toContain(await answers("POST", concrete, sent));
      }),
    );
    for (const [name, , ...rest] of theatre.asked) {
      if (name === "resolve")
        expect(rest[0]).toMatchObject({ kind: expect.stringMatching(/^(?:migration|adopt)$/) as string });
    }
  });

  test.each(POLLUTION)("a body with %s inherits nothing from it", async (name) => {
    const asked = theatre.asked.length;
    const inherited = JSON.stringify({ reason: "why", how: 0 }).replace("0", `{"${name}":{"kind":"adopt"}}`);
    expect(await answers("POST", "/api/v1/environments/shop/prod/resolve", inherited)).toBe(400);
    expect(await answers("POST", "/api/v1/environments/shop/prod/retry", `{"${name}":{"reason":"why"}}`)).toBe(400);
    expect(theatre.asked).toHaveLength(asked);
    for (const path of [`${name}/${name}`, `shop/${name}`]) {
      expect(await answers("GET", `/api/v1/environments/${path}`)).toBe(404);
      expect(await answers("GET", `/env/${path}`)).toBe(404);
    }
  });

  test("any path is answered, and none is a mistake of ours", async () => {
    const path = fc.array(segment, { maxLength: 5 }).map((all) => `/${all.map(encoded).join("/")}`);
    const prefix = fc.constantFrom("", "/env", "/api/v1/environments", "/api/v1/releases", "/api/v1/logs");
    await fc.assert(
      fc.asyncProperty(prefix, path, async (before, after) => {
        expect([200, 400, 404]).toContain(await answers("GET", `${before}${after}`));
      }),
    );
  });

  test("any signature that was guessed is refused", async () => {
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)) });
    await fc.assert(
      fc.asyncProperty(value, async (text) => {
        const headers = { "x-hub-signature-256": text };
        const response = await fetch(`${theatre.server.address}/webhook`, { method: "POST", body: "{}", headers });
        await response.text();
        expect(response.status).toBe(401);
      }),
      { numRuns: 50 },
    );
  });
});

/** Percent signs that were meant stay. */
function encoded(text: string): string {
  return /^%[0-9a-f]{2}/i.test(text)
    ? text.replaceAll(/[^%0-9a-f]/gi, "")
    : encodeURIComponent(Buffer.from(text).toString());
}
