// Manifests for the engine: every configuration folder of a repository at a commit, read and told apart.
import type { Sha } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { EnvironmentReading, FolderReading } from "../manifest/parse.ts";
import { readFolder } from "../manifest/parse.ts";
import { describeProblem } from "../manifest/problem.ts";
import type { ManifestEntry, ManifestFolder, Reading, ReadManifests, Source } from "../ports.ts";
import type { Place } from "./operator.ts";
import type { Sources } from "./sources.ts";

export function createReadManifests(sources: Pick<Sources, "ofShas">, place: Place): ReadManifests {
  return async (source, commit, signal) => {
    const folders = await source.folders(commit, signal);
    const readings: FolderReading[] = [];
    for (const folder of folders) {
      readings.push(
        await readFolder(folder, {
          revision: { repository: source.id, commit },
          expand: (prefix, from) => expand(sources.ofShas(from, source), prefix, signal),
          files: (paths) => source.files(commit, paths, signal),
          place,
        }),
      );
    }
    return { ...joined(readings), signers: signersOf(folders, readings) };
  };
}

/** The commits of the source repository are fetched before a prefix of one is looked up. */
async function expand(source: Source, prefix: string, signal: AbortSignal): Promise<readonly Sha[]> {
  await source.head(signal);
  return source.expand(prefix, signal);
}

/** Lists of signers by the file they stand in. */
function signersOf(
  folders: readonly ManifestFolder[],
  readings: readonly FolderReading[],
): NonNullable<Reading["signers"]> {
  const named = folders.map(({ folder }) => `${folder === "" ? "" : `${folder}/`}environments/application.yaml`);
  return new Map(readings.flatMap(({ signers }, at) => (signers === undefined ? [] : [[named[at] ?? "", signers]])));
}

/** Environments by id; two folders that name one application would fight over the same lanes, so neither is read. */
function joined(readings: readonly FolderReading[]): Reading {
  const problems = readings.flatMap((reading) =>
    reading.problems.filter(({ severity }) => severity === "error").map(describeProblem),
  );
  const owners = new Map<string, number>();
  for (const { application } of readings) {
    if (application !== undefined) owners.set(application, (owners.get(application) ?? 0) + 1);
  }
  const environments = readings.flatMap(({ application, environments: all }): readonly ManifestEntry[] => {
    if (application === undefined) return [];
    const twice = (owners.get(application) ?? 0) > 1;
    return all.map((one) =>
      entryOf(
        `${application}/${one.name}`,
        one,
        twice ? [`${one.file}: several folders name the application ${application}; give each its own name`] : [],
      ),
    );
  });
  const unique = new Map(environments.map((entry) => [entry.id, entry]));
  return { environments: [...unique.values()], problems };
}

function entryOf(id: EnvironmentId, reading: EnvironmentReading, also: readonly string[]): ManifestEntry {
  const { environment, content, problems } = reading;
  const errors = [...problems.filter(({ severity }) => severity === "error").map(describeProblem), ...also];
  return { id, content, problems: errors, ...(environment === undefined || errors.length > 0 ? {} : { environment }) };
}
