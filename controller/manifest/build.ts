// One merged manifest → the value of what should be, with its fingerprint.
import type { EnvironmentName } from "../core/brand.ts";
import type { Environment, Hold, Place, Revision } from "../core/environment.ts";
import { fingerprint, type Unsigned } from "../core/fingerprint.ts";
import type { Digest } from "../core/brand.ts";
import { expanded, refuse, type Draft } from "./draft.ts";
import { artifactValues } from "./images.ts";
import { migrationsOf } from "./migrations.ts";
import { promotedFrom, type Ranks } from "./pipeline.ts";
import { isError, problem, quoted } from "./problem.ts";
import { servicesOf } from "./services.ts";
import { shasOf, type Expand } from "./shas.ts";
import type { TaskFile } from "./tasks.ts";
import { websOf } from "./webs.ts";

/** What the operator lets an environment reach (operator.ts), beside what its manifest says. */
export interface Binding {
  readonly account?: string;
  readonly role?: string;
  readonly externalId?: string;
  /** The only region it may reach. */
  readonly region?: string;
  /** The region when neither binding nor manifest gives one. */
  readonly defaultRegion?: string;
  /** The operator wants the gate promotedFrom on it. */
  readonly mustBePromoted?: boolean;
  /** The most `parallel` may be. */
  readonly parallelAtMost?: number;
}

export interface BuildContext {
  readonly revision: Revision;
  readonly binding: Binding;
  readonly ranks: Ranks;
  readonly shared: Digest;
  readonly tasks: ReadonlyMap<string, TaskFile>;
  /** Services of application.yaml. */
  readonly known: ReadonlySet<string>;
  readonly expand: Expand;
}

/** The environment, or undefined when the draft says what is wrong. */
export async function environmentOf(draft: Draft, context: BuildContext): Promise<Environment | undefined> {
  const { manifest, name, application } = draft;
  const { revision, shared } = context;
  const shas = await shasOf(draft, context.expand);
  const place = placeOf(draft, context.binding);
  const services = servicesOf(draft, { ...shas, folder: revision.folder, tasks: context.tasks, known: context.known });
  const migrations = migrationsOf(draft, { ...shas, services });
  const webs = websOf(draft, shas);
  const hold = holdOf(draft);
  const gates = { promotedFrom: guarded(draft, promotedFrom(draft, context.ranks), context.binding) };
  const parallel = parallelOf(draft, context.binding);
  const url = shas.sha === undefined || manifest.url === undefined ? undefined : urlOf(draft, manifest.url, shas.sha);
  if (Object.keys({ ...manifest.services, ...manifest.web }).length === 0) {
    draft.problems.push(problem(draft.tree.at, `${name} has nothing to release: no services and no web`));
  }
  if (shas.sha === undefined || place === undefined || draft.problems.some(isError)) return undefined;
  const unsigned: Unsigned = {
    application,
    name,
    revision,
    sha: shas.sha,
    place,
    parallel,
    services,
    migrations,
    webs,
    gates,
    ...(hold === undefined ? {} : { hold }),
    drift: manifest.drift ?? "report",
    onFailure: manifest.onFailure ?? "rollback",
    ...(url === undefined ? {} : { url }),
    ...(manifest.source === undefined ? {} : { source: manifest.source }),
    shared,
  };
  return { ...unsigned, fingerprint: fingerprint(unsigned) };
}

/** The region of an environment: the operator's binding, which the manifest may only repeat, else the manifest's. */
export function regionOf(written: string | undefined, binding: Binding): string | undefined {
  return binding.region ?? written ?? binding.defaultRegion;
}

function placeOf(draft: Draft, binding: Binding): Place | undefined {
  const { aws } = draft.manifest;
  const region = regionOf(aws?.region, binding);
  if (region === undefined) {
    return refuse(draft, ["aws"], ": no region is known", "set aws.region, or AWS_REGION for the controller");
  }
  if (aws?.region !== undefined && aws.region !== region) {
    const message = `: the operator lets ${draft.name} reach ${region} only`;
    return refuse(draft, ["aws", "region"], message, "remove it, or ask the operator of the controller");
  }
  const path = ["aws", "cluster"];
  const cluster = expanded(draft, path, aws?.cluster ?? "{env}", draft.values);
  if (cluster === undefined) return undefined;
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(cluster)) {
    return refuse(draft, path, `: ${quoted(cluster)} is not the name of an ECS cluster`);
  }
  const { account, role, externalId } = binding;
  return {
    region,
    cluster,
    ...(account === undefined ? {} : { account }),
    ...(role === undefined ? {} : { role }),
    ...(externalId === undefined ? {} : { externalId }),
  };
}

function guarded(draft: Draft, from: readonly EnvironmentName[], binding: Binding): readonly EnvironmentName[] {
  if (binding.mustBePromoted !== true || from.length > 0) return from;
  const message = `: the operator wants ${draft.name} promoted from another environment`;
  refuse(draft, ["gates", "promotedFrom"], message, "put it behind another one in `pipeline`");
  return from;
}

function parallelOf(draft: Draft, { parallelAtMost = Number.POSITIVE_INFINITY }: Binding): number {
  const written = draft.manifest.parallel;
  if (written !== undefined && written > parallelAtMost) {
    refuse(draft, ["parallel"], ` is more than the operator allows: at most ${parallelAtMost}`);
  }
  return Math.min(written ?? 4, parallelAtMost);
}

function urlOf(draft: Draft, template: string, sha: Environment["sha"]): string | undefined {
  const text = expanded(draft, ["url"], template, artifactValues(draft, sha));
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  return refuse(draft, ["url"], `: ${quoted(text)} is not an http or https address`);
}

function holdOf(draft: Draft): Hold | undefined {
  const { hold } = draft.manifest;
  if (hold === undefined) return undefined;
  if (hold.until === undefined) return { reason: hold.reason };
  const until = isRealDate(hold.until) ? Date.parse(hold.until) : Number.NaN;
  if (!Number.isNaN(until)) return { reason: hold.reason, until };
  return refuse(draft, ["hold", "until"], `: ${quoted(hold.until)} is not a date of the calendar`);
}

/** Date.parse takes 30 February for 2 March. */
function isRealDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
