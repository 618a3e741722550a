// A configuration repository in memory: commits of files, behind the same port as a real one.
import { createHash } from "node:crypto";
import { Sha } from "../controller/core/brand.ts";
import type { Source } from "../controller/ports.ts";

/** Path → content. */
export type Files = Readonly<Record<string, string>>;

export interface Model {
  readonly source: Source;
  /** The branch's next commit: all of its files. */
  commit(files: Files): Sha;
}

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

export function createModel(): Model {
  const commits: { readonly sha: Sha; readonly files: Files }[] = [];
  const placeOf = (sha: Sha): number => commits.findIndex((one) => one.sha === sha);
  return {
    commit(files) {
      const sha = Sha.parse(sha1(`${commits.length} ${JSON.stringify(files)}`));
      commits.push({ sha, files });
      return sha;
    },
    source: {
      id: "0123456789abcdef",
      address: "memory:",
      branch: "main",
      head() {
        const last = commits.at(-1);
        return last === undefined ? Promise.reject(new Error("nothing was committed")) : Promise.resolve(last.sha);
      },
      folders(commit) {
        const files = Object.entries(commits[placeOf(commit)]?.files ?? {}).map(([path, text]) => ({
          path,
          text,
          mode: "100644",
          id: sha1(text),
        }));
        return Promise.resolve([{ folder: "", files }]);
      },
      files: () => Promise.resolve([]),
      isAncestor: (older, newer) => Promise.resolve(placeOf(older) >= 0 && placeOf(older) <= placeOf(newer)),
      distrust: () => Promise.resolve(undefined),
      changes: (older, newer) =>
        Promise.resolve(commits.slice(placeOf(older) + 1, placeOf(newer) + 1).map(({ sha }) => sha)),
      expand: () => Promise.resolve([]),
    },
  };
}
