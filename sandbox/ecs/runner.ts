// What ECS can do with a runner beyond starting containers: all of it optional, so that any TaskRunner will do.

import type { ContainerEvents, ContainerStart, RunningContainer, TaskRunner } from "../api.ts";
import type { StopCode } from "./model.ts";
import type { Network } from "./network.ts";

/** A container before its image is pulled. */
export type ContainerRequest = Omit<ContainerStart, "manifest" | "port">;

export interface Refusal {
  readonly kind: "CannotPullContainerError" | "ResourceInitializationError" | "CannotStartContainerError";
  readonly message: string;
}

export interface HostEvents extends ContainerEvents {
  /** The host is taken away under the task: the whole task stops for this reason. */
  interrupted(stopCode: StopCode): void;
}

export interface EcsRunner extends TaskRunner {
  start(container: ContainerStart, events: HostEvents): RunningContainer;
  /** Why this container will never start; asked once, when its image would be pulled. */
  refuse?(container: ContainerRequest): Refusal | undefined;
  /** Where its containers listen, when that is not this machine's loopback. */
  readonly network?: Network;
}
