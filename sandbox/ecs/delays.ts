// How long every step of ECS takes, in one table.

/**
 * Milliseconds on the sandbox's clock, divided by its speed, two excepted. About a tenth of what Fargate takes (an ENI 10 s,
 * a pull 20 s, a load balancer's health check 2 × 30 s, a deregistration 30 s), so that their proportions stay and a rollout shows.
 */
export interface Delays {
  /** PROVISIONING: an elastic network interface is created. */
  readonly provisioningMs: number;
  /** PENDING: images are pulled. */
  readonly pendingMs: number;
  /** ACTIVATING: targets are registered. */
  readonly activatingMs: number;
  /** DEACTIVATING, when the task took traffic: the load balancer drains it. */
  readonly deactivatingMs: number;
  /** DEACTIVATING, when it took none. */
  readonly deactivatingIdleMs: number;
  /** DEPROVISIONING: the network interface goes. */
  readonly deprovisioningMs: number;
  /** From accepting connections to healthy: a load balancer wants several good answers in a row. */
  readonly targetHealthyMs: number;
  /**
   * A task nothing checks counts as healthy so long after RUNNING (AWS: 40 s).
   * Never divided: a real process takes its real time to crash.
   */
  readonly healthyWithoutCheckMs: number;
  /**
   * A service's task that is not healthy so long after RUNNING, plus the grace period, is stopped.
   * Never divided: a real process takes its real time to listen.
   */
  readonly unhealthyAfterMs: number;
  /** From a change to the service scheduler's next look. */
  readonly schedulerMs: number;
  /** From STOP_REQUESTED to STOPPED, and from ROLLBACK_REQUESTED to ROLLBACK_IN_PROGRESS. */
  readonly deploymentStopMs: number;
  /** The service throttle: first wait after the third failed round of starts, doubled each round up to the limit. */
  readonly restartBackoffMs: number;
  readonly restartBackoffLimitMs: number;
}

export const DELAYS: Delays = {
  provisioningMs: 1000,
  pendingMs: 2000,
  activatingMs: 300,
  deactivatingMs: 3000,
  deactivatingIdleMs: 100,
  deprovisioningMs: 1000,
  targetHealthyMs: 1000,
  healthyWithoutCheckMs: 3000,
  unhealthyAfterMs: 6000,
  schedulerMs: 300,
  deploymentStopMs: 300,
  restartBackoffMs: 1000,
  restartBackoffLimitMs: 90_000,
};
