// SHAs of an environment, expanded to 40 digits in the repository they come from.
import { NO_SHA, Sha } from "../core/brand.ts";
import { Fault } from "../core/fault.ts";
import { refuse, type Draft, type Path } from "./draft.ts";

/**
 * Full SHAs that begin with a prefix of 7 to 39 digits, at most 2. `source` is the manifest's; undefined = the
 * configuration repository itself. A Fault it throws becomes a problem of the environment.
 */
export type Expand = (prefix: string, source: string | undefined) => Promise<readonly Sha[]>;

export interface Shas {
  readonly sha: Sha | undefined;
  /** `services/api` and `web/site` → the commit each is pinned to. */
  readonly pins: ReadonlyMap<string, Sha>;
}

/** The SHAs of a draft; what is unknown or ambiguous is said in it. */
export async function shasOf(draft: Draft, expand: Expand): Promise<Shas> {
  const { manifest } = draft;
  const pins = new Map<string, Sha>();
  const sha = await fullSha(draft, ["sha"], manifest.sha, expand);
  for (const section of ["services", "web"] as const) {
    for (const [name, part] of Object.entries(manifest[section] ?? {})) {
      const pin = part.sha === undefined ? undefined : await fullSha(draft, [section, name, "sha"], part.sha, expand);
      if (pin !== undefined) pins.set(`${section}/${name}`, pin);
    }
  }
  return { sha, pins };
}

async function fullSha(draft: Draft, path: Path, written: string, expand: Expand): Promise<Sha | undefined> {
  const digits = written.toLowerCase();
  if (digits === NO_SHA) return refuse(draft, path, ": forty zeros are no commit");
  if (Sha.is(digits)) return digits;
  const { source } = draft.manifest;
  const where = source ?? "this repository";
  const candidates = await candidatesFor(digits, source, expand);
  if (candidates instanceof Fault) {
    // Only this environment needs the answer: its siblings go on.
    const message = `: ${digits} cannot be expanded now: ${candidates.message}`;
    return refuse(draft, path, message, "it is tried again; all 40 digits need no expanding");
  }
  const [found, other] = candidates;
  if (found === undefined) {
    return refuse(
      draft,
      path,
      `: no commit in ${where} begins with ${digits}`,
      "push the commit, or write all 40 digits",
    );
  }
  if (other === undefined) return found;
  return refuse(draft, path, `: ${digits} fits several commits in ${where}`, "write all 40 digits of the one meant");
}

async function candidatesFor(
  digits: string,
  source: string | undefined,
  expand: Expand,
): Promise<readonly Sha[] | Fault> {
  try {
    return await expand(digits, source);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
}
