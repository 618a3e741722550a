// A board and a control made of plain values, and a real server on top of them.
import type { Event } from "../../controller/core/event.ts";
import type { ReleaseRecord } from "../../controller/core/history.ts";
import { createRedactor } from "../../controller/core/redact.ts";
import type { StatusDocument } from "../../controller/core/status.ts";
import type { Control } from "../../controller/ports.ts";
import type { Board, StepLog } from "../../controller/server/board.ts";
import type { Listening } from "../../controller/server/listen.ts";
import { listen } from "../../controller/server/listen.ts";

export interface Stage {
  readonly board: Board;
  readonly control: Control;
  /** What was asked of the engine, in order. */
  readonly asked: readonly (readonly unknown[])[];
  show(document: StatusDocument): void;
  releases: readonly ReleaseRecord[] | undefined;
  log: StepLog | undefined;
  /** Thrown by the next nudge. */
  refuses: Error | undefined;
  ready: { readonly ready: boolean; readonly why?: string };
  emit(event: Event): void;
}

export function createStage(first: StatusDocument): Stage {
  let document = first;
  const listeners = new Set<(event: Event) => void>();
  const asked: unknown[][] = [];
  const stage: Stage = {
    asked,
    releases: undefined,
    log: undefined,
    refuses: undefined,
    ready: { ready: true },
    show: (next) => {
      document = next;
    },
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    board: {
      status: () => document,
      environment: (id) => document.environments.find((one) => one.id === id),
      releases(id) {
        const one = document.environments.find((candidate) => candidate.id === id);
        if (one === undefined) return undefined;
        return stage.releases ?? (one.release === undefined ? [] : [one.release]);
      },
      logs: async () => stage.log,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      readiness: () => stage.ready,
    },
    control: {
      look: () => void asked.push(["look"]),
      retry: async (...args) => ask("retry", ...args),
      resolve: async (...args) => ask("resolve", ...args),
      repair: async (...args) => ask("repair", ...args),
      adopt: async (...args) => ask("adopt", ...args),
      abort: async (...args) => ask("abort", ...args),
      accept: async (...args) => ask("accept", ...args),
    },
  };
  function ask(...call: unknown[]): void {
    if (stage.refuses !== undefined) throw stage.refuses;
    asked.push(call);
  }
  return stage;
}

export interface Theatre extends Stage {
  readonly server: Listening;
  /** Our own mistakes that the server reported. */
  readonly mistakes: readonly unknown[];
}

export interface TheatreOptions {
  readonly secrets?: readonly string[];
  readonly hosts?: readonly string[];
  readonly webhookSecrets?: readonly string[];
  readonly heartbeatMs?: number;
}

/** A server on a port of the system's choice; close it. */
export async function open(document: StatusDocument, options: TheatreOptions = {}): Promise<Theatre> {
  const stage = createStage(document);
  const mistakes: unknown[] = [];
  const server = await listen({
    board: stage.board,
    control: stage.control,
    redact: createRedactor(options.secrets ?? []),
    version: "0.1.0",
    host: "127.0.0.1",
    port: 0,
    hosts: options.hosts ?? [],
    webhookSecrets: options.webhookSecrets ?? [],
    life: "life",
    onError: (error) => void mistakes.push(error),
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });
  return Object.assign(stage, { server, mistakes });
}
