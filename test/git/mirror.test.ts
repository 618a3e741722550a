// A mirror of a repository on this machine: what is read, what is refused, and how seldom Git is asked.
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import type { MirrorOptions } from "../../controller/git/mirror.ts";
import { createMirror } from "../../controller/git/mirror.ts";
import type { ManifestFolder, Source } from "../../controller/ports.ts";
import type { Repository } from "./repository.ts";
import { drain, faultIn, folder, removeFolders, repository, seen, signal } from "./repository.ts";

afterEach(removeFolders);

const environment = { PATH: process.env["PATH"] };
const NOWHERE = Sha.parse("1".repeat(40));

function mirror(address: string, options: Partial<MirrorOptions> = {}): Source {
  return createMirror({ address, branch: "main", folder: folder(), environment, ...options });
}

function shop(): Repository {
  const made = repository();
  made.write("environments/application.yaml", "application: shop\n");
  made.write("environments/dev.yaml", "sha: 1\n");
  return made;
}

/** `dev.yaml: text` or `dev.yaml: why it was refused` for each file. */
function summary(folders: readonly ManifestFolder[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    folders.map(({ folder, files }) => [folder, files.map((file) => `${file.path}: ${file.text ?? file.refused}`)]),
  );
}

describe("Faults of the world are told apart", () => {
  test("a folder that is not there", async () => {
    const path = join(folder(), "gone");
    const fault = await faultIn(() => mirror(path).head(signal));
    expect(fault).toMatch(/^repository-unreachable: .*gone: there is no Git repository; check LOCKSTEP_REPOSITORY/);
  });
  test("an empty repository", async () => {
    const fault = await faultIn(() => mirror(repository().path).head(signal));
    expect(fault).toMatch(/^branch-missing: .*no branch main, or the repository is empty; check LOCKSTEP_BRANCH/);
  });
  test("a branch that another's name merely ends with", async () => {
    const made = shop();
    made.commit("first");
    made.git(["branch", "refs/heads/missing"]);
    const fault = await faultIn(() => mirror(made.path, { branch: "missing" }).head(signal));
    expect(fault).toMatch(/^branch-missing: .*no branch missing; check/);
  });
  test("a branch that vanishes after it was read", async () => {
    const made = shop();
    const first = made.commit("first");
    const source = mirror(made.path);
    expect(await source.head(signal)).toBe(first);
    made.git(["checkout", "--quiet", "-b", "other"]);
    made.git(["branch", "-D", "main"]);
    expect(await faultIn(() => source.head(signal))).toMatch(/^branch-missing/);
    expect(await source.folders(first, signal)).toHaveLength(1);
  });
  test("no Git on PATH", async () => {
    const source = mirror(shop().path, { environment: { PATH: "/nonexistent" } });
    expect(await faultIn(() => source.head(signal))).toMatch(
      /^repository-unreachable: The program `git` was not found/,
    );
  });
  test("a cache folder that cannot be made", async () => {
    const made = shop();
    const source = mirror(made.path, { folder: join(made.path, "environments/dev.yaml") });
    expect(await faultIn(() => source.head(signal))).toMatch(
      /^repository-unreachable: The mirror in .* cannot be made/,
    );
  });
  test("a commit that is not in the repository", async () => {
    const made = shop();
    const first = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    expect(await faultIn(() => source.folders(NOWHERE, signal))).toMatch(/^sha-unknown: .*no commit 1111/);
    expect(await faultIn(() => source.isAncestor(first, NOWHERE, signal))).toMatch(/^sha-unknown/);
    expect(await faultIn(() => source.changes(NOWHERE, first, ["a"], 9, signal))).toMatch(/^sha-unknown/);
  });
  test("an end that the caller asked for", async () => {
    const made = shop();
    made.commit("first");
    const controller = new AbortController();
    controller.abort(new Error("shutdown"));
    await expect(mirror(made.path).head(controller.signal)).rejects.toThrow("shutdown");
  });
  test.each(["--upload-pack=touch pwned", "-u", "main:refs/heads/x"])(
    "the branch %s is refused before Git runs",
    async (branch) => {
      const watched = seen();
      expect(await faultIn(() => mirror(shop().path, { branch, ...watched }))).toMatch(/^branch-missing/);
      expect(watched.commands).toEqual([]);
    },
  );
});

