// Reads of ECS shared by everyone: services asked about in the same moment go into one call, ten at a time.
import { setMaxListeners } from "node:events";
import type { Service as EcsService } from "@aws-sdk/client-ecs";
import type { Place } from "../../core/environment.ts";
import { Fault } from "../../core/fault.ts";
import type { Clock } from "../../ports.ts";
import type { Aws } from "../aws.ts";

/** DescribeServices takes no more. */
const SERVICES_PER_CALL = 10;
/** A service is absent only when AWS said so this often in a row; reads may be stale for a moment. */
const MISSES = 3;
const MISS_PAUSE_MS = 500;

export interface ServiceReader {
  /** The service as it is, or undefined when AWS does not know it, asked once. Faults of `Aws.read`. */
  glimpse(place: Place, service: string, signal: AbortSignal): Promise<EcsService | undefined>;
  /** The same, asked three times before it is said to be absent. */
  find(place: Place, service: string, signal: AbortSignal): Promise<EcsService | undefined>;
}

interface Question {
  readonly service: string;
  readonly answer: (found: EcsService | undefined) => void;
  readonly fail: (reason: unknown) => void;
}

export function createServiceReader(aws: Aws, clock: Clock): ServiceReader {
  const batches = new Map<string, { readonly place: Place; readonly questions: Question[] }>();
  // A call serves many, so none of them may abort it; its own time limit ends it.
  const never = new AbortController().signal;

  function ask(place: Place, service: string): Promise<EcsService | undefined> {
    return new Promise((answer, fail) => {
      const key = [place.account, place.role, place.externalId, place.region, place.cluster].join(" ");
      const waiting = batches.get(key);
      if (waiting !== undefined) {
        waiting.questions.push({ service, answer, fail });
        return;
      }
      batches.set(key, { place, questions: [{ service, answer, fail }] });
      // One turn of the event loop gathers timers that are due together and every promise they settle.
      setImmediate(() => flush(key));
    });
  }

  function flush(key: string): void {
    const batch = batches.get(key);
    batches.delete(key);
    if (batch === undefined) return;
    const names = [...new Set(batch.questions.map(({ service }) => service))];
    for (let from = 0; from < names.length; from += SERVICES_PER_CALL) {
      const part = names.slice(from, from + SERVICES_PER_CALL);
      const asked = batch.questions.filter(({ service }) => part.includes(service));
      void settle(describe(batch.place, part), asked);
    }
  }

  async function settle(
    describing: Promise<ReadonlyMap<string, EcsService>>,
    asked: readonly Question[],
  ): Promise<void> {
    try {
      const found = await describing;
      for (const { service, answer } of asked) answer(found.get(service));
    } catch (reason) {
      for (const { fail } of asked) fail(reason);
    }
  }

  async function describe(place: Place, services: readonly string[]): Promise<ReadonlyMap<string, EcsService>> {
    const resource = `${services.length === 1 ? "service" : "services"} ${services.join(", ")} in cluster ${place.cluster}`;
    const call = { place, service: "ecs", operation: "DescribeServices", resource, signal: never } as const;
    const answer = await aws.read(call, (ecs, http) =>
      ecs.describeServices({ cluster: place.cluster, services: [...services] }, http),
    );
    for (const { arn, reason, detail } of answer.failures ?? []) {
      if (reason === "MISSING") continue;
      throw new Fault(
        "unavailable",
        `DescribeServices of ${arn ?? resource}: ${reason ?? "failed"} ${detail ?? ""}`.trim(),
      );
    }
    return new Map((answer.services ?? []).map((one) => [one.serviceName ?? "", one]));
  }

  async function glimpse(place: Place, service: string, signal: AbortSignal): Promise<EcsService | undefined> {
    // Before asking: the failure of an answer that nobody waits for would end the process.
    signal.throwIfAborted();
    return orAborted(ask(place, service), signal);
  }

  return {
    glimpse,
    async find(place, service, signal) {
      for (let misses = 1; ; misses += 1) {
        const found = await glimpse(place, service, signal);
        if (found !== undefined || misses === MISSES) return found;
        await clock.sleep(MISS_PAUSE_MS, signal);
      }
    },
  };
}

/** The promise, or the signal's reason: a caller stops waiting, the shared call goes on. */
async function orAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  setMaxListeners(0, signal);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Why a service that AWS knows cannot be driven; undefined when it can. */
export function refusal(service: EcsService, cluster: string): Fault | undefined {
  const where = `service ${service.serviceName} in cluster ${cluster}`;
  if (service.status === "INACTIVE") return missing(service.serviceName ?? "", cluster);
  if (service.status === "DRAINING") return new Fault("service-unsupported", `${where} is being deleted (DRAINING)`);
  const controller = service.deploymentController?.type ?? "ECS";
  if (controller !== "ECS")
    return new Fault(
      "service-unsupported",
      `${where} has the deployment controller ${controller}; Lockstep drives ECS`,
    );
  return undefined;
}

export function missing(service: string, cluster: string): Fault {
  return new Fault("service-missing", `cluster ${cluster} has no service ${service}`);
}
