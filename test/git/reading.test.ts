// What is read of a commit, and what never is.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import { LIMITS } from "../../controller/core/limits.ts";
import { faultIn, mirror, removeFolders, repository, shop, signal, summary } from "./repository.ts";

afterEach(removeFolders);

const NOWHERE = Sha.parse("1".repeat(40));

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

  test("no link although a file of the same bytes is read", async () => {
    const made = shop();
    made.write("environments/target.yaml", "dev.yaml");
    made.link("environments/link.yaml", "dev.yaml");
    const head = made.commit("first");
    const source = mirror(made.path);
    await source.head(signal);
    const lines = summary(await source.folders(head, signal))[""] ?? [];
    expect(lines.slice(2).map((line) => line.slice(0, 50))).toEqual([
      "environments/link.yaml: it is a symbolic link, whi",
      "environments/target.yaml: dev.yaml",
    ]);
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
