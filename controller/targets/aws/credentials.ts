// Credentials: the SDK's own chain, and roles assumed from it, remembered until shortly before they expire.
import type { AwsCredentialIdentity } from "@smithy/types";
import { Fault } from "../../core/fault.ts";
import type { Clock } from "../../ports.ts";
import type { AwsPlace } from "../aws.ts";
import { awsFault } from "./faults.ts";

export interface Credentials {
  /** Faults: credentials-missing, denied (the role may not be assumed), unavailable. */
  get(): Promise<AwsCredentialIdentity>;
  /** The next `get` asks again. */
  forget(): void;
}

/** New ones are fetched this long before the old ones end. */
const EARLY_MS = 5 * 60_000;

/** Remembers what `fetch` gave, by our own Clock; callers at the same time share one fetch. */
function remembering(clock: Clock, fetch: () => Promise<AwsCredentialIdentity>): Credentials {
  let known: AwsCredentialIdentity | undefined;
  let fetching: Promise<AwsCredentialIdentity> | undefined;
  const isFresh = ({ expiration }: AwsCredentialIdentity): boolean =>
    expiration === undefined || expiration.getTime() - clock.now() > EARLY_MS;
  return {
    async get() {
      if (known !== undefined && isFresh(known)) return known;
      fetching ??= fetch().finally(() => {
        fetching = undefined;
      });
      known = await fetching;
      return known;
    },
    forget() {
      known = undefined;
    },
  };
}

/** The settings of the STS client behind a role: the same handler, endpoint and patience as every other client. */
export type StsSettings = (region: string) => Promise<Readonly<Record<string, unknown>>>;

export interface CredentialsParts {
  readonly clock: Clock;
  /** Fixed credentials instead of the chain, for tests and the sandbox. */
  readonly fixed?: AwsCredentialIdentity;
  readonly settings: StsSettings;
}

/** Credentials per role and session; the chain's own where no role is bound. */
export function createCredentials({ clock, fixed, settings }: CredentialsParts): (place: AwsPlace) => Credentials {
  const roles = new Map<string, Credentials>();
  let base: Credentials | undefined;
  let identity: Promise<string> | undefined;

  function chain(place: AwsPlace): Credentials {
    base ??= remembering(clock, async () => {
      if (fixed !== undefined) return fixed;
      const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
      const about = { operation: "credentials", resource: "the controller", region: place.region, write: false };
      try {
        return await fromNodeProviderChain({ clientConfig: await settings(place.region) })();
      } catch (thrown) {
        throw awsFault(thrown, about);
      }
    });
    return base;
  }

  function assumed(place: AwsPlace, role: string): Credentials {
    return remembering(clock, async () => {
      const { fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
      const { externalId, session = "lockstep", region } = place;
      const provider = fromTemporaryCredentials({
        params: {
          RoleArn: role,
          RoleSessionName: session,
          ...(externalId === undefined ? {} : { ExternalId: externalId }),
        },
        masterCredentials: await chain(place).get(),
        clientConfig: { ...(await settings(region)), region },
      });
      try {
        return await provider();
      } catch (thrown) {
        throw awsFault(thrown, { operation: "AssumeRole", resource: role, region, write: false });
      }
    });
  }

  /** The chain's credentials, known to belong to the account that the operator bound the environment to. */
  function own(place: AwsPlace, account: string): Credentials {
    const known = chain(place);
    return {
      async get() {
        const credentials = await known.get();
        identity ??= whose(place, credentials, settings);
        const actual = await identity.catch((thrown: unknown) => {
          identity = undefined;
          throw thrown;
        });
        if (actual !== account) throw elsewhere("the credentials of the controller belong", actual, account);
        return credentials;
      },
      forget: () => known.forget(),
    };
  }

  return (place) => {
    const { account } = place;
    if (place.role === undefined) return account === undefined ? chain(place) : own(place, account);
    const actual = /^arn:[^:]+:iam::(\d{12}):/.exec(place.role)?.[1];
    if (account !== undefined && actual !== undefined && actual !== account)
      throw elsewhere(`${place.role} belongs`, actual, account);
    const key = `${place.role} ${place.externalId ?? ""} ${place.session ?? ""}`;
    const known = roles.get(key) ?? assumed(place, place.role);
    roles.delete(key);
    roles.set(key, known);
    const oldest = roles.keys().next();
    if (roles.size > SESSIONS_MAX && oldest.done !== true) roles.delete(oldest.value);
    return known;
  };
}

/** The account of the controller's own credentials. */
async function whose(place: AwsPlace, credentials: AwsCredentialIdentity, settings: StsSettings): Promise<string> {
  const { region } = place;
  const { STS } = await import("@aws-sdk/client-sts");
  const sts = new STS({ ...(await settings(region)), region, credentials });
  try {
    return (await sts.getCallerIdentity({})).Account ?? "";
  } catch (thrown) {
    throw awsFault(thrown, { operation: "GetCallerIdentity", resource: "the controller", region, write: false });
  }
}

function elsewhere(what: string, actual: string, bound: string): Fault {
  return new Fault(
    "credentials-missing",
    `${what} to account ${actual}, and the operator bound the environment to account ${bound}; nothing was sent`,
  );
}

/** Sessions remembered at most; each release has one of its own, so that CloudTrail names it. */
const SESSIONS_MAX = 500;