describe("Git is asked as little as possible", () => {
  test("an unchanged repository costs one ls-remote, and its files nothing", async () => {
    const made = shop();
    const first = made.commit("first");
    const watched = seen();
    const source = mirror(made.path, watched);
    expect(await source.head(signal)).toBe(first);
    expect(drain(watched)).toEqual(["init", "ls-remote", "rev-parse", "fetch", "update-ref", "gc"]);
    const folders = await source.folders(first, signal);
    expect(drain(watched)).toEqual(["ls-tree", "cat-file"]);
    expect(await source.head(signal)).toBe(first);
    expect(await source.folders(first, signal)).toEqual(folders);
    expect(drain(watched)).toEqual(["ls-remote"]);
  });

  test("a new life does not fetch what the mirror holds", async () => {
    const made = shop();
    const first = made.commit("first");
    const cache = folder();
    await mirror(made.path, { folder: cache }).head(signal);
    const watched = seen();
    expect(await mirror(made.path, { folder: cache, ...watched }).head(signal)).toBe(first);
    expect(drain(watched)).toEqual(["ls-remote", "rev-parse"]);
  });

  test("only files that changed are read", async () => {
    const made = shop();
    const watched = seen();
    const source = mirror(made.path, watched);
    made.commit("first");
    await source.folders(await source.head(signal), signal);
    made.write("README.md", "nothing to configure");
    made.commit("second");
    drain(watched);
    expect(await source.folders(await source.head(signal), signal)).toHaveLength(1);
    expect(drain(watched)).toEqual(["ls-remote", "rev-parse", "fetch", "update-ref", "gc", "ls-tree"]);
  });

  test("a folder of 1,000 files is read by two processes", async () => {
    const made = shop();
    for (let index = 0; index < 1_000; index += 1) made.write(`environments/e${index}.yaml`, `sha: ${index}\n`);
    made.commit("many");
    const watched = seen();
    const source = mirror(made.path, watched);
    const head = await source.head(signal);
    drain(watched);
    const [first] = await source.folders(head, signal);
    expect(first?.files).toHaveLength(1_002);
    expect(first?.files.find(({ path }) => path === "environments/e777.yaml")?.text).toBe("sha: 777\n");
    expect(drain(watched)).toEqual(["ls-tree", "cat-file"]);
  });

  test("questions at the same time do not disturb each other", async () => {
    const made = shop();
    const first = made.commit("first");
    const watched = seen();
    const source = mirror(made.path, watched);
    const heads = await Promise.all(Array.from({ length: 10 }, () => source.head(signal)));
    expect(new Set(heads)).toEqual(new Set([first]));
    expect(drain(watched).filter((command) => command === "fetch")).toHaveLength(1);
    const folders = await Promise.all(Array.from({ length: 10 }, () => source.folders(first, signal)));
    for (const each of folders) expect(each).toEqual(folders[0]);
  });

  test("two mirrors in one folder, as of two processes, do not disturb each other", async () => {
    const made = shop();
    const cache = folder();
    const both = [mirror(made.path, { folder: cache }), mirror(made.path, { folder: cache })];
    for (let round = 0; round < 5; round += 1) {
      made.write("environments/dev.yaml", `sha: ${round}\n`);
      const commit = made.commit(`round ${round}`);
      const read = both.map(async (source) => {
        expect(await source.head(signal)).toBe(commit);
        return summary(await source.folders(commit, signal));
      });
      for (const each of await Promise.all(read)) expect(each[""]).toContain(`environments/dev.yaml: sha: ${round}\n`);
    }
  });
});

