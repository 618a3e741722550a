// The routes that ask something of the engine: who, why and what are checked here, once.
import type { Context } from "hono";
import { Sha } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { Nudge } from "../core/event.ts";
import type { Control, Resolution } from "../ports.ts";
import type { Problem } from "./problem.ts";
import { answer, problem, problemOf } from "./problem.ts";

export const ACTIONS = ["retry", "resolve", "repair", "adopt", "abort"] as const;
export type Action = (typeof ACTIONS)[number];

/** A name as people and machines have them, without anything that could change a line of the journal's readers. */
const ACTOR = /^[\p{L}\p{N}_][\p{L}\p{N} ._@+:/\\-]{0,63}$/u;
const REASON_LENGTH = 500;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

type Body = Readonly<Record<string, unknown>>;

/** What was asked, and by whom; or why it cannot be taken. */
type Asked = { readonly body: Body; readonly by: Nudge } | { readonly refused: Problem };

export async function nudge(context: Context, control: Control, id: EnvironmentId, action: Action): Promise<Response> {
  const asked = await readNudge(context);
  if ("refused" in asked) return answer(context, asked.refused);
  const { body, by } = asked;
  if (action !== "resolve") return attempt(context, () => control[action](id, by));
  const how = resolution(body["how"]);
  if (how !== undefined) return attempt(context, () => control.resolve(id, how, by));
  const message = "`how` says neither how the migration ended nor that what runs is adopted.";
  const next = 'Send {"how": {"kind": "migration", "outcome": "applied"}} or {"how": {"kind": "adopt"}}.';
  return answer(context, problem(400, "bad-request", message, next));
}

export async function accept(context: Context, control: Control): Promise<Response> {
  const asked = await readNudge(context);
  if ("refused" in asked) return answer(context, asked.refused);
  const head = asked.body["head"];
  if (typeof head === "string" && Sha.is(head)) return attempt(context, () => control.accept(head, asked.by));
  return answer(context, problem(400, "bad-request", "`head` is not a commit SHA.", "Send all 40 digits of the head."));
}

export async function refresh(context: Context, control: Control): Promise<Response> {
  return attempt(context, async () => control.look());
}

async function attempt(context: Context, act: () => Promise<void>): Promise<Response> {
  try {
    await act();
    return context.json({ schema: "lockstep/v1", accepted: true }, 202);
  } catch (thrown) {
    const known = problemOf(thrown);
    if (known.status === 500) throw thrown;
    return answer(context, known);
  }
}

async function readNudge(context: Context): Promise<Asked> {
  const body: unknown = await context.req.json().catch(() => undefined);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { refused: problem(400, "bad-request", "The body is not a JSON object.", 'Send {"reason": "…"}.') };
  }
  const actor = decoded(context.req.header("lockstep-actor") ?? "").trim();
  if (!ACTOR.test(actor)) {
    const next = "Send a name of 1 to 64 letters and digits.";
    return { refused: problem(400, "actor", "The header Lockstep-Actor names nobody.", next) };
  }
  const said = (body as Body)["reason"];
  const reason = typeof said === "string" ? said.trim() : "";
  if (reason.length === 0 || reason.length > REASON_LENGTH || /\p{Cc}/u.test(reason)) {
    const message = "`reason` is missing, too long or holds control characters.";
    const next = `Say why in one line of at most ${REASON_LENGTH} characters.`;
    return { refused: problem(400, "reason", message, next) };
  }
  return { body: body as Body, by: { actor, reason } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function resolution(how: unknown): Resolution | undefined {
  if (typeof how !== "object" || how === null) return undefined;
  const { kind, outcome, migration } = how as Body;
  if (kind === "adopt") return { kind };
  if (kind !== "migration" || (outcome !== "applied" && outcome !== "not-applied")) return undefined;
  if (migration === undefined) return { kind, outcome };
  return typeof migration === "string" && NAME.test(migration) ? { kind, outcome, migration } : undefined;
}
