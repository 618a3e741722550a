// How a service deploys: what may be asked for, what is read back, and the numbers that follow from it.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html

import { type Input, record, text } from "../members.ts";
import { invalid, unsupported } from "./errors.ts";

/** The configuration as it is read back: everything AWS adds to what was sent. */
export function enriched(sent: Input): Input {
  const breaker = record(sent, "deploymentCircuitBreaker");
  const threshold = breaker === undefined ? undefined : record(breaker, "thresholdConfiguration");
  return {
    strategy: "ROLLING",
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    bakeTimeInMinutes: 0,
    alarms: { alarmNames: [], enable: false, rollback: false },
    ...sent,
    deploymentCircuitBreaker: {
      enable: false,
      rollback: false,
      resetOnHealthyTask: true,
      ...breaker,
      thresholdConfiguration: { type: "BOUNDED_PERCENT", value: 50, ...threshold },
    },
  };
}

/** Members that are sent replace what was there; the others stay. */
export function merged(before: Input, sent: Input): Input {
  return { ...before, ...sent };
}

/** Faults: InvalidParameterException, UnsupportedFeatureException for a strategy the sandbox does not imitate. */
export function checkDeploymentConfiguration(sent: Input): void {
  const strategy = text(sent, "strategy") ?? "ROLLING";
  if (!["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"].includes(strategy))
    throw invalid(`Invalid deployment strategy: ${strategy}`);
  if (strategy !== "ROLLING")
    throw unsupported(`The sandbox does not imitate the deployment strategy ${strategy}; see sandbox/ecs.md`);
  const { maximum, minimum } = bounds(sent);
  if (minimum < 0) throw invalid("Minimum healthy percent must not be negative.");
  if (maximum < 100) throw invalid("Maximum percent must be at least 100.");
  if (maximum === 100 && minimum === 100)
    throw invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.");
  checkBreaker(record(sent, "deploymentCircuitBreaker"));
}

function checkBreaker(breaker: Input | undefined): void {
  if (breaker === undefined) return;
  if (typeof breaker["enable"] !== "boolean" || typeof breaker["rollback"] !== "boolean")
    throw invalid("deploymentCircuitBreaker: enable and rollback must be given.");
  const threshold = record(breaker, "thresholdConfiguration");
  if (threshold === undefined) return;
  const type = text(threshold, "type") ?? "";
  if (!["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"].includes(type))
    throw invalid(`thresholdConfiguration.type: '${type}' is none of BOUNDED_PERCENT, UNBOUNDED_PERCENT, COUNT`);
  if (typeof threshold["value"] !== "number" || threshold["value"] < 1)
    throw invalid("thresholdConfiguration.value must be a positive number.");
}

function bounds(configuration: Input): { maximum: number; minimum: number } {
  const { maximumPercent, minimumHealthyPercent } = enriched(configuration);
  return { maximum: Number(maximumPercent), minimum: Number(minimumHealthyPercent) };
}

/** How many tasks may be up at most and must be healthy at least while a deployment rolls. */
export function taskBounds(configuration: Input, desired: number): { most: number; least: number } {
  const { maximum, minimum } = bounds(configuration);
  return { most: Math.floor((desired * maximum) / 100), least: Math.ceil((desired * minimum) / 100) };
}

export interface CircuitBreaker {
  readonly enabled: boolean;
  readonly rollsBack: boolean;
  readonly resetsOnHealthyTask: boolean;
  /** Failed tasks at which a deployment fails. */
  readonly threshold: number;
}

/** Half of the desired count, rounded up, at least 3 and at most 200, unless a threshold is given. */
export function circuitBreaker(configuration: Input, desired: number): CircuitBreaker {
  const breaker = record(enriched(configuration), "deploymentCircuitBreaker") ?? {};
  const { type, value } = record(breaker, "thresholdConfiguration") ?? {};
  const share = Math.max(1, Math.ceil((desired * Number(value)) / 100));
  const bounded = Math.min(200, Math.max(3, share));
  return {
    enabled: breaker["enable"] === true,
    rollsBack: breaker["rollback"] === true,
    resetsOnHealthyTask: breaker["resetOnHealthyTask"] !== false,
    threshold: type === "COUNT" ? Number(value) : type === "UNBOUNDED_PERCENT" ? share : bounded,
  };
}