describe("What is read", () => {
  test("every folder with environments/application.yaml, and the files directly in it", async () => {
    const made = shop();
    made.write("shop/environments/application.yaml", "a");
    made.write("shop/environments/nested/prod.yaml", "not read");
    made.write("team/docs/environments/application.yaml", "b", 0o755);
    made.write("other/environments/prod.yaml", "no application.yaml beside it");
    made.write("environments.yaml", "no");
    const head = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    const folders = await source.folders(head, signal);
    expect(summary(folders)).toEqual({
      "": ["environments/application.yaml: application: shop\n", "environments/dev.yaml: sha: 1\n"],
      shop: ["shop/environments/application.yaml: a"],
      "team/docs": ["team/docs/environments/application.yaml: b"],
    });
    expect(folders.map(({ files }) => files[0]?.mode)).toEqual(["100644", "100644", "100755"]);
    expect(folders[1]?.files[0]?.id).toBe(made.git(["rev-parse", "HEAD:shop/environments/application.yaml"]));
  });

  test("no link, submodule, huge file or file that is not UTF-8", async () => {
    const made = shop();
    made.link("environments/link.yaml", "/etc/passwd");
    made.write("environments/huge.yaml", "x".repeat(LIMITS.manifestBytes + 1));
    made.write("environments/largest.yaml", "x".repeat(LIMITS.manifestBytes));
    made.write("environments/latin.yaml", Buffer.from([0x61, 0xff]));
    made.git(["update-index", "--add", "--cacheinfo", `160000,${NOWHERE},environments/module`]);
    mkdirSync(join(made.path, "environments/module"));
    const head = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    const lines = summary(await source.folders(head, signal))[""] ?? [];
    expect(lines.map((line) => line.slice(0, 60))).toEqual(
      [
        "environments/application.yaml: application: shop\n",
        "environments/dev.yaml: sha: 1\n",
        "environments/huge.yaml: it is 262145 bytes long; at most 2621",
        `environments/largest.yaml: ${"x".repeat(33)}`,
        "environments/latin.yaml: it is not UTF-8",
        "environments/link.yaml: it is a symbolic link, which is never",
        "environments/module: it is a submodule, which is never read; ",
      ].map((line) => line.slice(0, 60)),
    );
  });

  test("an application.yaml that is a link is shown as refused, not left out", async () => {
    const made = repository();
    made.link("environments/application.yaml", "../elsewhere.yaml");
    const head = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    expect((await source.folders(head, signal))[0]?.files[0]?.refused).toContain("symbolic link");
  });

  test("files that manifests name, without those that are missing, folders or outside", async () => {
    const made = shop();
    made.write("ecs/api.json", "{}");
    made.write("ecs/[a].json", "literal");
    const head = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    const paths = ["ecs/api.json", "ecs", "gone.json", "../x", "/etc/passwd", "ecs/*.json", "--", "ecs/[a].json", ""];
    const files = await source.files(head, paths, signal);
    expect(files.map(({ path, text }) => `${path} ${text}`)).toEqual(["ecs/[a].json literal", "ecs/api.json {}"]);
    expect(await source.files(head, [], signal)).toEqual([]);
  });

  test("more files than the limit are a fault, not a part of them", async () => {
    const made = shop();
    const head = made.commit("first");
    const source = mirror(made.path, { limits: { files: 1 } });
    await source.head(signal);
    expect(await faultIn(() => source.folders(head, signal))).toMatch(
      /^manifest-invalid: .*2 files .*at most 1 are read/,
    );
  });
});

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

describe("A mirror is a cache", () => {
  test("that is made anew when it was removed", async () => {
    const made = shop();
    const head = made.commit("first");
    const cache = folder();
    const source = mirror(made.path, { folder: cache });
    await source.head(signal);
    rmSync(cache, { recursive: true });
    expect(await faultIn(() => source.folders(head, signal))).toMatch(/^repository-unreachable: .*cannot be read/);
    expect(await source.head(signal)).toBe(head);
    expect(await source.folders(head, signal)).toHaveLength(1);
  });

  test("that is made anew when it is damaged", async () => {
    const made = shop();
    const head = made.commit("first");
    const cache = folder();
    const source = mirror(made.path, { folder: cache });
    await source.head(signal);
    const packs = join(cache, `${source.id}.git`, "objects/pack");
    for (const name of readdirSync(packs).filter((name) => name.endsWith(".pack"))) truncateSync(join(packs, name), 40);
    expect(await faultIn(() => source.folders(head, signal))).toMatch(/^repository-unreachable: .*cannot be read/);
    expect(await source.head(signal)).toBe(head);
    expect(await source.folders(head, signal)).toHaveLength(1);
  });

  test("that takes no object that Git's checks refuse", async () => {
    const made = shop();
    made.commit("first");
    const blob = made.git(["hash-object", "-w", "--stdin"], "x");
    const entry = Buffer.concat([Buffer.from("100644 .git\0"), Buffer.from(blob, "hex")]);
    made.write("tree", entry);
    const tree = made.git(["hash-object", "-t", "tree", "-w", "--literally", "tree"]);
    const bad = made.git(["commit-tree", tree, "-m", "bad"]);
    made.git(["update-ref", "refs/heads/main", bad]);
    const source = mirror(made.path);
    expect(await faultIn(() => source.head(signal))).toMatch(/^repository-unreachable: .*Git's checks refuse/);
    expect(await faultIn(() => source.folders(Sha.parse(bad), signal))).not.toBe("no fault");
  });

  test("that runs no hook and reads no configuration of the machine", async () => {
    const made = shop();
    made.commit("first");
    const home = folder();
    const watched = seen();
    const hostile = {
      ...environment,
      HOME: home,
      GIT_DIR: "/nowhere",
      GIT_TRACE: "1",
      GIT_CONFIG_GLOBAL: "/nowhere/else",
    };
    const source = mirror(made.path, { environment: hostile, ...watched });
    await source.head(signal);
    for (const each of watched.environments) {
      expect(each["HOME"]).not.toBe(home);
      expect(each["GIT_CONFIG_GLOBAL"]).toBe("/dev/null");
      expect(each["GIT_TRACE"]).toBeUndefined();
      expect(Object.values(each)).toContain("core.hooksPath");
    }
    const allowed = watched.environments.map((each) => each["GIT_ALLOW_PROTOCOL"]);
    expect(allowed).toEqual(["none", "file", "none", "file", "none", "none"]);
  });
});
