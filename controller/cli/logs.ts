// `lockstep logs <env> [step] [-f]`: what a step of the running or last release wrote.
import { stepIdName, stepName } from "../core/describe.ts";
import { Instant } from "../core/brand.ts";
import type { EnvironmentStatus } from "../core/status.ts";
import { stepId, subject } from "../core/step.ts";
import type { Call } from "./call.ts";
import type { Client, LogDocument } from "./client.ts";
import { createClient, select } from "./client.ts";
import { EXIT } from "./exit.ts";
import { muted } from "./frame.ts";
import { stop } from "./stop.ts";

const POLL_MS = 1000;

export async function logs(call: Call): Promise<number> {
  const [name, word, ...rest] = call.words;
  if (name === undefined || rest.length > 0) {
    throw stop(EXIT.usage, "logs takes an environment and at most one step", "For example: lockstep logs prod migrate");
  }
  const client = createClient(call);
  const one = select((await client.status()).environments, name);
  const step = word === undefined ? undefined : named(one, word);
  return call.options.flag("follow") ? follow(call, client, one, step) : once(call, client, one, step);
}

/** The step meant by `migrate`, `api`, `deploy api` or `deploy/api`; what is not known goes to the controller as it is. */
function named(one: EnvironmentStatus, word: string): string {
  const steps = one.release?.steps.map((record) => record.step) ?? [];
  const found =
    steps.find((step) => stepId(step) === word || stepName(step) === word) ??
    steps.find((step) => subject(step) === word || step.kind === word);
  return found === undefined ? word : stepId(found);
}

async function once(call: Call, client: Client, one: EnvironmentStatus, step: string | undefined): Promise<number> {
  const document = await client.logs(one.id, step);
  if (document === undefined) {
    call.say([[`${one.id}: no log${step === undefined ? "" : ` of ${stepIdName(step)}`} is kept.`]]);
    if (call.options.flag("json")) call.json({ schema: "lockstep/v1", environment: one.id });
    return EXIT.done;
  }
  if (call.options.flag("json")) {
    call.json(document);
    return EXIT.done;
  }
  call.say([[muted(`${one.id} #${document.log.release} ${stepIdName(document.log.step)}`)]]);
  write(call, document, document.log.first);
  return EXIT.done;
}

/** Until the step has ended; a step that has not begun is waited for while its release runs. */
async function follow(call: Call, client: Client, one: EnvironmentStatus, step: string | undefined): Promise<number> {
  let next = 0;
  let current: string | undefined;
  for (;;) {
    const document = await client.logs(one.id, step);
    if (document !== undefined) {
      const log = `${document.log.release} ${document.log.step}`;
      if (log !== current) [current, next] = [log, document.log.first];
      write(call, document, next);
      next = document.log.first + document.log.lines.length;
    }
    if (document?.log.running !== true) {
      const { environment } = await client.environment(one.id);
      const failed = environment.release?.failure?.step;
      if (document !== undefined) return failed === document.log.step ? EXIT.releaseFailed : EXIT.done;
      if (environment.state !== "converging") {
        call.say([[`${one.id}: nothing runs, and no log is kept.`]]);
        return EXIT.done;
      }
    }
    await call.io.clock.sleep(POLL_MS, call.io.signal);
  }
}

function write(call: Call, { environment, log }: LogDocument, from: number): void {
  const fresh = log.lines.slice(Math.max(0, from - log.first));
  if (!call.options.flag("json")) {
    call.print(
      fresh.map(({ at, text }) => [...(at === undefined ? [] : [muted(`${Instant.toIso(at).slice(11, 19)} `)]), text]),
    );
    return;
  }
  for (const [index, line] of fresh.entries()) {
    const number = Math.max(from, log.first) + index;
    const { release, step } = log;
    call.json({ schema: "lockstep/v1", type: "log", environment, release, step, line: number, ...line }, true);
  }
}
