// All mutations, room by room.
import { DECISIONS } from "./list/decision.ts";
import { ECS } from "./list/ecs.ts";
import { EDGES } from "./list/edges.ts";
import { ENGINES } from "./list/engine.ts";
import { MEMORIES } from "./list/memory.ts";
import { WEBS } from "./list/web.ts";
import type { Mutation } from "./mutation.ts";

export const MUTATIONS: readonly Mutation[] = [...DECISIONS, ...MEMORIES, ...ENGINES, ...ECS, ...WEBS, ...EDGES];
