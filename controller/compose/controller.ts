// The running controller: world, journal, engine, page and triggers, opened in order and closed in reverse.
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AwsCredentialIdentity } from "@smithy/types";
import type { ControllerOptions, Running } from "../cli/doors.ts";
import type { Config, Secrets } from "../config.ts";
import { Fault, faultOf, faultValue } from "../core/fault.ts";
import { LIMITS } from "../core/limits.ts";
import type { Redactor } from "../core/redact.ts";
import { createRedactor } from "../core/redact.ts";
import { createBus } from "../engine/bus.ts";
import type { Engine } from "../engine/engine.ts";
import { createEngine } from "../engine/engine.ts";
import type { GitCredentials } from "../git/credentials.ts";
import { createWriterId } from "../journal/writer.ts";
import type { Clock, Sink } from "../ports.ts";
import type { Board } from "../server/board.ts";
import type { Listening } from "../server/listen.ts";
import { listen } from "../server/listen.ts";
import { createLogSink } from "../sinks/log.ts";
import { createTerminalSink } from "../sinks/terminal.ts";
import { createCronTrigger } from "../trigger.ts";
import { openAwsWorld } from "./aws-world.ts";
import { createBoard } from "./board.ts";
import { openJournal } from "./journal.ts";
import { createReadManifests } from "./manifests.ts";
import { openOperator, repositoriesOf } from "./operator.ts";
import { systemRandom } from "./random.ts";
import { createSources } from "./sources.ts";

export interface ControllerParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Instead of the SDK's own chain. */
  readonly credentials?: AwsCredentialIdentity;
}

export async function startController(options: ControllerOptions, parts: ControllerParts): Promise<Running> {
  const { config, signal } = options;
  const { env, secrets, clock, credentials } = parts;
  const redact = createRedactor(secretValues(secrets, env));
  const writer = createWriterId();
  const operator = await openOperator(config.file, env);
  const { world, aws } = openAwsWorld({
    clock,
    random: systemRandom,
    writer,
    env,
    ...(credentials === undefined ? {} : { credentials }),
  });
  const bus = createBus([sinkOf(options, redact)]);
  const sources = createSources({
    repositories: repositoriesOf(operator, config),
    folder: stateFolder(config),
    credentials: credentialsOf(config, secrets),
    env,
  });
  const engine = await createEngine({
    sources: sources.configured,
    read: createReadManifests(sources, operator.place),
    contains: sources.contains,
    world,
    journal: openJournal(config.journal, { create: true, aws, clock, env }),
    bus,
    clock,
    random: systemRandom,
    writer,
    leaseTtlMs: LIMITS.leaseTtlMs,
    adopts: config.adopt === "release",
    observes: options.observe,
  });
  const board = createBoard(engine);
  const mistake = (error: unknown): void => {
    const event = { type: "trouble", fault: faultValue(faultOf(error)), where: "page and API" } as const;
    bus.publish({ durable: false, stream: "journal", at: clock.now(), event });
  };
  const server = await openServer(options, { board, engine, redact, secrets, mistake });
  const trigger = createCronTrigger(config.poll).start(() => engine.look());
  engine.look();

  async function close(): Promise<number> {
    trigger[Symbol.dispose]();
    await engine[Symbol.asyncDispose]();
    await server.close();
    await bus[Symbol.asyncDispose]();
    aws.close();
    return 0;
  }

  const closed = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  }).then(close);
  return {
    address: server.address,
    status: () => engine.status(),
    subscribe: (listener) => board.subscribe(listener),
    control: engine.control,
    closed,
  };
}

interface ServerParts {
  readonly board: Board;
  readonly engine: Engine;
  readonly redact: Redactor;
  readonly secrets: Secrets;
  /** Hears of our own mistakes while answering. */
  readonly mistake: (error: unknown) => void;
}

async function openServer(
  options: ControllerOptions,
  { board, engine, redact, secrets, mistake }: ServerParts,
): Promise<Listening> {
  const { config, version } = options;
  const { host, port } = config.listen;
  try {
    return await listen({
      board,
      control: engine.control,
      redact,
      version,
      host,
      port,
      hosts: config.hosts,
      webhookSecrets: secrets.webhook,
      life: systemRandom(8),
      onError: mistake,
    });
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    const why = error instanceof Error ? error.message : String(error);
    throw new Fault("address-unavailable", `cannot listen at ${host}:${port}: ${why}`, error);
  }
}

function sinkOf({ output, colour, unicode, config }: ControllerOptions, redact: Redactor): Sink {
  if (output.isTTY) return createTerminalSink({ output, style: { colour, unicode }, redact });
  return createLogSink({ output, level: config.logLevel, redact });
}

function credentialsOf(config: Config, secrets: Secrets): GitCredentials {
  return {
    ...(secrets.gitToken === undefined ? {} : { token: secrets.gitToken }),
    ...(config.gitSshKey === undefined ? {} : { sshKey: config.gitSshKey }),
    ...(config.gitKnownHosts === undefined ? {} : { knownHosts: config.gitKnownHosts }),
  };
}

/** Mirrors are a cache: they stand beside a journal in a folder, and may be deleted at any time. */
function stateFolder({ journal }: Config): string {
  return journal.kind === "directory" ? dirname(journal.path) : join(tmpdir(), "lockstep");
}

function secretValues({ gitToken, webhook }: Secrets, env: ControllerParts["env"]): readonly string[] {
  const aws = [env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]];
  return [gitToken, ...webhook, ...aws].flatMap((value) => (value === undefined || value === "" ? [] : [value]));
}
