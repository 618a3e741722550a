// Commits of the application and what its CI built of them: images, web releases, and what is wrong with them.
import type { ComponentName, Digest } from "../../controller/core/brand.ts";
import { Sha } from "../../controller/core/brand.ts";
import { digestOf } from "../../controller/core/fingerprint.ts";
import type { Artifact } from "../../controller/core/live.ts";
import { sha256 } from "../../controller/core/sha256.ts";
import type { Chance } from "./chance.ts";
import type { Fate, Tally } from "./tally.ts";

export type MigrationFate = "passes" | "fails" | "never stops" | "without exit code" | "interrupted";

export interface SourceCommit {
  readonly sha: Sha;
  /** Place in the linear history: a higher one contains every lower one. */
  readonly index: number;
  readonly migration: MigrationFate;
  readonly rollout: "holds" | "breaks";
  readonly health: "green" | "red";
  readonly artifact: "built" | "missing" | "late" | "ambiguous" | "incomplete";
}

interface Push {
  readonly digest: Digest;
  readonly atMs: number;
}

export interface Builds {
  readonly commits: readonly SourceCommit[];
  /** A commit by its SHA; undefined for what the application's history does not hold. */
  commit(sha: string): SourceCommit | undefined;
  /** The commit that a digest was built of. */
  builtOf(digest: Digest): SourceCommit | undefined;
  add(kind: "good" | "by chance"): SourceCommit;
  rebuild(commit: SourceCommit): void;
  resolve(component: ComponentName, sha: Sha, pin: Digest | undefined): Artifact;
}

export function createBuilds(chance: Chance, nowMs: () => number, tally: Tally): Builds {
  const commits: SourceCommit[] = [];
  const bySha = new Map<string, SourceCommit>();
  const extra = new Map<Sha, Push[]>();
  const made = new Map<Digest, SourceCommit>();
  const bornMs = new Map<Sha, number>();

  function fate(name: Fate, probability: number): boolean {
    const is = chance.is(probability);
    if (is) tally.count(name);
    return is;
  }

  function add(kind: "good" | "by chance"): SourceCommit {
    const index = commits.length;
    const sha = Sha.parse(sha256(`source ${index} ${chance.hex(4)}`).slice(0, 40));
    const may = kind === "by chance";
    const commit: SourceCommit = {
      sha,
      index,
      migration: may ? migrationFate() : "passes",
      rollout: may && fate("fate rollout breaks", 0.12) ? "breaks" : "holds",
      health: may && fate("fate health fails", 0.12) ? "red" : "green",
      artifact: may ? artifactFate() : "built",
    };
    commits.push(commit);
    bySha.set(sha, commit);
    bornMs.set(sha, nowMs());
    return commit;
  }

  function migrationFate(): MigrationFate {
    if (fate("fate migration fails", 0.1)) return "fails";
    if (fate("fate migration never stops", 0.07)) return "never stops";
    if (fate("fate migration without exit code", 0.04)) return "without exit code";
    return fate("fate migration interrupted", 0.05) ? "interrupted" : "passes";
  }

  function artifactFate(): SourceCommit["artifact"] {
    if (fate("fate artifact missing", 0.04)) return "missing";
    if (fate("fate artifact late", 0.08)) return "late";
    if (fate("fate artifact ambiguous", 0.03)) return "ambiguous";
    return fate("fate release incomplete", 0.03) ? "incomplete" : "built";
  }

  function pushesOf(component: ComponentName, commit: SourceCommit): readonly Push[] {
    const atMs = bornMs.get(commit.sha) ?? 0;
    const digest = digestOf(`${component} of ${commit.sha}`);
    made.set(digest, commit);
    const first = { digest, atMs: commit.artifact === "late" ? atMs + 300_000 : atMs };
    const others = (extra.get(commit.sha) ?? []).map((push, nth) => {
      const again = digestOf(`${component} of ${commit.sha} again ${nth}`);
      made.set(again, commit);
      return { digest: again, atMs: push.atMs };
    });
    return [first, ...others];
  }

  return {
    commits,
    commit: (sha) => bySha.get(sha),
    builtOf: (digest) => made.get(digest),
    add,
    rebuild(commit) {
      const known = extra.get(commit.sha) ?? [];
      extra.set(commit.sha, [...known, { digest: digestOf(commit.sha), atMs: nowMs() }]);
    },
    resolve(component, sha, pin) {
      const commit = bySha.get(sha);
      const unresolved = (code: "artifact-missing" | "artifact-ambiguous" | "release-incomplete"): Artifact => ({
        state: "unresolved",
        why: { code, message: `${component} of ${sha.slice(0, 7)}: ${code}` },
      });
      if (commit === undefined || commit.artifact === "missing") return unresolved("artifact-missing");
      const isWeb = component.startsWith("web/");
      if (isWeb && commit.artifact === "incomplete") return unresolved("release-incomplete");
      if (!isWeb && commit.artifact === "ambiguous") return unresolved("artifact-ambiguous");
      const pushes = pushesOf(component, commit).filter((push) => push.atMs <= nowMs());
      const newest = pushes.reduce<Push | undefined>(
        (best, push) => (best === undefined || push.atMs >= best.atMs ? push : best),
        undefined,
      );
      if (newest === undefined) return unresolved("artifact-missing");
      if (pin !== undefined && newest.digest !== pin) {
        const message = `${component} of ${sha.slice(0, 7)} was rebuilt since it passed`;
        return { state: "unresolved", why: { code: "artifact-rebuilt", message } };
      }
      return { state: "resolved", digest: newest.digest, from: `sha-${sha.slice(0, 7)}` };
    },
  };
}
