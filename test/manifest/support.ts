// A repository of manifests in memory, for reading whole folders.
import { createHash } from "node:crypto";
import { Sha } from "../../controller/core/brand.ts";
import type { Environment } from "../../controller/core/environment.ts";
import type { ManifestFile } from "../../controller/ports.ts";
import type { Binding } from "../../controller/manifest/build.ts";
import { readFolder, type FolderContext, type FolderReading } from "../../controller/manifest/parse.ts";
import { describeProblem, type Problem } from "../../controller/manifest/problem.ts";

export const SHA = Sha.parse("9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01");
export const OTHER = Sha.parse("4b825dc642cb6eb9a060e54bf8d69288fbee4904");

/** The smallest application that means something. */
export const SMALL = `application: shop
image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/{service}:{sha}
services:
  api:
`;

export interface World {
  /** Path → text, from the root of the repository. */
  readonly files: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly commits?: readonly Sha[];
  readonly binding?: Binding | { readonly refused: string };
}

export function file(path: string, text: string): ManifestFile {
  return { path, mode: "100644", id: createHash("sha1").update(text).digest("hex"), text };
}

export function read(world: World, changes: Partial<FolderContext> = {}): Promise<FolderReading> {
  const folder = world.folder ?? "";
  const own = `${folder === "" ? "" : `${folder}/`}environments/`;
  const all = Object.entries(world.files).map(([path, text]) => file(path, text));
  return readFolder(
    { folder, files: all.filter(({ path }) => path.startsWith(own)) },
    {
      revision: { repository: "0123456789abcdef", commit: OTHER },
      expand: (prefix) => Promise.resolve((world.commits ?? []).filter((sha) => sha.startsWith(prefix)).slice(0, 2)),
      files: (paths) => Promise.resolve(all.filter(({ path }) => paths.includes(path))),
      place: () => world.binding ?? { defaultRegion: "eu-west-1" },
      ...changes,
    },
  );
}

/** Problems of one application and one environment called prod, one line each. */
export async function problemsWith(application: string, prod: string, world: Partial<World> = {}): Promise<string[]> {
  const files = { "environments/application.yaml": application, "environments/prod.yaml": prod, ...world.files };
  const reading = await read({ ...world, files });
  return lines([...reading.problems, ...reading.environments.flatMap(({ problems }) => problems)]);
}

/** The environment prod of an application; fails with the problems when there is none. */
export async function prodOf(application: string, prod: string, world: Partial<World> = {}): Promise<Environment> {
  const files = { "environments/application.yaml": application, "environments/prod.yaml": prod, ...world.files };
  const reading = await read({ ...world, files });
  const found = reading.environments.find(({ name }) => name === "prod");
  if (found?.environment !== undefined) return found.environment;
  throw new Error(lines([...reading.problems, ...(found?.problems ?? [])]).join("\n"));
}

/** Problems without the folder, which is the same for all. */
export function lines(problems: readonly Problem[]): string[] {
  return [...new Set(problems.map((each) => describeProblem(each).replace(/^environments\//, "")))];
}
