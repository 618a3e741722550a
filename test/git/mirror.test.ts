// A mirror tells the world's faults apart and asks Git as little as possible.
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import {
  drain,
  faultIn,
  folder,
  mirror,
  removeFolders,
  repository,
  seen,
  shop,
  signal,
  summary,
} from "./repository.ts";

afterEach(removeFolders);

const NOWHERE = Sha.parse("1".repeat(40));

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
