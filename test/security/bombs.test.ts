// What is small to send and huge to open: refused by its size, its time or its depth, before anything is held.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { SchemaKind } from "../../controller/manifest/schemas.ts";
import { readManifest } from "../../controller/manifest/read.ts";
import { faultIn, mirror, removeFolders, repository, shop, signal } from "../git/repository.ts";
import { serveGit } from "../git/server.ts";

afterAll(removeFolders);

const MIB = 1024 * 1024;
/** Far beyond what a busy machine of two cores takes, and far below what anything quadratic would. */
const READING_MS = 5_000;

describe("A pack bomb", () => {
  test("of a file that a few bytes describe is refused by its size, and never opened", async () => {
    const made = shop();
    const zeros = 100 * MIB;
    made.write("environments/bomb.yaml", new Uint8Array(zeros));
    made.write("environments/prod.yaml", "sha: 1\n");
    const commit = made.commit("a bomb");
    made.git(["gc", "--quiet"]);
    const source = mirror(made.path);
    expect(await source.head(signal)).toBe(commit);
    const before = process.memoryUsage().rss;
    const [read] = await source.folders(commit, signal);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    const bomb = read?.files.find(({ path }) => path.endsWith("bomb.yaml"));
    expect(bomb).toMatchObject({ refused: `it is ${zeros} bytes long; at most 262144 are read` });
    expect(read?.files.find(({ path }) => path.endsWith("prod.yaml"))?.text).toBe("sha: 1\n");
  });

  test("of trees in trees, a thousand million files in eleven objects, is a fault and ends at the limit", async () => {
    const made = repository();
    const blob = made.git(["hash-object", "-w", "--stdin"], "x");
    let tree = made.git(["mktree"], Array.from({ length: 10 }, (_, at) => `100644 blob ${blob}\tf${at}\n`).join(""));
    for (let level = 0; level < 8; level += 1) {
      tree = made.git(["mktree"], Array.from({ length: 10 }, (_, at) => `040000 tree ${tree}\td${at}\n`).join(""));
    }
    const commit = made.git(["commit-tree", tree, "-m", "bomb"]);
    made.git(["update-ref", "refs/heads/main", commit]);
    const source = mirror(made.path, { limits: { outputBytes: MIB, localMs: 20_000 } });
    const head = await source.head(signal);
    expect(await faultIn(() => source.folders(head, signal))).toMatch(
      /^repository-unreachable: .*answered more than .*1 MiB; the transfer was ended$/,
    );
    made.git(["update-ref", "refs/heads/main", shopIn(made.path)]);
    const [read] = await source.folders(await source.head(signal), signal);
    expect(read?.files.map(({ path }) => path)).toEqual(["environments/application.yaml"]);
  });

  test("that does not compress is ended while it arrives", async () => {
    const made = shop();
    for (let at = 0; at < 10; at += 1) made.write(`noise/${at}`, randomBytes(MIB));
    made.commit("noise");
    const server = await serveGit(made.path, () => "git", 4 * MIB);
    const source = mirror(`${server.url}/.git`, { limits: { fetchBytes: 2 * MIB } });
    expect(await faultIn(() => source.head(signal))).toMatch(/sent more than 2 MiB at once; the transfer was ended$/);
    await server.close();
  });
});

/** A commit of one sound application in the objects of a repository. */
function shopIn(path: string): string {
  const made = shop();
  made.git(["rm", "--quiet", "--cached", "--ignore-unmatch", "environments/dev.yaml"]);
  made.git(["add", "environments/application.yaml"]);
  made.git(["commit", "--quiet", "-m", "sound"]);
  made.git(["push", "--quiet", path, "HEAD:refs/heads/sound"]);
  return made.git(["rev-parse", "HEAD"]);
}

describe("A manifest that is made to be slow is read in time", () => {
  const SIZE = 64 * 1024;
  const fill = (text: string): string => text.repeat(Math.floor(SIZE / Buffer.byteLength(text)));
  const lines = (line: (at: number) => string): string => {
    let text = "";
    for (let at = 0; Buffer.byteLength(text) < SIZE - 100; at += 1) text += line(at);
    return text;
  };

  test.each<readonly [string, string]>([
    ["billion laughs", lines((at) => `x-${at}: &a${at} [*a${at - 1}, *a${at - 1}, *a${at - 1}]\n`)],
    ["unknown keys, each near to many", lines((at) => `servces${at}: 1\n`)],
    ["one long key", `${fill("service").slice(0, 60_000)}: 1\n`],
    ["one key over and over", fill("application: shop\n")],
    ["brackets", fill("[")],
    ["brackets and braces", fill("[{")],
    ["dashes", fill("- ")],
    ["question marks", fill("? ")],
    ["colons", fill(": ")],
    ["quotes", `a: ${fill("'")}`],
    ["backslashes", `a: "${fill("\\")}`],
    ["block texts", fill("a: |\n b\n")],
    ["documents", fill("---\n")],
    ["directives", fill("%x\n")],
    ["line ends", fill("\r\n")],
    ["blanks", `a:${fill(" ")}`],
    ["a list of names", `pipeline: [${fill("a,")}]\n`],
    ["nothing but zeros", fill("\0")],
  ])("%s", (_, text) => {
    for (const kind of ["application", "environment"] as const) {
      const began = performance.now();
      const { problems } = readManifest(kind, "f.yaml", text);
      expect(problems.length).toBeLessThan(110);
      expect(performance.now() - began).toBeLessThan(READING_MS);
    }
  });
});

describe("A regular expression of a schema", () => {
  const KINDS: readonly SchemaKind[] = ["application", "environment", "controller"];
  const patterns = new Set(
    KINDS.flatMap((kind) => {
      const text = readFileSync(new URL(`../../schema/${kind}.schema.json`, import.meta.url), "utf8");
      return [...text.matchAll(/"pattern": ("(?:[^"\\]|\\.)*")/g)].map(([, one = '""']) => String(JSON.parse(one)));
    }),
  );

  test("there are many", () => {
    expect(patterns.size).toBeGreaterThan(8);
  });

  test.each([...patterns].map((pattern) => [pattern] as const))("%s does not backtrack", (pattern) => {
    const expression = new RegExp(pattern);
    const pieces = fc.stringMatching(expression, { maxLength: 30 });
    fc.assert(
      fc.property(pieces, fc.string({ maxLength: 3 }), (piece, end) => {
        const hostile = `${piece.repeat(Math.ceil(20_000 / Math.max(1, piece.length)))}${end}\n`;
        const began = performance.now();
        expression.test(hostile);
        expect(performance.now() - began).toBeLessThan(1_000);
      }),
      { numRuns: 30 },
    );
  });
});
