// Error answers of the API: a code, what is wrong, what to do next.
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Fault, FAULTS } from "../core/fault.ts";
import { isRefusal } from "../core/refusal.ts";

export interface Problem {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

export function problem(status: ContentfulStatusCode, code: string, message: string, next: string): Problem {
  return { status, code, message, next };
}

export function answer(context: Context, { status, code, message, next }: Problem): Response {
  return context.json({ schema: "lockstep/v1", error: { code, message, next } }, status);
}

/** What a nudge that failed means to who asked; our own mistakes keep their details to the log. */
export function problemOf(thrown: unknown): Problem {
  if (isRefusal(thrown)) return problem(409, "refused", thrown.message, thrown.next);
  if (thrown instanceof Fault) {
    const status = thrown.code === "journal-unavailable" ? 503 : 409;
    return problem(status, thrown.code, thrown.message, FAULTS[thrown.code].next);
  }
  return problem(500, "internal", "Lockstep itself made a mistake here.", "The log of the controller says which.");
}
