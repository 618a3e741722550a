// Credentials: the SDK's own chain, and roles assumed from it, remembered until shortly before they expire.
import type { AwsCredentialIdentity } from "@smithy/types";
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

  return (place) => {
    if (place.role === undefined) return chain(place);
    const key = `${place.role} ${place.externalId ?? ""} ${place.session ?? ""}`;
    const known = roles.get(key) ?? assumed(place, place.role);
    roles.delete(key);
    roles.set(key, known);
    const oldest = roles.keys().next();
    if (roles.size > SESSIONS_MAX && oldest.done !== true) roles.delete(oldest.value);
    return known;
  };
}

/** Sessions remembered at most; each release has one of its own, so that CloudTrail names it. */
const SESSIONS_MAX = 500;
