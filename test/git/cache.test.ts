// The mirror on disk is a cache: what is lost or damaged is made anew, what is hostile stays out.
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import { environment, faultIn, folder, mirror, removeFolders, seen, shop, signal, summary } from "./repository.ts";

afterEach(removeFolders);

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

  test("that is made anew when a single file is missing from it", async () => {
    const made = shop();
    const head = made.commit("first");
    const cache = folder();
    const source = mirror(made.path, { folder: cache });
    await source.head(signal);
    const git = join(cache, `${source.id}.git`);
    const packs = readdirSync(join(git, "objects/pack")).filter((name) => name.endsWith(".pack"));
    const blob = made.git(["rev-parse", "HEAD:environments/dev.yaml"]);
    for (const name of packs) {
      const pack = readFileSync(join(git, "objects/pack", name));
      rmSync(join(git, "objects/pack"), { recursive: true });
      made.git([`--git-dir=${git}`, "unpack-objects", "-q"], pack);
    }
    rmSync(join(git, "objects", blob.slice(0, 2), blob.slice(2)));
    expect(await faultIn(() => source.folders(head, signal))).toMatch(
      /^repository-unreachable: .*cannot be read: an object of a listing is missing from it/,
    );
    expect(await source.head(signal)).toBe(head);
    expect(summary(await source.folders(head, signal))[""]).toContain("environments/dev.yaml: sha: 1\n");
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
