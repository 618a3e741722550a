// Questions about history: ancestors, arrivals, abbreviations, and a repository of commits alone.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import { drain, folder, mirror, removeFolders, repository, seen, shop, signal, summary } from "./repository.ts";

afterEach(removeFolders);

const NOWHERE = Sha.parse("1".repeat(40));

describe("History", () => {
  test("a force-pushed head is no descendant, and the old one stays readable", async () => {
    const made = shop();
    const root = made.commit("root");
    made.write("environments/dev.yaml", "sha: old\n");
    const old = made.commit("old");
    const source = mirror(made.path);
    await source.head(signal);
    made.git(["reset", "--quiet", "--hard", root]);
    made.write("environments/dev.yaml", "sha: new\n");
    const rewritten = made.commit("new");
    expect(await source.head(signal)).toBe(rewritten);
    expect(await source.isAncestor(old, rewritten, signal)).toBe(false);
    expect(await source.isAncestor(root, rewritten, signal)).toBe(true);
    expect(await source.isAncestor(rewritten, rewritten, signal)).toBe(true);
    expect(summary(await source.folders(old, signal))[""]).toContain("environments/dev.yaml: sha: old\n");
  });

  test("a head that a new mirror never saw is no ancestor", async () => {
    const made = shop();
    const head = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    expect(await source.isAncestor(NOWHERE, head, signal)).toBe(false);
  });

  test("changes are first-parent commits that touch a path, oldest first, the newest when there are too many", async () => {
    const made = shop();
    const root = made.commit("root");
    made.write("environments/dev.yaml", "1");
    const one = made.commit("one");
    made.write("README.md", "x");
    made.commit("elsewhere");
    made.git(["checkout", "--quiet", "-b", "side"]);
    made.write("environments/dev.yaml", "2");
    made.commit("on the side");
    made.git(["checkout", "--quiet", "main"]);
    made.git(["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    const merge = Sha.parse(made.git(["rev-parse", "HEAD"]));
    made.write("environments/dev.yaml", "3");
    const last = made.commit("last");
    const source = mirror(made.path);
    const head = await source.head(signal);
    const paths = ["environments/dev.yaml"];
    expect(await source.changes(root, head, paths, 10, signal)).toEqual([one, merge, last]);
    expect(await source.changes(root, head, paths, 2, signal)).toEqual([merge, last]);
    expect(await source.changes(last, head, paths, 10, signal)).toEqual([]);
    expect(await source.changes(root, head, [], 10, signal)).toEqual([]);
    expect(await source.changes(root, head, ["gone.yaml", "*"], 10, signal)).toEqual([]);
  });

  test("abbreviations are expanded to commits only, at most two", async () => {
    const made = shop();
    const commits = Array.from({ length: 40 }, (_, index) => made.commit(String(index)));
    const blob = made.git(["rev-parse", "HEAD:environments/dev.yaml"]);
    const source = mirror(made.path);
    const head = await source.head(signal);
    expect(await source.expand(head.slice(0, 7), signal)).toEqual([head]);
    expect(await source.expand(head, signal)).toEqual([head]);
    expect(await source.expand(blob.slice(0, 10), signal)).toEqual([]);
    expect(await source.expand("0000000000", signal)).toEqual([]);
    expect(await source.expand("--all", signal)).toEqual([]);
    for (const commit of commits) expect((await source.expand(commit.slice(0, 4), signal)).length).toBeLessThan(3);
  });

  test("the default branch of the server may be followed as HEAD", async () => {
    const made = shop();
    const head = made.commit("first");
    expect(await mirror(made.path, { branch: "HEAD" }).head(signal)).toBe(head);
  });
});

describe("A repository in which SHAs live", () => {
  test("is mirrored as commits of all branches, without its files", async () => {
    const made = repository();
    made.git(["config", "uploadpack.allowFilter", "true"]);
    made.write(
      "large.bin",
      Buffer.alloc(3 * 1024 * 1024, 7).map((_, index) => (index * 2_654_435_761) >>> 13),
    );
    const main = made.commit("main");
    made.git(["checkout", "--quiet", "-b", "hotfix/1"]);
    const hotfix = made.commit("hotfix");
    made.git(["checkout", "--quiet", "main"]);
    const cache = folder();
    const watched = seen();
    const source = mirror(made.path, { branch: "HEAD", purpose: "commits", folder: cache, ...watched });
    expect(await source.head(signal)).toBe(main);
    expect(await source.expand(hotfix.slice(0, 8), signal)).toEqual([hotfix]);
    expect(await source.isAncestor(main, hotfix, signal)).toBe(true);
    expect(await source.isAncestor(hotfix, main, signal)).toBe(false);
    const packs = join(cache, `${source.id}.git`, "objects/pack");
    const bytes = readdirSync(packs).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
    expect(bytes).toBeGreaterThan(100);
    expect(bytes).toBeLessThan(100_000);
    await expect(source.folders(main, signal)).rejects.toThrow("a mirror of commits holds no files");
    drain(watched);
    await source.head(signal);
    expect(drain(watched)).toEqual(["ls-remote"]);
    made.git(["branch", "-D", "hotfix/1"]);
    made.git(["branch", "hotfix"]);
    expect(await source.head(signal)).toBe(main);
    expect(await source.expand(hotfix.slice(0, 8), signal)).toEqual([hotfix]);
  });
});
