import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { ConfigProblem } from "../controller/config.ts";
import { readConfig } from "../controller/config.ts";
import { variables } from "../controller/variables.ts";
import { configurationPage } from "../scripts/generate-configuration.ts";
import { lockstep } from "./cli/terminal.ts";

const CWD = "/srv/lockstep";

function problems(env: Readonly<Record<string, string>>): readonly ConfigProblem[] {
  return readConfig({ LOCKSTEP_REPOSITORY: "ops", ...env }, CWD).problems;
}

function config(env: Readonly<Record<string, string>> = {}): object {
  const reading = readConfig({ LOCKSTEP_REPOSITORY: "ops", ...env }, CWD);
  if (reading.config === undefined) throw new Error(JSON.stringify(reading.problems));
  return reading.config;
}

describe("what cannot be used is said with its name, what is wrong and what to do", () => {
  test.each([
    ["LOCKSTEP_REPOSITORY", "http://git.example.com/ops.git"],
    ["LOCKSTEP_REPOSITORY", "git://git.example.com/ops.git"],
    ["LOCKSTEP_REPOSITORY", "https://user:hunter2hunter2@git.example.com/ops.git"],
    ["LOCKSTEP_REPOSITORY", "https://token@git.example.com/ops.git"],
    ["LOCKSTEP_REPOSITORY", "ssh://git:hunter2hunter2@git.example.com/ops.git"],
    ["LOCKSTEP_REPOSITORY", "https://"],
    ["LOCKSTEP_BRANCH", "--upload-pack=touch x"],
    ["LOCKSTEP_BRANCH", "a..b"],
    ["LOCKSTEP_BRANCH", "refs/"],
    ["LOCKSTEP_BRANCH", "main.lock"],
    ["LOCKSTEP_BRANCH", "a b"],
    ["LOCKSTEP_POLL", "often"],
    ["LOCKSTEP_POLL", "* * *"],
    ["LOCKSTEP_POLL", "99 * * * *"],
    ["LOCKSTEP_JOURNAL", "gs://bucket/x"],
    ["LOCKSTEP_JOURNAL", "s3://"],
    ["LOCKSTEP_JOURNAL", "s3://UPPER/x"],
    ["LOCKSTEP_LISTEN", "somewhere"],
    ["LOCKSTEP_LISTEN", "127.0.0.1:99999"],
    ["LOCKSTEP_LISTEN", "http://127.0.0.1:80"],
    ["LOCKSTEP_HOSTS", "ok.example,https://no.example"],
    ["LOCKSTEP_ADOPT", "yes"],
    ["LOCKSTEP_LOG_LEVEL", "loud"],
    ["LOCKSTEP_WEBHOOK_SECRET", "short"],
    ["LOCKSTEP_WEBHOOK_SECRET", "0123456789abcdef,0123456789abcdef,0123456789abcdef"],
    ["LOCKSTEP_GITHUB_TOKEN", "x"],
    ["LOCKSTEP_REPOSTORY", "x"],
  ])("%s=%s", (name, value) => {
    const [problem, ...more] = problems({ [name]: value });
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ name });
    expect(problem?.message).toBeTruthy();
    expect(problem?.next).toMatch(/[.?]$/);
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  test("all at once", () => {
    const env = {
      LOCKSTEP_REPOSITORY: "",
      LOCKSTEP_POLL: "x",
      LOCKSTEP_LISTEN: "x",
      LOCKSTEP_JOURNAL: "x://",
      LOCKSTEP_BRANCH: "-",
    };
    expect(
      problems(env)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(env).toSorted());
  });

  test("a near miss names what was meant; names of others are left alone", () => {
    expect(problems({ LOCKSTEP_REPOSTORY: "x" })[0]?.next).toBe("Did you mean LOCKSTEP_REPOSITORY?");
    expect(problems({ LOCKSTEP_SERVICE_PORT_HTTP: "4600", LOCKSTEP_PORT: "tcp://10.0.0.1:80" })).toEqual([]);
  });

  test("serve says all of them and opens nothing", async () => {
    const { code, out, err } = await lockstep(["serve"], { env: { LOCKSTEP_POLL: "x", LOCKSTEP_LISTEN: "y" } });
    expect({ code, out }).toEqual({ code: 64, out: "" });
    expect(err).toMatchInlineSnapshot(`
      "✖ LOCKSTEP_REPOSITORY is not set, and neither is LOCKSTEP_CONFIG
        next: Set it to a path, or to a URL without credentials, such as https://git.example.com/acme/ops.git.
      ✖ LOCKSTEP_LISTEN "y" is not host:port
        next: Write host:port, such as 127.0.0.1:4600.
      ✖ LOCKSTEP_POLL "x" is not a cron expression of 5 or 6 fields
        next: Write a cron expression such as "*/30 * * * * *" (every 30 seconds).
      3 variables cannot be used; \`lockstep serve --help\` lists them all.
      "
    `);
  });
});

