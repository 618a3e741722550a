// Words with a meaning: checked once where they enter, trusted everywhere after.

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A full Git object name of a commit: 40 lower-case hexadecimal digits. */
export type Sha = Brand<string, "Sha">;
/** `sha256:` and 64 lower-case hexadecimal digits, as ECR and OCI write it. */
export type Digest = Brand<string, "Digest">;
export type ApplicationName = Brand<string, "ApplicationName">;
export type EnvironmentName = Brand<string, "EnvironmentName">;
export type ServiceName = Brand<string, "ServiceName">;
export type MigrationName = Brand<string, "MigrationName">;
export type WebName = Brand<string, "WebName">;
/** Milliseconds since the Unix epoch. */
export type Instant = Brand<number, "Instant">;
/** What the target calls the thing that runs; for ECS the ARN of a task-definition revision. */
export type TargetVersion = Brand<string, "TargetVersion">;
/** One publication of a web release, random, so that publishing the same release twice makes two of them. */
export type PublicationId = Brand<string, "PublicationId">;
/** A component that has an artifact: `service/api`, `migration/migrate`, `web/site`. */
export type ComponentName = `${"service" | "migration" | "web"}/${string}`;

/** Names users give: applications, environments, services, migrations and webs share one grammar (manifest.md). */
export const NAME = /^[a-z][a-z0-9-]{0,31}$/;

interface Word<Type extends string> {
  is(text: string): text is Type;
  /** Throws RangeError for text outside the grammar: parse what comes from outside with `is` first. */
  parse(text: string): Type;
}

function word<Type extends string>(what: string, grammar: RegExp): Word<Type> {
  const is = (text: string): text is Type => grammar.test(text);
  return {
    is,
    parse(text) {
      if (!is(text)) throw new RangeError(`${JSON.stringify(text.slice(0, 80))} is not ${what}`);
      return text;
    },
  };
}

export const Sha = word<Sha>("a commit SHA of 40 hexadecimal digits", /^[0-9a-f]{40}$/);
export const Digest = word<Digest>("a sha256 digest", /^sha256:[0-9a-f]{64}$/);
export const ApplicationName = word<ApplicationName>("an application name", NAME);
export const EnvironmentName = word<EnvironmentName>("an environment name", NAME);
export const ServiceName = word<ServiceName>("a service name", NAME);
export const MigrationName = word<MigrationName>("a migration name", NAME);
export const WebName = word<WebName>("a web name", NAME);
export const TargetVersion = word<TargetVersion>("a target version", /^\S{1,512}$/);
export const PublicationId = word<PublicationId>("a publication id", /^[0-9a-f]{16,64}$/);

export const Instant = {
  of(ms: number): Instant {
    if (!Number.isSafeInteger(ms)) throw new RangeError(`${ms} is not an instant in whole milliseconds`);
    return ms as Instant;
  },
  plus(instant: Instant, ms: number): Instant {
    return Instant.of(instant + Math.round(ms));
  },
  toIso(instant: Instant): string {
    return new Date(instant).toISOString();
  },
} as const;

/** Stands for the unknown commit of what ran before Lockstep came; Git uses it for "no object". */
export const NO_SHA: Sha = Sha.parse("0".repeat(40));

/** The first seven digits, as people read a commit. */
export function short(sha: Sha): string {
  return sha === NO_SHA ? "what ran before" : sha.slice(0, 7);
}
