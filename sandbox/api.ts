// The boundaries of the sandbox on one page: what a request is, what a service is, and what is injected.

/** One HTTP request as it came over the wire. Header names are lower case; `path` is still percent-encoded. */
export interface SandboxRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface SandboxResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** Time, injected. `now` is milliseconds since the epoch; `after` runs `action` once, returning its cancel. */
export interface SandboxClock {
  now(): number;
  after(delayMs: number, action: () => void): () => void;
}

/** Chance, injected: the next number in [0, 1). */
export type Chance = () => number;

/** Who calls: read from the credential scope of the Authorization header (region) and the access key (account). */
export interface Caller {
  readonly account: string;
  readonly region: string;
  /** The assumed role's or user's ARN, as STS GetCallerIdentity would say it. */
  readonly arn: string;
  readonly userAgent: string;
}

/**
 * One AWS service. `operation` only names what a request asks for, so that faults, throttling and the call log apply
 * to every service alike before and after `handle` takes effect; undefined = not ours.
 */
export interface Service {
  readonly name: "ecs" | "ecr" | "logs" | "sts" | "s3" | "cloudfront" | "autoscaling" | "cloudwatch";
  operation(request: SandboxRequest): string | undefined;
  handle(operation: string, request: SandboxRequest, caller: Caller): Promise<SandboxResponse> | SandboxResponse;
  /** Writes an error in the service's own wire protocol (JSON 1.1, query XML or REST XML). */
  fail(error: AwsError, requestId: string): SandboxResponse;
}

/** An error as AWS words it: code, HTTP status, message, and members of the modelled shape. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, status = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** What a container is told when it starts. */
export interface ContainerStart {
  readonly taskArn: string;
  readonly containerName: string;
  /** `repository@sha256:…` or `repository:tag`, as the task definition says it. */
  readonly image: string;
  /** The manifest of the image in the sandbox registry, already resolved. */
  readonly manifest: ImageManifest;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The TCP port the container should listen on, when its definition maps one (also given as PORT). */
  readonly port: number | undefined;
}

export interface ContainerEvents {
  /** One line of standard output or error. */
  log(line: string): void;
  /** It listens on its port (or, without a port, it runs). */
  healthy(): void;
  exited(exitCode: number): void;
}

export interface RunningContainer {
  /** SIGTERM, then SIGKILL after `stopTimeoutMs`; `exited` follows. */
  stop(stopTimeoutMs: number): void;
}

/** Starts containers: as real child processes (`process`) or from a script of outcomes (`script`). */
export interface TaskRunner {
  start(container: ContainerStart, events: ContainerEvents): RunningContainer;
  /** Ends everything it started. */
  close(): Promise<void>;
}

/**
 * An "image" in the sandbox registry is an OCI image manifest whose annotations say what to run:
 * `sandbox.folder` (absolute path), `sandbox.entrypoint` (JSON array, run with that folder as working directory) and
 * `sandbox.env` (JSON object of strings: what was built into the image; the runner lays it below the task's environment).
 * Its digest is the sha256 of the manifest's bytes, as in ECR.
 */
export interface ImageManifest {
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Lets ECS ask ECR for an image without knowing it. Undefined = CannotPullContainerError. */
export type ResolveImage = (image: string) => ImageManifest | undefined;

/** Lets ECS write container output to CloudWatch Logs without knowing it. */
export type WriteLog = (at: { group: string; stream: string; region: string; account: string }, line: string) => void;

/** Lets the CDN read an object of a bucket without knowing S3. Undefined = the origin says 403/404. */
export type ReadObject = (
  bucket: string,
  key: string,
) => { body: Uint8Array; etag: string; contentType: string; cacheControl: string | undefined } | undefined;

/** A listener the HTTP edge opens for something inside the account: a service behind a load balancer, a distribution. */
export interface PublicEndpoint {
  readonly kind: "service" | "distribution";
  /** `cluster/service` or the distribution id. */
  readonly name: string;
  /** Aliases, for a distribution. */
  readonly aliases: readonly string[];
  answer(request: SandboxRequest): Promise<SandboxResponse> | SandboxResponse;
}

/**
 * The connection broke before the answer arrived; whether the call took effect, the caller cannot know. Thrown by the
 * sandbox's `handle` for the faults `before` and `after`; the HTTP edge destroys the socket instead. Its `code` is what
 * Node gives a reset connection, so that the AWS SDK treats both alike.
 */
export class ConnectionLost extends Error {
  readonly code = "ECONNRESET";
  constructor(operation: string) {
    super(`${operation}: the connection was lost before the answer arrived`);
    this.name = "ConnectionLost";
  }
}