describe("what is read", () => {
  test("has a default for everything but the repository", () => {
    expect(config()).toEqual({
      repository: "/srv/lockstep/ops",
      branch: "main",
      poll: "*/30 * * * * *",
      journal: { kind: "directory", path: "/srv/lockstep/.lockstep/journal" },
      listen: { host: "127.0.0.1", port: 4600 },
      hosts: [],
      adopt: "ask",
      logLevel: "info",
      warnings: [expect.stringContaining("must outlive this machine")],
    });
    expect(Object.isFrozen(config())).toBe(true);
  });

  test.each([
    ["https://git.example.com/acme/ops.git", "https://git.example.com/acme/ops.git"],
    ["ssh://git@git.example.com/acme/ops.git", "ssh://git@git.example.com/acme/ops.git"],
    ["git@git.example.com:acme/ops.git", "git@git.example.com:acme/ops.git"],
    ["/srv/git/ops.git", "/srv/git/ops.git"],
    ["../ops.git", "/srv/ops.git"],
    [".", "/srv/lockstep"],
  ])("the repository %s is %s", (text, repository) => {
    expect(config({ LOCKSTEP_REPOSITORY: text })).toMatchObject({ repository });
  });

  test.each([
    ["s3://acme-journal", { kind: "s3", bucket: "acme-journal", prefix: "" }],
    ["s3://acme-journal/lockstep/", { kind: "s3", bucket: "acme-journal", prefix: "lockstep/" }],
    ["s3://acme-journal/a/b", { kind: "s3", bucket: "acme-journal", prefix: "a/b/" }],
    ["/var/lib/lockstep", { kind: "directory", path: "/var/lib/lockstep" }],
  ])("the journal %s", (text, journal) => {
    expect(config({ LOCKSTEP_JOURNAL: text })).toMatchObject({ journal });
  });

  test.each([
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["8080", { host: "127.0.0.1", port: 8080 }],
    ["[::1]:4600", { host: "::1", port: 4600 }],
    ["0.0.0.0:4600", { host: "0.0.0.0", port: 4600 }],
  ])("the address %s", (text, listen) => {
    expect(config({ LOCKSTEP_LISTEN: text })).toMatchObject({ listen });
  });

  test("secrets stand apart from the configuration", () => {
    const env = {
      LOCKSTEP_REPOSITORY: "ops",
      LOCKSTEP_GIT_TOKEN: "canary-git-token",
      LOCKSTEP_WEBHOOK_SECRET: "canary-webhook-1, canary-webhook-2",
    };
    const reading = readConfig(env, CWD);
    expect(JSON.stringify(reading.config)).not.toContain("canary");
    expect(reading).toMatchObject({
      secrets: { gitToken: "canary-git-token", webhook: ["canary-webhook-1", "canary-webhook-2"] },
    });
  });

  test("warns of a journal that dies with the machine, and of an API that everybody reaches", () => {
    const { warnings } = config({ LOCKSTEP_LISTEN: "0.0.0.0:4600" }) as { readonly warnings: readonly string[] };
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain("asks for no login");
    expect(config({ AWS_ENDPOINT_URL: "http://127.0.0.1:4700" })).toMatchObject({ warnings: [] });
    expect(config({ LOCKSTEP_JOURNAL: "s3://acme-journal" })).toMatchObject({ warnings: [] });
  });

  test("an operator's file stands in for the repository", () => {
    const reading = readConfig({ LOCKSTEP_CONFIG: "lockstep.yaml" }, CWD);
    expect(reading).toMatchObject({ config: { file: "/srv/lockstep/lockstep.yaml" }, problems: [] });
  });
});

describe("the table of variables", () => {
  test("is shown whole by serve --help", async () => {
    const { out } = await lockstep(["serve", "--help"]);
    for (const { name, means } of variables())
      expect(out).toMatch(new RegExp(`^  ${name} +${means.replace(/[()*./?]/g, "\\$&")}`, "m"));
  });

  test("is docs/configuration.md", async () => {
    const page = await readFile(new URL("../docs/configuration.md", import.meta.url), "utf8");
    expect(page).toBe(configurationPage());
  });
});
