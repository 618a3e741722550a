// STS: who am I, and becoming a role. Rules and their sources: sts.md.

import { AwsError, type Caller, type Chance, type SandboxRequest, type SandboxResponse, type Service } from "./api.ts";
import { draw } from "./chance.ts";
import { accessDenied, type Identities } from "./identities.ts";
import { xml, xmlErrorResponse, type XmlValue } from "./wire.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
const VERSION = "2011-06-15";
const HOUR_SECONDS = 3600;

export function createSts({
  identities,
  chance,
}: {
  readonly identities: Identities;
  readonly chance: Chance;
}): Service {
  function assumeRole(form: URLSearchParams, caller: Caller): XmlValue {
    const roleArn = form.get("RoleArn") ?? "";
    const name = form.get("RoleSessionName") ?? "";
    checkRoleArn(roleArn);
    checkSessionName(name);
    const role = identities.role(roleArn);
    if (role?.externalId !== undefined && role.externalId !== form.get("ExternalId")) {
      throw accessDenied(caller.arn, "sts:AssumeRole", roleArn, "bare");
    }
    const durationSeconds = duration(form.get("DurationSeconds"), role?.maxSessionSeconds ?? HOUR_SECONDS, caller);
    const roleId = `AROA${draw(chance, 17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}`;
    const credentials = identities.issue({ roleArn, roleId, name, durationSeconds });
    const arn = roleArn.replace(/:iam::(\d+):role\/(?:.*\/)?([^/]+)$/, `:sts::$1:assumed-role/$2/${name}`);
    return {
      AssumedRoleUser: { AssumedRoleId: `${roleId}:${name}`, Arn: arn },
      Credentials: {
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        SessionToken: credentials.sessionToken,
        Expiration: new Date(credentials.expiresAtMs).toISOString().replace(/\.\d+Z$/, "Z"),
      },
    };
  }

  function callerIdentity(caller: Caller): XmlValue {
    const session = /:assumed-role\/[^/]+\/(.+)$/.exec(caller.arn)?.[1];
    const userId = session === undefined ? "AIDASANDBOXEXAMPLEUSR" : `AROASANDBOXEXAMPLEROL:${session}`;
    return { Arn: caller.arn, UserId: userId, Account: caller.account };
  }

  const operations: Readonly<Record<string, (form: URLSearchParams, caller: Caller) => XmlValue>> = {
    AssumeRole: assumeRole,
    GetCallerIdentity: (_, caller) => callerIdentity(caller),
  };

  return {
    name: "sts",
    operation(request) {
      const form = formOf(request);
      return form?.get("Version") === VERSION ? (form.get("Action") ?? undefined) : undefined;
    },
    handle(operation, request, caller): SandboxResponse {
      const perform = operations[operation];
      if (perform === undefined)
        throw new AwsError("InvalidAction", `Could not find operation ${operation} for version ${VERSION}`);
      const result = perform(formOf(request) ?? new URLSearchParams(), caller);
      return xml(`${operation}Response`, { [`${operation}Result`]: result }, { namespace: NAMESPACE });
    },
    fail: (error, requestId) => xmlErrorResponse(error, requestId, NAMESPACE),
  };
}

function formOf(request: SandboxRequest): URLSearchParams | undefined {
  const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  if (request.method !== "POST" || request.path !== "/" || !isForm) return undefined;
  return new URLSearchParams(Buffer.from(request.body).toString("utf8"));
}

function checkRoleArn(roleArn: string): void {
  if (roleArn.length < 20) throw invalid(roleArn, "roleArn", "Member must have length greater than or equal to 20");
  if (!/^arn:aws[^:]*:iam::\d{12}:role\/.+$/.test(roleArn))
    throw new AwsError("ValidationError", `${roleArn} is invalid`);
}

function checkSessionName(name: string): void {
  if (name.length < 2) throw invalid(name, "roleSessionName", "Member must have length greater than or equal to 2");
  if (name.length > 64) throw invalid(name, "roleSessionName", "Member must have length less than or equal to 64");
  if (!/^[\w+=,.@-]*$/.test(name)) {
    throw invalid(name, "roleSessionName", String.raw`Member must satisfy regular expression pattern: [\w+=,.@-]*`);
  }
}

/** 15 minutes to the role's own limit; one hour when the caller is itself a role (role chaining). */
function duration(asked: string | null, limitSeconds: number, caller: Caller): number {
  const wanted = asked === null ? HOUR_SECONDS : Number(asked);
  if (!Number.isInteger(wanted) || wanted < 900) {
    throw invalid(String(asked), "durationSeconds", "Member must have value greater than or equal to 900");
  }
  if (wanted > 43_200)
    throw invalid(String(asked), "durationSeconds", "Member must have value less than or equal to 43200");
  if (wanted > HOUR_SECONDS && caller.arn.includes(":assumed-role/")) {
    const message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
    throw new AwsError("ValidationError", message);
  }
  if (wanted > limitSeconds) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  return wanted;
}

function invalid(value: string, member: string, rule: string): AwsError {
  return new AwsError(
    "ValidationError",
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`,
  );
}
