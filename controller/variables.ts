// The table of environment variables: `serve --help`, docs/configuration.md and error messages read it.

interface Variable {
  /** Undefined = no default: left out, it is off. */
  readonly default?: string;
  /** One line. */
  readonly means: string;
  /** What to write, in one sentence: shown when the value is wrong. */
  readonly next: string;
  /** Its value is never shown anywhere. */
  readonly secret?: true;
}

export const VARIABLES = {
  LOCKSTEP_REPOSITORY: {
    means: "Git repository with the manifests: a path, https:// or ssh:// URL",
    next: "Set it to a path, or to a URL without credentials, such as https://git.example.com/acme/ops.git.",
  },
  LOCKSTEP_BRANCH: {
    default: "main",
    means: "branch whose head is in force",
    next: "Write the branch's name without refs/heads/.",
  },
  LOCKSTEP_POLL: {
    default: "*/30 * * * * *",
    means: "cron expression (5 fields, or 6 with seconds) of when to look",
    next: 'Write a cron expression such as "*/30 * * * * *" (every 30 seconds).',
  },
  LOCKSTEP_JOURNAL: {
    default: "./.lockstep/journal",
    means: "where history and marks are kept: a directory, or s3://bucket/prefix",
    next: "Write a directory on a local disk, or s3://bucket/prefix.",
  },
  LOCKSTEP_LISTEN: {
    default: "127.0.0.1:4600",
    means: "address of page and API; port 0 lets the system pick",
    next: "Write host:port, such as 127.0.0.1:4600.",
  },
  LOCKSTEP_HOSTS: {
    means: "more host names under which page and API may be asked for, separated by commas",
    next: "Write names as they stand in the browser's address, without port, separated by commas.",
  },
  LOCKSTEP_ADOPT: {
    default: "ask",
    means: "first contact with what already runs: ask (wait for `lockstep adopt`) or release",
    next: "Write ask or release.",
  },
  LOCKSTEP_GIT_TOKEN: {
    secret: true,
    means: "token for https repositories",
    next: "Write the token alone.",
  },
  LOCKSTEP_GIT_SSH_KEY: {
    means: "file with the private key for ssh repositories",
    next: "Write the path of the key's file.",
  },
  LOCKSTEP_GIT_KNOWN_HOSTS: {
    means: "file with the host keys that are trusted for ssh repositories",
    next: "Write the path of a known_hosts file.",
  },
  LOCKSTEP_WEBHOOK_SECRET: {
    secret: true,
    means: 'secret of POST /webhook, which only says "look now"; two, separated by a comma, while it is rotated',
    next: "Write a random value of at least 16 characters, or two of them separated by a comma.",
  },
  LOCKSTEP_LOG_LEVEL: {
    default: "info",
    means: "debug, info, warn or error",
    next: "Write debug, info, warn or error.",
  },
  LOCKSTEP_CONFIG: {
    means: "the operator's file (schema/controller.schema.json) for several repositories, accounts and roles",
    next: "Write the path of the file; it is never read from the manifests' repository.",
  },
  LOCKSTEP_URL: {
    default: "http://127.0.0.1:4600",
    means: "where the other commands find the controller (`--url` wins)",
    next: "Write the controller's address, such as http://127.0.0.1:4600.",
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof VARIABLES;

/** The rows in order, each with its name. */
export function variables(): readonly (Variable & { readonly name: string })[] {
  return Object.entries(VARIABLES).map(([name, row]) => ({ name, ...row }));
}
