// Environment variables → one frozen Config; every problem is reported at once, and secrets are kept apart.
import { isAbsolute, resolve } from "node:path";
import { validate as isCron } from "node-cron";
import { nearest } from "./core/nearest.ts";
import { VARIABLES } from "./variables.ts";
import type { VariableName } from "./variables.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  /** URL or absolute path; undefined = the operator's file names the repositories. */
  readonly repository?: string;
  readonly branch: string;
  /** Cron expression, with seconds when it has six fields. */
  readonly poll: string;
  readonly journal: JournalPlace;
  readonly listen: { readonly host: string; readonly port: number };
  /** Names beside the listen address under which the page may be asked for, lower case, without port. */
  readonly hosts: readonly string[];
  /** `release`: the first release of an adopted environment needs no `lockstep adopt`. */
  readonly adopt: "ask" | "release";
  /** Absolute paths of files. */
  readonly gitSshKey?: string;
  readonly gitKnownHosts?: string;
  readonly logLevel: LogLevel;
  /** Absolute path of the operator's file. */
  readonly file?: string;
  /** What the operator should know at start and nothing stops for. */
  readonly warnings: readonly string[];
}

export type JournalPlace =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

/** Values that must never be shown; the redactor gets them all. */
export interface Secrets {
  readonly gitToken?: string;
  /** The present one first; a second one only while it is being rotated. */
  readonly webhook: readonly string[];
}

/** One variable that cannot be used: its name, what is wrong, what to do. */
export interface ConfigProblem {
  readonly name: string;
  readonly message: string;
  readonly next: string;
}

export type ConfigReading =
  | { readonly config: Config; readonly secrets: Secrets; readonly problems: readonly [] }
  | { readonly config?: undefined; readonly problems: readonly ConfigProblem[] };

type Variables = Readonly<Record<string, string | undefined>>;
type Complain = (name: VariableName, message: string) => undefined;

/** Reads the controller's configuration; relative paths are taken from `cwd`. Empty values count as absent. */
export function readConfig(env: Variables, cwd: string): ConfigReading {
  const problems: ConfigProblem[] = [...strangers(env)];
  const complain: Complain = (name, message) => {
    problems.push({ name, message, next: VARIABLES[name].next });
  };
  const value = (name: VariableName): string | undefined => blank(env[name]);
  const path = (name: VariableName): string | undefined => {
    const text = value(name);
    return text === undefined ? undefined : resolve(cwd, text);
  };
  const file = path("LOCKSTEP_CONFIG");
  const repository = readRepository(value("LOCKSTEP_REPOSITORY"), file, cwd, complain);
  const journal = readJournal(value("LOCKSTEP_JOURNAL") ?? VARIABLES.LOCKSTEP_JOURNAL.default, cwd, complain);
  const listen = readListen(value("LOCKSTEP_LISTEN") ?? VARIABLES.LOCKSTEP_LISTEN.default, complain);
  const [gitSshKey, gitKnownHosts] = [path("LOCKSTEP_GIT_SSH_KEY"), path("LOCKSTEP_GIT_KNOWN_HOSTS")];
  const settings = {
    branch: readBranch(value("LOCKSTEP_BRANCH") ?? VARIABLES.LOCKSTEP_BRANCH.default, complain),
    poll: readPoll(value("LOCKSTEP_POLL") ?? VARIABLES.LOCKSTEP_POLL.default, complain),
    hosts: readHosts(value("LOCKSTEP_HOSTS"), complain),
    adopt: oneOf("LOCKSTEP_ADOPT", value("LOCKSTEP_ADOPT") ?? "ask", ["ask", "release"] as const, complain),
    logLevel: oneOf("LOCKSTEP_LOG_LEVEL", value("LOCKSTEP_LOG_LEVEL") ?? "info", LOG_LEVELS, complain),
  };
  const webhook = readWebhook(value("LOCKSTEP_WEBHOOK_SECRET"), complain);
  if (problems.length > 0 || journal === undefined || listen === undefined) return { problems };
  const gitToken = value("LOCKSTEP_GIT_TOKEN");
  const config: Config = {
    ...settings,
    journal,
    listen,
    ...(repository === undefined ? {} : { repository }),
    ...(gitSshKey === undefined ? {} : { gitSshKey }),
    ...(gitKnownHosts === undefined ? {} : { gitKnownHosts }),
    ...(file === undefined ? {} : { file }),
    warnings: warnings(journal, listen.host, env),
  };
  const secrets = { webhook, ...(gitToken === undefined ? {} : { gitToken }) };
  return { config: Object.freeze(config), secrets: Object.freeze(secrets), problems: [] };
}

function blank(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}

