// The whole sandbox: one AWS account behind `handle`, with its services, faults, call log and public endpoints.

import type {
  Chance,
  PublicEndpoint,
  SandboxClock,
  SandboxRequest,
  SandboxResponse,
  Service,
  TaskRunner,
} from "./api.ts";
import { type Calls, createCalls } from "./calls.ts";
import { createCloudFront } from "./cloudfront/service.ts";
import { CONTROL_PREFIX, commonRoutes, createControl, type Routes } from "./control.ts";
import { createEcr } from "./ecr/service.ts";
import { createAutoScaling } from "./ecs/auto-scaling.ts";
import { createEcs, type EcsDependencies } from "./ecs/service.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createGateway } from "./gateway.ts";
import { createIdentities, type Identities } from "./identities.ts";
import { createLogs } from "./logs/service.ts";
import { createS3 } from "./s3/service.ts";
import { createSts } from "./sts.ts";
import { createThrottling } from "./throttling.ts";

export const DEFAULT_ACCOUNT = "111122223333";
export const DEFAULT_REGION = "eu-west-1";

export interface SandboxOptions {
  /** Its speed is the sandbox's speed. */
  readonly clock: SandboxClock;
  readonly chance: Chance;
  readonly runner: TaskRunner;
  readonly account?: string;
  readonly region?: string;
  /** Throttle by AWS's published token buckets. Default false. */
  readonly throttling?: boolean;
  /** How long after it was written a container's line can be read in CloudWatch Logs. Default 0. */
  readonly logIngestDelayMs?: number;
  /** How long the steps of ECS take, where not as in its own table. */
  readonly ecsDelays?: NonNullable<EcsDependencies["delays"]>;
  /** More services, asked before the sandbox's own. */
  readonly services?: readonly Service[];
  /** More control routes, such as a script runner's. */
  readonly routes?: Routes;
}

export interface Sandbox {
  /** Answers one request. Fault: ConnectionLost, when a fault order says so; anything else thrown is a bug. */
  readonly handle: (request: SandboxRequest) => Promise<SandboxResponse>;
  /** What can be reached from outside the account now. */
  endpoints(): readonly PublicEndpoint[];
  readonly faults: Faults;
  readonly calls: Calls;
  readonly identities: Identities;
  /** Held calls lose their connection, and every task ends. */
  close(): Promise<void>;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { clock, chance, runner, account = DEFAULT_ACCOUNT, region = DEFAULT_REGION } = options;
  const identities = createIdentities({ clock, chance, account, region });
  const faults = createFaults({ clock, chance });
  const calls = createCalls();
  const ecr = createEcr({ clock, account, region });
  const logs = createLogs({ clock, ingestDelayMs: options.logIngestDelayMs ?? 0 });
  const s3 = createS3({ clock });
  const cloudfront = createCloudFront({ clock, readObject: s3.readObject });
  const { resolveImage } = ecr;
  const { writeLog } = logs;
  const delays = options.ecsDelays ?? {};
  const ecs = createEcs({ clock, chance, runner, resolveImage, writeLog, account, region, delays });
  const autoScaling = createAutoScaling({ clock, chance, ecs });
  const sts = createSts({ identities, chance });
  const services = [...(options.services ?? []), ecs, ecr, logs, autoScaling, sts, cloudfront, s3];
  const throttling = options.throttling === true ? createThrottling(clock) : undefined;
  const gateway = createGateway({ clock, chance, services, identities, faults, calls, throttling });
  const common = commonRoutes({ clock, faults, calls, identities });
  const control = createControl({ ...common, ...ecr.routes, ...ecs.routes, ...options.routes });

  return {
    handle: (request) => (request.path.startsWith(CONTROL_PREFIX) ? control(request) : gateway(request)),
    endpoints: () => [...ecs.publicEndpoints(), ...cloudfront.publicEndpoints()],
    faults,
    calls,
    identities,
    async close() {
      faults.close();
      await runner.close();
    },
  };
}
