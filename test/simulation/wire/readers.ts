// Looks at the account the way readers and operators do: which page is served, whether its assets are there, what runs.
import { Digest } from "../../../controller/core/brand.ts";
import type { Environment } from "../../../controller/core/environment.ts";
import type { SourceCommit } from "../builds.ts";
import { isRecord } from "../../../sandbox/wire.ts";
import type { Account } from "./account.ts";
import { prefixOf, type WireBuilds } from "./builds.ts";
import { bucketOf } from "./hands.ts";

/** A page as somebody got it. */
export interface SeenPage {
  readonly from: "bucket" | "CDN" | "CDN root";
  readonly build?: Digest;
  readonly commit?: SourceCommit;
  /** Assets that it loads and that do not lie in the bucket. */
  readonly missing: readonly string[];
}

export interface Readers {
  pages(environment: string, web: string): Promise<readonly SeenPage[]>;
  /** Image digest of a task definition's container. */
  imageOf(version: string): Promise<Digest | undefined>;
  /** What differs between an environment's value and the account; undefined = nothing. */
  falsehood(environment: Environment, where: "bucket" | "everywhere"): Promise<string | undefined>;
}

export function createReaders(account: Account, builds: WireBuilds, aliases: ReadonlyMap<string, string>): Readers {
  const { operations, sandbox } = account;
  const images = new Map<string, Digest | undefined>();

  async function imageOf(version: string): Promise<Digest | undefined> {
    if (images.has(version)) return images.get(version);
    const { taskDefinition } = await operations.json("ecs", "DescribeTaskDefinition", { taskDefinition: version });
    const containers = isRecord(taskDefinition) ? (taskDefinition["containerDefinitions"] as readonly unknown[]) : [];
    const [first] = containers.filter(isRecord);
    const image = String(first?.["image"]);
    const written = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
    const [, name = "", tag = ""] = /\/shop\/(\w+):([0-9a-f]{40})$/.exec(image) ?? [];
    const tagged = tag === "" ? undefined : builds.resolve(`service/${name}`, tag as SourceCommit["sha"], undefined);
    const digest = written ?? (tagged?.state === "resolved" ? tagged.digest : undefined);
    images.set(version, digest === undefined ? undefined : Digest.parse(digest));
    return images.get(version);
  }

  async function keysOf(bucket: string): Promise<ReadonlySet<string>> {
    const listing = await operations.rest("GET", `/${bucket}?list-type=2`, "");
    return new Set([...listing.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key));
  }

  async function fromCdn(environment: string, path: string): Promise<string | undefined> {
    const id = [...aliases].find(([, name]) => name === environment)?.[0];
    const endpoint = sandbox.endpoints().find(({ kind, name }) => kind === "distribution" && name === id);
    const request = { method: "GET", path, query: new URLSearchParams(), headers: {}, body: new Uint8Array() };
    const answer = await endpoint?.answer(request);
    return answer?.status === 200 ? Buffer.from(answer.body).toString("utf8") : undefined;
  }

  async function pages(environment: string, web: string): Promise<readonly SeenPage[]> {
    const bucket = bucketOf(environment);
    const key = `${prefixOf(web)}index.html`;
    const keys = await keysOf(bucket);
    const texts: [SeenPage["from"], string | undefined][] = [
      ["bucket", keys.has(key) ? await operations.rest("GET", `/${bucket}/${key}`, "") : undefined],
      ["CDN", await fromCdn(environment, `/${key}`)],
    ];
    if (web === "site") texts.push(["CDN root", await fromCdn(environment, "/")]);
    return texts.map(([from, text]): SeenPage => {
      if (text === undefined) return { from, missing: [key] };
      const named = /data-build="([^"]+)"/.exec(text)?.[1];
      const build = named === undefined ? undefined : Digest.parse(named);
      const commit = build === undefined ? undefined : builds.builtOf(build);
      const loaded = [...text.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, asset = ""]) => asset);
      const missing = loaded.filter((asset) => !keys.has(asset));
      return {
        from,
        missing,
        ...(build === undefined ? {} : { build }),
        ...(commit === undefined ? {} : { commit }),
      };
    });
  }

  async function wrongService(environment: Environment): Promise<string | undefined> {
    const names = environment.services.map(({ name }) => name);
    const input = { cluster: environment.place.cluster, services: names };
    const { services } = await operations.json("ecs", "DescribeServices", input);
    for (const service of environment.services) {
      const live = (services as readonly Readonly<Record<string, unknown>>[]).find(
        ({ serviceName }) => serviceName === service.name,
      );
      const version = String(live?.["taskDefinition"]);
      const commit = builds.builtOf((await imageOf(version)) ?? Digest.parse(`sha256:${"0".repeat(64)}`));
      const right = service.recorded === undefined ? commit?.sha === service.sha : version === service.recorded.version;
      if (!right) return `${service.name} runs ${commit?.sha.slice(0, 7)}, not ${service.sha.slice(0, 7)}`;
      const deployments = live?.["deployments"] as readonly Readonly<Record<string, unknown>>[] | undefined;
      const primary = deployments?.find(({ status }) => status === "PRIMARY");
      if (primary?.["rolloutState"] !== "COMPLETED") return `${service.name} is ${String(primary?.["rolloutState"])}`;
      if (service.count !== undefined && live?.["desiredCount"] !== service.count)
        return `${service.name} has count ${String(live?.["desiredCount"])}`;
    }
    return undefined;
  }

  return {
    pages,
    imageOf,
    async falsehood(environment, where) {
      const wrong = await wrongService(environment);
      if (wrong !== undefined) return wrong;
      for (const web of environment.webs) {
        for (const { from, commit } of await pages(environment.name, web.name)) {
          if (commit?.sha === web.sha || (where === "bucket" && from !== "bucket")) continue;
          return `${web.name} shows ${commit?.sha.slice(0, 7)} from the ${from}, not ${web.sha.slice(0, 7)}`;
        }
      }
      return undefined;
    },
  };
}