function readRepository(
  text: string | undefined,
  file: string | undefined,
  cwd: string,
  complain: Complain,
): string | undefined {
  if (text === undefined) {
    return file === undefined
      ? complain("LOCKSTEP_REPOSITORY", "is not set, and neither is LOCKSTEP_CONFIG")
      : undefined;
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return readRepositoryUrl(text, complain);
  // scp form (git@host:path) is an address as it stands; anything else is a path.
  return /^[\w.-]+@[\w.-]+:/.test(text) || isAbsolute(text) ? text : resolve(cwd, text);
}

function readRepositoryUrl(text: string, complain: Complain): string | undefined {
  if (!URL.canParse(text)) return complain("LOCKSTEP_REPOSITORY", "is no URL");
  const url = new URL(text);
  if (!["https:", "ssh:", "file:"].includes(url.protocol)) {
    return complain("LOCKSTEP_REPOSITORY", `uses ${url.protocol}//; only https, ssh and paths are read`);
  }
  const named = url.protocol === "ssh:" ? url.password !== "" : url.username !== "" || url.password !== "";
  if (named) return complain("LOCKSTEP_REPOSITORY", "carries credentials; a token belongs into LOCKSTEP_GIT_TOKEN");
  return text;
}

/** The grammar of `git check-ref-format --branch`, a little stricter. */
function readBranch(text: string, complain: Complain): string {
  const sound = /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$/.test(text) && !/\.\.|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(text);
  if (!sound) complain("LOCKSTEP_BRANCH", `${JSON.stringify(text)} is not the name of a branch`);
  return text;
}

function readPoll(text: string, complain: Complain): string {
  const fields = text.split(/\s+/).length;
  if ((fields !== 5 && fields !== 6) || !isCron(text)) {
    complain("LOCKSTEP_POLL", `${JSON.stringify(text)} is not a cron expression of 5 or 6 fields`);
  }
  return text;
}

function readJournal(text: string, cwd: string, complain: Complain): JournalPlace | undefined {
  if (!/^[a-z0-9+.-]+:\/\//i.test(text)) return { kind: "directory", path: resolve(cwd, text) };
  const s3 = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>[\w!.*'()/-]*))?$/.exec(text)?.groups;
  const bucket = s3?.["bucket"];
  if (bucket === undefined)
    return complain("LOCKSTEP_JOURNAL", `${JSON.stringify(text)} is neither a path nor s3://bucket/prefix`);
  const prefix = (s3?.["prefix"] ?? "").replace(/\/+$/, "");
  return { kind: "s3", bucket, prefix: prefix === "" ? "" : `${prefix}/` };
}

function readListen(text: string, complain: Complain): Config["listen"] | undefined {
  const parts = /^(?:(?<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):)?(?<port>\d{1,5})$/.exec(text)?.groups;
  const port = Number(parts?.["port"]);
  if (parts === undefined || port > 65_535)
    return complain("LOCKSTEP_LISTEN", `${JSON.stringify(text)} is not host:port`);
  return { host: (parts["host"] ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}

function readHosts(text: string | undefined, complain: Complain): readonly string[] {
  const names = (text ?? "").split(",").flatMap((name) => blank(name)?.toLowerCase() ?? []);
  const wrong = names.find((name) => !/^[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?$/.test(name));
  if (wrong !== undefined) complain("LOCKSTEP_HOSTS", `${JSON.stringify(wrong)} is not a host name`);
  return names;
}

function readWebhook(text: string | undefined, complain: Complain): readonly string[] {
  const secrets = (text ?? "").split(",").flatMap((one) => blank(one) ?? []);
  if (secrets.length > 2)
    complain("LOCKSTEP_WEBHOOK_SECRET", `holds ${secrets.length} secrets; two are enough for a rotation`);
  if (secrets.some((one) => one.length < 16))
    complain("LOCKSTEP_WEBHOOK_SECRET", "holds a secret of less than 16 characters");
  return secrets;
}

function oneOf<Word extends string>(
  name: VariableName,
  text: string,
  words: readonly [Word, ...Word[]],
  complain: Complain,
): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) complain(name, `${JSON.stringify(text)} is not one of ${words.join(", ")}`);
  return found ?? words[0];
}

/** What Kubernetes sets in every pod beside a Service called `lockstep`. */
const SERVICE_LINK = /^LOCKSTEP_(SERVICE_(HOST|PORT)|PORT)(_|$)/;

/** Names that were most likely meant as one of ours, and those this version does not act on. */
function strangers(env: Variables): readonly ConfigProblem[] {
  const names = Object.keys(VARIABLES) as readonly VariableName[];
  return Object.keys(env)
    .filter((name) => name.startsWith("LOCKSTEP_") && !SERVICE_LINK.test(name) && !Object.hasOwn(VARIABLES, name))
    .flatMap((name): readonly ConfigProblem[] => {
      if (name.startsWith("LOCKSTEP_GITHUB_")) {
        return [
          { name, message: "this version posts nothing to GitHub", next: "Unset it; status and page show the same." },
        ];
      }
      const meant = nearest(name, names);
      return meant === undefined
        ? []
        : [{ name, message: "is not a variable of Lockstep", next: `Did you mean ${meant}?` }];
    });
}

function warnings(journal: JournalPlace, host: string, env: Variables): readonly string[] {
  const lost =
    journal.kind === "directory" && blank(env["AWS_ENDPOINT_URL"]) === undefined
      ? [
          `The journal lies in ${journal.path} and must outlive this machine: it knows which migrations ran. LOCKSTEP_JOURNAL=s3://bucket/prefix keeps it in S3.`,
        ]
      : [];
  const open = ["127.0.0.1", "::1", "localhost"].includes(host)
    ? []
    : [
        `LOCKSTEP_LISTEN is ${host}: the API asks for no login, so whoever reaches this address may retry, abort and adopt. Put a proxy with a login in front.`,
      ];
  return [...lost, ...open];
}
