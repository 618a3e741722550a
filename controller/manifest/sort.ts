// Which file of a configuration folder is what, by its name.
import { EnvironmentName } from "../core/brand.ts";
import type { ManifestFile, ManifestFolder } from "../ports.ts";
import { problem, startOf, type Problem } from "./problem.ts";

interface Sorted {
  readonly application: ManifestFile | undefined;
  readonly environments: readonly ManifestFile[];
  readonly problems: readonly Problem[];
}

/** Which file is what; files that look like manifests and cannot be one are problems, others are nobody's business. */
export function sorted(folder: ManifestFolder): Sorted {
  const problems: Problem[] = [];
  const environments: ManifestFile[] = [];
  let application: ManifestFile | undefined;
  for (const file of folder.files) {
    const base = file.path.split("/").at(-1) ?? "";
    if (!/\.ya?ml$/i.test(base)) continue;
    const name = base.replace(/\.ya?ml$/i, "");
    if (base === "application.yaml") application = file;
    else if (!base.endsWith(".yaml")) {
      problems.push(problem(startOf(file.path), "manifests end in .yaml", `rename it to ${name}.yaml`));
    } else if (EnvironmentName.is(name)) environments.push(file);
    else {
      const hint = "a name is a lower-case letter, then up to 31 lower-case letters, digits and dashes";
      problems.push(problem(startOf(file.path), `${JSON.stringify(name)} is not the name of an environment`, hint));
    }
  }
  return { application, environments, problems };
}

export function nameOf(file: ManifestFile): EnvironmentName {
  return EnvironmentName.parse((file.path.split("/").at(-1) ?? "").slice(0, -".yaml".length));
}
