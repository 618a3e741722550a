// Who calls: access keys with the account behind them, assumed roles with what they may do.

import { AwsError, type Caller, type Chance, type SandboxClock, type SandboxRequest } from "./api.ts";
import { draw } from "./chance.ts";

/**
 * The key of the user `sandbox` in the default account (AWS's own documentation example, so no scanner takes it for a
 * leak). A key that is itself a twelve-digit account number is the same user in that account.
 */
export const SANDBOX_CREDENTIALS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
} as const;

/** What a registered role demands and permits; a role nobody registered demands nothing and permits everything. */
export interface Role {
  readonly arn: string;
  readonly externalId?: string;
  /** Action patterns such as `ecs:Describe*`. Absent = everything that is not denied. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** MaxSessionDuration of the role. Default 3600, as IAM. */
  readonly maxSessionSeconds?: number;
}

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
}

export interface Session {
  readonly roleArn: string;
  readonly roleId: string;
  readonly name: string;
  readonly durationSeconds: number;
}

export interface Identities {
  readonly account: string;
  /** Faults: MissingAuthenticationToken, InvalidClientTokenId, ExpiredToken; {@link credentialCode} words them per service. */
  callerOf(request: SandboxRequest): Caller;
  /** Fault: AccessDenied with AWS's wording, when the caller's role does not permit the action. */
  authorize(caller: Caller, action: string, resource: string): void;
  issue(session: Session): SessionCredentials;
  role(arn: string): Role | undefined;
  roles(): readonly Role[];
  setRole(role: Role): void;
  removeRole(arn: string): boolean;
}

interface Issued extends Session {
  readonly account: string;
  readonly arn: string;
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Sessions kept at most; the oldest goes first. */
const SESSION_LIMIT = 10_000;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function createIdentities(options: {
  readonly clock: SandboxClock;
  readonly chance: Chance;
  readonly account: string;
  readonly region: string;
}): Identities {
  const { clock, chance, account, region } = options;
  const roles = new Map<string, Role>();
  const sessions = new Map<string, Issued>();

  function accountOf(accessKeyId: string, token: string | undefined): { account: string; arn: string } {
    if (accessKeyId === SANDBOX_CREDENTIALS.accessKeyId)
      return { account, arn: `arn:aws:iam::${account}:user/sandbox` };
    if (/^\d{12}$/.test(accessKeyId)) return { account: accessKeyId, arn: `arn:aws:iam::${accessKeyId}:user/sandbox` };
    const session = sessions.get(accessKeyId);
    if (session === undefined || session.token !== token) {
      throw new AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403);
    }
    if (session.expiresAtMs <= clock.now()) {
      throw new AwsError("ExpiredToken", "The security token included in the request is expired", 403);
    }
    return session;
  }

  return {
    account,
    callerOf(request) {
      const scope = credentialScope(request);
      if (scope === undefined)
        throw new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
      const who = accountOf(scope.accessKeyId, scope.token);
      const userAgent = request.headers["x-amz-user-agent"] ?? request.headers["user-agent"] ?? "";
      return { account: who.account, arn: who.arn, region: scope.region === "" ? region : scope.region, userAgent };
    },
    authorize(caller, action, resource) {
      const role = roles.get(roleArnOf(caller.arn));
      if (role === undefined) return;
      const denied = role.deny?.some((pattern) => matchesAction(pattern, action)) === true;
      const allowed = role.allow?.some((pattern) => matchesAction(pattern, action)) !== false;
      if (denied || !allowed) throw accessDenied(caller.arn, action, resource, denied ? "explicit" : "implicit");
    },
    issue(session) {
      const [, roleAccount = account, roleName = ""] =
        /^arn:aws[^:]*:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(session.roleArn) ?? [];
      const accessKeyId = `ASIA${draw(chance, 16, BASE32)}`;
      const credentials = {
        accessKeyId,
        secretAccessKey: draw(chance, 40, BASE64),
        sessionToken: draw(chance, 300, BASE64),
        expiresAtMs: clock.now() + session.durationSeconds * 1000,
      };
      const arn = `arn:aws:sts::${roleAccount}:assumed-role/${roleName}/${session.name}`;
      const { sessionToken: token, expiresAtMs } = credentials;
      sessions.set(accessKeyId, { ...session, account: roleAccount, arn, token, expiresAtMs });
      const [oldest] = sessions.keys();
      if (sessions.size > SESSION_LIMIT && oldest !== undefined) sessions.delete(oldest);
      return credentials;
    },
    role: (arn) => roles.get(sessionless(arn)),
    roles: () => [...roles.values()],
    setRole: (role) => void roles.set(sessionless(role.arn), role),
    removeRole: (arn) => roles.delete(sessionless(arn)),
  };
}

/** Access denied as IAM words it: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export function accessDenied(
  arn: string,
  action: string,
  resource: string,
  why: "explicit" | "implicit" | "bare",
): AwsError {
  const reason = {
    explicit: " with an explicit deny in an identity-based policy",
    implicit: ` because no identity-based policy allows the ${action} action`,
    bare: "",
  }[why];
  return new AwsError(
    "AccessDenied",
    `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}${reason}`,
    403,
  );
}

interface Scope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly token: string | undefined;
}

/** Reads `<key>/<date>/<region>/<service>/aws4_request` from the header, or from the query of a presigned URL. */
function credentialScope(request: SandboxRequest): Scope | undefined {
  const header = /^AWS4-\S+ .*?Credential=([^,\s]+)/.exec(request.headers["authorization"] ?? "")?.[1];
  const scope = header ?? request.query.get("X-Amz-Credential") ?? undefined;
  if (scope === undefined) return undefined;
  const [accessKeyId = "", , region = ""] = scope.split("/");
  const token = request.headers["x-amz-security-token"] ?? request.query.get("X-Amz-Security-Token") ?? undefined;
  return { accessKeyId, region, token };
}

/** A role with a path keeps it in its ARN but loses it in its sessions' ARN, so roles are known without their path. */
function sessionless(roleArn: string): string {
  return roleArn.replace(/:role\/.*\//, ":role/");
}

function roleArnOf(sessionArn: string): string {
  return sessionArn.replace(/^arn:aws([^:]*):sts::(\d{12}):assumed-role\/([^/]+)\/.*$/, "arn:aws$1:iam::$2:role/$3");
}

/** IAM action patterns: `*` any run, `?` one character, case ignored. */
function matchesAction(pattern: string, action: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(action);
}
