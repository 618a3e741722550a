// Repositories: the configured ones with their manifests, and those in which the SHAs live.
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import type { Sha } from "../core/brand.ts";
import { Fault } from "../core/fault.ts";
import type { GitCredentials } from "../git/credentials.ts";
import type { Address } from "../git/address.ts";
import { parseAddress } from "../git/address.ts";
import { createMirror } from "../git/mirror.ts";
import type { Contains, Source } from "../ports.ts";

export interface SourcesParts {
  readonly repositories: readonly { readonly address: string; readonly branch: string }[];
  /** Folder of the mirrors. */
  readonly folder: string;
  readonly credentials: GitCredentials;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Sources {
  readonly configured: readonly Source[];
  /** Where the SHAs of an environment live: `source:` of its application, else the repository of its manifests. */
  ofShas(source: string | undefined, configuration: Source): Source;
  readonly contains: Contains;
}

export function createSources({ repositories, folder, credentials, env }: SourcesParts): Sources {
  const options = { folder: join(folder, "mirrors"), credentials, environment: env };
  const configured = repositories.map(({ address, branch }) => createMirror({ ...options, address, branch }));
  const others = new Map<string, Source>();

  function ofShas(source: string | undefined, configuration: Source): Source {
    const address = source === undefined ? configuration.address : addressOf(source);
    const known = others.get(address) ?? open(parseAddress(address, "."), configuration);
    others.set(address, known);
    return known;
  }

  /**
   * `source:` is written by whoever may open a pull request: it gets our credentials only where we use them anyway, and
   * reads a path of this machine only where the configuration itself is one.
   */
  function open(address: Address, configuration: Source): Source {
    const ours = parseAddress(configuration.address, ".");
    if (address.protocol === "file" && ours.protocol !== "file") {
      throw new Fault(
        "repository-denied",
        `source ${address.text}: a path is read only where the configuration repository is a path`,
      );
    }
    if (isOwnMachine(address) && !isOwnMachine(ours) && ours.protocol !== "file") {
      throw new Fault(
        "repository-denied",
        `source ${address.text}: this machine is asked only where the configuration repository is on it`,
      );
    }
    const trusted = address.host !== undefined && address.host === ours.host;
    const { credentials: _, ...anonymous } = options;
    const how = trusted ? options : anonymous;
    return createMirror({ ...how, address: address.text, branch: "HEAD", purpose: "commits" });
  }

  return {
    configured,
    ofShas,
    async contains(environment: Environment, older: Sha, newer: Sha, signal: AbortSignal) {
      const configuration = configured.find((one) => one.id === environment.revision.repository);
      if (configuration === undefined) return undefined;
      try {
        const source = ofShas(environment.source, configuration);
        await source.head(signal);
        return await source.isAncestor(older, newer, signal);
      } catch (thrown) {
        // Ancestry that cannot be read now is not known: the gate waits, and the next look asks again.
        if (thrown instanceof Fault) return undefined;
        throw thrown;
      }
    },
  };
}

/** A manifest must not make the controller knock at services that listen beside it, or at metadata of its machine. */
function isOwnMachine({ host }: Address): boolean {
  return host !== undefined && OWN_MACHINE.test(host.replace(/:\d+$/, ""));
}

const OWN_MACHINE =
  /^(?:localhost|127\.[0-9.]+|[0-9]+|0x[0-9a-f]+|169\.254\.[0-9.]+|\[::[0-9a-f.:]*\]|\[fe[89ab][0-9a-f]:.*\])$/i;

/** `owner/name` stands for GitHub; anything else is an address as it is. */
function addressOf(source: string): string {
  return /^[\w.-]+\/[\w.-]+$/.test(source) && !source.startsWith(".") ? `https://github.com/${source}.git` : source;
}
