// What is wrong with one file: the exact sentence, at the exact line and column, and all of it at once.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readManifest, readManifestFile } from "../../controller/manifest/read.ts";
import type { SchemaKind } from "../../controller/manifest/schemas.ts";
import { file, lines, SHA, SMALL } from "./support.ts";

const PROD = `sha: ${SHA}\n`;
const NAME = "a name: a lower-case letter, then up to 31 lower-case letters, digits and dashes";
const LATER = "(remove it: this version of Lockstep would not act on it)";

function problems(kind: SchemaKind, text: string): string[] {
  return lines(readManifest(kind, "f.yaml", text).problems).map((line) => line.replace(/^f\.yaml:/, ""));
}

describe("application.yaml", () => {
  it.each<[string, string, string[]]>([
    ["empty", "", ["1:1 application is missing"]],
    ["a list", "- a\n", ["1:1 the file must hold keys and values"]],
    [
      "an unknown key with a likely one",
      "application: shop\nservces: {}\n",
      ['2:1 unknown key "servces"; did you mean "services"?'],
    ],
    [
      "an unknown key deep inside",
      `${SMALL}    strategi: rolling\n`,
      ['5:5 unknown key "strategi" in services.api; did you mean "strategy"?'],
    ],
    [
      "swapped letters",
      "application: shop\nhold: 1\ndrfit: repair\n",
      ["2:1 hold has its place in an environment's file, not here", '3:1 unknown key "drfit"; did you mean "drift"?'],
    ],
    [
      "keys of an environment",
      `${SMALL}    sha: ${SHA}\nsha: ${SHA}\n`,
      [
        "5:5 services.api.sha has its place in an environment's file, not here",
        "6:1 sha has its place in an environment's file, not here",
      ],
    ],
    ["a bad name", "application: Shop\n", [`1:14 application: "Shop" is not ${NAME}`]],
    ["a number for a name", "application: 7\n", [`1:14 application must be ${NAME}, not 7`]],
    [
      "a service with a bad name",
      "application: shop\nservices: { API: {} }\n",
      [`2:13 "API" is not a valid name in services (${NAME})`],
    ],
    [
      "a service removed where nothing can be removed",
      "application: shop\nservices:\n  api: false\n",
      ["3:8 services.api must be a mapping, not false"],
    ],
    [
      "a value outside a list",
      "application: shop\ndrift: reprot\n",
      ['2:8 drift: "reprot" is not allowed; did you mean "report"? (allowed: report, repair, ignore)'],
    ],
    ["another version", "application: shop\nversion: 2\n", ["2:10 version: 2 is not allowed (allowed: 1)"]],
    ["too little", "application: shop\nparallel: 0\n", ["2:11 parallel must be at least 1"]],
    ["too much", "application: shop\nparallel: 51\n", ["2:11 parallel must be at most 50"]],
    ["text for a number", `${SMALL}    count: "3"\n`, ['5:12 services.api.count must be a whole number, not "3"']],
    ["a number for text", "application: shop\nurl: 3\n", ["2:6 url must be text, not 3 (put it in quotes)"]],
    [
      "braces without quotes",
      "application: shop\nurl: {env}\n",
      ["2:6 url must be text, not a mapping (put a text that begins with { in quotes)"],
    ],
    ["nothing where text belongs", "application: shop\nurl:\n", ["2:1 url is empty (write text)"]],
    [
      "a duration in words",
      `${SMALL}    timeout: 2 hours\n`,
      ['5:14 services.api.timeout: "2 hours" is not a duration such as 500ms, 5s, 20m, 2h or 7d'],
    ],
    [
      "the wrong one of two forms",
      `${SMALL}    health: [a]\n`,
      ["5:13 services.api.health must be text or a mapping, not a list"],
    ],
    [
      "a mistake inside one of two forms",
      `${SMALL}    health: { ulr: x, status: [200, 99] }\n`,
      [
        '5:15 unknown key "ulr" in services.api.health; did you mean "url"?',
        "5:37 services.api.health.status[1] must be at least 100",
      ],
    ],
    [
      "a gate that comes later",
      "application: shop\ngates: { soak: 2 hours }\n",
      [`2:10 gates.soak is not supported yet ${LATER}`],
    ],
    [
      "signers that are no keys",
      "application: shop\nverify: { commits: [a, ssh-ed25519 x] }\n",
      [
        '2:21 verify.commits[0]: "a" is not an SSH public key such as `ssh-ed25519 AAAA… name`, or an armored GPG public key',
      ],
    ],
    ["nobody who may sign", "application: shop\nverify: { commits: [] }\n", ["2:11 verify.commits is empty"]],
    [
      "a canary",
      `${SMALL}    strategy: { canary: { percent: 10 } }\n`,
      [`5:17 services.api.strategy.canary is not supported yet ${LATER}`],
    ],
    [
      "a canary in short",
      `${SMALL}    strategy: canary\n`,
      [`5:15 services.api.strategy.canary is not supported yet ${LATER}`],
    ],
    ["notify in short", 'application: shop\nnotify: "#x"\n', [`2:1 notify is not supported yet ${LATER}`]],
    [
      "both forms of a migration",
      "application: shop\nmigrate: false\nmigrations:\n  migrate: false\n",
      ["4:3 `migrate` is short for migrations.migrate, and both are given (keep one of the two)"],
    ],
    [
      "two hundred and one services",
      `application: shop\nservices:\n${Array.from({ length: 201 }, (_, i) => `  s${i}:\n`).join("")}`,
      ["2:1 services holds too many keys: at most 200"],
    ],
  ])("%s", (_, text, expected) => {
    expect(problems("application", text)).toEqual(expected);
  });
});

