// Every limit of a conversation with a Git server and of what is read from it.
export interface GitLimits {
  /** One `ls-remote`. */
  readonly lookMs: number;
  /** How long an HTTP server may send less than 1,000 bytes a second; whole seconds. */
  readonly stallMs: number;
  /** One fetch, start to end. */
  readonly fetchMs: number;
  /** What one fetch may bring. */
  readonly fetchBytes: number;
  /** One command that reads the mirror. */
  readonly localMs: number;
  /** What one command may print: a listing, or one batch of files. */
  readonly outputBytes: number;
  /** Git processes of one repository at once. */
  readonly processes: number;
  /** Files of configuration folders of one commit. */
  readonly files: number;
}

export const GIT_LIMITS: GitLimits = {
  lookMs: 30_000,
  stallMs: 20_000,
  fetchMs: 10 * 60_000,
  fetchBytes: 2 * 1024 * 1024 * 1024,
  localMs: 60_000,
  outputBytes: 128 * 1024 * 1024,
  processes: 4,
  files: 20_000,
};
