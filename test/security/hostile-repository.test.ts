// One bad manifest among many, and two hundred at once: the good environment is read as if it were alone.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createReadManifests } from "../../controller/compose/manifests.ts";
import { createSources } from "../../controller/compose/sources.ts";
import type { Reading } from "../../controller/ports.ts";
import type { Repository } from "../git/repository.ts";
import { environment, folder, removeFolders, repository, signal } from "../git/repository.ts";
import { OTHER, SHA, SMALL } from "../manifest/support.ts";
import type { HostileFolder } from "./hostile.ts";
import { writeHostile } from "./hostile.ts";

const FOLDERS = 200;
const PASSES = 20;
const MIB = 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

let made: Repository;
let hostile: readonly HostileFolder[];
let read: () => Promise<Reading>;
beforeAll(() => {
  made = repository();
  made.write("good/environments/application.yaml", SMALL);
  made.write("good/environments/prod.yaml", `sha: ${SHA}\n`);
  hostile = writeHostile(made, FOLDERS);
  made.git(["add", "--", "good"]);
  const files = made.git(["ls-files", "--others", "-z"]);
  made.git(["update-index", "--add", "-z", "--stdin"], files);
  made.git(["commit", "--quiet", "-m", "begin"]);
  const sources = createSources({
    repositories: [{ address: made.path, branch: "main" }],
    folder: folder(),
    credentials: {},
    env: environment,
  });
  const manifests = createReadManifests(sources, () => ({ defaultRegion: "eu-west-1" }));
  const [source] = sources.configured;
  if (source === undefined) throw new Error("there is no source");
  read = async () => manifests(source, await source.head(signal), signal);
});
afterAll(removeFolders);

describe("A repository of 200 hostile manifests beside one good environment", () => {
  test("the good one is read and valid; each bad one has its own message with its place", async () => {
    const { environments, problems } = await read();
    const good = environments.find(({ id }) => id === "shop/prod");
    expect(good).toMatchObject({ problems: [], environment: { sha: SHA } });
    const said = [...problems, ...environments.flatMap((entry) => entry.problems)];
    const silent = hostile.filter(({ says }) => !said.some((line) => says.test(line)));
    const wrong = silent.map(({ folder, says }) => ({
      says,
      said: said.filter((line) => line.startsWith(folder)).slice(0, 3),
    }));
    expect(wrong).toEqual([]);
    const sound = environments.filter(({ environment }) => environment !== undefined).map(({ id }) => id);
    // Where another file of the folder is wrong, its prod.yaml is as sound as the good one.
    const strays = hostile.filter(({ beside }) => beside).map(({ folder }) => `${folder}/prod`);
    expect(sound).toEqual(["shop/prod", ...strays]);
  });

  test("messages are bounded, on one line, and free of control characters", async () => {
    const { environments, problems } = await read();
    for (const line of [...problems, ...environments.flatMap((entry) => entry.problems)]) {
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(line.length).toBeLessThan(1_000);
    }
  });

  test("nothing outside the repository was read, and nothing of it was run", async () => {
    const text = JSON.stringify(await read());
    expect(text).not.toContain("root:");
    expect(made.git(["status", "--porcelain", "--untracked-files=all", "--ignore-submodules"])).not.toContain("??");
  });

  test(`memory stays flat over ${PASSES} passes, each of a new head`, async () => {
    const heap: number[] = [];
    for (let pass = 0; pass < PASSES; pass += 1) {
      made.write("good/environments/prod.yaml", `sha: ${pass % 2 === 0 ? OTHER : SHA}\n# ${pass}\n`);
      made.git(["add", "--", "good"]);
      made.git(["commit", "--quiet", "-m", `pass ${pass}`]);
      const { environments } = await read();
      expect(environments.find(({ id }) => id === "shop/prod")?.environment?.sha).toBe(pass % 2 === 0 ? OTHER : SHA);
      collect();
      heap.push(process.memoryUsage().heapUsed / MIB);
    }
    const [early, late] = [Math.max(...heap.slice(2, 7)), Math.max(...heap.slice(-5))];
    expect(late - early, heap.map((mib) => mib.toFixed(1)).join(" ")).toBeLessThan(4);
  }, 180_000);
});
