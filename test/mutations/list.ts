// All mutations, room by room.
import { DECISIONS } from "./list/decision.ts";
import { DEPLOYS } from "./list/deployment.ts";
import { EDGES } from "./list/edges.ts";
import { ENGINES } from "./list/engine.ts";
import { MEMORIES } from "./list/memory.ts";
import { GATE } from "./list/migration.ts";
import { WEBS } from "./list/web.ts";
import type { Mutation } from "./mutation.ts";

export const MUTATIONS: readonly Mutation[] = [
  ...DECISIONS,
  ...MEMORIES,
  ...ENGINES,
  ...GATE,
  ...DEPLOYS,
  ...WEBS,
  ...EDGES,
];
