// The working tree is read as it lies there, with the same refusals as a commit.
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../controller/core/limits.ts";
import { createMirror } from "../../controller/git/mirror.ts";
import { readWorkingFiles, readWorkingTree } from "../../controller/git/tree.ts";
import { environment, faultIn, folder, removeFolders, repository, signal } from "./repository.ts";

afterEach(removeFolders);

function shop() {
  const made = repository();
  made.write("shop/environments/application.yaml", "application: shop\n");
  made.write("shop/environments/dev.yaml", "sha: 1\n", 0o755);
  made.write("other/environments/dev.yaml", "no application.yaml beside it");
  return made;
}

describe("What cannot be read is a fault", () => {
  test("a folder that is not there", async () => {
    const path = join(folder(), "gone");
    expect(await faultIn(() => readWorkingTree(path, environment, signal))).toMatch(
      /^repository-unreachable: .*gone: ENOENT/,
    );
  });
  test("a file in its place", async () => {
    const made = shop();
    const path = join(made.path, "shop/environments/dev.yaml");
    expect(await faultIn(() => readWorkingTree(path, environment, signal))).toContain("it is not a folder");
  });
  test("no Git on PATH", async () => {
    const fault = await faultIn(() => readWorkingTree(shop().path, { PATH: "/nonexistent" }, signal));
    expect(fault).toMatch(/^repository-unreachable: The program `git` was not found/);
  });
});

test("The tree of a commit and the tree on disk read the same", async () => {
  const made = shop();
  const head = made.commit("first");
  const source = createMirror({ address: made.path, branch: "main", folder: folder(), environment });
  await source.head(signal);
  const tree = await readWorkingTree(join(made.path, "shop"), environment, signal);
  expect(tree).toEqual({ root: made.path, commit: head, folders: await source.folders(head, signal) });
});

test("What was not committed yet is read, with the commit it stands on", async () => {
  const made = shop();
  const head = made.commit("first");
  made.write("shop/environments/prod.yaml", "sha: 2\n");
  const tree = await readWorkingTree(made.path, environment, signal);
  expect(tree.commit).toBe(head);
  expect(tree.folders[0]?.files.map(({ path }) => path)).toContain("shop/environments/prod.yaml");
});

test("A repository without a commit, and a folder without a repository, have no commit", async () => {
  expect((await readWorkingTree(shop().path, environment, signal)).commit).toBeUndefined();
  const bare = folder();
  mkdirSync(join(bare, "environments"));
  writeFileSync(join(bare, "environments/application.yaml"), "a");
  const tree = await readWorkingTree(bare, environment, signal);
  expect(tree.commit).toBeUndefined();
  expect(tree.folders.map(({ folder }) => folder)).toEqual([""]);
});

test("Links are not followed, and sockets, huge files and other encodings are not read", async () => {
  const made = shop();
  made.link("shop/environments/link.yaml", "/etc/passwd");
  made.link("shop/linked", "environments");
  symlinkSync(join(made.path, "shop"), join(made.path, "everything"));
  made.write("shop/environments/huge.yaml", "x".repeat(LIMITS.manifestBytes + 1));
  made.write("shop/environments/latin.yaml", Buffer.from([0xff]));
  const socket = createServer().listen(join(made.path, "shop/environments/socket.yaml"));
  await once(socket, "listening");
  const { folders, root } = await readWorkingTree(made.path, environment, signal);
  expect(folders.map(({ folder }) => folder)).toEqual(["shop"]);
  socket.close();
  const refused = (folders[0]?.files ?? []).filter(({ text }) => text === undefined);
  expect(refused.map(({ path, refused }) => `${path}: ${refused}`)).toEqual([
    "shop/environments/huge.yaml: it is 262145 bytes long; at most 262144 are read",
    "shop/environments/latin.yaml: it is not UTF-8",
    "shop/environments/link.yaml: it is a symbolic link, which is never followed; put the file itself here",
    "shop/environments/socket.yaml: it has the mode special; only plain files are read",
  ]);
  const named = await readWorkingFiles(root, ["everything/environments/dev.yaml", "shop/environments/dev.yaml"]);
  expect(named.map((file) => file.text ?? file.refused)).toEqual([
    "a folder above it, everything, is a symbolic link",
    "sha: 1\n",
  ]);
});

test("Files named by manifests stay inside, and missing ones are left out", async () => {
  const { path } = shop();
  const paths = [
    "shop/environments/dev.yaml",
    "../secret",
    "/etc/passwd",
    "gone",
    "shop",
    "",
    "./shop/environments/dev.yaml",
  ];
  const files = await readWorkingFiles(path, paths);
  expect(files.map((file) => file.path)).toEqual(["shop/environments/dev.yaml"]);
});