describe("an environment's file", () => {
  it.each<[string, string, string[]]>([
    ["without SHA", "{}\n", ["1:1 sha is missing"]],
    ["an empty SHA", "sha:\n", ["1:1 sha is empty (write a commit SHA of 7 to 40 hexadecimal digits)"]],
    ["a branch", "sha: main\n", ['1:6 sha: "main" is not a commit SHA of 7 to 40 hexadecimal digits']],
    ["six digits", "sha: 9f2c1a\n", ['1:6 sha: "9f2c1a" is not a commit SHA of 7 to 40 hexadecimal digits']],
    ["forty-one digits", `sha: ${SHA}0\n`, [`1:6 sha: "${SHA}0" is not a commit SHA of 7 to 40 hexadecimal digits`]],
    [
      "what belongs into application.yaml",
      `${PROD}pipeline: [dev]\n`,
      ["2:1 pipeline has its place in application.yaml, not here"],
    ],
    ["a hold without reason", `${PROD}hold: { until: 2026-11-03 }\n`, ["2:1 hold.reason is missing"]],
    ["a hold that is only yes", `${PROD}hold: yes\n`, ['2:7 hold must be a mapping, not "yes"']],
    [
      "a hold without time zone",
      `${PROD}hold: { reason: x, until: 2026-11-03T10:00 }\n`,
      ['2:27 hold.until: "2026-11-03T10:00" is not a date such as 2026-11-03 or a time such as 2026-11-03T09:00Z'],
    ],
    [
      "everything that comes later, at once",
      `${PROD}follow: { branch: main }\noverride: { gates: [freeze] }\nnotify: []\ngates: { checks: ci, scan: x, approvals: 1, freeze: [], contains: live, timezone: UTC }\n`,
      [
        `2:1 follow is not supported yet ${LATER}`,
        `3:1 override is not supported yet ${LATER}`,
        `4:1 notify is not supported yet ${LATER}`,
        `5:10 gates.checks is not supported yet ${LATER}`,
        `5:22 gates.scan is not supported yet ${LATER}`,
        `5:31 gates.approvals is not supported yet ${LATER}`,
        `5:45 gates.freeze is not supported yet ${LATER}`,
        `5:57 gates.contains is not supported yet ${LATER}`,
        `5:73 gates.timezone is not supported yet ${LATER}`,
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(problems("environment", text)).toEqual(expected);
  });

  it("is valid with a service of nothing, a removed one, and keys of one's own", () => {
    expect(problems("environment", `${PROD}services:\n  api:\n  worker: false\nx-owner: { team: [a, 1] }\n`)).toEqual(
      [],
    );
  });

  it("shows at most a hundred problems and says how many more there are", () => {
    const text = PROD + Array.from({ length: 130 }, (_, index) => `key${index}: 1\n`).join("");
    const found = problems("environment", text);
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toBe("101:1 and 30 more problems");
  });
});

describe("a file that is never read", () => {
  const plain = file("environments/prod.yaml", PROD);
  it.each([
    ["a symbolic link", { ...file("environments/prod.yaml", "x"), mode: "120000" }, "it is a symbolic link"],
    ["a submodule", { path: plain.path, mode: "160000", id: plain.id }, "it is a submodule"],
    ["what the source refused", { path: plain.path, mode: "100644", id: plain.id, refused: "not UTF-8" }, "not UTF-8"],
  ])("%s says why", (_, odd, why) => {
    expect(lines(readManifestFile("environment", odd).problems)).toEqual([
      `prod.yaml:1:1 the file is not read: ${why} (commit a plain text file in UTF-8)`,
    ]);
  });

  it("a path with .. says so", () => {
    expect(lines(readManifestFile("environment", { ...plain, path: "environments/../prod.yaml" }).problems)).toEqual([
      "../prod.yaml:1:1 a path with .. is not read",
    ]);
  });
});

describe("reading a manifest is total", () => {
  const KEYS = [
    "application",
    "sha",
    "services",
    "api",
    "strategy",
    "canary",
    "health",
    "status",
    "migrate",
    "migrations",
    "web",
    "gates",
    "soak",
    "hold",
    "pipeline",
    "notify",
    "task",
    "aws",
    "x-y",
    "__proto__",
    "constructor",
    "toString",
  ];
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, false, 0, 1.5, -3, "", "text", "rolling", "20m", "{sha}", "{x", SHA),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 5 })), tie("value"), { maxKeys: 5 }),
    ),
  })).value;

  it.each(["application", "environment", "controller"] as const)(
    "any JSON as %s is a manifest or has problems",
    (kind) => {
      fc.assert(
        fc.property(json, (value) => {
          const { manifest, problems: found } = readManifest(kind, "f.yaml", JSON.stringify(value));
          expect((manifest === undefined) === found.some(({ severity }) => severity === "error")).toBe(true);
        }),
        { numRuns: 400 },
      );
    },
  );
});
