// The commands that nudge: each asks the controller for one thing, and is journaled with who asked and why.
import { Sha } from "../core/brand.ts";
import type { EnvironmentId } from "../core/environment.ts";
import type { Call } from "./call.ts";
import { confirm, only, required } from "./call.ts";
import type { Client } from "./client.ts";
import { createClient, select } from "./client.ts";
import { EXIT } from "./exit.ts";
import { mark, muted } from "./frame.ts";
import { stop } from "./stop.ts";

const NO_REASON = "no reason given";

export function retry(call: Call): Promise<number> {
  return nudge(call, "retry", "tries the failed release again");
}

export function repair(call: Call): Promise<number> {
  return nudge(call, "repair", "puts back what Git says");
}

export function adopt(call: Call): Promise<number> {
  return nudge(call, "adopt", "may be moved to what Git says", "The first release will change what runs there.");
}

export function abort(call: Call): Promise<number> {
  return nudge(call, "abort", "ends its running release", "The running release ends as failed.");
}

export async function resolve(call: Call): Promise<number> {
  const { options } = call;
  const [migration, name, adopt] = [options.text("migration"), options.text("name"), options.flag("adopt")];
  const usage = "For example: lockstep resolve prod --migration applied";
  if ((migration === undefined) === !adopt) {
    throw stop(EXIT.usage, "resolve needs one of --migration applied|not-applied and --adopt", usage);
  }
  if (migration !== undefined && migration !== "applied" && migration !== "not-applied") {
    throw stop(EXIT.usage, `--migration: ${JSON.stringify(migration)} is neither applied nor not-applied`, usage);
  }
  const how = adopt
    ? { kind: "adopt" }
    : { kind: "migration", outcome: migration, ...(name === undefined ? {} : { migration: name }) };
  const warning = adopt
    ? "What another journal released is taken over."
    : migration === "applied"
      ? "The migration will never run here."
      : "The migration will run again.";
  return nudge(call, "resolve", adopt ? "is taken over as it runs" : `counts its migration as ${migration}`, warning, {
    how,
  });
}

export async function refresh(call: Call): Promise<number> {
  if (call.words.length > 0) throw stop(EXIT.usage, "refresh looks at everything and takes no name");
  const client = createClient(call);
  await client.post("/refresh", {});
  return said(call, { action: "refresh" }, "the controller looks now");
}

export async function accept(call: Call): Promise<number> {
  const head = required(call, "head", "lockstep accept <the 40 digits of the head>");
  if (!Sha.is(head)) {
    throw stop(
      EXIT.usage,
      `${JSON.stringify(head)} is not a head`,
      "Write all 40 digits; `lockstep status` shows them.",
    );
  }
  await confirm(call, `The history that ends in ${head.slice(0, 7)} replaces the one before.`, head.slice(0, 7));
  const client = createClient(call);
  await client.post("/accept", { head, reason: reason(call) });
  return said(call, { action: "accept", head }, `history accepted at ${head.slice(0, 7)}`);
}

async function nudge(
  call: Call,
  action: "retry" | "repair" | "adopt" | "abort" | "resolve",
  done: string,
  warning?: string,
  body: Readonly<Record<string, unknown>> = {},
): Promise<number> {
  const client = createClient(call);
  const id = await target(call, client, action);
  if (warning !== undefined) await confirm(call, `${id}: ${warning}`, id.slice(id.indexOf("/") + 1));
  await client.post(`/environments/${id}/${action}`, { reason: reason(call), ...body });
  return said(call, { action, environment: id }, `${id} ${done}`, `lockstep wait ${id}`);
}

async function target(call: Call, client: Client, action: string): Promise<EnvironmentId> {
  const name = only(call, "environment");
  if (name === undefined) throw stop(EXIT.usage, "which environment?", `For example: lockstep ${action} prod`);
  return select((await client.status()).environments, name).id;
}

function reason(call: Call): string {
  const given = call.options.text("reason")?.trim();
  return given === undefined || given === "" ? NO_REASON : given;
}

function said(call: Call, document: Readonly<Record<string, unknown>>, sentence: string, next?: string): number {
  if (call.options.flag("json")) call.json({ schema: "lockstep/v1", type: "nudge", ...document });
  else call.print([[mark("healthy", sentence), ...(next === undefined ? [] : [muted(`  follow it: ${next}`)])]]);
  return EXIT.done;
}
