// Finds the CloudFront distribution that stands in front of a web, by its id or by the alias that readers use.
import { ListDistributionsCommand } from "@aws-sdk/client-cloudfront";
import type { Web } from "../../core/environment.ts";
import { Fault } from "../../core/fault.ts";
import type { Aws, AwsPlace } from "../aws.ts";

export interface Distributions {
  /** Its id. Faults: distribution-missing, naming what there is; denied. */
  find(web: Web, place: AwsPlace, signal: AbortSignal): Promise<string>;
  /** After CloudFront did not know the id: the next search asks again. */
  forget(place: AwsPlace): void;
}

interface Known {
  readonly id: string;
  readonly aliases: readonly string[];
}

/** Accounts whose distributions are remembered. */
const REMEMBERED = 64;
/** Aliases named in a message. */
const NAMED = 5;

export function createDistributions(aws: Aws): Distributions {
  const remembered = new Map<string, readonly Known[]>();

  async function list(place: AwsPlace, signal: AbortSignal): Promise<readonly Known[]> {
    const all: Known[] = [];
    for (let marker: string | undefined, more = true; more; more = marker !== undefined) {
      const command = new ListDistributionsCommand({ Marker: marker });
      const resource = "distributions";
      const call = { place, service: "cloudfront", operation: "ListDistributions", resource, signal } as const;
      const { DistributionList: page } = await aws.read(call, (client, http) => client.send(command, http));
      for (const { Id: id = "", Aliases } of page?.Items ?? []) all.push({ id, aliases: Aliases?.Items ?? [] });
      marker = page?.IsTruncated === true ? page.NextMarker : undefined;
    }
    return all;
  }

  return {
    async find(web, place, signal) {
      if (web.distribution !== undefined) return web.distribution;
      const domain = (web.domain ?? "").toLowerCase();
      const account = accountOf(place);
      const known = byAlias(remembered.get(account) ?? [], domain);
      if (known !== undefined) return known;
      const all = await list(place, signal);
      remembered.delete(account);
      remembered.set(account, all);
      for (const oldest of [...remembered.keys()].slice(0, -REMEMBERED)) remembered.delete(oldest);
      const found = byAlias(all, domain);
      if (found !== undefined) return found;
      const aliases = all.flatMap((one) => one.aliases);
      const there = aliases.length === 0 ? "none has an alias" : `there are ${aliases.slice(0, NAMED).join(", ")}`;
      const more = aliases.length > NAMED ? ` and ${aliases.length - NAMED} more` : "";
      throw new Fault(
        "distribution-missing",
        `web ${web.name}: no distribution has the alias ${domain}; ${there}${more}`,
      );
    },
    forget: (place) => void remembered.delete(accountOf(place)),
  };
}

/** CloudFront is one for all regions. */
function accountOf(place: AwsPlace): string {
  return JSON.stringify([place.account, place.role]);
}

/** The exact alias, else a wildcard for one label. Fault: distribution-missing when several fit alike. */
function byAlias(all: readonly Known[], domain: string): string | undefined {
  const wildcard = domain.replace(/^[^.]+/, "*");
  for (const alias of [domain, wildcard]) {
    const fitting = all.filter(({ aliases }) => aliases.some((one) => one.toLowerCase() === alias));
    if (fitting.length > 1) {
      const ids = fitting.map(({ id }) => id).join(", ");
      throw new Fault("distribution-missing", `several distributions have the alias ${alias}: ${ids}`);
    }
    if (fitting[0] !== undefined) return fitting[0].id;
  }
  return undefined;
}
