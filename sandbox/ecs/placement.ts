// Tasks that cannot be placed because a test or a demo says so: no capacity, no memory, no agent.

import { type Input, requiredText, text, wholeNumber } from "../members.ts";
import type { Routes } from "../control.ts";

export interface PlacementOrder {
  /** Such as `RESOURCE:MEMORY`, `AGENT` or `Capacity is unavailable at this time. Please try again later or in a different availability zone`. */
  readonly reason: string;
  readonly detail?: string;
  /** Only tasks of this family. Default: any. */
  readonly family?: string;
  /** How many tasks fail. Default 1. */
  readonly count?: number;
}

export interface Placement {
  fail(order: PlacementOrder): void;
  clear(): void;
  /** Why the next task of this family cannot be placed; uses up one of an order. */
  take(family: string): Pick<PlacementOrder, "reason" | "detail"> | undefined;
}

export function createPlacement(): Placement {
  const orders: { readonly order: PlacementOrder; left: number }[] = [];
  return {
    fail: (order) => void orders.push({ order, left: order.count ?? 1 }),
    clear: () => void orders.splice(0),
    take(family) {
      const standing = orders.find(({ order, left }) => left > 0 && (order.family ?? family) === family);
      if (standing === undefined) return undefined;
      standing.left -= 1;
      if (standing.left === 0) orders.splice(orders.indexOf(standing), 1);
      return standing.order;
    },
  };
}

export function placementRoutes(placement: Placement): Routes {
  return {
    "POST /_sandbox/ecs/placement-failures": (_, body) => {
      placement.fail(readOrder(body));
      return {};
    },
    "DELETE /_sandbox/ecs/placement-failures": () => {
      placement.clear();
      return {};
    },
  };
}

function readOrder(body: Input): PlacementOrder {
  const detail = text(body, "detail");
  const family = text(body, "family");
  const count = wholeNumber(body, "count", { least: 1, most: 10_000, otherwise: 1 });
  return {
    reason: requiredText(body, "reason"),
    count,
    ...(detail === undefined ? {} : { detail }),
    ...(family === undefined ? {} : { family }),
  };
}
