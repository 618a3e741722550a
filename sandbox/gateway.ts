// The front door of the account: finds the service a request is for and puts identity, permission, throttling, faults
// and the call log around it.

import {
  AwsError,
  type Caller,
  type Chance,
  type SandboxClock,
  type SandboxRequest,
  type SandboxResponse,
  type Service,
} from "./api.ts";
import { type Calls, inputOf } from "./calls.ts";
import { uuid } from "./chance.ts";
import { worded } from "./failures.ts";
import type { Faults } from "./faults.ts";
import type { Identities } from "./identities.ts";
import { permission } from "./permission.ts";
import type { Throttling } from "./throttling.ts";
import { jsonError } from "./wire.ts";

export interface GatewayOptions {
  readonly clock: SandboxClock;
  readonly chance: Chance;
  /** Asked in this order; S3, which takes any path, belongs last. */
  readonly services: readonly Service[];
  readonly identities: Identities;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly throttling: Throttling | undefined;
}

/** What is learnt about a call while it runs, for the log. */
interface Progress {
  caller?: Caller;
  fault?: string;
  error?: string;
}

/**
 * Answers one AWS request. Every error AWS would answer is an answer here; ConnectionLost is thrown on to the
 * edge, and anything else that is thrown is a bug of the sandbox and not swallowed.
 */
export function createGateway(options: GatewayOptions): (request: SandboxRequest) => Promise<SandboxResponse> {
  const { clock, chance, services, identities, faults, calls, throttling } = options;

  async function perform(
    service: Service,
    operation: string,
    request: SandboxRequest,
    progress: Progress,
  ): Promise<SandboxResponse> {
    const input = inputOf(request);
    const caller = known(() => identities.callerOf(request), service);
    progress.caller = caller;
    throttling?.take(service.name, operation, caller);
    const asked = permission(service.name, operation, request, input, caller);
    known(() => identities.authorize(caller, asked.action, asked.resource), service);
    return faults.around(
      { service: service.name, operation, input, caller, permission: asked },
      () => service.handle(operation, request, caller),
      (fault) => {
        progress.fault = fault;
      },
    );
  }

  /** AWS says on every answer which one it is, and what time it is there. */
  function signed(response: SandboxResponse, requestId: string): SandboxResponse {
    const date = new Date(clock.now()).toUTCString();
    return { ...response, headers: { date, "x-amzn-requestid": requestId, ...response.headers } };
  }

  async function answer(
    service: Service,
    operation: string,
    request: SandboxRequest,
    requestId: string,
    progress: Progress,
  ): Promise<SandboxResponse> {
    try {
      const response = await perform(service, operation, request, progress);
      return signed(response, requestId);
    } catch (error) {
      progress.error = error instanceof AwsError ? error.code : String(error);
      if (error instanceof AwsError) return signed(service.fail(error, requestId), requestId);
      throw error;
    }
  }

  return async (request) => {
    const requestId = uuid(chance);
    const startedAt = new Date(clock.now()).toISOString();
    const found = findService(services, request);
    if (found === undefined)
      return signed(jsonError(new AwsError("UnknownOperationException", unknown(request), 404), requestId), requestId);
    const progress: Progress = {};
    let status: number | undefined;
    try {
      const response = await answer(found.service, found.operation, request, requestId, progress);
      status = response.status;
      return response;
    } finally {
      calls.add({
        at: new Date(clock.now()).toISOString(),
        startedAt,
        service: found.service.name,
        operation: found.operation,
        input: inputOf(request),
        account: progress.caller?.account,
        region: progress.caller?.region,
        arn: progress.caller?.arn,
        userAgent: request.headers["x-amz-user-agent"] ?? request.headers["user-agent"] ?? "",
        status,
        error: progress.error,
        fault: progress.fault,
      });
    }
  };
}

function findService(
  services: readonly Service[],
  request: SandboxRequest,
): { service: Service; operation: string } | undefined {
  for (const service of services) {
    const operation = service.operation(request);
    if (operation !== undefined) return { service, operation };
  }
  return undefined;
}

/** Runs a check of the caller; what it finds is worded as this service words it. */
function known<T>(check: () => T, service: Service): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof AwsError ? worded(service.name, error) : error;
  }
}

function unknown(request: SandboxRequest): string {
  const target = request.headers["x-amz-target"];
  return `The sandbox has no service for ${target ?? `${request.method} ${request.path}`}`;
}
