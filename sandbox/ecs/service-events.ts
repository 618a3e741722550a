// A service's event list: the newest hundred, in the words of the ECS console.

import type { Chance, SandboxClock } from "../api.ts";
import { uuid } from "../chance.ts";
import { EVENTS_PER_SERVICE } from "./limits.ts";
import type { EcsService } from "./model.ts";

export type Tell = (service: EcsService, message: string) => void;

/** Adds `(service name) message`. */
export function createTell(clock: SandboxClock, chance: Chance): Tell {
  return (service, message) => {
    const event = { id: uuid(chance), createdAtMs: clock.now(), message: `(service ${service.name}) ${message}` };
    service.events = [event, ...service.events].slice(0, EVENTS_PER_SERVICE);
  };
}
