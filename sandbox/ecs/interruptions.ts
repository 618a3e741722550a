// Why the infrastructure ends a task, in the words of AWS.

import type { StopCode } from "./model.ts";

export const INTERRUPTIONS: Readonly<Partial<Record<StopCode, string>>> = {
  SpotInterruption: "Your Spot Task was interrupted.",
  TerminationNotice: "The container instance received a termination notice.",
  InfrastructureHealth: "The infrastructure under the task became unhealthy.",
};
