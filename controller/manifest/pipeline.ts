// The order of promotion: ranks of environments, and from which of them each one is promoted.
import { EnvironmentName } from "../core/brand.ts";
import { nodeAt, type Mapping } from "../core/merge.ts";
import { refuse, type Draft } from "./draft.ts";
import { problem, quoted, warning, type Problem } from "./problem.ts";

/** Environments of each rank, first rank first; undefined when there is no pipeline. */
export type Ranks = readonly (readonly EnvironmentName[])[];

export interface Pipeline {
  readonly ranks: Ranks;
  readonly problems: readonly Problem[];
}

/** The pipeline of an application.yaml. `present` are the environments that have a file. */
export function pipelineOf(application: Mapping, present: readonly string[]): Pipeline {
  const list = nodeAt(application, ["pipeline"]);
  if (list?.kind !== "list") return { ranks: [], problems: [] };
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const ranks = list.items.map((item) => {
    const members = item.kind === "list" ? item.items : [item];
    return members.flatMap((member) => {
      const name = member.kind === "scalar" ? String(member.value) : "";
      if (seen.has(name)) problems.push(problem(member.at, `pipeline: ${quoted(name)} stands there twice`));
      else if (name === "application") problems.push(problem(member.at, RESERVED));
      else if (!present.includes(name)) {
        problems.push(
          warning(member.at, `pipeline: ${name} has no file yet`, `add ${name}.yaml beside application.yaml`),
        );
      }
      seen.add(name);
      return EnvironmentName.is(name) ? [name] : [];
    });
  });
  for (const name of present.filter((each) => !seen.has(each))) {
    const at = application.members.get("pipeline")?.key ?? list.at;
    problems.push(warning(at, `pipeline: ${name} is not in it, so nothing has to be healthy before ${name}`));
  }
  return { ranks, problems };
}

const RESERVED = "pipeline: no environment can be called application: its file is application.yaml";

/** Environments that must be healthy on a SHA first: what the gate says, else the rank before. */
export function promotedFrom(draft: Draft, ranks: Ranks): readonly EnvironmentName[] {
  const written = draft.manifest.gates?.promotedFrom;
  if (written === false) return [];
  if (written === undefined) {
    const rank = ranks.findIndex((names) => names.includes(draft.name));
    return rank < 1 ? [] : (ranks[rank - 1] ?? []);
  }
  const names = [...new Set([written].flat())];
  if (names.includes(draft.name)) {
    refuse(draft, ["gates", "promotedFrom"], `: ${draft.name} cannot be promoted from itself`);
  }
  return names.flatMap((name) => (EnvironmentName.is(name) ? [name] : []));
}
