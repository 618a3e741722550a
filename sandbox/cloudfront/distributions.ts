// The distributions of all accounts: created, updated under their ETag, deployed after a while, each with its edge.
import { createHash } from "node:crypto";
import { AwsError, type PublicEndpoint, type ReadObject, type SandboxClock } from "../api.ts";
import { textOf, type XmlElement } from "../s3/xml.ts";
import { aliasesOf, completeConfig, readEdgeConfig, type EdgeConfig } from "./config.ts";
import { createEdge } from "./edge.ts";
import { createInvalidations, type Invalidations } from "./invalidations.ts";

export interface Distribution {
  readonly id: string;
  readonly account: string;
  readonly config: XmlElement;
  readonly etag: string;
  readonly status: "InProgress" | "Deployed";
  readonly lastModified: number;
  readonly tags: readonly XmlElement[];
  readonly invalidations: Invalidations;
  readonly endpoint: PublicEndpoint;
}

export interface Distributions {
  create(account: string, config: XmlElement, tags: readonly XmlElement[]): Distribution;
  /** Fault: `NoSuchDistribution`, also for another account's. */
  get(account: string, id: string): Distribution;
  /** In the order they were created. */
  list(account: string): readonly Distribution[];
  update(account: string, id: string, config: XmlElement, ifMatch: string | undefined): Distribution;
  endpoints(): readonly PublicEndpoint[];
}

export interface DistributionsDependencies {
  readonly clock: SandboxClock;
  readonly readObject: ReadObject;
  readonly missingStatus: 403 | 404;
  readonly deploymentDelayMs: number;
  readonly invalidationDelayMs: number;
}

interface OwnDistribution extends Distribution {
  config: XmlElement;
  etag: string;
  status: Distribution["status"];
  lastModified: number;
  /** What viewers get while a newer configuration is on its way. */
  deployed: EdgeConfig;
}

export function createDistributions(dependencies: DistributionsDependencies): Distributions {
  const { clock, readObject, missingStatus, deploymentDelayMs, invalidationDelayMs } = dependencies;
  const all = new Map<string, OwnDistribution>();
  let issued = 0;

  // Looks like CloudFront's and is the same in every run.
  function nextId(letter: "E" | "I"): string {
    issued += 1;
    const hash = createHash("sha256").update(`${letter}${issued}`).digest("hex");
    return `${letter}${BigInt(`0x${hash}`).toString(36).toUpperCase().slice(0, 13)}`;
  }

  function deploy(distribution: OwnDistribution): void {
    const { etag } = distribution;
    clock.after(deploymentDelayMs, () => {
      // A later update has its own deployment.
      if (distribution.etag !== etag) return;
      distribution.status = "Deployed";
      distribution.deployed = readEdgeConfig(distribution.config);
    });
  }

  function assertAliasesFree(config: XmlElement, id: string | undefined): void {
    const others = [...all.values()].filter((other) => other.id !== id);
    const taken = others.flatMap((other) => aliasesOf(other.config));
    if (!aliasesOf(config).some((alias) => taken.includes(alias))) return;
    const message = "One or more of the CNAMEs you provided are already associated with a different resource.";
    throw new AwsError("CNAMEAlreadyExists", message, 409);
  }

  function own(account: string, id: string): OwnDistribution {
    const found = all.get(id);
    if (found !== undefined && found.account === account) return found;
    throw new AwsError("NoSuchDistribution", "The specified distribution does not exist.", 404);
  }

  return {
    create(account, sent, tags) {
      const config = completeConfig(sent);
      const reference = textOf(config, "CallerReference");
      if ([...all.values()].some((other) => textOf(other.config, "CallerReference") === reference)) {
        const message =
          "The caller reference that you are using to create a distribution is associated with another one.";
        throw new AwsError("DistributionAlreadyExists", message, 409);
      }
      assertAliasesFree(config, undefined);
      const id = nextId("E");
      const edge = createEdge({ clock, readObject, missingStatus, config: () => distribution.deployed });
      const distribution: OwnDistribution = {
        id,
        account,
        config,
        etag: nextId("E"),
        status: "InProgress",
        lastModified: clock.now(),
        tags,
        invalidations: createInvalidations({
          clock,
          delayMs: invalidationDelayMs,
          nextId: () => nextId("I"),
          complete: (paths) => edge.forget(paths),
        }),
        endpoint: {
          kind: "distribution",
          name: id,
          get aliases() {
            return aliasesOf(distribution.config);
          },
          answer: (request) => edge.answer(request),
        },
        deployed: readEdgeConfig(config),
      };
      all.set(id, distribution);
      deploy(distribution);
      return distribution;
    },
    get: own,
    list: (account) => [...all.values()].filter((distribution) => distribution.account === account),
    update(account, id, sent, ifMatch) {
      const distribution = own(account, id);
      if (ifMatch === undefined || ifMatch === "") {
        const message = "The If-Match version is missing or not valid for the resource.";
        throw new AwsError("InvalidIfMatchVersion", message, 400);
      }
      if (ifMatch.replaceAll('"', "") !== distribution.etag) {
        const message =
          "The request failed because it didn't meet the preconditions in one or more request-header fields.";
        throw new AwsError("PreconditionFailed", message, 412);
      }
      const config = completeConfig(sent);
      if (textOf(config, "CallerReference") !== textOf(distribution.config, "CallerReference")) {
        throw new AwsError("IllegalUpdate", "The update contains modifications that are not allowed.", 400);
      }
      assertAliasesFree(config, id);
      distribution.config = config;
      distribution.etag = nextId("E");
      distribution.status = "InProgress";
      distribution.lastModified = clock.now();
      deploy(distribution);
      return distribution;
    },
    endpoints: () => [...all.values()].map((distribution) => distribution.endpoint),
  };
}
